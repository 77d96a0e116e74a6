"""Reads every table of a copy with three readers of Delta: deltalake, polars, and DuckDB's extension delta.

    readers.py LAKE [TENANT]

Prints what each finds, as JSON. Also checks the statistics of the logs against the files.
"""

import json
import pathlib
import sys

import deltalake
import duckdb
import polars
import pyarrow.compute as pc
import pyarrow.parquet as pq

lake = pathlib.Path(sys.argv[1])
tenant = sys.argv[2] if len(sys.argv) > 2 else None
# Of the package duckdb-ext-delta, which has only this file.
packages = pathlib.Path(duckdb.__file__).parent.parent
extension = next(packages.glob("duckdb_ext/extensions/*/*/delta.duckdb_extension"))
engine = duckdb.connect(config={"allow_unsigned_extensions": "true"})
engine.execute(f"load '{extension}'")


def check_statistics(table):
    """Every bound of the log holds for its file. Returns the number of bounds and the columns."""
    checked, columns = 0, set()
    for entry in sorted((table / "_delta_log").glob("*.json")):
        for line in entry.read_text().splitlines():
            add = json.loads(line).get("add")
            if not add or not (table / add["path"]).exists():
                continue
            stats = json.loads(add["stats"])
            # Not a dataset: the folders would become columns.
            rows = pq.ParquetFile(table / add["path"]).read()
            assert rows.num_rows == stats["numRecords"], add
            for name, nulls in stats["nullCount"].items():
                assert rows[name].null_count == nulls, (add, name)
                columns.add(name)
            for name, low in stats["minValues"].items():
                found = pc.min_max(rows[name]).as_py()
                bounds = [found["min"], found["max"]]
                if not isinstance(low, str) or hasattr(bounds[0], "isoformat"):
                    text = [b.replace(tzinfo=None).isoformat(timespec="microseconds") for b in bounds]
                    given = [stats[key][name].removesuffix("Z") + "000" for key in ("minValues", "maxValues")]
                    assert given[0] <= text[0] and text[1] <= given[1], (add, name, text, given)
                    has_zone = pq.read_schema(table / add["path"]).field(name).type.tz is not None
                    assert low.endswith("Z") == has_zone, (add, name)
                else:
                    assert [low, stats["maxValues"][name]] == bounds, (add, name, bounds)
                checked += 1
    return checked, columns


def versions(path):
    """Generation and rows of each version; no rows if one of its files is gone."""
    found = []
    for version in range(deltalake.DeltaTable(path).version() + 1):
        table = deltalake.DeltaTable(path, version=version)
        assert table.transaction_version("vcq-etl") is not None
        try:
            rows = table.to_pyarrow_dataset().count_rows()
        except FileNotFoundError:
            rows = None
        found.append([table.transaction_version("vcq-etl"), rows])
    return found


found = {"tables": {}, "columns": [], "bounds": 0}
columns = set()
for folder in sorted(lake.glob("*")) + sorted(lake.glob("reference/*")):
    folder = folder / f"tenant={tenant}" if tenant else folder
    if not (folder / "_delta_log").is_dir():
        continue
    name = folder.parent.name if tenant else folder.name
    path = str(folder)
    table = deltalake.DeltaTable(path)
    protocol = table.protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (3, 7)
    scan = polars.scan_delta(path)
    delta = f"delta_scan('{path}')"
    of_table = {
        "deltalake": table.to_pyarrow_dataset().count_rows(),
        "polars": scan.select(polars.len()).collect().item(),
        "duckdb": engine.sql(f"select count(*) from {delta}").fetchone()[0],
        "versions": versions(path),
    }
    checked, described = check_statistics(folder)
    found["bounds"] += checked
    columns |= described
    fields = {field.name: str(field.type) for field in table.schema().fields}
    if tenant:
        values = engine.sql(f"select distinct tenant from {delta}").fetchall()
        assert values in ([], [(tenant,)]), values
    for column, kind in fields.items():
        if column.endswith("_local"):
            assert "timestamp_ntz" in kind, (name, column, kind)
    # Files are skipped by date and by time, and the rows are those of a scan without skipping.
    if "meeting_date" in fields and of_table["duckdb"]:
        date = engine.sql(f"select max(meeting_date) from {delta}").fetchone()[0]
        expected = engine.sql(f"select count(*) from {delta} where meeting_date = '{date}'").fetchone()[0]
        assert expected > 0
        assert scan.filter(polars.col("meeting_date") == date).select(polars.len()).collect().item() == expected
        partition = [("meeting_date", "=", str(date))]
        assert table.to_pyarrow_dataset(partitions=partition).count_rows() == expected
    if name == "quality_samples":
        for column in ("sample_time_utc", "sample_time_local"):
            rows = table.to_pyarrow_table()
            middle = rows[column].sort()[len(rows) // 2].as_py()
            after = pc.sum(pc.greater_equal(rows[column], middle)).as_py()
            assert scan.filter(polars.col(column) >= middle).select(polars.len()).collect().item() == after
            in_engine = engine.execute(f"select count(*) from {delta} where {column} >= ?", [middle]).fetchone()[0]
            assert in_engine == after, (column, in_engine, after)
    found["tables"][name] = of_table
found["columns"] = sorted(columns)
print(json.dumps(found))
