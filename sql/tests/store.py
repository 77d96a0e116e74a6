#!/usr/bin/env python3
"""Runs every report on a copy of a store and shows time and rows; checks that a window of one day reads little.

    python sql/tests/store.py VCQ.DUCKDB COPY.DUCKDB [--since DAY] [--until DAY] [--threads N] [--install-only]

The first file is only copied; the views and reports are installed into the second.
"""
import argparse
import json
import os
import resource
import shutil
import time

import duckdb

import vcqsql

NEEDS_VALUE = {"meeting-timeline": "meeting_no", "user-timeline": "who"}


def scanned(connection, query):
    """Rows that the scans of quality_samples read, the largest of them."""
    plan = json.loads(connection.execute("explain (analyze, format json) " + query).fetchall()[0][1])
    most = 0
    todo = [plan]
    while todo:
        node = todo.pop()
        todo += node.get("children", [])
        if str(node.get("extra_info", {}).get("Table", "")).endswith("quality_samples"):
            most = max(most, node.get("operator_rows_scanned", 0))
    return most


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("copy")
    parser.add_argument("--since")
    parser.add_argument("--until")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if os.path.abspath(arguments.store) != os.path.abspath(arguments.copy):
        shutil.copyfile(arguments.store, arguments.copy)
    connection = duckdb.connect(arguments.copy, config=vcqsql.NO_EXTENSIONS)
    connection.execute(f"set threads = {arguments.threads}")
    begun = time.time()
    vcqsql.install(connection)
    print(f"installed in {time.time() - begun:.1f} s")
    connection.close()
    connection = duckdb.connect(arguments.copy, read_only=True, config=vcqsql.NO_EXTENSIONS)
    connection.execute(f"set threads = {arguments.threads}")
    total, last = connection.execute("select count(*), max(meeting_date) from quality_samples").fetchone()
    values = {
        "meeting-timeline": connection.execute("select min(meeting_no) from meetings where meeting_date = ?", [last]).fetchone()[0],
        "user-timeline": connection.execute("select min(user_id) from participants where meeting_date = ?", [last]).fetchone()[0],
    }
    print(f"{total} samples to {last}\n{'report':<20} {'rows':>6} {'wall s':>7} {'cpu s':>7}  largest scan for one day")
    for name, sql in vcqsql.reports().items():
        names = [parameter for parameter, _, _ in vcqsql.parameters(sql)]
        chosen = [f"{NEEDS_VALUE[name]} := '{values[name]}'"] if name in NEEDS_VALUE else []
        window = [f"{key} := '{value}'" for key, value in (("since", arguments.since), ("until", arguments.until)) if value and key in names]
        before, begun = resource.getrusage(resource.RUSAGE_SELF), time.time()
        rows = connection.execute(f"select * from {vcqsql.macro_name(name)}({', '.join(chosen + window)})").fetchall()
        wall, after = time.time() - begun, resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        note = ""
        if "since" in names and "until" in names:
            day = chosen + [f"since := date '{last}' - 1", f"until := date '{last}'"]
            most = scanned(connection, f"select * from {vcqsql.macro_name(name)}({', '.join(day)})")
            note = f"{most} rows" + ("" if most < total / 2 or total < 500_000 else "  NOT PRUNED")
        print(f"{name:<20} {len(rows):>6} {wall:>7.2f} {cpu:>7.2f}  {note}", flush=True)


if __name__ == "__main__":
    main()
