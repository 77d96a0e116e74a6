"""A plain Python script: json, datetime, one Parquet file per date with pyarrow; DuckDB loads those files.

    python plain_python.py RAW_QUALITY OUT
"""
import itertools
import pathlib
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from columns import COLUMNS
from items import rows


def kind(name):
    if name.endswith(("_utc", "_local")):
        return pa.timestamp("us")
    if name.endswith("_key"):
        return pa.string()
    return pa.int64() if name.endswith(("_px", "_min")) else pa.float64()


SCHEMA = pa.schema([(name, kind(name)) for name in COLUMNS if name != "meeting_date"])
BATCH_ROWS = 20_000


def main():
    raw, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    parquet = out / "parquet"
    for folder in sorted(raw.glob("meeting_date=*")):
        partition = parquet / folder.name
        partition.mkdir(parents=True)
        with pq.ParquetWriter(partition / "part.parquet", SCHEMA, compression="zstd") as writer:
            typed = itertools.chain.from_iterable(rows(path) for path in sorted(folder.glob("*.jsonl.zst")))
            while batch := list(itertools.islice(typed, BATCH_ROWS)):
                writer.write_table(pa.Table.from_pylist(batch, schema=SCHEMA))
    connection = duckdb.connect(str(out / "samples.duckdb"))
    connection.execute("set threads = 2")
    connection.execute(
        f"create table quality_samples as select {', '.join(COLUMNS)} from read_parquet('{parquet}/**/*.parquet',"
        " hive_partitioning = true, hive_types = {'meeting_date': DATE})"
    )
    connection.close()


if __name__ == "__main__":
    main()
