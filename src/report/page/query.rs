//! Reads what the macros of the published database return, as JSON values.

use duckdb::Connection;
use jiff::civil::Date;
use serde_json::{Map, Number, Value, json};

use super::{PageError, Span};
use crate::report::Cell;
use crate::schema::ddl::quoted;

/// Fewer judged minutes show no share: the reports' own default, said once for the whole page.
pub(super) const MIN_N: u32 = 60;

/// The result of a query: names and rows.
pub(super) struct Rows {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Value>>,
}

impl Rows {
    /// As it stands in the page: names once, rows as arrays.
    pub(super) fn into_json(self) -> Value {
        json!({ "columns": self.columns, "rows": self.rows.into_iter().map(Value::Array).collect::<Vec<_>>() })
    }

    /// The rows as objects.
    pub(super) fn objects(&self) -> impl Iterator<Item = Map<String, Value>> + '_ {
        self.rows.iter().map(|row| self.columns.iter().cloned().zip(row.iter().cloned()).collect())
    }
}

/// Runs a query. `what` names it in an error.
pub(super) fn rows(connection: &Connection, what: &'static str, sql: &str) -> Result<Rows, PageError> {
    let failed = |source| PageError::Query { what, source };
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut answered = statement.query([]).map_err(failed)?;
    let columns = answered.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
    let mut rows = Vec::new();
    while let Some(row) = answered.next().map_err(failed)? {
        let mut values = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(failed)?;
            let cell = Cell::of(value).ok_or_else(|| PageError::NotScalar {
                what,
                column: column.clone(),
                found: value.data_type().to_string(),
            })?;
            values.push(as_json(cell));
        }
        rows.push(values);
    }
    Ok(Rows { columns, rows })
}

/// The first value of the first row, as text; `None` for NULL and for no row.
pub(super) fn text(connection: &Connection, what: &'static str, sql: &str) -> Result<Option<String>, PageError> {
    let found = rows(connection, what, sql)?;
    Ok(found.rows.into_iter().next().and_then(|row| row.into_iter().next()).and_then(|value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }))
}

fn as_json(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Flag(flag) => Value::Bool(flag),
        // Past 64 bits a number would lose digits in a browser; its text does not.
        Cell::Integer(number) => Number::from_i128(number).map_or_else(|| number.to_string().into(), Value::Number),
        Cell::Number(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cell::Decimal(text) => text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
        Cell::Time(text) | Cell::Text(text) => Value::String(text),
    }
}

/// The arguments of a macro that is asked about the page's days.
pub(super) struct Window<'a> {
    pub(super) span: &'a Span,
    pub(super) profile: &'a str,
}

impl Window<'_> {
    /// `since` and `until`.
    pub(super) fn days(&self) -> String {
        format!("since := {}, until := {}", date(self.span.since), date(self.span.until))
    }

    /// The same with the profile.
    pub(super) fn judged(&self) -> String {
        format!("{}, profile := {}", self.days(), quoted(self.profile))
    }

    /// The same with `min_n`.
    pub(super) fn shares(&self) -> String {
        format!("{}, min_n := {MIN_N}", self.judged())
    }
}

/// A date as an SQL literal.
pub(super) fn date(date: Date) -> String {
    quoted(&date.to_string())
}
