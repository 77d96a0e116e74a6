"""The stores that the benchmarks use: a simulated tenant, served by `vcq-etl simulate` and pulled by `vcq-etl sync`.

They are made once under `target/bench/` and kept; only copies are used. All connections are to loopback.
"""
import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import measure

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("BENCH_DIR") or ROOT / "target/bench")
BINARY = pathlib.Path(os.environ.get("BENCH_BINARY") or ROOT / "target/release/vcq-etl").resolve()
# Effectively unlimited: the maximum that the settings allow.
NO_LIMIT = 100_000
# The tenant, and its approximate number of samples per day, weekends included.
PEOPLE, MEETINGS_PER_DAY = 700, 210
SAMPLES_PER_DAY = 35_500
# The last day of every tenant, far enough back that nothing is pending.
LAST_DAY = datetime.date(2026, 10, 30)


def say(text):
    print(text, file=sys.stderr, flush=True)


def environment(**settings):
    """An environment without this machine's settings, with a home folder of its own."""
    home = FOLDER / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {"HOME": str(home), "TMPDIR": str(home), "PATH": os.environ["PATH"], **settings}


@contextlib.contextmanager
def simulator(days, last_day=LAST_DAY, people=PEOPLE, meetings_per_day=MEETINGS_PER_DAY, flags=(), **settings):
    """Serves a tenant of `days` days; yields the environment of a sync that uses it."""
    first_day = last_day - datetime.timedelta(days=days - 1)
    env = environment(**({"VCQ_CALLS_PER_MINUTE": str(NO_LIMIT)} | settings))
    command = [
        BINARY, "simulate", "--first-day", first_day, "--days", days,
        "--people", people, "--meetings-per-day", meetings_per_day, *flags,
    ]  # fmt: skip
    child = subprocess.Popen([str(part) for part in command], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        exported = {}
        for line in child.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                exported[name] = value
            if "VCQ_APP_SECRET" in exported:
                break
        else:
            raise measure.Failed("the simulator printed no address")
        yield env | exported
    finally:
        child.terminate()
        child.wait()


def window(days, last_day=LAST_DAY):
    """The arguments for a sync of the last `days` days."""
    first, end = last_day - datetime.timedelta(days=days - 1), last_day + datetime.timedelta(days=1)
    return ["--since", str(first), "--until", str(end)]


def window_seconds(days, last_day=LAST_DAY):
    """The same window in unix seconds; the tenant's zone is +08:00."""
    zone = datetime.timezone(datetime.timedelta(hours=8))
    end = datetime.datetime.combine(last_day, datetime.time(), zone) + datetime.timedelta(days=1)
    return round((end - datetime.timedelta(days=days)).timestamp()), round(end.timestamp())


def sync(env, store, arguments, accept=(0,)):
    """Runs and measures a sync; returns the measurement and the summary."""
    ran = measure.run([BINARY, "sync", "--quiet", "--summary", "json", "--store", store, *arguments], env, accept)
    return ran, json.loads(ran.stdout)


def days_for(samples):
    """Number of days for this many samples, plus two, because the first and last may be quiet."""
    return round(samples / SAMPLES_PER_DAY) + 2


def stamp():
    """A digest of the program that makes the stores."""
    return hashlib.sha256(BINARY.read_bytes()).hexdigest()[:16]


def scratch():
    """Path of a temporary store."""
    return FOLDER / f"scratch-{os.getpid()}"


def up_to_date(path, make):
    """Calls `make(unfinished)` if `path` does not exist, and rebuilds a store that another build published."""
    made_by = path.with_name(f"{path.name}.made-by")
    if not path.exists():
        say(f"making {path.name}")
        unfinished = path.with_name(f"{path.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        make(unfinished)
        unfinished.rename(path)
    elif not made_by.exists() or made_by.read_text() != stamp():
        say(f"rebuilding {path.name}, which another build made")
        measure.run([BINARY, "rebuild", "--quiet", "--store", path], environment())
    made_by.write_text(stamp())
    return path


def store(samples):
    """A store of about `samples` samples, up to LAST_DAY."""
    days = days_for(samples)

    def make(path):
        with simulator(days) as env:
            sync(env, path, window(days))

    return up_to_date(FOLDER / f"store-{samples}", make)


@contextlib.contextmanager
def copy(store):
    """A temporary copy of a store (reflinks where the file system supports them)."""
    # Named after this process: two parts may be measured at once.
    path = FOLDER / f"work-{os.getpid()}" / "store"
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir(parents=True)
    subprocess.run(["cp", "-r", "--reflink=auto", str(store), str(path)], check=True)
    try:
        yield path
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)


def bytes_below(folder, pattern="*"):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob(pattern) if path.is_file())
