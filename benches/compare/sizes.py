"""Bytes per sample: Parquet against DuckDB's own, the database against a compact copy, raw files against their content."""
import duckdb
import zstandard

import stores


def part(options):
    store = stores.store(options.samples)
    work = stores.FOLDER / "sizes"
    work.mkdir(exist_ok=True)
    theirs, day, compact = work / "duckdb.parquet", work / "day.parquet", work / "compact.duckdb"
    for path in (theirs, day, compact):
        path.unlink(missing_ok=True)
    stores.say("sizes: DuckDB's own Parquet, and a compact copy")
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    connection.execute(f"attach '{store / 'vcq.duckdb'}' as ours (read_only)")
    samples = connection.execute("select count(*) from ours.quality_samples").fetchone()[0]
    connection.execute(f"""
        copy (select * exclude (meeting_date) from ours.quality_samples order by meeting_date, participant_key, sample_time_utc)
        to '{theirs}' (format parquet, compression zstd)""")
    by_date = 0
    for (date,) in connection.execute("select distinct meeting_date from ours.quality_samples order by 1").fetchall():
        connection.execute(f"""
            copy (select * exclude (meeting_date) from ours.quality_samples where meeting_date = date '{date}'
                order by participant_key, sample_time_utc) to '{day}' (format parquet, compression zstd)""")
        by_date += day.stat().st_size
    # The storage version of vcq.duckdb.
    connection.execute(f"attach '{compact}' as compact (storage_version 'v1.2.0')")
    connection.execute("copy from database ours to compact")
    connection.execute("checkpoint compact")
    connection.close()
    parquet = stores.bytes_below(store / "parquet/quality_samples", "*.parquet")
    raw = stores.bytes_below(store / "raw/quality", "*.zst")
    sent = 0
    for path in (store / "raw/quality").rglob("*.zst"):
        with path.open("rb") as packed:
            frames = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
            while chunk := frames.read(1 << 20):
                sent += len(chunk)
    found = {
        "samples": samples,
        "parquet": parquet / samples,
        "duckdb_parquet_by_date": by_date / samples,
        "duckdb_parquet": theirs.stat().st_size / samples,
        "database": (store / "vcq.duckdb").stat().st_size / samples,
        "compact_database": compact.stat().st_size / samples,
        "raw": raw / samples,
        "sent": sent / samples,
    }
    for path in (theirs, day, compact):
        path.unlink()
    work.rmdir()
    return found
