#!/usr/bin/env python3
"""Counts the instructions of each parser with callgrind and compares them with benches/instructions.txt.

    python3 tools/bench-instructions.py            compares; ends with 1 if a parser takes over 5 % more
    UPDATE=1 python3 tools/bench-instructions.py   records the counts

Counts do not depend on other load, so they show regressions that are lost in the noise of times. They do depend on the
compiler: record them again after an upgrade, in a separate change. The cost of a call is the difference between a run of
many calls and a run of few, so that start-up does not count.
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
MAX_GROWTH = 0.05
FEW, MANY = 20, 1020
# A page has a hundred items, so fewer runs are enough.
FEW_PAGES, MANY_PAGES = 2, 22


def build():
    """Builds the benchmark and returns its path."""
    command = [os.environ.get("CARGO", "cargo"), "bench", "--profile", "release", "--locked", "--bench", "instructions", "--no-run"]
    messages = subprocess.run([*command, "--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in messages.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "instructions":
            return message["executable"]
    sys.exit("bench-instructions: cargo built no benchmark")


def count_instructions(binary, name, times):
    """Instructions of one run."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "callgrind.out")
        command = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}", binary, name, str(times)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)[1])


def per_call(binary, name):
    few, many = (FEW_PAGES, MANY_PAGES) if name.startswith("page") else (FEW, MANY)
    return round((count_instructions(binary, name, many) - count_instructions(binary, name, few)) / (many - few))


def recorded():
    if not RECORD.exists():
        return {}
    lines = [line.split() for line in RECORD.read_text().splitlines() if line and not line.startswith("#")]
    return {name: int(count.replace(",", "")) for name, count in lines}


def main():
    if not shutil.which("valgrind"):
        sys.exit("bench-instructions: valgrind is needed: apt-get install valgrind, or your system's package of that name")
    binary = build()
    environment = subprocess.run([binary], capture_output=True, text=True, check=True)
    names = environment.stdout.split()
    before = recorded()
    found = {}
    grown = []
    print(f"{'parser':<24} {'instructions':>13} {'recorded':>13} {'change':>8}")
    for name in names:
        count = found[name] = per_call(binary, name)
        was = before.get(name)
        change = f"{100 * (count / was - 1):+.1f} %" if was else "new"
        print(f"{name:<24} {count:>13,} {was or 0:>13,} {change:>8}", flush=True)
        if was and count > was * (1 + MAX_GROWTH):
            grown.append(name)
    if os.environ.get("UPDATE"):
        compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        lines = [
            "# Instructions of one round of each parser's texts (benches/inputs.rs), and of a page of 100 items.",
            f"# Written by `UPDATE=1 make bench-instructions`; rustc {compiler}, {os.uname().machine}.",
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
