#!/usr/bin/env python3
"""Checks the shared definitions and the reports on the small tenant.

    python sql/tests/check.py [--ddl FILE] [definitions] [reports]

FILE: the tables' DDL, as `vcq-etl schema --format sql` writes it; default: migrations/*.sql.
A *.test file has blocks: `# name`, one query, `----`, the rows with `|` between the cells (or `error: text`).
"""
import argparse
import pathlib
import sys

import duckdb

import vcqsql

HERE = pathlib.Path(__file__).parent


def tenant(ddl, with_reports=True):
    connection = duckdb.connect(config=vcqsql.NO_EXTENSIONS)
    for sql in [ddl, (HERE / "tenant.sql").read_text()]:
        for statement in vcqsql.statements(sql):
            connection.execute(statement)
    vcqsql.install(connection, with_reports)
    return connection


def cell(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def blocks(path):
    for block in path.read_text().split("\n\n"):
        lines = block.strip().splitlines()
        if not lines:
            continue
        at = lines.index("----")
        yield lines[0].lstrip("# "), "\n".join(lines[1:at]), lines[at + 1 :]


def check(connection, path):
    bad = total = 0
    for name, query, wanted in blocks(path):
        total += 1
        try:
            rows = connection.execute(query).fetchall()
            found = ["|".join(cell(value) for value in row) for row in rows]
        except duckdb.Error as error:
            found = [f"error: {error}"]
            if wanted and wanted[0].startswith("error: ") and wanted[0][7:] in found[0]:
                continue
        if found != wanted:
            bad += 1
            print(f"FAILED {path.name}: {name}\n  wanted\n    " + "\n    ".join(wanted) + "\n  found\n    " + "\n    ".join(found))
    print(f"{path.name}: {total - bad} of {total} hold")
    return bad


def check_headers(connection):
    """Every report: header complete, columns as declared, macro and bound text agree, no rows in an empty window."""
    bad = 0
    for name, sql in vcqsql.reports().items():
        entries = vcqsql.header(sql)
        keys = [key for key, _ in entries]
        problems = [f"no {key}" for key in ("id", "title", "question", "audience", "caveat", "column", "empty") if key not in keys]
        declared = [value.split(": ", 1)[0].split()[0] for key, value in entries if key == "column"]
        arguments = {n: d for n, _, d in vcqsql.parameters(sql)}
        try:
            macro = connection.execute(f"select * from {vcqsql.macro_name(name)}()")
            found = [column[0] for column in macro.description]
            rows = macro.fetchall()
            if found != declared:
                problems.append(f"columns {found} declared {declared}")
            bound = connection.execute(sql, {k: v for k, v in arguments.items() if f"${k}" in sql}).fetchall()
            if bound != rows:
                problems.append("bound text and macro differ")
        except duckdb.Error as error:
            problems.append(str(error))
        for problem in problems:
            bad += 1
            print(f"FAILED {name}: {problem}")
    print(f"reports: {len(vcqsql.reports())} checked")
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ddl", type=pathlib.Path)
    arguments = parser.parse_args()
    files = [arguments.ddl] if arguments.ddl else sorted((HERE.parents[1] / "migrations").glob("*.sql"))
    connection = tenant("\n".join(path.read_text() for path in files))
    bad = check(connection, HERE / "definitions.test")
    if (HERE / "reports.test").exists():
        bad += check(connection, HERE / "reports.test")
    bad += check_headers(connection)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
