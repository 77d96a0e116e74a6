"""Compares the cells of two tables of samples, in any order of rows.

Exact for every column: the number of values and the sum of their 64-bit hashes, and the same over whole rows, so that
swapped values are detected too.
"""
import duckdb


def _literal(path):
    return "'" + str(path).replace("'", "''") + "'"


def columns_of(connection, relation):
    return [(name, kind) for name, kind, *_ in connection.execute(f"describe select * from {relation}").fetchall()]


def digest(connection, relation, columns):
    """Counts and sums of hashes of each column and of whole rows."""
    listed = ", ".join(columns)
    parts = ["count(*)", f"sum(hash(row({listed}))::hugeint)"]
    for name in columns:
        parts += [f"count({name})", f"sum(hash({name})::hugeint)"]
    found = connection.execute(f"select {', '.join(parts)} from {relation}").fetchone()
    names = ["rows", "whole rows", *(f"{name}: {what}" for name in columns for what in ("values", "sum of hashes"))]
    return dict(zip(names, found))


def differences(ours, theirs, where):
    """Differences between our published database and a peer's database and Parquet files; empty if they are equal.

    `where` limits our rows to those that the peer was given.
    """
    connection = duckdb.connect()
    connection.execute(f"attach {_literal(ours)} as ours (read_only)")
    connection.execute(f"attach {_literal(theirs / 'samples.duckdb')} as theirs (read_only)")
    files = f"read_parquet({_literal(theirs / 'parquet/**/*.parquet')}, hive_partitioning = true)"
    expected_columns = columns_of(connection, "ours.quality_samples")
    names = [name for name, _ in expected_columns]
    expected = digest(connection, f"(select * from ours.quality_samples where {where})", names)
    found = []
    for what, relation in [("table", "theirs.quality_samples"), ("Parquet", files)]:
        kinds = dict(columns_of(connection, relation))
        for name, kind in expected_columns:
            if name not in kinds:
                found.append(f"{what}: no column {name}")
            elif kinds[name] != kind:
                found.append(f"{what}: {name} is {kinds[name]}, not {kind}")
        if found:
            continue
        digests = digest(connection, relation, names)
        found += [f"{what}: {key} {digests[key]}, not {value}" for key, value in expected.items() if digests[key] != value]
    return found


def self_test(folder):
    """A changed cell, a lost row, swapped values and another type are detected; the order of rows does not matter."""
    table = "create table quality_samples as select * from (values {}) v(participant_key, loss_pct, px, meeting_date)"
    rows = ["('a', 1.5::DOUBLE, 720::BIGINT, date '2026-01-01')", "('b', 2.5, null, date '2026-01-01')"]

    def peer(name, values, change="select 1"):
        out = folder / name
        out.mkdir()
        connection = duckdb.connect(str(out / "samples.duckdb"))
        connection.execute(table.format(", ".join(values)))
        connection.execute(change)
        connection.execute(
            f"copy quality_samples to {_literal(out / 'parquet')} (format parquet, partition_by (meeting_date))"
        )
        connection.close()
        return out

    ours = peer("ours", rows) / "samples.duckdb"
    cases = {
        "the same": (rows, "select 1", False),
        "another order": (rows[::-1], "select 1", False),
        "a changed cell": (rows, "update quality_samples set loss_pct = 1.25 where participant_key = 'a'", True),
        "a lost row": (rows[:1], "select 1", True),
        "a row twice": ([*rows, rows[0]], "select 1", True),
        "a value for a NULL": (rows, "update quality_samples set px = 0 where px is null", True),
        "swapped values": (rows, "update quality_samples set loss_pct = 4.0 - loss_pct", True),
        "another type": (rows, "alter table quality_samples alter px type DOUBLE", True),
    }
    for number, (name, (values, change, differs)) in enumerate(cases.items()):
        found = differences(ours, peer(str(number), values, change), "true")
        assert bool(found) == differs, f"{name}: {found}"
