"""Settings of Superset for the dashboard. Everything that Superset keeps is in SUPERSET_HOME.

No cache and no pool of connections is set up, so a chart shows what the last sync published.
"""
import os
import pathlib

HOME = pathlib.Path(os.environ["SUPERSET_HOME"])
SECRET_KEY = (HOME / "secret_key").read_text().strip()
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}"
# The datasets pass the period of the dashboard to the reports of vcq-etl.
FEATURE_FLAGS = {"ENABLE_TEMPLATE_PROCESSING": True}
