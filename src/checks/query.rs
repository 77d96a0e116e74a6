//! Queries whose results are text or counts.

use duckdb::Connection;

pub(super) type TextRow = Vec<Option<String>>;

/// All rows of a query whose columns are text.
pub(super) fn text_rows(connection: &Connection, sql: &str, parameters: &[&str]) -> duckdb::Result<Vec<TextRow>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(duckdb::params_from_iter(parameters))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = row.as_ref().column_count();
        all.push((0..columns).map(|column| row.get(column)).collect::<duckdb::Result<TextRow>>()?);
    }
    Ok(all)
}

/// The numbers of a query's only row; NULL is 0.
pub(super) fn counts(connection: &Connection, sql: &str) -> duckdb::Result<Vec<u64>> {
    connection.query_row(sql, [], |row| {
        let columns = row.as_ref().column_count();
        (0..columns)
            .map(|column| row.get::<_, Option<i64>>(column))
            .map(|number| Ok(number?.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()))
            .collect()
    })
}

/// A value as shown in findings.
pub(super) fn or_null(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| "NULL".to_owned())
}

/// A column of a row as shown in findings.
pub(super) fn text(row: &TextRow, column: usize) -> String {
    or_null(row.get(column).and_then(Option::as_ref))
}
