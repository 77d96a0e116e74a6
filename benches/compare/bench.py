"""End-to-end benchmarks: `make bench`. Prints a section per part and writes docs/BENCHMARKS.md.

    make bench                                  every part but scale
    make bench PARTS=rebuild,fetching           some parts; the others keep their last results
    make bench BENCH_SAMPLES=50000 BENCH_RUNS=1     quick check that it works; writes target/bench/quick.md
    make bench PARTS=incidents SEEDS=20         fewer tenants; writes docs/BENCHMARKS.md all the same
    make bench PARTS=scale WEEKS=4,13           up to a year of 10,000 people, which needs 45 GB of disk

Stores and results are kept under target/bench/, so that a second run only measures.
"""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import cells
import chinese
import document
import fetching
import growth
import idle
import incidents
import measure
import memory
import rebuild
import reports
import scale
import sizes
import stores

PARTS = {module.__name__: module for module in (rebuild, fetching, memory, growth, sizes, reports, incidents, scale)}
# A year of it takes far more time and disk than the other parts together.
LARGE_PARTS = {"scale"}
# Below this many samples a run only shows that the benchmarks work.
QUICK_BELOW = 500_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default="", help="comma-separated: " + ", ".join(PARTS))
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fetching-calls", type=int, default=7_000, help="approximate number of quality calls of the part fetching")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--document", action="store_true", help="only write the document, from the last results")
    parser.add_argument("--self-test", action="store_true", help="only check that the comparison of cells detects differences")
    options = parser.parse_args()
    options.quick = options.samples < QUICK_BELOW
    if options.quick:
        options.fetching_calls = min(options.fetching_calls, 700)
    return options


def main():
    options = arguments()
    if options.self_test:
        with tempfile.TemporaryDirectory() as folder:
            cells.self_test(pathlib.Path(folder))
        document.self_test()
        idle.self_test()
        scale.self_test()
        print("the comparison of cells detects every difference")
        return 0
    wanted = [name for name in options.parts.replace(" ", "").split(",") if name] or [name for name in PARTS if name not in LARGE_PARTS]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"unknown part: {', '.join(unknown)}; parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    if len(wanted) > 1 and not options.document:
        # Each part in its own process: a child starts with the peak memory of its parent, and comparing cells takes a gigabyte.
        for name in wanted:
            subprocess.run([sys.executable, *sys.argv, "--parts", name], check=True)
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    stores.FOLDER.mkdir(parents=True, exist_ok=True)
    kept = stores.FOLDER / ("results-quick.json" if options.quick else "results.json")
    results = json.loads(kept.read_text()) if kept.exists() else {}
    for name in [] if options.document else wanted:
        stores.say(f"== {name}")
        load = os.getloadavg()[0]
        found = PARTS[name].part(options)
        found["measured"] = {
            "date": datetime.date.today().isoformat(),
            "runs": options.runs,
            # Other load on the machine, at the start and at the end.
            "load": [round(load, 1), round(os.getloadavg()[0], 1)],
            "machine": measure.machine(),
            "versions": document.versions(),
        }
        # Read again, because another part may have been measured in the meantime.
        results = json.loads(kept.read_text()) if kept.exists() else {}
        results[name] = found
        kept.write_text(json.dumps(results, indent=1) + "\n")
        print("\n".join(document.section(name, found)), flush=True)
    path = stores.FOLDER / "quick.md" if options.quick else stores.ROOT / "docs/BENCHMARKS.md"
    path.write_text(document.whole(results, path.read_text() if path.exists() else ""))
    if not options.quick:
        chinese.write()
    stores.say(f"wrote {path.relative_to(stores.ROOT)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Failed as failed:
        sys.exit(f"bench: {failed}")
