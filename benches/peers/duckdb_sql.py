"""DuckDB alone: read_json, casts, one table, one Parquet file per date.

    python duckdb_sql.py RAW_QUALITY OUT [--sorted]

DuckDB reads the raw log directly: several zstd frames per file, with skippable frames between them.
"""
import pathlib
import sys

import duckdb

from columns import COLUMNS, HEIGHTS, METRICS, SECTIONS, SUFFIX


def struct(section):
    fields = ["time VARCHAR", *(f"{field} VARCHAR" for field, _ in SECTIONS[section])]
    return f"{section} STRUCT({', '.join(fields)})"


def metric(section, field, unit):
    """`-` and absent fields become NULL."""
    text = f"item.{section}.{field}"
    if unit == "px":
        heights = " ".join(f"when '{name}' then {height}" for name, height in HEIGHTS.items())
        return f"case {text} {heights} else try_cast(rtrim({text}, 'Pp') as BIGINT) end"
    return f"try_cast(rtrim({text}, '{SUFFIX[unit]}') as DOUBLE)"


def local(section):
    return f"try_strptime(left(item.{section}.time, 19), '%Y.%m.%d %H:%M:%S')"


def query(files):
    item = f"STRUCT({', '.join(struct(section) for section in SECTIONS)})"
    request = "STRUCT(meeting_no VARCHAR, meeting_start_time VARCHAR, user_id VARCHAR, room_id VARCHAR, join_time VARCHAR)"
    response = f"STRUCT(data STRUCT(participant_quality_list {item}[]))"
    zoned = ", ".join(f"item.{section}.time" for section in SECTIONS if section != "cpu_usage")
    # The first zone of an item applies to the whole item.
    offset = (
        "list_extract(list_transform(list_filter(["
        + zoned
        + "], lambda t: t like '%GMT_%'), lambda t: (t[25:27]::INTEGER * 60 + t[29:30]::INTEGER)"
        + " * case t[24:24] when '-' then -1 else 1 end), 1)"
    )
    metrics = {name: metric(section, field, unit) for section, field, unit, name in METRICS}
    times = {f"{section}_time_utc": f"{section}_local - to_minutes(utc_offset_min)" for section in SECTIONS}
    local_time = "coalesce(" + ", ".join(f"{section}_local" for section in SECTIONS) + ")"
    names = {
        "participant_key": "meeting_key || '/' || unit_id || '/' || join_time",
        "sample_time_utc": f"{local_time} - to_minutes(utc_offset_min)",
        "sample_time_local": local_time,
        "utc_offset_min": "utc_offset_min::BIGINT",
        **times,
    }
    selected = ",\n    ".join(f"{names.get(name, name)} as {name}" for name in COLUMNS)
    locals_ = ",\n        ".join(f"{local(section)} as {section}_local" for section in SECTIONS)
    typed = ",\n        ".join(f"{text} as {name}" for name, text in metrics.items())
    return f"""
    with answers as (
        select request, response, meeting_date
        from read_json({files!r}, format = 'newline_delimited', compression = 'zstd', maximum_object_size = 33554432,
            hive_partitioning = true, hive_types = {{'meeting_date': DATE}},
            columns = {{'record': 'VARCHAR', 'request': '{request}', 'response': '{response}'}})
        where record = 'page'
    ), items as (
        select request.meeting_no || '-' || request.meeting_start_time as meeting_key,
            coalesce(request.user_id, request.room_id) as unit_id, request.join_time as join_time, meeting_date,
            unnest(response.data.participant_quality_list) as item
        from answers
    ), typed as (
        select meeting_key, unit_id, join_time, meeting_date, {offset} as utc_offset_min,
        {locals_},
        {typed}
        from items
    )
    select {selected}
    from typed
    """


def main():
    raw, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    order = "order by participant_key, sample_time_utc" if "--sorted" in sys.argv else ""
    out.mkdir(parents=True)
    connection = duckdb.connect(str(out / "samples.duckdb"))
    connection.execute("set threads = 2")
    if not order:
        connection.execute("set preserve_insertion_order = false")
    files = sorted(str(path) for path in raw.rglob("*.jsonl.zst"))
    connection.execute(f"create table quality_samples as {query(files)} {order}")
    connection.execute(
        f"copy quality_samples to '{out / 'parquet'}' (format parquet, compression zstd, partition_by (meeting_date))"
    )
    connection.close()


if __name__ == "__main__":
    main()
