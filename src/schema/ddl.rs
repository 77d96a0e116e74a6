//! DuckDB's statements for the declared tables.

use super::{Column, TABLES, Table};

/// `create table`, one column a line.
pub(crate) fn create_table(table: &Table) -> String {
    let width = table.columns.iter().map(|column| column.name.len()).max().unwrap_or_default();
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let not_null = if column.required { " not null" } else { "" };
            format!("    {:width$} {}{not_null}", column.name, column.kind.duckdb())
        })
        .collect();
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

/// The comment of a column: what it is, and its unit.
pub(crate) fn column_comment(column: &Column) -> String {
    let unit = column.kind.unit();
    if unit.is_empty() { column.doc.to_owned() } else { format!("{} [{unit}]", column.doc) }
}

/// The whole database: every table with its comments.
pub(crate) fn script() -> String {
    TABLES.iter().map(|table| format!("{}\n{}", create_table(table), comments(table))).collect::<Vec<_>>().join("\n")
}

/// A name as SQL, whatever is in it.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
