"""What the tests of the starters in examples/ share: the program, the demo's store, and the SQL of every starter."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import jinja2
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PROGRAM = pathlib.Path(os.environ.get("VCQ_ETL") or ROOT / "target/release/vcq-etl").resolve()
FOLDER = pathlib.Path(os.environ.get("STARTERS_DIR") or ROOT / "target/starters").resolve()


def demo_store():
    """The store of `vcq-etl demo`, made at most once a day, because the demo ends today."""
    store = FOLDER / "vcq-demo"
    made = subprocess.run(["date", "+%F"], capture_output=True, text=True, check=True).stdout + str(PROGRAM.stat().st_mtime)
    mark = FOLDER / "made"
    if not (mark.exists() and mark.read_text() == made and store.exists()):
        shutil.rmtree(store, ignore_errors=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([PROGRAM, "demo", "--store", store, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        mark.write_text(made)
    return store


def evidence_sql():
    for path in sorted((EXAMPLES / "evidence/sources/vcq").glob("*.sql")):
        yield f"evidence {path.stem}", path.read_text()


def superset_datasets():
    for path in sorted((EXAMPLES / "superset/dashboard/datasets/meeting_quality").glob("*.yaml")):
        yield yaml.safe_load(path.read_text())


def superset_sql(first, last):
    """As Superset renders it for a period; without one both are None."""
    for dataset in superset_datasets():
        template = dataset["sql"] or f"select * from {dataset['table_name']}"
        sql = jinja2.Template(template).render(from_dttm=first and f"{first}T00:00:00", to_dttm=last and f"{last}T00:00:00")
        yield f"superset {dataset['table_name']}", sql


def grafana_dashboard():
    return json.loads((EXAMPLES / "grafana/dashboard.json").read_text())


def grafana_sql(first, last):
    """As the plug-in replaces its macros (`macroTimeFrom` and `macroTimeTo` in pkg/plugin/duckdb_driver.go)."""
    for panel in grafana_dashboard()["panels"]:
        for target in panel["targets"]:
            sql = re.sub(r"\$__timeFrom\b(?:\(\))?", f"'{first}T00:00:00Z'", target["rawSql"])
            sql = re.sub(r"\$__timeTo\b(?:\(\))?", f"'{last}T00:00:00Z'", sql)
            yield f"grafana {panel['title']}", sql


def evidence_pages():
    """The queries of the page run in the browser, on the rows of the sources."""
    text = (EXAMPLES / "evidence/pages/index.md").read_text()
    return re.findall(r"```sql (\w+)\n(.*?)```", text, re.S)


def notebook():
    return json.loads((EXAMPLES / "notebook/meeting_quality.ipynb").read_text())
