"""Runs the scripts of `vcq-etl report export --engine spark` in Spark on one tenant's Parquet files, and compares every
row, every cell and the order with `vcq-etl report run`, without a tolerance. Needs VCQ_ETL, the path of the program, and
Java 17.

    python -m unittest tests/spark/test_spark.py

REPORTS=by-site,sla runs some; STORE=DIR reads a store that is there. Prints a line for each report, with the seconds of
both engines.
"""

import datetime
import decimal
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import pyspark
from pyspark.sql import SparkSession

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("VCQ_ETL") or ROOT / "target/release/vcq-etl").resolve()
SINCE = "2026-11-01"
# As in the golden reports, with losses for the report reconcile.
TENANT = ["--first-day", SINCE, "--days", "14", "--people", "60", "--meetings-per-day", "12", "--lose", "1%"]
# The demo's limits are those of a tenant 600 times as large.
FAST = ["--calls-per-minute", "60000"]


def run(*arguments, env=None):
    return subprocess.run([PROGRAM, *arguments], env=env, check=True, capture_output=True, text=True).stdout


def make_store(folder):
    """Syncs the simulated tenant with every optional table."""
    buildings = folder / "buildings.csv"
    simulator = subprocess.Popen(
        [PROGRAM, "simulate", *TENANT, *FAST, "--buildings", buildings],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        env = dict(os.environ, VCQ_STORE=str(folder / "store"), HOME=str(folder), XDG_STATE_HOME=str(folder / "state"))
        for line in simulator.stdout:
            if line.startswith("export "):
                name, value = line.removeprefix("export ").strip().split("=", 1)
                env[name] = value.strip("'\"")
            if "VCQ_APP_SECRET" in line:
                break
        run("buildings", "import", str(buildings), env=env)
        run(
            "sync", "--since", SINCE, "--until", "2026-11-15", "--also", "rooms,room_alerts,reservations,census",
            *FAST, "--quiet", env=env,
        )
        return env
    finally:
        simulator.terminate()
        simulator.wait()


def one(env, sql):
    rows = json.loads(run("query", sql, "--format", "json", env=env))
    return next(iter(rows[0].values())) if rows else None


def plain(value):
    """A cell as JSON has it."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value


def difference(expected, found):
    """The first cell that differs. 30 and 30.0 are equal."""
    if len(expected) != len(found):
        return f"{len(expected)} rows, in Spark {len(found)}"
    for number, (left, right) in enumerate(zip(expected, found)):
        if list(left) != list(right):
            return f"columns {list(left)}, in Spark {list(right)}"
        for name in left:
            if left[name] != right[name]:
                return f"row {number}, {name}: {left[name]!r}, in Spark {right[name]!r}"
    return None


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="vcq-spark-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        kept = os.environ.get("STORE")
        cls.env = dict(os.environ, VCQ_STORE=kept) if kept else make_store(cls.folder)
        os.environ["TZ"] = "UTC"
        time.tzset()
        cls.spark = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            # The data is small: compiling a query takes far longer than running it.
            .config("spark.sql.codegen.wholeStage", "false")
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .config("spark.sql.adaptive.enabled", "false")
            .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.warehouse.dir", str(cls.folder / "warehouse"))
            .config("spark.driver.memory", "3g")
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )
        cls.addClassCleanup(cls.spark.stop)
        for schema in ["vcq", "scratch"]:
            cls.spark.sql(f"create schema {schema}")

    def statements(self, path):
        text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("--"))
        return [statement.strip() for statement in text.split(";\n") if statement.strip().rstrip(";")]

    def rows(self, path):
        result = None
        for statement in self.statements(path):
            frame = self.spark.sql(statement.rstrip(";"))
            if statement.startswith(("select", "with")):
                names = frame.columns
                result = [dict(zip(names, map(plain, row))) for row in frame.collect()]
        return result

    def test_every_report_is_equal(self):
        values = {
            "meeting_no": one(
                self.env,
                "select m.meeting_no from quality_samples q join meetings m using (meeting_key) "
                "group by 1 order by count(*) desc, 1 limit 1",
            ),
            "who": one(
                self.env,
                "select user_id from participants where user_id is not null group by 1 order by count(*) desc, 1 limit 1",
            ),
            "incident_id": one(self.env, "select min(incident_id) from incidents"),
            # The report reconcile shows every day and person, not only those with losses.
            "tolerance_minutes": "-1000",
        }
        scripts = self.folder / "scripts"
        params = [f"--param={name}={value}" for name, value in values.items()]
        window = ["--since", SINCE]
        run(
            "report", "export", "--engine", "spark", "--tables", "vcq.{table}", "--scratch", "scratch",
            "--out", str(scripts), *window, *params, env=self.env,
        )
        for statement in self.statements(scripts / "ddl.sql"):
            self.spark.sql(statement.rstrip(";"))
        wanted = os.environ.get("REPORTS", "").split(",") if os.environ.get("REPORTS") else None
        reports = json.loads(run("report", "list", "--format", "json", env=self.env))
        self.assertEqual({f"{report['name']}.sql" for report in reports} | {"ddl.sql", "README.md"}, set(os.listdir(scripts)))
        print(f"\nSpark {pyspark.__version__}: report, rows, seconds of DuckDB, seconds of Spark, result", flush=True)
        differing = []
        for report in reports:
            name = report["name"]
            if wanted and name not in wanted:
                continue
            arguments = [f"--param={key}={value}" for key, value in values.items() if key in report["parameters"]]
            if "since" in report["parameters"]:
                arguments += window
            started = time.monotonic()
            expected = json.loads(run("report", "run", name, "--format", "json", "--quiet", *arguments, env=self.env))
            middle = time.monotonic()
            try:
                problem = difference(expected, self.rows(scripts / f"{name}.sql"))
            except Exception as error:  # noqa: BLE001: what Spark refuses is a result, too
                problem = " ".join(str(error).split())[:1500]
            ended = time.monotonic()
            if problem:
                differing.append(name)
            print(
                f"{name:20} {len(expected):5} {middle - started:6.1f} {ended - middle:6.1f}  {problem or 'equal'}", flush=True
            )
        self.assertEqual(differing, [])


if __name__ == "__main__":
    unittest.main()
