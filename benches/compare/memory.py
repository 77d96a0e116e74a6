"""Peak resident memory of `rebuild` at two sizes, and of the fetching part of `sync`."""
import pathlib
import re
import shutil
import subprocess
import threading
import time

import measure
import stores


def rebuild_peak(store, runs):
    with stores.copy(store) as copy:
        command = [stores.BINARY, "rebuild", "--quiet", "--store", copy]
        ran = [measure.run(command, stores.environment()) for _ in range(runs)]
    return {"peak_mib": measure.spread([r.peak_mib for r in ran]), "cpu_s": measure.spread([r.cpu_s for r in ran])}


def fetching_peak(env, store, arguments):
    """The peak until the progress line that says that publishing begins, and the peak of the whole run."""
    command = [stores.BINARY, "sync", "--publish-every", "24h", "--store", store, *arguments]
    child = subprocess.Popen(
        [str(part) for part in command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    is_fetching = threading.Event()
    is_fetching.set()
    errors = []

    def listen():
        for line in child.stderr:
            errors.append(line)
            if line.startswith("publishing "):
                is_fetching.clear()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    peak_kib = peak_fetching_kib = 0
    while child.poll() is None:
        found = high_water_kib(child.pid)
        if found:
            peak_kib = found
            if is_fetching.is_set():
                peak_fetching_kib = found
        time.sleep(0.01)
    listener.join()
    if child.returncode:
        raise measure.Failed("".join(errors))
    return {"fetching_mib": peak_fetching_kib / 1024, "whole_mib": peak_kib / 1024}


def high_water_kib(pid):
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return None
    return int(found[1]) if found else None


def part(options):
    import duckdb

    rows = []
    for samples in [options.samples, 5 * options.samples]:
        store = stores.store(samples)
        stores.say(f"memory: rebuild of {store.name}")
        with duckdb.connect(str(store / "vcq.duckdb"), read_only=True) as connection:
            count = connection.execute("select count(*) from quality_samples").fetchone()[0]
        found = rebuild_peak(store, options.runs if samples == options.samples else min(2, options.runs))
        rows.append({"name": "rebuild", "samples": count, **found})
    for days in [1, stores.days_for(options.samples)]:
        stores.say(f"memory: fetching {days} days")
        found = []
        for _ in range(options.runs if days == 1 else 1):
            path = stores.scratch()
            shutil.rmtree(path, ignore_errors=True)
            # No rate limit, so that it takes minutes and not days, and as many requests in flight as at Feishu's limit.
            with stores.simulator(days, VCQ_CONCURRENCY="8") as env:
                found.append(fetching_peak(env, path, stores.window(days)))
            shutil.rmtree(path)
        rows.append({
            "name": "fetching part of sync", "days": days,
            "peak_mib": measure.spread([one["fetching_mib"] for one in found]),
            "whole_mib": measure.spread([one["whole_mib"] for one in found]),
        })  # fmt: skip
    return {"rows": rows}
