"""A DuckDB client's default session, which is read-write. Runs each line of stdin and prints how that went."""

import sys

import duckdb

try:
    connection = duckdb.connect(sys.argv[1])
except Exception as error:
    print("refused", str(error).split("\n")[0], flush=True)
    sys.exit(0)
print("open", flush=True)
for line in sys.stdin:
    try:
        connection.execute(line)
        print("done", flush=True)
    except Exception as error:
        print("error", str(error).split("\n")[0], flush=True)
connection.close()
