"""Measures a child process: wall time, CPU, peak memory, bytes written; and summarises runs.

CPU seconds and peak resident memory are the kernel's counts for the child and its children (`wait4`); bytes written are
those given to the file system (`/proc/<pid>/io`, Linux only).
"""
import dataclasses
import os
import pathlib
import platform
import statistics
import subprocess
import time


class Failed(Exception):
    """A measured program failed."""


@dataclasses.dataclass
class Ran:
    wall_s: float
    cpu_s: float
    peak_mib: float
    written_mib: float | None
    stdout: str
    code: int


def written_bytes(pid):
    try:
        io = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
        return int(io["write_bytes"])
    except (OSError, KeyError, ValueError):
        return None


def run(command, env=None, accept=(0,), cwd=None):
    """Runs a command to its end. Its stderr is shown only if it fails."""
    began = time.monotonic()
    child = subprocess.Popen(
        [str(part) for part in command],
        env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )
    # Both pipes are drained by threads, because a full pipe would block the child.
    out, err = [], []
    readers = [_drain(child.stdout, out), _drain(child.stderr, err)]
    # The child is kept as a zombie, so that its counters can be read.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    wall_s = time.monotonic() - began
    written = written_bytes(child.pid)
    _, status, usage = os.wait4(child.pid, 0)
    code = child.returncode = os.waitstatus_to_exitcode(status)
    for reader in readers:
        reader.join()
    if code not in accept:
        text = b"".join(err).decode(errors="replace")
        raise Failed(f"{' '.join(map(str, command))} ended with {code}:\n{text[-2000:]}")
    return Ran(
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        # Linux counts kilobytes, macOS bytes.
        peak_mib=usage.ru_maxrss / (1024 if platform.system() == "Linux" else 1 << 20),
        written_mib=None if written is None else written / (1 << 20),
        stdout=b"".join(out).decode(errors="replace"),
        code=code,
    )


def _drain(pipe, into):
    import threading

    def read():
        with pipe:
            while chunk := pipe.read(1 << 16):
                into.append(chunk)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return reader


def spread(values):
    """Median, minimum and maximum."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "runs": len(values)}


def interleaved(names, runs, once):
    """Calls `once(name, number)` for every name in turn, for `runs` rounds, so that noise affects all of them."""
    results = {name: [] for name in names}
    for number in range(runs):
        # The order rotates, so that no program always runs after the same one.
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            results[name].append(once(name, number))
    return results


def machine():
    """The kind of machine, without its host name."""
    model = platform.processor() or platform.machine()
    memory_gib = None
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
        memory_gib = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30))
    except (OSError, ValueError):
        pass
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": memory_gib,
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "load": round(os.getloadavg()[0], 1),
    }
