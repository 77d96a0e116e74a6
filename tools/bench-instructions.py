#!/usr/bin/env python3
"""Counts the instructions of each parser and stage with callgrind and compares them with benches/instructions.txt.

    python3 tools/bench-instructions.py            compares; ends with 1 if one of them takes over 3 % more
    UPDATE=1 python3 tools/bench-instructions.py   records the counts

Counts do not depend on other load, so they show regressions that are lost in the noise of times. They do depend on the
compiler: with another one than that of the record, nothing is compared. Record them again after an upgrade, in a separate
change. The cost is the difference between a run of many calls and a run of few, so that start-up does not count.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
RECORD = ROOT / "benches/instructions.txt"
MAX_GROWTH = 0.03


def build():
    """Builds the benchmark and returns its path."""
    command = [os.environ.get("CARGO", "cargo"), "bench", "--profile", "release", "--locked", "--bench", "instructions", "--no-run"]
    messages = subprocess.run([*command, "--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in messages.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "instructions":
            return message["executable"]
    sys.exit("bench-instructions: cargo built no benchmark")


def count_instructions(binary, name, times, home):
    """Instructions and items of one run."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "callgrind.out")
        # DuckDB has more code than valgrind expects.
        command = ["valgrind", "--quiet", "--avg-transtab-entry-size=400", "--tool=callgrind", f"--callgrind-out-file={out}"]
        ended = subprocess.run([*command, binary, name, str(times), home], cwd=ROOT, check=True, capture_output=True, text=True)
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)[1]), int(ended.stdout)


def per_item(binary, name, few, many, home):
    (less, fewer), (more, items) = (count_instructions(binary, name, times, home) for times in (few, many))
    return round((more - less) / (items - fewer))


def compiler():
    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return f"rustc {version}, {os.uname().machine}"


def recorded():
    """The compiler of the record, and its counts."""
    lines = RECORD.read_text().splitlines() if RECORD.exists() else []
    made_with = next((line.split("; ")[1].rstrip(".") for line in lines if line.startswith("# Written by")), None)
    counts = [line.split() for line in lines if line and not line.startswith("#")]
    return made_with, {name: int(count.replace(",", "")) for name, count in counts}


def main():
    if not shutil.which("valgrind"):
        sys.exit("bench-instructions: valgrind is needed: apt-get install valgrind, or your system's package of that name")
    made_with, before = recorded()
    if made_with != compiler() and not os.environ.get("UPDATE"):
        print(f"bench-instructions: recorded with {made_with}, this is {compiler()}; nothing is compared")
        return 0
    binary = build()
    listed = subprocess.run([binary], capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    grown = []
    print(f"{'parser or stage':<24} {'instructions':>13} {'recorded':>13} {'change':>8}")
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([binary, "--sync", home], check=True)
        for name, few, many in map(str.split, listed):
            count = found[name] = per_item(binary, name, int(few), int(many), home)
            was = before.get(name)
            change = f"{100 * (count / was - 1):+.1f} %" if was else "new"
            print(f"{name:<24} {count:>13,} {was or 0:>13,} {change:>8}", flush=True)
            if was and count > was * (1 + MAX_GROWTH):
                grown.append(name)
    if os.environ.get("UPDATE"):
        lines = [
            "# Instructions of one round of each parser's texts (benches/inputs.rs), of a page of 100 items, and of one sample",
            "# in the stages after it (benches/instructions.rs).",
            f"# Written by `UPDATE=1 make bench-instructions`; {compiler()}.",
            *(f"{name:<24} {count:>13,}" for name, count in found.items()),
        ]
        RECORD.write_text("\n".join(lines) + "\n")
        print(f"wrote {RECORD.relative_to(ROOT)}")
        return 0
    if grown:
        print(f"more than {MAX_GROWTH:.0%} over the recorded count: {', '.join(grown)}", file=sys.stderr)
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
