"""Every report of the database, over a month and a year of a large store, and the rows it scans.

The store is made by SQL: four weeks of the benchmark store, copied back in time until it has the wanted number of samples.
The reports are the macros `report_*` in the database, which the program under test made. Each is called as the program
calls it: the macro, in one read-only session, with dates as literals.
"""
import datetime
import json
import math
import os
import shutil
import sys
import threading
import time

import duckdb

import measure
import stores

SAMPLES = 20_000_000
# Days that are copied as a block: whole weeks, because weekends are quiet.
BLOCK_DAYS = 28
# As in the program: the setting report_memory_limit.
SETTINGS = {
    "threads": "2",
    "memory_limit": os.environ.get("BENCH_REPORT_MEMORY", "1GiB"),
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "disabled_optimizers": "common_subplan",
}
# Runs of each report (one in a quick benchmark). A report over LONG_S is not repeated, and one over STOP_S is stopped.
RUNS = 3
LONG_S, STOP_S = 4.0, float(os.environ.get("BENCH_REPORT_STOP_S", "30"))
DATED = "meeting_date"


def enlarge(connection, samples, days=0):
    """Appends copies of the last `BLOCK_DAYS` days, each further back in time and with its own keys, for about as many
    samples and at least as many days."""
    last = connection.execute("select max(meeting_date) from quality_samples").fetchone()[0]
    first = last - datetime.timedelta(days=BLOCK_DAYS - 1)
    tables = [
        name for (name,) in connection.execute(
            "select distinct table_name from duckdb_columns() join duckdb_tables() using (table_name)"
            " where column_name = 'meeting_date' and table_name <> 'published_files'"
        ).fetchall()
    ]  # fmt: skip
    for name in tables:
        connection.execute(f"delete from {name} where meeting_date < date '{first}'")
    block = connection.execute("select count(*) from quality_samples").fetchone()[0]
    blocks = max(1, round(samples / block), math.ceil(days / BLOCK_DAYS))
    for name in sorted(tables):
        stores.say(f"{name}, {blocks} blocks of {BLOCK_DAYS} days")
        described = connection.execute(f"describe {name}").fetchall()
        for number in range(1, blocks):
            away = f"interval ({number * BLOCK_DAYS}) day"
            cells = []
            for column, kind, *_ in described:
                if column in ("meeting_key", "participant_key", "row_key"):
                    # Keys are opaque: the block number makes them unique.
                    cells.append(f"'{number}.' || {column}")
                elif kind == "DATE":
                    cells.append(f"{column} - {number * BLOCK_DAYS}")
                elif kind.startswith("TIMESTAMP"):
                    cells.append(f"{column} - {away}")
                else:
                    cells.append(column)
            connection.execute(
                f"insert into {name} select {', '.join(cells)} from {name} where meeting_date >= date '{first}'"
            )
    return block * blocks


def large_store(options):
    """A database with SAMPLES samples and the reports; kept like the other stores."""
    samples = SAMPLES if not options.quick else 10 * options.samples
    return enlarged(stores.FOLDER / f"reports-{samples}.duckdb", stores.store(options.samples), samples)


def enlarged(path, source, samples, days=0):
    """A database with the last days of a store many times; kept until another build of the program."""
    made_by = path.with_name(f"{path.name}.made-by")
    if path.exists() and made_by.exists() and made_by.read_text() == stores.stamp():
        return path
    path.unlink(missing_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    shutil.copyfile(source / "vcq.duckdb", unfinished)
    connection = duckdb.connect(str(unfinished), config={"threads": "2", "memory_limit": "2GB"})
    connection.execute(f"set temp_directory = '{stores.FOLDER / 'spill'}'")
    connection.execute("set enable_progress_bar = false")
    enlarge(connection, samples, days)
    connection.execute("checkpoint")
    connection.close()
    shutil.rmtree(stores.FOLDER / "spill", ignore_errors=True)
    unfinished.rename(path)
    made_by.write_text(stores.stamp())
    return path


def macros(connection):
    """Name and parameters of each report."""
    return connection.execute(
        "select function_name, parameters from duckdb_functions()"
        " where function_type = 'table_macro' and function_name like 'report\\_%' escape '\\' order by 1"
    ).fetchall()


def needed(connection, last):
    """Values for parameters without a default."""
    one = lambda sql: connection.execute(sql, [last]).fetchone()[0]
    return {
        "meeting_no": one("select min(meeting_no) from meetings where meeting_date = ?"),
        "who": one("select min(user_id) from participants where meeting_date = ?"),
        "incident_id": one("select min_by(incident_id, (-epoch(meeting_date), incident_id)) from incidents where meeting_date <= ?"),
    }


def call(name, parameters, since, until, values):
    arguments = {key: value for key, value in values.items() if key in parameters}
    if "since" in parameters:
        arguments["since"] = since
    if "until" in parameters:
        arguments["until"] = until
    listed = ", ".join(f"{key} := '{value}'" for key, value in arguments.items())
    return f"select * from {name}({listed})"


def scanned(connection, query):
    """Rows read by all scans, and by the largest scan of quality_samples."""
    plan = json.loads(connection.execute("explain (analyze, format json) " + query).fetchall()[0][1])
    largest = rows = 0
    todo = [plan]
    while todo:
        node = todo.pop()
        todo += node.get("children", [])
        read = node.get("operator_rows_scanned", 0)
        rows += read
        if str(node.get("extra_info", {}).get("Table", "")).endswith("quality_samples"):
            largest = max(largest, read)
    return {"largest_scan": largest, "rows_scanned": rows}


def timed(connection, query, runs):
    found = []
    for _ in range(runs):
        stop = threading.Timer(STOP_S, connection.interrupt)
        began = time.monotonic()
        stop.start()
        try:
            rows = len(connection.execute(query).fetchall())
        except duckdb.InterruptException:
            return {"over_s": STOP_S}
        except duckdb.Error as error:
            return {"error": str(error).splitlines()[0]}
        finally:
            stop.cancel()
        found.append(time.monotonic() - began)
        if found[-1] > LONG_S:
            break
    return {"rows": rows, "wall_s": measure.spread(found)}


def part(options):
    path = large_store(options)
    connection = duckdb.connect(str(path), read_only=True, config=SETTINGS)
    connection.execute(f"set temp_directory = '{stores.FOLDER / 'spill'}'")
    connection.execute("set enable_progress_bar = false")
    total, last = connection.execute("select count(*), max(meeting_date) from quality_samples").fetchone()
    until = last + datetime.timedelta(days=1)
    windows = {"month": last - datetime.timedelta(days=29), "year": last - datetime.timedelta(days=364)}
    inside = {
        name: connection.execute("select count(*) from quality_samples where meeting_date >= ?", [since]).fetchone()[0]
        for name, since in windows.items()
    }
    values = needed(connection, last)
    reports = macros(connection)
    if not reports:
        raise measure.Failed(f"{path.name} has no reports")
    rows = []
    for name, parameters in reports:
        stores.say(f"reports: {name}")
        row = {"name": name.removeprefix("report_").replace("_", "-"), "is_windowed": "until" in parameters}
        for window, since in windows.items():
            row[window] = timed(connection, call(name, parameters, since, until, values), min(options.runs, RUNS))
        try:
            row["scan"] = scanned(connection, call(name, parameters, windows["month"], until, values))
        except duckdb.Error as error:
            row["scan"] = {"error": str(error).splitlines()[0]}
        rows.append(row)
    connection.close()
    shutil.rmtree(stores.FOLDER / "spill", ignore_errors=True)
    return {"rows": rows, "samples": total, "inside": inside, "settings": SETTINGS}
