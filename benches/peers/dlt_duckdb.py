"""dlt with its DuckDB destination: a resource of typed rows with declared columns; DuckDB writes one Parquet file per date.

    python dlt_duckdb.py RAW_QUALITY OUT
"""
import os
import pathlib
import sys

# Settings of dlt, set before it is imported: no telemetry, and its files stay in OUT.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
import duckdb

from columns import COLUMNS
from items import rows


def kind(name):
    if name.endswith(("_utc", "_local")):
        return {"data_type": "timestamp", "timezone": False}
    if name.endswith("_key"):
        return {"data_type": "text"}
    if name == "meeting_date":
        return {"data_type": "date"}
    return {"data_type": "bigint" if name.endswith(("_px", "_min")) else "double"}


def main():
    raw, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True)

    @dlt.resource(
        name="quality_samples",
        columns={name: {**kind(name), "nullable": True} for name in COLUMNS},
        write_disposition="replace",
        max_table_nesting=0,
    )
    def quality_samples():
        for path in sorted(raw.rglob("*.jsonl.zst")):
            yield from rows(path)

    database = out / "samples.duckdb"
    pipeline = dlt.pipeline(
        pipeline_name="peer",
        pipelines_dir=str(out / "dlt"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="bench",
    )
    # Parquet loader files are several times faster than dlt's default, insert statements.
    pipeline.run(quality_samples(), loader_file_format="parquet")
    connection = duckdb.connect(str(database))
    connection.execute("set threads = 2")
    connection.execute("create view quality_samples as select * exclude (_dlt_load_id, _dlt_id) from bench.quality_samples")
    connection.execute(
        f"copy quality_samples to '{out / 'parquet'}' (format parquet, compression zstd, partition_by (meeting_date))"
    )
    connection.close()


if __name__ == "__main__":
    main()
