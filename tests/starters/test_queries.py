"""Runs the SQL of every starter on the demo's store, and the notebook. Needs VCQ_ETL, the path of the program.

    python -m unittest discover -s tests/starters -p 'test_queries.py'
"""

import json
import re
import subprocess
import sys
import tempfile
import unittest

import duckdb
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as grafana_models

import starters

# A number beside a measured column would be a threshold of the starter's own.
OWN_THRESHOLD = re.compile(r"(_ms|_pct|_kbps|_fps|_px|poor)\w*\s*[<>]=?\s*[1-9]", re.I)
RELATION = re.compile(r"\b(?:from|join)\s+([a-z_.]+)", re.I)


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = starters.demo_store()
        cls.connection = duckdb.connect(str(cls.store / "vcq.duckdb"), read_only=True)
        cls.first, cls.last = cls.connection.sql("select min(meeting_date), max(meeting_date) from meetings").fetchone()

    def everything(self):
        yield from starters.evidence_sql()
        yield from starters.superset_sql(self.first, self.last)
        yield from starters.superset_sql(None, None)
        yield from starters.grafana_sql(self.first, self.last)

    def test_every_query_of_a_starter_returns_rows(self):
        for name, sql in self.everything():
            with self.subTest(name):
                self.assertGreater(len(self.connection.sql(sql).fetchall()), 0, sql)

    def test_starters_read_reports_and_minutes_flat_only_and_have_no_thresholds(self):
        cells = ["".join(cell["source"]) for cell in starters.notebook()["cells"] if cell["cell_type"] == "code"]
        metrics = [
            (f"superset {dataset['table_name']}", metric["expression"])
            for dataset in starters.superset_datasets()
            for metric in dataset["metrics"]
        ]
        for name, sql in [*self.everything(), *metrics, *((f"cell {n}", text) for n, text in enumerate(cells))]:
            with self.subTest(name):
                self.assertIsNone(OWN_THRESHOLD.search(sql), sql)
                if not name.startswith("cell"):
                    for relation in RELATION.findall(sql):
                        self.assertRegex(relation, r"^(report_[a-z_]+|minutes_flat)$")

    def test_a_period_of_the_dashboard_reaches_the_reports(self):
        name, sql = next(pair for pair in starters.superset_sql(self.last, None) if "daily_summary" in pair[0])
        self.assertEqual([(self.last,)], self.connection.sql(f"select date from ({sql})").fetchall(), name)

    def test_the_columns_of_the_superset_datasets_are_those_of_the_store(self):
        rendered = dict(starters.superset_sql(None, None))
        for dataset in starters.superset_datasets():
            with self.subTest(dataset["table_name"]):
                described = self.connection.sql(f"describe {rendered['superset ' + dataset['table_name']]}").fetchall()
                self.assertEqual(
                    [(row[0], row[1]) for row in described], [(column["column_name"], column["type"]) for column in dataset["columns"]]
                )

    def test_the_pages_of_evidence_read_columns_that_their_sources_have(self):
        self.connection = duckdb.connect()
        self.connection.execute(f"attach '{self.store / 'vcq.duckdb'}' as store (read_only); use store")
        sources = dict(starters.evidence_sql())
        kept = {name: self.connection.sql(sources[f"evidence {name}"]).df() for name in (key.split()[1] for key in sources)}
        self.connection.execute("attach ':memory:' as site; use site; create schema vcq")
        for name, frame in kept.items():
            self.connection.register("frame", frame)
            self.connection.execute(f"create table vcq.{name} as select * from frame")
        pages = starters.evidence_pages()
        self.assertGreater(len(pages), 5)
        for name, sql in pages:
            with self.subTest(name):
                self.assertGreater(len(self.connection.sql(sql).fetchall()), 0)

    def test_the_dashboard_of_grafana_has_only_fields_of_grafanas_model(self):
        ours = starters.grafana_dashboard()
        model = grafana_models.Dashboard.from_json(ours)
        back = json.loads(json.dumps(model, cls=JSONEncoder))
        self.assertEqual([], sorted(missing(ours, back)))


def missing(ours, theirs, path=""):
    """Paths that the model of Grafana dropped or changed. Queries, options and field settings of panels are open in it."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            # The model leaves out what is empty or a default.
            if key in theirs:
                yield from missing(value, theirs[key], f"{path}.{key}")
            elif value not in ("", [], {}, None, False, 0):
                yield f"{path}.{key}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs)):
            yield from missing(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield f"{path}: {ours!r} is {theirs!r}"


class Notebook(unittest.TestCase):
    def test_the_notebook_runs_on_the_demo_and_shows_its_incidents(self):
        store = starters.demo_store()
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/out.ipynb"
            source = starters.EXAMPLES / "notebook/meeting_quality.ipynb"
            command = [sys.executable, "-m", "papermill", "--no-progress-bar", "-p", "store", str(store), str(source), out]
            ran = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(0, ran.returncode, ran.stderr[-3000:])
            with open(out, encoding="utf-8") as file:
                cells = json.load(file)["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        # A machine may have no font for Chinese names.
        is_font = lambda output: output.get("name") == "stderr" and "missing from font" in "".join(output["text"])
        bad = [output for output in outputs if output["output_type"] in ("error", "stream") and not is_font(output)]
        self.assertEqual([], bad)
        self.assertEqual(3, sum("image/png" in output.get("data", {}) for output in outputs))
        incidents = "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)
        self.assertIn("high CPU load on", incidents)

    def test_the_notebook_in_the_repository_has_no_output(self):
        for cell in starters.notebook()["cells"]:
            self.assertEqual([], cell.get("outputs", []))


if __name__ == "__main__":
    unittest.main()
