"""What a read-only DuckDB client sees: rows in the database and in Parquet, ATTACH, and a join under a session zone."""

import sys

import duckdb

store = sys.argv[1]
database, parquet = f"{store}/vcq.duckdb", f"{store}/parquet"
connection = duckdb.connect(database, read_only=True)


def one(sql, of=connection):
    return of.execute(sql).fetchone()[0]


tables = ["meetings", "participants", "quality_samples", "coverage", "rejects"]
undated = ["runs", "thresholds", "address_buildings", "misaligned_participants", "meta"]
for table, pattern in [(table, f"{table}/*/*") for table in tables] + [(name, f"reference/{name}/*") for name in undated]:
    files = one(f"select count(*) from read_parquet('{parquet}/{pattern}.parquet')")
    rows = one(f"select count(*) from {table}")
    assert files == rows, f"{table}: {rows} rows in the database, {files} in Parquet"
keys = one(f"""select count(*) from (select meeting_key from meetings
               except select meeting_key from read_parquet('{parquet}/meetings/*/*.parquet'))""")
assert keys == 0, f"{keys} meetings are not in Parquet"

samples = one("select count(*) from quality_samples")
for zone in ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu"]:
    connection.execute(f"set TimeZone = '{zone}'")
    joined = one(f"""select count(*) from quality_samples s
                     join read_parquet('{parquet}/quality_samples/*/*.parquet') p
                     on p.participant_key = s.participant_key
                     and epoch_us(p.sample_time_utc) = epoch_us(s.sample_time_utc)""")
    assert joined == samples, f"{zone}: {joined} of {samples} samples"

other = duckdb.connect()
other.execute(f"attach '{database}' as q (read_only)")
other.execute("use q")
direct, attached = (one("select count(*) from report_freshness()", of) for of in (connection, other))
assert direct == attached, f"{attached} rows with ATTACH, {direct} without"
print("ok", one("select count(*) from meetings"))
