//! The result of a query as plain values.

use duckdb::Connection;
use duckdb::types::ValueRef;
use serde_json::{Number, Value};

use crate::load::without_appendix;
use crate::schema::{civil_date_text, days_of_local};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Flag(bool),
    Integer(i128),
    Number(f64),
    /// A number with a fixed number of decimals, as DuckDB writes it.
    Decimal(String),
    /// A date or time in ISO form, which needs no escaping.
    Time(String),
    /// Text, which may come from outside (topics, names).
    Text(String),
    /// A list, struct or map; its text is JSON.
    Nested(Value),
}

impl Cell {
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Cell::Integer(_) | Cell::Number(_) | Cell::Decimal(_))
    }

    /// The value as text; empty for NULL. Not escaped: what needs escaping depends on the format.
    pub(crate) fn text(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Flag(flag) => flag.to_string(),
            Cell::Integer(number) => number.to_string(),
            Cell::Number(number) => number.to_string(),
            Cell::Decimal(text) | Cell::Time(text) | Cell::Text(text) => text.clone(),
            Cell::Nested(value) => value.to_string(),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Flag(flag) => Value::Bool(*flag),
            // As text beyond 64 bits, because most readers would lose digits.
            Cell::Integer(number) => {
                Number::from_i128(*number).map_or_else(|| number.to_string().into(), Value::Number)
            }
            Cell::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            // As text if a double would lose digits.
            Cell::Decimal(text) if text.chars().filter(char::is_ascii_digit).count() > 15 => text.clone().into(),
            Cell::Decimal(text) => text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
            Cell::Time(text) | Cell::Text(text) => Value::String(text.clone()),
            Cell::Nested(value) => value.clone(),
        }
    }

    /// Converts a DuckDB value; `None` for lists, structs and other types that no report returns.
    pub(super) fn from_duckdb(value: ValueRef<'_>) -> Option<Cell> {
        Some(match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Boolean(flag) => Cell::Flag(flag),
            ValueRef::TinyInt(number) => Cell::Integer(number.into()),
            ValueRef::SmallInt(number) => Cell::Integer(number.into()),
            ValueRef::Int(number) => Cell::Integer(number.into()),
            ValueRef::BigInt(number) => Cell::Integer(number.into()),
            ValueRef::HugeInt(number) => Cell::Integer(number),
            ValueRef::UTinyInt(number) => Cell::Integer(number.into()),
            ValueRef::USmallInt(number) => Cell::Integer(number.into()),
            ValueRef::UInt(number) => Cell::Integer(number.into()),
            ValueRef::UBigInt(number) => Cell::Integer(number.into()),
            ValueRef::Float(number) => Cell::Number(number.into()),
            ValueRef::Double(number) => Cell::Number(number),
            ValueRef::Decimal(number) => Cell::Decimal(number.to_string()),
            ValueRef::Date32(days) => Cell::Time(civil_date_text(days)),
            ValueRef::Timestamp(unit, value) => Cell::Time(timestamp_text(unit.to_micros(value))),
            ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
            _ => return None,
        })
    }
}

fn timestamp_text(time_us: i64) -> String {
    let second = time_us.rem_euclid(86_400_000_000) / 1_000_000;
    let date = civil_date_text(days_of_local(time_us));
    format!("{date} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResultSet {
    pub columns: Vec<String>,
    /// Each row has as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// Maximum number of decimals shown to people.
const MAX_DECIMALS: usize = 3;

impl ResultSet {
    /// True if all values of a column except NULL are numbers, and there is at least one; such columns are
    /// right-aligned.
    pub(crate) fn is_numeric(&self, column: usize) -> bool {
        let mut values = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Null);
        values.next().is_some_and(Cell::is_numeric) && values.all(Cell::is_numeric)
    }

    /// The values of a column for people: all numbers have the same number of decimals, and none that is not zero looks
    /// like zero.
    pub(crate) fn display_column(&self, column: usize) -> Vec<String> {
        let decimals = |cell: &Cell| match cell {
            Cell::Number(number) => number.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len()),
            _ => 0,
        };
        let cells = || self.rows.iter().filter_map(|row| row.get(column));
        let decimals = cells().map(decimals).max().unwrap_or_default().min(MAX_DECIMALS);
        cells()
            .map(|cell| match cell {
                Cell::Number(number) if number.is_finite() => rounded(*number, decimals),
                cell => cell.text(),
            })
            .collect()
    }
}

/// `12.500`; a number that would be rounded to zero is `<0.001`.
fn rounded(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    match number != 0.0 && !text.contains(|c: char| ('1'..='9').contains(&c)) {
        false => text,
        true => {
            let least = format!("{:.decimals$}", 0.1_f64.powi(decimals as i32));
            if number > 0.0 { format!("<{least}") } else { format!(">-{least}") }
        }
    }
}

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
        QueryError::Duckdb(without_appendix(source))
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

#[cfg(test)]
pub(super) fn fixture() -> ResultSet {
    let text = |text: &str| Cell::Text(text.to_owned());
    ResultSet {
        columns: vec!["topic".to_owned(), "minutes".to_owned(), "poor_pct".to_owned()],
        rows: vec![
            vec![text("Weekly, \"all\" hands"), Cell::Integer(1200), Cell::Number(12.5)],
            vec![text("=HYPERLINK(\"x\")"), Cell::Integer(-7), Cell::Null],
            vec![text("a|b\u{1b}[31mred\nline <b>"), Cell::Null, Cell::Decimal("0.50".to_owned())],
        ],
    }
}

#[cfg(test)]
mod tests {
    use duckdb::types::TimeUnit;

    use super::*;

    #[test]
    fn duckdb_values_become_plain_values() {
        assert_eq!(Cell::from_duckdb(ValueRef::Date32(20_000)), Some(Cell::Time("2024-10-04".to_owned())));
        let at = ValueRef::Timestamp(TimeUnit::Microsecond, 1_671_765_419_500_000);
        assert_eq!(Cell::from_duckdb(at), Some(Cell::Time("2022-12-23 03:16:59".to_owned())));
        let before = ValueRef::Timestamp(TimeUnit::Second, -1);
        assert_eq!(Cell::from_duckdb(before), Some(Cell::Time("1969-12-31 23:59:59".to_owned())));
        assert_eq!(Cell::from_duckdb(ValueRef::Interval { months: 0, days: 1, nanos: 0 }), None);
    }

    #[test]
    fn numbers_of_a_column_have_the_same_number_of_decimals() {
        let rows = [12.5, 3.0, 1.0 / 3.0].map(|number| vec![Cell::Number(number), Cell::Number(number.floor())]);
        let set = ResultSet { columns: vec!["a".to_owned(), "b".to_owned()], rows: rows.to_vec() };
        assert_eq!(set.display_column(0), ["12.500", "3.000", "0.333"]);
        assert_eq!(set.display_column(1), ["12", "3", "0"]);
        let rows = [0.0, 3.2e-10, -0.0001, 0.0006].map(|number| vec![Cell::Number(number)]);
        let set = ResultSet { columns: vec!["q_value".to_owned()], rows: rows.to_vec() };
        assert_eq!(set.display_column(0), ["0.000", "<0.001", ">-0.001", "0.001"]);
    }

    #[test]
    fn a_column_with_missing_values_is_numeric() {
        let set = fixture();
        assert_eq!([0, 1, 2].map(|column| set.is_numeric(column)), [false, true, true]);
    }
}
