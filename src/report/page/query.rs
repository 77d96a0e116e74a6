//! Reads the results of macros of the published database as JSON values.

use duckdb::Connection;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::error::PageError;
use super::period::Span;
use crate::report::result::{Cell, QueryError, query};
use crate::schema::ddl::quoted;

/// Percentages based on fewer judged minutes are hidden; the default of the reports.
pub(super) const MIN_N: u32 = 60;

pub(super) struct Rows {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Rows {
    pub(super) fn objects(&self) -> impl Iterator<Item = Map<String, Value>> + '_ {
        self.rows.iter().map(|row| self.columns.iter().cloned().zip(row.iter().cloned()).collect())
    }
}

/// Runs a query; `what` names it in an error.
pub(super) fn rows(connection: &Connection, what: &'static str, sql: &str) -> Result<Rows, PageError> {
    let result = query(connection, sql).map_err(|error| match error {
        QueryError::Duckdb(source) => PageError::Query { what, source },
        QueryError::NotScalar { column, found } => PageError::NotScalar { what, column, found },
    })?;
    let rows = result.rows.iter().map(|row| row.iter().map(Cell::to_json).collect()).collect();
    Ok(Rows { columns: result.columns, rows })
}

/// The first value of the first row as text; `None` if it is NULL or there are no rows.
pub(super) fn text(connection: &Connection, what: &'static str, sql: &str) -> Result<Option<String>, PageError> {
    let found = rows(connection, what, sql)?;
    Ok(match found.rows.into_iter().next().and_then(|row| row.into_iter().next()) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

/// Macro arguments for the days of the page.
pub(super) struct Window<'a> {
    pub(super) span: &'a Span,
    pub(super) profile: &'a str,
}

impl Window<'_> {
    pub(super) fn since_until(&self) -> String {
        format!("since := {}, until := {}", date_literal(self.span.since), date_literal(self.span.until))
    }

    pub(super) fn with_profile(&self) -> String {
        format!("{}, profile := {}", self.since_until(), quoted(self.profile))
    }

    pub(super) fn with_min_n(&self) -> String {
        format!("{}, min_n := {MIN_N}", self.with_profile())
    }
}

pub(super) fn date_literal(date: Date) -> String {
    quoted(&date.to_string())
}
