"""Planted incidents: how many are found, and how many are reported that nobody planted.

The measuring is in benches/incidents (Rust); SEEDS, FIRST_SEED and JOBS are its settings. What was missed and what was
wrongly reported is in target/bench/incidents.log.
"""
import json
import os
import pathlib
import subprocess
import time

import measure
import stores

SEEDS = 200
QUICK_SEEDS = 20


def part(options):
    seeds = os.environ.get("SEEDS") or str(QUICK_SEEDS if options.quick else SEEDS)
    stores.say(f"incidents: {seeds} tenants")
    environment = {**os.environ, "SEEDS": seeds, "JOBS": os.environ.get("JOBS") or str(options.cores)}
    # The stores are temporary, and small files in memory are synced at once.
    if "TMPDIR" not in environment and pathlib.Path("/dev/shm").is_dir():
        environment["TMPDIR"] = "/dev/shm"
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--quiet", "--profile", "release", "--locked", "--bench", "incidents"]
    began = time.monotonic()
    with (stores.FOLDER / "incidents.log").open("w") as log:
        ran = subprocess.run(command, cwd=stores.ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    if ran.returncode != 0:
        raise measure.Failed(f"the benchmark of incidents ended with {ran.returncode}; see {log.name}")
    found = json.loads(ran.stdout.splitlines()[-1])
    return {**found, "wall_s": time.monotonic() - began}
