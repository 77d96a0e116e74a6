"""Fetching: calls against the lower bound, use of the rate limit, and Feishu's SDK in a loop for comparison.

The limit is scaled to 600 calls in 6 s, so that a run of seventy seconds spans a dozen windows; the simulator enforces it. Times
of calls come from the raw log.
"""
import json
import shutil
import sys
import time

import duckdb

import idle
import measure
import rawlog
import stores

CALLS, WINDOW_S = 600, 6
RATE = CALLS / WINDOW_S
LISTS = ["meeting_list", "participant_list", "participant_quality_list"]
RATE_LIMIT = {"VCQ_CALLS_PER_MINUTE": str(round(RATE * 60)), "VCQ_RATE_WINDOW": f"{WINDOW_S}s"}
# Kind of window, latency, faults; every setting except the limit is the default.
VARIANTS = [
    ("sliding", 0, []),
    ("fixed", 0, []),
    ("sliding", 300, []),
    ("fixed", 300, []),
    # Every retry must have a fault as its cause: this row checks the number of calls, not the rate.
    ("sliding", 0, ["--fault", "html@every=50"]),
]
OURS = "vcq-etl sync"
# Name, page size (0: the default of the SDK), threads, latency (ms), maximum seconds.
SDK_LOOPS = [
    ("official SDK in a loop", 100, 1, 0, 1e9),
    ("official SDK in a loop, no page_size", 0, 1, 0, 1e9),
    ("official SDK, 8 threads", 100, 8, 0, 1e9),
    # One call at a time: a whole run would take half an hour, so it is stopped.
    ("official SDK in a loop", 100, 1, 300, 20),
]


def lower_bound(database):
    """The minimum number of calls for the published rows: one per page of 100, and at least one for each list."""
    with duckdb.connect(str(database), read_only=True) as connection:
        one = lambda sql: int(connection.execute(sql).fetchone()[0] or 0)
        meetings = one("select ceil(count(*) / 100) from meetings")
        # A webinar's audience is a separate list.
        participants = one("""
            select sum(greatest(1, ceil(found / 100))) from (
                select m.meeting_key, audience, count(p.participant_key) as found
                from meetings m
                cross join (values (false), (true)) a(audience)
                left join participants p
                    on p.meeting_key = m.meeting_key and coalesce(p.webinar_user_role = '3', false) = audience
                where not audience or m.meeting_subtype = 8
                group by all)""")
        # Duplicate participants share an answer and are requested once.
        quality = one("""
            select sum(greatest(1, ceil(samples / 100))) from (
                select regexp_replace(participant_key, '#[0-9]+$', '') as unit, max(sample_count) as samples
                from coverage where attempts > 0 and participant_key not like '%/*' group by 1)""")
    return dict(zip(LISTS, [meetings, participants, quality]))


def ours(env, store, arguments):
    started = time.time()
    ran, summary = stores.sync(env, store, arguments)
    bound = lower_bound(store / "vcq.duckdb")
    calls = rawlog.calls(store)
    quality = [call.at for call in calls if call.endpoint == LISTS[2]]
    last_response = max(call.at + call.took for call in calls)
    made = summary["calls"]
    # All calls, faults included, over the time from the first to the last, plus one slot for the last.
    used = made[LISTS[2]] / (RATE * (quality[-1] - quality[0] + 1 / RATE))
    longest_s = max(bound.values()) / RATE
    return {
        "calls": made,
        "bound": bound,
        "beyond": sum(made.values()) - sum(bound.values()) - summary["retries"],
        "retries": summary["retries"],
        "throttles": summary["throttles"],
        "samples": summary["samples"],
        "used_pct": 100 * used,
        "two_idle_pct": idle.two_idle_pct(calls, 1 / RATE),
        "fetching_s": last_response - started,
        "longest_s": longest_s,
        "over_longest": (last_response - started) / longest_s,
        "wall_s": ran.wall_s,
        "cpu_s": ran.cpu_s,
    }


def again(env, store, arguments):
    """The calls of a second sync of the same, stable window."""
    _, summary = stores.sync(env, store, arguments)
    return summary["calls"]


def sdk(env, page_size, threads, max_seconds):
    script = stores.ROOT / "benches/peers/sdk_loop.py"
    start, end = stores.window_seconds(1)
    ran = measure.run([sys.executable, script, start, end, page_size, threads, max_seconds], env)
    return json.loads(ran.stdout) | {"wall_s": ran.wall_s, "cpu_s": ran.cpu_s}


def part(options):
    rows = []
    # One working day; about seven quality calls per meeting. A new simulator has a fresh limit.
    meetings = max(20, round(options.fetching_calls / 7))
    tenant = dict(days=1, people=max(100, meetings), meetings_per_day=meetings)
    for kind, latency_ms, faults in VARIANTS:
        flags = ["--window", kind, "--latency", f"{latency_ms}ms", *faults]
        found = []
        for number in range(1 if faults else options.runs):
            stores.say(f"fetching, {kind} window, {latency_ms} ms, round {number + 1}")
            with stores.simulator(flags=flags, **tenant, **RATE_LIMIT) as env, scratch() as store:
                found.append(ours(env, store, stores.window(1)))
                if number == 0 and not faults:
                    again_calls = again(env, store, stores.window(1))
        row = {"name": OURS, "window": kind, "latency_ms": latency_ms, "faults": faults[1:]}
        row |= {"again": None if faults else again_calls}
        row |= {key: found[0][key] for key in ["calls", "bound", "samples", "retries"]}
        row |= {key: measure.spread([run[key] for run in found]) for key in ["beyond", "throttles"]}
        row |= {
            key: measure.spread([run[key] for run in found])
            for key in ["used_pct", "two_idle_pct", "fetching_s", "longest_s", "over_longest", "wall_s", "cpu_s"]
        }
        rows.append(row)
    for name, page_size, threads, latency_ms, max_seconds in SDK_LOOPS:
        stores.say(f"fetching, {name}, {latency_ms} ms")
        flags = ["--window", "sliding", "--latency", f"{latency_ms}ms"]
        with stores.simulator(flags=flags, **tenant, **RATE_LIMIT) as env:
            found = sdk(env, page_size, threads, max_seconds)
        # The SDK loop requests duplicate participants twice, so it can get all of our rows.
        found |= {"name": name, "window": "sliding", "latency_ms": latency_ms, "expected_samples": rows[0]["samples"]}
        rows.append(found)
    return {"rows": rows, "rate": RATE}


class scratch:
    """An empty store, removed afterwards."""

    def __enter__(self):
        self.path = stores.scratch()
        shutil.rmtree(self.path, ignore_errors=True)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
