"""A script of 160 lines beside vcq-etl, on the same nights of the same tenant: `make bench-script`.

Both fetch the two days up to yesterday from the simulator, and on the next night what each does by itself. For vcq-etl and the
simulator it is 13:00 in the tenant's zone, +08:00, whenever this runs: early answers depend on how long ago meetings ended. The
limit is 600 calls in 6 s, Feishu's scaled; the script may pause as briefly as it allows. What exists is counted by a sync without
faults of an equal tenant. Prints the table of docs/COMPARISON.md.
"""
import contextlib
import datetime
import json
import pathlib
import shutil
import sqlite3
import sys
import tempfile

import duckdb

import measure
import stores

# Name, flags of the simulator on the first night; the second night has no fault.
NIGHTS = [
    ("nothing goes wrong", []),
    ("the token expires during the run", ["--token-life", "3s"]),
    ("every 40th call is refused with HTTP 429 and no waiting time", ["--fault", "throttle-bare@every=40"]),
    ("every 40th call is refused with HTTP 400", ["--fault", "throttle-400@every=40"]),
    ("every 50th answer is an HTML page", ["--fault", "html@every=50"]),
    ("every 50th answer is cut off", ["--fault", "truncated@every=50"]),
    ("quality data is complete 23 hours after a meeting", ["--ready-after", "23h"]),
    ("one item in a thousand has an unusual value", ["--odd-items-per-million", "1000"]),
]
# As in the part `fetching`: 100 calls a second instead of a minute.
RATE_LIMIT = {"VCQ_CALLS_PER_MINUTE": "6000", "VCQ_RATE_WINDOW": "6s"}
TENANT = dict(days=2, people=120, meetings_per_day=40)
# Debian's package faketime: the clock of the programs. The second night is a day later.
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
ZONE = datetime.timezone(datetime.timedelta(hours=8))
NOW = datetime.datetime.now(ZONE)
HOUR = 13


def simulator(flags, last_day, night):
    first_night = NOW.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    offset_s = round((first_night - NOW).total_seconds()) + night * 86_400
    clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"{offset_s:+d}", "DONT_FAKE_MONOTONIC": "1"}
    return stores.simulator(flags=flags, last_day=last_day, **TENANT, **RATE_LIMIT, **clock)


def ours(env, store, window):
    ran, summary = stores.sync(env, store, window, accept=(0, 7, 8))
    database = store / "vcq.duckdb"
    # Duplicate rows of one participant share an answer.
    with duckdb.connect(str(database), read_only=True) as connection:
        held = connection.execute("""
            select count(distinct (regexp_replace(participant_key, '#[0-9]+$', ''), sample_time_utc)) from quality_samples
        """).fetchone()[0]
        named = connection.execute("select count(*) from coverage where status in ('pending', 'failed')").fetchone()[0]
        odd = connection.execute("select count(*) from rejects").fetchone()[0]
    return {"held": held, "calls": sum(summary["calls"].values()), "exit": ran.code, "named": named, "rejects": odd}


def script(env, database, days):
    start, end = (round(datetime.datetime.combine(day, datetime.time(), ZONE).timestamp()) for day in days)
    command = [sys.executable, stores.ROOT / "benches/peers/nightly_script.py", database, start, end]
    # It is given its times; faketime breaks Python's sleep.
    own = {name: value for name, value in env.items() if name != "LD_PRELOAD"}
    ran = measure.run(command, {**own, "SCRIPT_PAUSE_S": "0.011"}, accept=(0, 1))
    counts = json.loads(ran.stdout) if ran.code == 0 else {}
    with contextlib.closing(sqlite3.connect(database)) as connection:
        held = connection.execute("select count(*) from samples").fetchone()[0]
    return {"held": held, "calls": counts.get("calls", 0), "exit": ran.code, "skipped": counts.get("skipped", 0)}


def main():
    if not pathlib.Path(FAKETIME).exists():
        sys.exit(f"{FAKETIME} is missing (Debian: apt-get install faketime)")
    # Numbers of NIGHTS; without any, all of them.
    chosen = sys.argv[1:]
    today = NOW.date()
    yesterday = today - datetime.timedelta(days=1)
    first = (yesterday - datetime.timedelta(days=1), today)
    window = ["--since", str(first[0]), "--until", str(first[1])]
    print("| the first night | program | calls | exit | held after it, % | held after the second night, % | what it says is missing |")
    print("|---|---|---|---|---|---|---|")
    stores.FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=stores.FOLDER) as folder:
        folder = pathlib.Path(folder)
        with simulator([], yesterday, 0) as env:
            exists = ours(env, folder / "all", window)["held"]
        for number, (name, flags) in enumerate(NIGHTS):
            if chosen and str(number) not in chosen:
                continue
            store, database = folder / f"store-{number}", folder / f"script-{number}.sqlite"
            rows = {"vcq-etl": {}, "script": {}}
            for night, faults in enumerate([flags, []]):
                # Nothing new happened by the second night. The window of the script is then the next day; vcq-etl also fetches
                # what is pending, because a day has passed.
                days = first if night == 0 else (first[1], first[1] + datetime.timedelta(days=1))
                with simulator(faults, yesterday, night) as env:
                    rows["vcq-etl"][night] = ours(env, store, window if night == 0 else ["--since", "last"])
                with simulator(faults, yesterday, night) as env:
                    rows["script"][night] = script(env, database, days)
            for program, nights in rows.items():
                share = [f"{100 * nights[night]['held'] / exists:.2f}" for night in (0, 1)]
                said = nights[0]
                if program == "vcq-etl":
                    missing = f"{said['named']} participants pending, {said['rejects']} values in rejects"
                else:
                    missing = f"{said['skipped']} lines in its log" if said["skipped"] else "nothing"
                print(f"| {name} | {program} | {said['calls']} | {said['exit']} | {share[0]} | {share[1]} | {missing} |", flush=True)
            shutil.rmtree(store)


if __name__ == "__main__":
    main()
