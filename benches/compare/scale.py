"""Where one machine ends: a tenant of 10,000 people, and what a night costs in stores of more and more weeks.

One week is simulated and pulled. Earlier weeks are its Parquet files again, with other dates and keys and their entries
in the manifest. The next sync builds `vcq.duckdb` from them, as it does if the file is lost. WEEKS=4,13 are other sizes.
"""
import datetime
import hashlib
import json
import os
import time

import pyarrow
import pyarrow.compute
import pyarrow.parquet

import growth
import measure
import rawlog
import stores

WEEKS = [4, 13, 52]
TENANT = dict(people=10_000, meetings_per_day=3_000)
QUICK_TENANT = dict(people=100, meetings_per_day=30)
WEEK_DAYS = 7
# Working days that are added to each store after the one with which its database is built.
NIGHTS = 2
KEYS = {"meeting_key", "participant_key", "row_key"}
# Tables with a row for each meeting, participant or minute. The other tables are searched or fetched again.
COPIED = {"meetings", "participants", "quality_samples", "coverage", "rejects"}
NEXT_DAYS = [
    day for day in (stores.LAST_DAY + datetime.timedelta(days=number) for number in range(1, 14)) if day.weekday() < 5
][: NIGHTS + 1]


def earlier(table, weeks):
    """The same rows, so many weeks earlier and with keys of their own."""
    away = datetime.timedelta(weeks=weeks)

    def column(field, values):
        if field.name in KEYS:
            return pyarrow.compute.binary_join_element_wise(f"{weeks}.", values, "").cast(field.type)
        if pyarrow.types.is_timestamp(field.type):
            return pyarrow.compute.subtract(values, pyarrow.scalar(away, pyarrow.duration("us"))).cast(field.type)
        if pyarrow.types.is_date(field.type):
            return pyarrow.compute.subtract(values.cast(pyarrow.int32()), pyarrow.scalar(away.days, pyarrow.int32())).cast(field.type)
        return values

    cells = [column(field, values) for field, values in zip(table.schema, table.columns)]
    return pyarrow.Table.from_arrays(cells, schema=table.schema)


def add_weeks(store, weeks):
    """Copies the files of the first week until the store has `weeks` weeks. Removes `vcq.duckdb`, which lacks them."""
    parquet = store / "parquet"
    path = parquet / "_manifest.json"
    manifest = json.loads(path.read_text())
    copied = [file for file in manifest["files"] if file["table"] in COPIED and file["rows"] > 0]
    week = [file for file in copied if str(week_begins()) <= file["meeting_date"] <= str(stores.LAST_DAY)]
    has = {(file["table"], file["meeting_date"]) for file in manifest["files"]}
    for file in week:
        table = pyarrow.parquet.ParquetFile(parquet / file["path"]).read()
        for number in range(1, weeks):
            away = datetime.timedelta(weeks=number)
            date = str(datetime.date.fromisoformat(file["meeting_date"]) - away)
            if (file["table"], date) in has:
                continue
            copy = parquet / file["path"].replace(file["meeting_date"], date)
            copy.parent.mkdir(parents=True, exist_ok=True)
            pyarrow.parquet.write_table(earlier(table, number), copy, compression="zstd", row_group_size=1 << 20)
            with copy.open("rb") as written:
                sha256 = hashlib.file_digest(written, "sha256").hexdigest()
            times = {name: shifted(file[name], away) for name in ("min_time_utc", "max_time_utc")}
            entry = {"meeting_date": date, "path": str(copy.relative_to(parquet)), "bytes": copy.stat().st_size}
            manifest["files"].append({**file, **entry, "sha256": sha256, **times})
    tables = list(dict.fromkeys(file["table"] for file in manifest["files"]))
    manifest["files"].sort(key=lambda file: (tables.index(file["table"]), file["meeting_date"] or ""))
    path.write_text(json.dumps(manifest))
    (store / "vcq.duckdb").unlink(missing_ok=True)


def shifted(time_utc, away):
    if time_utc is None:
        return None
    return (datetime.datetime.fromisoformat(time_utc.replace("Z", "+00:00")) - away).isoformat().replace("+00:00", "Z")


def week_begins():
    return stores.LAST_DAY - datetime.timedelta(days=WEEK_DAYS - 1)


def self_test():
    day, minute = datetime.date(2026, 10, 30), datetime.datetime(2026, 10, 30, 9, 1)
    row = {"meeting_key": ["1-2"], "start_utc": [minute], "first_day": [day], "delay_ms": [1.5]}
    moved = earlier(pyarrow.table(row), 2).to_pydict()
    fortnight = datetime.timedelta(days=14)
    assert moved == {"meeting_key": ["2.1-2"], "start_utc": [minute - fortnight], "first_day": [day - fortnight], "delay_ms": [1.5]}
    assert shifted("2026-10-30T01:00:00Z", fortnight) == "2026-10-16T01:00:00Z" and shifted(None, fortnight) is None


def night(env, store, day):
    """One more working day; publishing is from the last response to the end of the program."""
    known = {call.at for call in rawlog.calls(store)}
    copy_s = growth.copy_seconds(store) if (store / "vcq.duckdb").exists() else 0.0
    began = time.time()
    ran, summary = stores.sync(env, store, stores.window(1, day))
    ended = began + ran.wall_s
    calls = [(call.at, call.took) for call in rawlog.calls(store) if call.at not in known]
    return {
        "samples": summary["samples"],
        "publishing_s": ended - max(at + took for at, took in calls),
        "copy_s": copy_s,
        "peak_mib": ran.peak_mib,
        "written_mib": ran.written_mib,
    }


def measured(command):
    ran = measure.run([stores.BINARY, *command], stores.environment())
    return {"wall_s": ran.wall_s, "cpu_s": ran.cpu_s, "peak_mib": ran.peak_mib}


def read(store, last_day):
    """A report over a month and a year, the page and `verify`."""
    since = lambda days: str(last_day - datetime.timedelta(days=days - 1))
    report = ["report", "run", "worst-participants", "--store", store, "--format", "csv", "--since"]
    page = ["report", "html", "--store", store, "--period", "month", "--date", since(WEEK_DAYS + 7), "--out", stores.scratch()]
    found = {
        "report_month": measured([*report, since(30)]),
        "report_year": measured([*report, since(365)]),
        "page": measured(page),
        "verify": measured(["verify", "--store", store]),
    }
    stores.scratch().unlink(missing_ok=True)
    return found


def size(store, weeks, env):
    add_weeks(store, weeks)
    built = night(env, store, NEXT_DAYS[0])
    nights = [night(env, store, day) for day in NEXT_DAYS[1:]]
    manifest = json.loads((store / "parquet/_manifest.json").read_text())
    samples = sum(file["rows"] for file in manifest["files"] if file["table"] == "quality_samples")
    return {
        "weeks": weeks,
        "samples": samples,
        "parquet_mib": sum(file["bytes"] for file in manifest["files"]) / (1 << 20),
        "duckdb_mib": (store / "vcq.duckdb").stat().st_size / (1 << 20),
        "built": built,
        "nights": nights,
        **read(store, NEXT_DAYS[-1]),
    }


def part(options):
    tenant = QUICK_TENANT if options.quick else TENANT
    weeks = [2, 4] if options.quick else WEEKS
    if os.environ.get("WEEKS"):
        weeks = [int(count) for count in os.environ["WEEKS"].split(",")]

    def make(path):
        with stores.simulator(WEEK_DAYS, **tenant) as env:
            stores.sync(env, path, stores.window(WEEK_DAYS))

    week = stores.up_to_date(stores.FOLDER / f"scale-{tenant['people']}-people", make)
    raw_mib = stores.bytes_below(week / "raw") / (1 << 20)
    rows = []
    for count in weeks:
        stores.say(f"scale: {count} weeks")
        days = (NEXT_DAYS[-1] - stores.LAST_DAY).days
        with stores.copy(week) as store, stores.simulator(days, NEXT_DAYS[-1], **tenant) as env:
            rows.append(size(store, count, env))
    return {"people": tenant["people"], "raw_mib_per_week": raw_mib, "rows": rows}
