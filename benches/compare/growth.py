"""One more day in a store of 10 days and in one of 400 days, and the time to the first call."""
import datetime
import os
import shutil
import time

import measure
import rawlog
import stores

DAYS = [10, 400]
# Most days of a simulated tenant.
LONGEST = 366
# A small day, so that 400 of them are made in a minute.
TENANT = dict(people=60, meetings_per_day=12)
DAY_BEFORE = stores.LAST_DAY - datetime.timedelta(days=1)


def copy_seconds(store):
    """A plain copy of vcq.duckdb to the disk: what the publication can't do without where there are no reflinks."""
    copy = stores.FOLDER / "copied.duckdb"
    began = time.monotonic()
    shutil.copyfile(store / "vcq.duckdb", copy)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    took = time.monotonic() - began
    copy.unlink()
    return took


def one_more_day(env, store):
    with stores.copy(store) as copy:
        known = {call.at for call in rawlog.asked(copy)}
        copied_s = copy_seconds(copy)
        began = time.time()
        ran, summary = stores.sync(env, copy, stores.window(1))
        ended = began + ran.wall_s
        calls = [(call.at, call.took) for call in rawlog.asked(copy) if call.at not in known]
        if summary["dates_published"] != [str(stores.LAST_DAY)]:
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


def fill(store, days, env):
    """Pulls the last `days` days but the very last. A simulated tenant has a year at most; older days are of an earlier one."""
    recent = min(days, LONGEST - 1)
    stores.sync(env, store, stores.window(recent, DAY_BEFORE))
    if days > recent:
        last_day = DAY_BEFORE - datetime.timedelta(days=recent)
        with stores.simulator(days - recent, last_day, **TENANT) as earlier:
            stores.sync(earlier, store, stores.window(days - recent, last_day))


def part(options):
    days = [min(count, 40) for count in DAYS] if options.quick else DAYS
    # All stores are of the same tenant, so that the day that is added is the same.
    with stores.simulator(LONGEST, **TENANT) as env:
        made = {}
        for count in days:
            path = stores.FOLDER / f"store-{count}-small-days"
            made[count] = stores.up_to_date(path, lambda unfinished: fill(unfinished, count, env))

        def once(count, number):
            stores.say(f"growth, round {number + 1}: {count} days")
            return one_more_day(env, made[count])

        results = measure.interleaved(days, options.runs + 2, once)
    rows = []
    for count, runs in results.items():
        names = ["first_call_s", "publishing_s", "copy_s", "wall_s", "cpu_s", "written_mib"]
        row = {"days": count, "samples": runs[0]["samples"], "duckdb_mib": runs[0]["duckdb_mib"]}
        rows.append(row | {name: measure.spread([run[name] for run in runs]) for name in names})
    return {"rows": rows}
