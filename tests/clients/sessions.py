"""Sessions of real DuckDB clients over syncs: whatever they do, every reader sees the published rows.

Usage: sessions.py VCQ_ETL FOLDER VERSION...     (prints a table; exits with 1 if a reader sees other rows)

Needs no network except for installing the clients. As root it also tries a client and a publisher that are not root.
"""

import os
import pathlib
import shutil
import stat
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BINARY, FOLDER, VERSIONS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
NOBODY = 65534
failures = []


def package_of(version):
    """The folder with a version of the client."""
    folder = FOLDER / f"duckdb-{version}"
    if not (folder / "duckdb").exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder]
        subprocess.run([*install, f"duckdb=={version}"], check=True)
    return folder


def others_can_run(program):
    """Whether another user reaches a file: every folder above it is open to all."""
    path = pathlib.Path(program).resolve()
    return all(parent.stat().st_mode & 0o001 for parent in path.parents) and bool(path.stat().st_mode & 0o004)


class Store:
    """A store, its simulated tenant and a client version; `user` is the id that everything runs as."""

    def __init__(self, name, package, user):
        self.folder, self.package, self.user = FOLDER / "stores" / name, package, user
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if user is not None:
            os.chown(self.folder, user, user)
        self.path = self.folder / "store"
        self.simulator = self.start([BINARY, "simulate", "--quiet", "--days", "5", "--people", "10", "--seed", "7", "--calls-per-minute", "60000"])
        self.environment = {}
        while line := self.simulator.stdout.readline():
            name, separator, value = line.strip().removeprefix("export ").partition("=")
            if separator:
                self.environment[name] = value.strip("'\"")
            if "VCQ_BASE_URL" in self.environment and "VCQ_APP_SECRET" in self.environment:
                break
        self.environment |= {"VCQ_STORE": str(self.path), "VCQ_CALLS_PER_MINUTE": "60000", "XDG_STATE_HOME": str(self.folder / "state")}

    def start(self, command, **options):
        environment = os.environ | getattr(self, "environment", {}) | {"HOME": str(self.folder), "PYTHONPATH": str(self.package)}
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
                                user=self.user, cwd=self.folder, **options)

    def sync(self, *window):
        ran = self.start([BINARY, "sync", *window], stderr=subprocess.PIPE)
        out, err = ran.communicate()
        if ran.returncode not in (0, 7):
            failures.append(f"{self.folder.name}: sync ended with {ran.returncode}: {err[-300:]}")
        return [line for line in (out + err).splitlines() if "Note:" in line]

    def check(self, step):
        """Reads with the client and with our own program."""
        reader = self.start([sys.executable, HERE / "reader.py", self.path], stderr=subprocess.PIPE)
        out, err = reader.communicate()
        if not out.startswith("ok"):
            said = [line for line in err.splitlines() if "Error" in line] or ["no output"]
            failures.append(f"{self.folder.name}, {step}: {said[-1]}")
        report = self.start([BINARY, "report", "run", "freshness"], stderr=subprocess.PIPE)
        report.communicate()
        if report.returncode != 0:
            failures.append(f"{self.folder.name}, {step}: the report ended with {report.returncode}")

    def unguard(self):
        """As a version before the file was published read-only left it."""
        for name in ["vcq.duckdb.wal", "vcq.duckdb.wal.checkpoint"]:
            (self.path / name).unlink(missing_ok=True)
        (self.path / "vcq.duckdb").chmod(0o644)

    def close(self):
        self.simulator.kill()
        self.simulator.wait()


class Session:
    def __init__(self, store):
        self.process = store.start([sys.executable, HERE / "client.py", store.path / "vcq.duckdb"])
        self.opened = self.process.stdout.readline().strip()

    def run(self, sql):
        if not self.opened.startswith("open"):
            return self.opened
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


BULK = "create or replace table bulk as select range as a, random() as b from range(2000000)"
STEPS = ["insert into meta select * from meta", "delete from runs", "checkpoint", "create table my_notes (a int)", BULK]


def scenario(name, version, user, is_old):
    store = Store(f"{version}-{name}", package_of(version), user)
    seen = []
    try:
        store.sync("--since", "3d", "--until", "1d")
        if is_old:
            store.unguard()
        else:
            store.check("before the session")
        session = Session(store)
        before = [session.run("delete from thresholds").split(":")[0], session.run("checkpoint").split(":")[0]]
        seen.append(f"before the sync: {', '.join(before)}")
        # From here on the file of the session is not the published one.
        noted = store.sync("--since", "5d")
        seen.append(f"{len(noted)} notes")
        store.check("after the sync")
        for sql in STEPS:
            seen.append(f"{sql.split()[0]}: {session.run(sql).split(':')[0]}")
            store.check(f"after {sql[:30]}")
        store.sync("--since", "5d")
        store.check("after the second sync")
        seen.append(f"insert: {session.run('insert into meta select * from meta').split(':')[0]}")
        store.check("after the second sync and an insert")
        session.close()
        store.check("after the session")
        mode = stat.S_IMODE((store.path / "vcq.duckdb").stat().st_mode)
        if mode != 0o400:
            failures.append(f"{store.folder.name}: mode {mode:04o}")
    finally:
        store.close()
    print(f"| {version} | {name} | {'; '.join(seen)} |", flush=True)


def main():
    began = time.time()
    with_nobody = os.getuid() == 0 and all(map(others_can_run, [sys.executable, BINARY, HERE / "client.py"]))
    if os.getuid() == 0 and not with_nobody:
        print("Scenarios without root are left out: other users cannot run the program or this Python.")
    print("| client | scenario | what the session could do |\n|---|---|---|")
    for version in VERSIONS:
        if os.getuid() == 0:
            scenario("root", version, None, False)
            scenario("root-old-store", version, None, True)
            if with_nobody:
                scenario("not-root", version, NOBODY, False)
                scenario("not-root-old-store", version, NOBODY, True)
        else:
            scenario("user", version, None, False)
            scenario("user-old-store", version, None, True)
    print("\n".join(failures) or f"Every reader saw the published rows ({time.time() - began:.0f} s).")
    sys.exit(1 if failures else 0)


main()
