"""CPU time of `vcq-etl rebuild` by stage, from a sampled profile.

    python benches/compare/stages.py STORE [--binary PATH]     rebuilds a copy of STORE under `perf record`

Needs Linux's perf and the right to sample (kernel.perf_event_paranoid). A sample belongs to the stage of the innermost frame
that matches one: an allocation inside the JSON parser counts as JSON.
"""
import argparse
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Stage, and a pattern of the names or libraries of its frames. The first match counts.
STAGES = [
    ("duckdb", re.compile(r"libduckdb|duckdb_|duckdb::")),
    ("unzstd", re.compile(r"ZSTD_(decompress|createDCtx|freeDCtx|initDCtx)|zstd.*[Dd]ecod|raw_log::checkpoint|raw_log::read::.*(lines|frame)|HUF_decompress")),
    ("checksum", re.compile(r"sha2|sha256|Hashing")),
    ("parquet", re.compile(r"parquet::|PartWriter|ZSTD_compress|ZSTD_createCCtx|ZSTD_.*compress")),
    ("arrow columns", re.compile(r"SampleBatches|SlotColumn|write_samples")),
    ("rejects, coverage, small tables", re.compile(r"SmallTable|coverage_rows|reject_rows|first_seen")),
    ("json and typing", re.compile(r"WalkParser|serde_json.*(page|item|Leaf|Section)|schema::parse|transform::(page|item|walk)|typed_walk")),
    ("raw pages: lines, copies", re.compile(r"RawDate|raw_log::(read|pages)|PageReader")),
    ("ledger", re.compile(r"rusqlite|sqlite3|ledger|catch_up")),
    ("lists", re.compile(r"transform::(meetings|participants)|list_items|list_walk")),
]
FRAME = re.compile(r"^\s+[0-9a-f]+ (.*) \((.*)\)$")


def stage_of(frames):
    for name, library in frames:
        for stage, pattern in STAGES:
            if pattern.search(name) or pattern.search(library):
                return stage
    return "rest"


def samples(script):
    """Each sample's frames, innermost first."""
    frames = []
    for line in script:
        found = FRAME.match(line)
        if found:
            frames.append((re.sub(r"\+0x[0-9a-f]+$", "", found[1]), found[2].rsplit("/", 1)[-1]))
        elif not line.strip():
            if frames:
                yield frames
            frames = []
    if frames:
        yield frames


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("store", type=pathlib.Path)
    options.add_argument("--binary", default="target/release/vcq-etl")
    options.add_argument("--hertz", default="397")
    options = options.parse_args()
    binary = pathlib.Path(options.binary).resolve()
    with tempfile.TemporaryDirectory(dir=options.store.parent) as folder:
        store = pathlib.Path(folder, "store")
        shutil.copytree(options.store, store)
        data = pathlib.Path(folder, "perf.data")
        record = ["perf", "record", "-q", "-F", options.hertz, "--call-graph", "dwarf,16384", "-o", data]
        subprocess.run([*record, "--", binary, "rebuild", "--quiet", "--store", store], check=True, stdout=sys.stderr)
        script = subprocess.Popen(
            ["perf", "script", "-i", data, "--no-inline", "-F", "ip,sym,dso"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        stages, leaves = collections.Counter(), collections.Counter()
        for frames in samples(script.stdout):
            stage = stage_of(frames)
            stages[stage] += 1
            leaves[stage, frames[0][0][:90], frames[0][1]] += 1
    total = sum(stages.values())
    for stage, count in stages.most_common():
        print(f"{100 * count / total:5.1f} %  {stage}")
        shown = [item for item in leaves.most_common() if item[0][0] == stage][:12]
        for (_, name, library), count in shown:
            if count * 300 > total:
                print(f"         {100 * count / total:5.1f} %  {name} ({library})")
    print(f"{total} samples")


if __name__ == "__main__":
    main()
