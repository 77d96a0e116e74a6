"""Installs sql/views and sql/reports into a DuckDB database, the way the Rust side should."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
NO_EXTENSIONS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def statements(sql):
    """Splits at semicolons that end a line; no text literal of ours has one there."""
    return [part for part in re.split(r";\s*(?:\n|$)", sql) if re.sub(r"--[^\n]*", "", part).strip()]


def header(sql):
    """The entries of a report's header, continuation lines joined."""
    entries = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        text = line[2:]
        if text.startswith("   ") and entries:
            entries[-1][1] += " " + text.strip()
        else:
            key, _, value = text.partition(":")
            entries.append([key.strip(), value.strip()])
    return entries


def parameters(sql):
    """name, kind and default of each parameter."""
    found = []
    for key, value in header(sql):
        if key == "parameter":
            declaration = value.split(": ", 1)[0]
            typed, _, default = declaration.partition("=")
            name, kind = typed.split()
            found.append((name, kind, default.strip() or None))
    return found


def literal(kind, value):
    if value is None:
        return "null"
    if kind in ("integer", "number"):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def macro_name(name):
    return "report_" + name.replace("-", "_")


def as_macro(name, sql, create="create or replace macro"):
    """The same text as a table macro: `$since` becomes the macro's parameter `since`."""
    body = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    body = re.sub(r"\$([a-z_]+)", r"\1", body).rstrip().rstrip(";")
    arguments = ", ".join(f"{n} := {literal(k, d)}" for n, k, d in parameters(sql))
    return f"{create} {macro_name(name)}({arguments}) as table\n{body}"


def views():
    return sorted((ROOT / "views").glob("*.sql"))


def reports():
    return {path.stem: path.read_text() for path in sorted((ROOT / "reports").glob("*.sql"))}


def install(connection, with_reports=True):
    for path in views():
        for statement in statements(path.read_text()):
            try:
                connection.execute(statement)
            except Exception as error:
                raise SystemExit(f"{path.name}: {error}\n{statement[:400]}")
    if with_reports:
        for name, sql in reports().items():
            try:
                connection.execute(as_macro(name, sql))
            except Exception as error:
                raise SystemExit(f"{name}: {error}")
