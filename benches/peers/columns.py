"""Shared by the peers: the fields of an item, the unit of each number, and its column.

The forms are those that Feishu documents: "100ms", "8kbps", "8%", "6dB", "100fps", "1080P", "4K", "-" for a missing value,
times as "2026.10.13 18:06:00 (GMT+08:00)" and, in cpu_usage, without a zone. A peer need not accept others.
"""

_STREAM = [
    ("bitrate_received", "kbps"),
    ("latency_received", "ms"),
    ("jitter_received", "ms"),
    ("maximum_resolution_received", "px"),
    ("framerate_received", "fps"),
    ("bitrate_sent", "kbps"),
    ("latency_sent", "ms"),
    ("jitter_sent", "ms"),
    ("maximum_resolution_sent", "px"),
    ("framerate_sent", "fps"),
]

# Section -> its fields besides `time`, each with its unit.
SECTIONS = {
    "network": [
        ("network_delay", "ms"),
        ("bitrate_received", "kbps"),
        ("packet_loss_avg_received", "pct"),
        ("packet_loss_max_received", "pct"),
        ("bitrate_sent", "kbps"),
        ("packet_loss_avg_sent", "pct"),
        ("packet_loss_max_sent", "pct"),
    ],
    "audio": [
        ("mic_input_volume", "db"),
        ("speaker_volume", "db"),
        ("bitrate_received", "kbps"),
        ("latency_received", "ms"),
        ("jitter_received", "ms"),
        ("bitrate_sent", "kbps"),
        ("latency_sent", "ms"),
        ("jitter_sent", "ms"),
    ],
    "video": _STREAM,
    "screen_sharing": _STREAM,
    "cpu_usage": [
        ("client_avg_cpu_usage", "pct"),
        ("client_max_cpu_usage", "pct"),
        ("system_avg_cpu_usage", "pct"),
        ("system_max_cpu_usage", "pct"),
    ],
}

# The suffix of each unit. Heights (`px`) have other suffixes: 1080P, 4K.
SUFFIX = {"ms": "ms", "kbps": "kbps", "pct": "%", "db": "dB", "fps": "fps"}
HEIGHTS = {"2K": 1440, "4K": 2160, "8K": 4320}


def column(section, field, unit):
    """The name of a metric's column."""
    if section == "cpu_usage" or field == "network_delay":
        return f"{field}_{unit}"
    return f"{section}_{field}_{unit}"


METRICS = [
    (section, field, unit, column(section, field, unit)) for section, fields in SECTIONS.items() for field, unit in fields
]

# Every column of the result, in order.
COLUMNS = ["participant_key", "meeting_key", "sample_time_utc", "sample_time_local", "utc_offset_min"]
for _section, _fields in SECTIONS.items():
    COLUMNS.append(f"{_section}_time_utc")
    COLUMNS.extend(column(_section, field, unit) for field, unit in _fields)
COLUMNS.append("meeting_date")
