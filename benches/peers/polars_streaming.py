"""The streaming engine of polars: scan_ndjson, expressions, one Parquet file per date; DuckDB loads those files.

    python polars_streaming.py RAW_QUALITY OUT

polars recognises zstd by the first bytes of a file, and raw files start with a skippable frame; so the files are unpacked
first, on two threads and within the measured time.
"""
import concurrent.futures
import pathlib
import shutil
import sys

import duckdb
import polars as pl
import zstandard

from columns import COLUMNS, HEIGHTS, METRICS, SECTIONS, SUFFIX

REQUEST = pl.Struct({name: pl.String for name in ["meeting_no", "meeting_start_time", "user_id", "room_id", "join_time"]})
ITEM = pl.Struct(
    {
        section: pl.Struct({"time": pl.String, **{field: pl.String for field, _ in fields}})
        for section, fields in SECTIONS.items()
    }
)
RESPONSE = pl.Struct({"data": pl.Struct({"participant_quality_list": pl.List(ITEM)})})
SCHEMA = {"record": pl.String, "request": REQUEST, "response": RESPONSE}


def leaf(section, field):
    return pl.col("item").struct.field(section).struct.field(field)


def metric(section, field, unit):
    """`-` and absent fields become null."""
    text = leaf(section, field)
    if unit == "px":
        height = text.str.strip_chars_end("Pp").cast(pl.Int64, strict=False)
        return pl.coalesce(text.replace_strict(HEIGHTS, default=None, return_dtype=pl.Int64), height)
    return text.str.strip_suffix(SUFFIX[unit]).cast(pl.Float64, strict=False)


def local(section):
    return leaf(section, "time").str.head(19).str.to_datetime("%Y.%m.%d %H:%M:%S", time_unit="us", strict=False)


def answers(path):
    """The pages of one raw file, with the date of its folder."""
    date = next(part for part in path.parts if part.startswith("meeting_date=")).removeprefix("meeting_date=")
    pages = pl.scan_ndjson(path, schema=SCHEMA, ignore_errors=False)
    return pages.filter(pl.col("record") == "page").with_columns(meeting_date=pl.lit(date).str.to_date())


def samples(files):
    request = pl.col("request").struct
    items = (
        pl.concat([answers(path) for path in files])
        .select(
            "meeting_date",
            meeting_key=pl.concat_str(request.field("meeting_no"), pl.lit("-"), request.field("meeting_start_time")),
            unit_id=pl.coalesce(request.field("user_id"), request.field("room_id")),
            join_time=request.field("join_time"),
            item=pl.col("response").struct.field("data").struct.field("participant_quality_list"),
        )
        .explode("item", empty_as_null=False)
    )
    zoned = pl.coalesce(
        [leaf(section, "time").str.extract(r"GMT([+-]\d\d:\d\d)") for section in SECTIONS if section != "cpu_usage"]
    )
    sign = pl.when(pl.col("zone").str.starts_with("-")).then(-1).otherwise(1)
    offset = sign * (
        pl.col("zone").str.slice(1, 2).cast(pl.Int64) * 60 + pl.col("zone").str.slice(4, 2).cast(pl.Int64)
    )
    typed = items.with_columns(
        zone=zoned,
        **{f"{section}_local": local(section) for section in SECTIONS},
        **{name: metric(section, field, unit) for section, field, unit, name in METRICS},
    ).with_columns(utc_offset_min=offset)
    to_utc = pl.duration(minutes=pl.col("utc_offset_min"))
    return (
        typed.with_columns(
            participant_key=pl.concat_str("meeting_key", "unit_id", "join_time", separator="/"),
            sample_time_local=pl.coalesce([f"{section}_local" for section in SECTIONS]),
            **{f"{section}_time_utc": pl.col(f"{section}_local") - to_utc for section in SECTIONS},
        )
        .with_columns(sample_time_utc=pl.col("sample_time_local") - to_utc)
        .select(COLUMNS)
    )


def unpack(raw, path, folder):
    """Unpacks all frames of a raw file into one file."""
    unpacked = folder / path.relative_to(raw).with_suffix("")
    unpacked.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as packed, unpacked.open("wb") as lines:
        with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as frames:
            shutil.copyfileobj(frames, lines, 1 << 20)
    return unpacked


def main():
    raw, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    parquet = out / "parquet"
    parquet.mkdir(parents=True)
    unpacked = out / "unpacked"
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        files = list(threads.map(lambda path: unpack(raw, path, unpacked), sorted(raw.rglob("*.jsonl.zst"))))
    samples(files).sink_parquet(
        pl.PartitionBy(parquet, key="meeting_date"), compression="zstd", mkdir=True, engine="streaming"
    )
    shutil.rmtree(unpacked)
    connection = duckdb.connect(str(out / "samples.duckdb"))
    connection.execute("set threads = 2")
    connection.execute(
        f"create table quality_samples as select {', '.join(COLUMNS)} from read_parquet('{parquet}/**/*.parquet',"
        " hive_partitioning = true, hive_types = {'meeting_date': DATE})"
    )
    connection.close()


if __name__ == "__main__":
    main()
