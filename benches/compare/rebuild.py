"""From raw pages to Parquet and DuckDB: `vcq-etl rebuild` and alternatives, on the same pages."""
import os
import shutil
import sys

import duckdb

import cells
import measure
import stores

PEERS = stores.ROOT / "benches/peers"
# Name, script, arguments, and whether it gets all samples or, if it would take too long, a share.
PEER_SCRIPTS = [
    ("DuckDB SQL", "duckdb_sql.py", [], True),
    ("DuckDB SQL, sorted like ours", "duckdb_sql.py", ["--sorted"], True),
    ("polars, streaming", "polars_streaming.py", [], True),
    ("plain Python", "plain_python.py", [], False),
    ("dlt to DuckDB", "dlt_duckdb.py", [], False),
]
OURS = "vcq-etl rebuild"
SHARE_SAMPLES = 200_000
# The peers read only the pages, so duplicate participants (`#2`), which share an answer, are in our tables only.
NO_DUPLICATES = "participant_key not like '%#%'"


def samples_by_date(database):
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(
            f"select strftime(meeting_date, '%Y-%m-%d'), count(*) from quality_samples where {NO_DUPLICATES} group by 1 order by 1"
        ).fetchall()


def share_of(store, counts):
    """Hard links to the raw pages of the first dates with `SHARE_SAMPLES` samples; the folder, its dates and samples."""
    folder = stores.FOLDER / "share"
    shutil.rmtree(folder, ignore_errors=True)
    dates, total = [], 0
    for date, count in counts:
        if total >= SHARE_SAMPLES:
            break
        dates.append(date)
        total += count
        partition = f"meeting_date={date}"
        (folder / partition).mkdir(parents=True)
        for file in (store / "raw/quality" / partition).iterdir():
            os.link(file, folder / partition / file.name)
    return folder, dates, total


def run_peer(script, arguments, raw, expected, where, check):
    """One run of a peer; its cells are compared the first time."""
    out = stores.scratch()
    shutil.rmtree(out, ignore_errors=True)
    ran = measure.run([sys.executable, PEERS / script, raw, out, *arguments], stores.environment())
    if check:
        found = cells.differences(expected, out, where)
        if found:
            raise measure.Failed(f"{script} has different cells:\n" + "\n".join(found[:20]))
    shutil.rmtree(out)
    return ran


def part(options):
    store = stores.store(options.samples)
    counts = samples_by_date(store / "vcq.duckdb")
    total = sum(count for _, count in counts)
    share, dates, share_total = share_of(store, counts)
    with duckdb.connect(str(store / "vcq.duckdb"), read_only=True) as connection:
        ours_total = connection.execute("select count(*) from quality_samples").fetchone()[0]
    # The share consists of the first dates.
    in_share = f"meeting_date <= date '{dates[-1]}'"
    plan = {OURS: ours_total} | {name: total if whole else share_total for name, _, _, whole in PEER_SCRIPTS}
    by_name = {name: (script, arguments, whole) for name, script, arguments, whole in PEER_SCRIPTS}

    with stores.copy(store) as copy:

        def once(name, number):
            stores.say(f"rebuild, round {number + 1}: {name}")
            if name == OURS:
                return measure.run([stores.BINARY, "rebuild", "--quiet", "--store", copy], stores.environment())
            script, arguments, whole = by_name[name]
            raw, where = (store / "raw/quality", NO_DUPLICATES) if whole else (share, f"{NO_DUPLICATES} and {in_share}")
            return run_peer(script, arguments, raw, store / "vcq.duckdb", where, number == 0)

        results = measure.interleaved(list(plan), options.runs, once)
    shutil.rmtree(share)
    rows = []
    for name, runs in results.items():
        millions = plan[name] / 1e6
        rows.append(
            {
                "name": name,
                "samples": plan[name],
                "is_share": name in by_name and not by_name[name][2],
                "same_cells": name != OURS,
                "wall_s": measure.spread([ran.wall_s for ran in runs]),
                "cpu_s": measure.spread([ran.cpu_s for ran in runs]),
                "cpu_s_per_million": measure.spread([ran.cpu_s / millions for ran in runs]),
                "wall_s_per_million": measure.spread([ran.wall_s / millions for ran in runs]),
                "peak_mib": measure.spread([ran.peak_mib for ran in runs]),
                "written_mib": measure.spread([ran.written_mib for ran in runs]),
            }
        )
    return {"rows": rows}
