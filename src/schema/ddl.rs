//! DuckDB statements for the tables.

use super::translation::{meaning_in, unit_in};
use super::{Column, TABLES, Table};
use crate::text::Language;

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
pub(crate) fn comments(table: &Table, language: Language) -> String {
    let doc = meaning_in(language, table.doc);
    let mut sql = format!("comment on table {} is {};\n", table.name, quoted(doc));
    for column in table.columns {
        let text = column_comment(column, language);
        sql.push_str(&format!("comment on column {}.{} is {};\n", table.name, column.name, quoted(&text)));
    }
    sql
}

pub(crate) fn column_comment(column: &Column, language: Language) -> String {
    let (doc, unit) = (meaning_in(language, column.doc), unit_in(language, column.kind.unit()));
    if unit.is_empty() { doc.to_owned() } else { format!("{doc} [{unit}]") }
}

/// Creates every table with its comments, in English.
pub(crate) fn script() -> String {
    let of_table = |table| format!("{}\n{}", create_table(table), comments(table, Language::English));
    TABLES.iter().map(of_table).collect::<Vec<_>>().join("\n")
}

/// A name as a quoted SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL string literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
