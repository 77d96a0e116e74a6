"""From raw pages to typed rows in plain Python; shared by the plain script and the dlt pipeline."""
import datetime
import io
import json

import zstandard

from columns import HEIGHTS, METRICS, SECTIONS, SUFFIX

UTC = datetime.timezone.utc


def pages(path):
    """The pages of a raw file, which consists of several zstd frames of JSON lines."""
    with path.open("rb") as packed:
        frames = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        for line in io.BufferedReader(frames, 1 << 20):
            record = json.loads(line)
            if record["record"] == "page":
                yield record


def number(text, suffix):
    """`-` and absent fields are None."""
    if not text or text == "-":
        return None
    return float(text.removesuffix(suffix))


def height(text):
    if not text or text == "-":
        return None
    return HEIGHTS.get(text) or int(text.rstrip("Pp"))


def clock(text):
    """Local time, and its offset from UTC in minutes if there is one."""
    if not text or text == "-":
        return None, None
    local = datetime.datetime.strptime(text[:19], "%Y.%m.%d %H:%M:%S")
    if len(text) < 30:
        return local, None
    sign = -1 if text[24] == "-" else 1
    return local, sign * (int(text[25:27]) * 60 + int(text[28:30]))


def row(meeting_key, participant_key, meeting_date, item):
    clocks = {section: clock((item.get(section) or {}).get("time")) for section in SECTIONS}
    offset = next(offset for _, offset in clocks.values() if offset is not None)
    ahead = datetime.timedelta(minutes=offset)
    sample_time = next(local for local, _ in clocks.values() if local is not None)
    typed = {
        "participant_key": participant_key,
        "meeting_key": meeting_key,
        "sample_time_utc": sample_time - ahead,
        "sample_time_local": sample_time,
        "utc_offset_min": offset,
        "meeting_date": meeting_date,
    }
    for section, (local, _) in clocks.items():
        typed[f"{section}_time_utc"] = None if local is None else local - ahead
    for section, field, unit, name in METRICS:
        text = (item.get(section) or {}).get(field)
        typed[name] = height(text) if unit == "px" else number(text, SUFFIX[unit])
    return typed


def rows(path):
    """The typed samples of a raw file."""
    date = datetime.date.fromisoformat(path.parent.name.removeprefix("meeting_date="))
    for page in pages(path):
        request = page["request"]
        meeting_key = f"{request['meeting_no']}-{request['meeting_start_time']}"
        unit = request.get("user_id") or request.get("room_id")
        participant_key = f"{meeting_key}/{unit}/{request['join_time']}"
        data = page.get("response", {}).get("data") or {}
        for item in data.get("participant_quality_list") or []:
            yield row(meeting_key, participant_key, date, item)
