"""Planted incidents: how many are found, and how many are reported that nobody planted; and what the search costs.

The measuring is in benches/incidents (Rust); SEEDS, FIRST_SEED and JOBS are its settings. What was missed and what was
wrongly reported is in target/bench/incidents.log. The cost of the search is measured on a store of SAMPLES samples and
DAYS days, made like that of the part reports.
"""
import json
import os
import pathlib
import subprocess
import time

import measure
import reports
import stores

SEEDS = 200
QUICK_SEEDS = 20
# The large store, and the tenant that its days are copies of: 50,000 samples a day.
SAMPLES, DAYS = 20_000_000, 400
TENANT = dict(people=1_000, meetings_per_day=300, flags=["--plant", "random"])


def bench(log_name, **settings):
    """Runs the Rust bench; returns the object that it prints."""
    environment = {**os.environ, **settings}
    # The stores are temporary, and small files in memory are synced at once.
    if "TMPDIR" not in environment and pathlib.Path("/dev/shm").is_dir():
        environment["TMPDIR"] = "/dev/shm"
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--quiet", "--profile", "release", "--locked", "--bench", "incidents"]
    with (stores.FOLDER / log_name).open("w") as log:
        ran = subprocess.run(command, cwd=stores.ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    if ran.returncode != 0:
        raise measure.Failed(f"the benchmark of incidents ended with {ran.returncode}; see {log.name}")
    return json.loads(ran.stdout.splitlines()[-1])


def large_store(options):
    samples, days = (SAMPLES, DAYS) if not options.quick else (options.samples, 2 * reports.BLOCK_DAYS)
    tenant = TENANT if not options.quick else {**TENANT, "people": 60, "meetings_per_day": 18}

    def make(path):
        with stores.simulator(reports.BLOCK_DAYS, **tenant) as env:
            stores.sync(env, path, stores.window(reports.BLOCK_DAYS))

    name = f"incidents-{tenant['people']}-people"
    source = stores.up_to_date(stores.FOLDER / name, make)
    return reports.enlarged(stores.FOLDER / f"{name}-{days}-days.duckdb", source, samples, days)


def part(options):
    stores.say("incidents: cost of the search")
    night = bench("incidents-night.log", NIGHT_DATABASE=str(large_store(options)))
    night["people"] = TENANT["people"] if not options.quick else 60
    for name in ("judging_cpu_s", "search_cpu_s", "participants"):
        night[name] = measure.spread([one[name] for one in night["nights"]])
    seeds = os.environ.get("SEEDS") or str(QUICK_SEEDS if options.quick else SEEDS)
    stores.say(f"incidents: {seeds} tenants")
    began = time.monotonic()
    found = bench("incidents.log", SEEDS=seeds, JOBS=os.environ.get("JOBS") or str(options.cores))
    return {**found, "night": night, "wall_s": time.monotonic() - began}
