//! DuckDB statements for the tables.

use super::{Column, TABLES, Table};

pub(crate) fn create_table(table: &Table) -> String {
    let width = table.columns.iter().map(|column| column.name.len()).max().unwrap_or_default();
    let definition = |column: &Column| {
        let not_null = if column.required { " not null" } else { "" };
        format!("    {:width$} {}{not_null}", column.name, column.kind.duckdb())
    };
    let columns: Vec<String> = table.columns.iter().map(definition).collect();
    format!("create table {} (\n{}\n);\n", table.name, columns.join(",\n"))
}

/// `comment on` for the table and each of its columns.
pub(crate) fn comments(table: &Table) -> String {
    let mut sql = format!("comment on table {} is {};\n", table.name, quoted(table.doc));
    for column in table.columns {
        let text = column_comment(column);
        sql.push_str(&format!("comment on column {}.{} is {};\n", table.name, column.name, quoted(&text)));
    }
    sql
}

pub(crate) fn column_comment(column: &Column) -> String {
    let unit = column.kind.unit();
    if unit.is_empty() { column.doc.to_owned() } else { format!("{} [{unit}]", column.doc) }
}

/// Creates every table with its comments.
pub(crate) fn script() -> String {
    TABLES.iter().map(|table| format!("{}\n{}", create_table(table), comments(table))).collect::<Vec<_>>().join("\n")
}

/// A name as a quoted SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL string literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
