"""Builds the site of Evidence and starts Superset on the demo's store, and looks at both in Chromium: `make test-starters`.

Needs VCQ_ETL, SUPERSET_VENV (a virtual environment with examples/superset/requirements.txt) and EVIDENCE_MODULES (the
node_modules of examples/evidence). Evidence loads a part of DuckDB-Wasm from extensions.duckdb.org; EVIDENCE_OFFLINE replaces
it by DuckDB-Wasm 1.28.0, which contains that part, so that the site can be built and shown without that server.
"""

import functools
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time
import unittest
import urllib.request

import duckdb

import starters

HERE = pathlib.Path(__file__).parent
PICTURES = pathlib.Path(os.environ.get("PICTURES") or starters.FOLDER)
WAIT_S = 600


def browse(url, picture, *more):
    ran = subprocess.run(["node", HERE / "browse.mjs", url, PICTURES / picture, *more], capture_output=True, text=True)
    if ran.returncode:
        raise AssertionError(ran.stderr[-3000:])
    return json.loads(ran.stdout)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Store(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A copy, because a test publishes into it.
        cls.store = starters.FOLDER / cls.__name__.lower() / "store"
        shutil.rmtree(cls.store.parent, ignore_errors=True)
        shutil.copytree(starters.demo_store(), cls.store, symlinks=True)

    def one(self, sql):
        with duckdb.connect(str(self.store / "vcq.duckdb"), read_only=True) as connection:
            return connection.sql(sql).fetchone()


class Superset(Store):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, cls.port = cls.store.parent / "superset", free_port()
        environment = {
            **os.environ,
            "SUPERSET_HOME": str(cls.home),
            "PATH": f"{os.environ['SUPERSET_VENV']}/bin:{os.environ['PATH']}",
        }
        cls.log = (cls.store.parent / "superset.log").open("w")
        start = [starters.EXAMPLES / "superset/start.sh", cls.store, str(cls.port)]
        cls.server = subprocess.Popen(start, env=environment, stdout=cls.log, stderr=subprocess.STDOUT)
        until = time.monotonic() + WAIT_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{cls.port}/health", timeout=5).close()
                return
            except OSError:
                if cls.server.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"Superset did not start; see {cls.log.name}") from None
                time.sleep(1)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait()
        cls.log.close()

    def dashboard(self):
        url = f"http://127.0.0.1:{self.port}/superset/dashboard/meeting-quality/"
        return browse(url, "superset.png", str(self.home / "password"))

    def test_every_chart_of_the_dashboard_has_rows_and_a_new_publication_is_seen(self):
        shown = self.dashboard()
        self.assertEqual([], shown["problems"])
        self.assertEqual(8, len(shown["charts"]))
        self.assertTrue(all(shown["charts"].values()), shown["charts"])
        (summary,) = self.one("select summary from report_incidents()")
        self.assertIn(summary, shown["text"])
        # The file is replaced under the running server.
        stricter = ["--thresholds", "audio_jitter_ms=5", "--profile", "custom"]
        command = [starters.PROGRAM, "rebuild", "--store", self.store, "--quiet", *stricter]
        subprocess.run(command, check=True, capture_output=True)
        (other,) = self.one("select summary from report_incidents()")
        self.assertNotEqual(summary, other)
        self.assertIn(other, self.dashboard()["text"])


class Evidence(Store):
    def test_the_site_shows_the_reports_of_the_store(self):
        site = self.store.parent / "site"
        shutil.copytree(starters.EXAMPLES / "evidence", site, ignore=shutil.ignore_patterns("node_modules", "store", "build"))
        (site / "store").symlink_to(self.store)
        modules = pathlib.Path(os.environ["EVIDENCE_MODULES"]).resolve()
        # Links, because there are forty thousand files.
        shutil.copytree(modules, site / "node_modules", symlinks=True, copy_function=os.link)
        if offline := os.environ.get("EVIDENCE_OFFLINE"):
            bundled(site / "node_modules", pathlib.Path(offline))
        environment = {**os.environ, "SEND_ANONYMOUS_USAGE_STATS": "no"}
        for step in ["sources", "build"]:
            ran = subprocess.run(["npm", "run", step], cwd=site, env=environment, capture_output=True, text=True, timeout=3 * WAIT_S)
            self.assertEqual(0, ran.returncode, ran.stdout[-3000:] + ran.stderr[-3000:])
        shown = self.served(site / "build")
        self.assertEqual([], shown["problems"])
        (summary,) = self.one("select summary from report_incidents(since := current_date - 28)")
        self.assertIn(summary, shown["text"])
        # Evidence has formats of its own for some names of columns; the percentages must arrive as they are.
        row = self.one("select topic, meeting_no, poor, poor_pct from report_worst_meetings(since := current_date - 28)")
        line = next(line for line in shown["text"].split("\n") if row[1] in line)
        after = shown["text"][shown["text"].index(line) :]
        self.assertIn(f"{row[3]:.1f}", after[:200])
        self.assertNotIn("%", after[:200])

    def served(self, folder):
        handler = functools.partial(Quiet, directory=str(folder))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                return browse(f"http://127.0.0.1:{server.server_port}/", "evidence.png")
            finally:
                server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def bundled(modules, replacement):
    """Puts a DuckDB-Wasm with Parquet inside into the place of Evidence's, without the two settings that it does not know."""
    shutil.rmtree(modules / "@duckdb/duckdb-wasm")
    shutil.copytree(replacement, modules / "@duckdb/duckdb-wasm")
    for path in (modules / "@evidence-dev/universal-sql/src/client-duckdb").glob("*.js"):
        kept = [line for line in path.read_text().splitlines(keepends=True) if "'SET " not in line]
        path.unlink()
        path.write_text("".join(kept))


if __name__ == "__main__":
    unittest.main()
