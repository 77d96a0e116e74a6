//! The data dictionary in words: what `vcq-etl schema` prints and docs/SCHEMA.md holds.

use serde_json::{Value, json};

use super::{PARTITION_COLUMN, Reason, SCHEMA_VERSION, Storage, TABLES, Table};

/// The dictionary as Markdown.
pub(crate) fn markdown() -> String {
    let mut text = format!(
        "# The tables of vcq-etl, version {SCHEMA_VERSION}\n\n\
         Written by `vcq-etl schema --format markdown`; a test compares. NULL means that the vendor sent nothing, or that \
         its text could not be typed; then `rejects` holds the text. `_utc` columns are UTC instants (TIMESTAMP in DuckDB, \
         timestamps adjusted to UTC in Parquet), `_local` columns the wall clock the vendor printed. The unit ends the \
         column's name.\n"
    );
    for table in TABLES {
        text.push_str(&format!("\n## {}\n\n{}\n", table.name, table.doc));
        let place = match table.storage {
            Storage::ParquetAndDuckdb => {
                format!("`parquet/{}/{PARTITION_COLUMN}=YYYY-MM-DD/` and DuckDB.", table.name)
            }
            Storage::DuckdbOnly => "DuckDB only.".to_owned(),
        };
        let key = key_names(table);
        let key = if key.is_empty() { String::new() } else { format!(" Key: `{}`.", key.join("`, `")) };
        text.push_str(&format!("{place}{key}\n\n| column | type | unit | from | meaning |\n|---|---|---|---|---|\n"));
        for column in table.columns {
            let source = if column.source.is_empty() { String::new() } else { format!("`{}`", &column.source[1..]) };
            text.push_str(&format!(
                "| `{}` | {} | {} | {source} | {} |\n",
                column.name,
                column.kind.duckdb(),
                column.kind.unit(),
                column.doc
            ));
        }
    }
    text.push_str("\n## Reasons in rejects\n\n");
    text.push_str(&Reason::ALL.iter().map(|reason| format!("`{}`", reason.name())).collect::<Vec<_>>().join(", "));
    text.push_str(".\n");
    text
}

/// The dictionary as JSON.
pub(crate) fn json() -> Value {
    let tables: Vec<Value> = TABLES
        .iter()
        .map(|table| {
            let columns: Vec<Value> = table
                .columns
                .iter()
                .map(|column| {
                    json!({
                        "name": column.name, "type": column.kind.duckdb(), "unit": column.kind.unit(),
                        "source": column.source, "required": column.required, "doc": column.doc,
                    })
                })
                .collect();
            json!({
                "name": table.name, "doc": table.doc, "key": key_names(table), "sort": table.sort,
                "in_parquet": table.storage == Storage::ParquetAndDuckdb, "columns": columns,
            })
        })
        .collect();
    json!({ "schema_version": SCHEMA_VERSION, "tables": tables })
}

fn key_names(table: &Table) -> Vec<&'static str> {
    table.key().map(|column| column.name).collect()
}
