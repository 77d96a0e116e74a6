//! Runs a query and reads its result as plain values.

use duckdb::Connection;

use super::result::{Cell, ResultSet};

/// Why a query has no result.
#[derive(Debug)]
pub(super) enum QueryError {
    Duckdb(duckdb::Error),
    /// A list, struct or other value that no report returns.
    NotScalar {
        column: String,
        found: String,
    },
}

impl From<duckdb::Error> for QueryError {
    fn from(source: duckdb::Error) -> QueryError {
        QueryError::Duckdb(source)
    }
}

pub(super) fn query(connection: &Connection, sql: &str) -> Result<ResultSet, QueryError> {
    let mut statement = connection.prepare(sql)?;
    let mut result = statement.query([])?;
    let columns = result.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
    let mut rows = Vec::new();
    while let Some(row) = result.next()? {
        let mut cells = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index)?;
            cells.push(Cell::from_duckdb(value).ok_or_else(|| QueryError::NotScalar {
                column: column.clone(),
                found: value.data_type().to_string(),
            })?);
        }
        rows.push(cells);
    }
    Ok(ResultSet { columns, rows })
}
