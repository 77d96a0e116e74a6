"""One more day in a store of 10 days and in one of 400 days, and the time to the first call."""
import datetime
import os
import shutil
import time

import measure
import rawlog
import stores

DAYS = [10, 400]
# Maximum number of days of a simulated tenant.
MAX_DAYS = 366
# Small days, so that 400 of them are made in a minute.
TENANT = dict(people=60, meetings_per_day=12)
# Working days that are added, one after another.
NIGHTS = 8
DAY_BEFORE = stores.LAST_DAY - datetime.timedelta(days=1)


def copy_seconds(store):
    """Seconds of a plain copy of vcq.duckdb with fsync, which publishing needs on a file system without reflinks."""
    copy = stores.FOLDER / "copied.duckdb"
    began = time.monotonic()
    shutil.copyfile(store / "vcq.duckdb", copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    took = time.monotonic() - began
    copy.unlink()
    return took


def one_more_day(env, copy, day):
    known = {call.at for call in rawlog.calls(copy)}
    copied_s = copy_seconds(copy)
    began = time.time()
    ran, summary = stores.sync(env, copy, stores.window(1, day))
    ended = began + ran.wall_s
    calls = [(call.at, call.took) for call in rawlog.calls(copy) if call.at not in known]
    if summary["dates_published"] != [str(day)]:
        raise measure.Failed(f"published {summary['dates_published']}")
    return {
        "samples": summary["samples"],
        "first_call_s": calls[0][0] - began,
        "publishing_s": ended - max(at + took for at, took in calls),
        "copy_s": copied_s,
        "wall_s": ran.wall_s,
        "cpu_s": ran.cpu_s,
        "written_mib": ran.written_mib,
        "duckdb_mib": (copy / "vcq.duckdb").stat().st_size / (1 << 20),
    }


def some_more_days(env, store):
    """Several nights, because some of them also compact the database."""
    with stores.copy(store) as copy:
        days = (stores.LAST_DAY + datetime.timedelta(days=number) for number in range(2 * NIGHTS))
        return [one_more_day(env, copy, day) for day in [day for day in days if day.weekday() < 5][:NIGHTS]]


def fill(store, days, env):
    """Pulls the last `days` days except the very last. A simulated tenant has at most a year; older days come from a second one."""
    recent = min(days, MAX_DAYS - 1)
    stores.sync(env, store, stores.window(recent, DAY_BEFORE))
    if days > recent:
        last_day = DAY_BEFORE - datetime.timedelta(days=recent)
        with stores.simulator(days - recent, last_day, **TENANT) as earlier:
            stores.sync(earlier, store, stores.window(days - recent, last_day))


def part(options):
    days = [min(count, 40) for count in DAYS] if options.quick else DAYS
    made = {}
    with stores.simulator(MAX_DAYS, **TENANT) as env:
        for count in days:
            path = stores.FOLDER / f"store-{count}-small-days"
            made[count] = stores.up_to_date(path, lambda unfinished: fill(unfinished, count, env))
    # The added days are the same for all stores.
    with stores.simulator(2 * NIGHTS, stores.LAST_DAY + datetime.timedelta(days=2 * NIGHTS - 1), **TENANT) as env:

        def once(count, number):
            stores.say(f"growth, round {number + 1}: {count} days")
            return some_more_days(env, made[count])

        results = measure.interleaved(days, options.runs, once)
    rows = []
    for count, runs in results.items():
        runs = [night for nights in runs for night in nights]
        names = ["samples", "duckdb_mib", "first_call_s", "publishing_s", "copy_s", "wall_s", "cpu_s", "written_mib"]
        row = {"days": count, "nights": NIGHTS}
        rows.append(row | {name: measure.spread([run[name] for run in runs]) for name in names})
    return {"rows": rows}
