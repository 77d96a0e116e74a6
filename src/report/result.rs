//! A report's result as plain values: what the formats render.

use duckdb::types::{TimeUnit, ValueRef};

use crate::schema::{civil_date_text, days_of_local};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Flag(bool),
    Integer(i128),
    Number(f64),
    /// A number with a fixed number of digits after the point, as DuckDB writes it.
    Decimal(String),
    /// A date or a time, in ISO form: ours, so harmless everywhere.
    Time(String),
    /// Text, possibly anybody's: topics and names come from outside.
    Text(String),
}

impl Cell {
    /// True where it is a number.
    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Cell::Integer(_) | Cell::Number(_) | Cell::Decimal(_))
    }

    /// The value as text; empty for NULL. Text stays as it is: what is dangerous depends on the format.
    pub(crate) fn text(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Flag(flag) => flag.to_string(),
            Cell::Integer(number) => number.to_string(),
            Cell::Number(number) => number.to_string(),
            Cell::Decimal(text) | Cell::Time(text) | Cell::Text(text) => text.clone(),
        }
    }

    /// Takes a value from DuckDB; `None` for lists, structs and the like, which no report returns.
    pub(super) fn of(value: ValueRef<'_>) -> Option<Cell> {
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
            ValueRef::Timestamp(unit, at) => Cell::Time(timestamp_text(unit, at)),
            ValueRef::Text(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
            _ => return None,
        })
    }
}

fn timestamp_text(unit: TimeUnit, at: i64) -> String {
    let us = unit.to_micros(at);
    let second = us.rem_euclid(86_400_000_000) / 1_000_000;
    let date = civil_date_text(days_of_local(us));
    format!("{date} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The result of a report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResultSet {
    pub columns: Vec<String>,
    /// The rows; each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

impl ResultSet {
    /// True where every value of a column that is there is a number: such columns are set to the right.
    pub(crate) fn is_numeric(&self, column: usize) -> bool {
        let mut values = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Null);
        values.next().is_some_and(Cell::is_numeric) && values.all(Cell::is_numeric)
    }
}

/// Digits behind the point that people are shown at most.
const DIGITS: usize = 3;

impl ResultSet {
    /// The values of a column as people read them: numbers that stand below one another have as many digits behind the
    /// point.
    pub(crate) fn shown(&self, column: usize) -> Vec<String> {
        let digits_of = |cell: &Cell| match cell {
            Cell::Number(number) => number.to_string().split_once('.').map_or(0, |(_, digits)| digits.len()),
            _ => 0,
        };
        let cells = || self.rows.iter().filter_map(|row| row.get(column));
        let digits = cells().map(digits_of).max().unwrap_or_default().min(DIGITS);
        cells()
            .map(|cell| match cell {
                Cell::Number(number) if number.is_finite() => format!("{number:.digits$}"),
                cell => cell.text(),
            })
            .collect()
    }
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
    use super::*;

    #[test]
    fn values_of_duckdb_become_plain_ones() {
        assert_eq!(Cell::of(ValueRef::Date32(20_000)), Some(Cell::Time("2024-10-04".to_owned())));
        let at = ValueRef::Timestamp(TimeUnit::Microsecond, 1_671_765_419_500_000);
        assert_eq!(Cell::of(at), Some(Cell::Time("2022-12-23 03:16:59".to_owned())));
        let before = ValueRef::Timestamp(TimeUnit::Second, -1);
        assert_eq!(Cell::of(before), Some(Cell::Time("1969-12-31 23:59:59".to_owned())));
        assert_eq!(Cell::of(ValueRef::Interval { months: 0, days: 1, nanos: 0 }), None);
    }

    #[test]
    fn numbers_below_one_another_have_as_many_digits() {
        let rows = [12.5, 3.0, 1.0 / 3.0].map(|number| vec![Cell::Number(number), Cell::Number(number.floor())]);
        let set = ResultSet { columns: vec!["a".to_owned(), "b".to_owned()], rows: rows.to_vec() };
        assert_eq!(set.shown(0), ["12.500", "3.000", "0.333"]);
        assert_eq!(set.shown(1), ["12", "3", "0"]);
    }

    #[test]
    fn a_column_is_numeric_despite_missing_values() {
        let set = fixture();
        assert_eq!([0, 1, 2].map(|column| set.is_numeric(column)), [false, true, true]);
    }
}
