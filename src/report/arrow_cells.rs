//! Values of Arrow arrays, as DuckDB streams them, as plain values.
//!
//! Lists, structs and maps are JSON, a union is its value, a blob is `\x` and hexadecimal digits.

use arrow::array::{Array, ArrayRef, AsArray, MapArray, UnionArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType, Time64NanosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use serde_json::{Map, Value};

use super::result::Cell;
use crate::schema::civil_date_text;
use crate::text::hex;

/// The values of rows in columns, row by row; the name of a type that has no text.
pub(super) fn rows(columns: &[ArrayRef], count: usize) -> Result<Vec<Vec<Cell>>, String> {
    (0..count).map(|row| columns.iter().map(|column| cell(column.as_ref(), row)).collect()).collect()
}

fn cell(array: &dyn Array, row: usize) -> Result<Cell, String> {
    if array.is_null(row) {
        return Ok(Cell::Null);
    }
    let unsupported = || array.data_type().to_string();
    Ok(match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Flag(array.as_boolean().value(row)),
        DataType::Int8 => integer::<Int8Type>(array, row),
        DataType::Int16 => integer::<Int16Type>(array, row),
        DataType::Int32 => integer::<Int32Type>(array, row),
        DataType::Int64 => integer::<Int64Type>(array, row),
        DataType::UInt8 => integer::<UInt8Type>(array, row),
        DataType::UInt16 => integer::<UInt16Type>(array, row),
        DataType::UInt32 => integer::<UInt32Type>(array, row),
        DataType::UInt64 => integer::<UInt64Type>(array, row),
        DataType::Float32 => Cell::Number(float_of(value::<Float32Type>(array, row))),
        DataType::Float64 => Cell::Number(value::<Float64Type>(array, row)),
        DataType::Decimal32(_, scale) => decimal(value::<Decimal32Type>(array, row).into(), *scale),
        DataType::Decimal64(_, scale) => decimal(value::<Decimal64Type>(array, row).into(), *scale),
        DataType::Decimal128(_, scale) => decimal(value::<Decimal128Type>(array, row), *scale),
        DataType::Date32 => Cell::Time(date_text(value::<Date32Type>(array, row).into())),
        DataType::Time64(TimeUnit::Microsecond) => {
            time_cell(i128::from(value::<Time64MicrosecondType>(array, row)) * 1_000)
        }
        DataType::Time64(TimeUnit::Nanosecond) => time_cell(value::<Time64NanosecondType>(array, row).into()),
        DataType::Timestamp(unit, zone) => {
            let (value, factor) = match unit {
                TimeUnit::Second => (value::<TimestampSecondType>(array, row), 1_000_000_000),
                TimeUnit::Millisecond => (value::<TimestampMillisecondType>(array, row), 1_000_000),
                TimeUnit::Microsecond => (value::<TimestampMicrosecondType>(array, row), 1_000),
                TimeUnit::Nanosecond => (value::<TimestampNanosecondType>(array, row), 1),
            };
            let is_infinite = value == i64::MAX || value == -i64::MAX;
            match is_infinite {
                true => Cell::Time(if value > 0 { "infinity" } else { "-infinity" }.to_owned()),
                false => moment_cell(i128::from(value) * factor, zone.is_some()),
            }
        }
        DataType::Interval(_) => {
            let Some(array) = array.as_primitive_opt::<IntervalMonthDayNanoType>() else { return Err(unsupported()) };
            let interval = array.value(row);
            Cell::Text(interval_text(interval.months, interval.days, interval.nanoseconds))
        }
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row).to_owned()),
        DataType::Binary => blob(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => blob(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => blob(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => blob(array.as_fixed_size_binary().value(row)),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let Some(key) = dictionary.normalized_keys().get(row).copied() else { return Err(unsupported()) };
            cell(dictionary.values().as_ref(), key)?
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row))?,
        DataType::Struct(_) => {
            let array = array.as_struct();
            let field =
                |(name, column): (&str, &ArrayRef)| Ok((name.to_owned(), cell(column.as_ref(), row)?.to_json()));
            let fields: Result<Map<String, Value>, String> =
                array.column_names().into_iter().zip(array.columns()).map(field).collect();
            Cell::Nested(Value::Object(fields?))
        }
        DataType::Map(..) => map(array.as_map(), row)?,
        DataType::Union(..) => {
            let Some(union) = array.as_any().downcast_ref::<UnionArray>() else { return Err(unsupported()) };
            cell(union.child(union.type_id(row)).as_ref(), union.value_offset(row))?
        }
        _ => return Err(unsupported()),
    })
}

fn value<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn integer<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Cell
where
    T::Native: Into<i128>,
{
    Cell::Integer(value::<T>(array, row).into())
}

/// The double with the same shortest decimal form, so that 0.1 stays 0.1.
fn float_of(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

/// A sum of integers is a DECIMAL without decimals here.
fn decimal(unscaled: i128, scale: i8) -> Cell {
    let Some(scale) = usize::try_from(scale).ok().filter(|scale| *scale > 0) else { return Cell::Integer(unscaled) };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    Cell::Decimal(format!("{}{whole}.{fraction}", if unscaled < 0 { "-" } else { "" }))
}

/// Of the years -9999 and 9999.
const FIRST_DAY: i32 = -4_371_587;
const LAST_DAY: i32 = 2_932_896;

fn date_text(days: i64) -> String {
    match i32::try_from(days) {
        Ok(i32::MAX) => "infinity".to_owned(),
        Ok(days) if days == -i32::MAX => "-infinity".to_owned(),
        Ok(days) if (FIRST_DAY..=LAST_DAY).contains(&days) => civil_date_text(days),
        _ => format!("{days} days after 1970-01-01"),
    }
}

const DAY_NS: i128 = 86_400_000_000_000;

fn moment_cell(nanoseconds: i128, is_instant: bool) -> Cell {
    let days = i64::try_from(nanoseconds.div_euclid(DAY_NS)).unwrap_or(i64::MAX);
    let zone = if is_instant { "+00" } else { "" };
    Cell::Time(format!("{} {}{zone}", date_text(days), clock_text(nanoseconds.rem_euclid(DAY_NS))))
}

fn time_cell(nanoseconds: i128) -> Cell {
    Cell::Time(clock_text(nanoseconds))
}

/// `10:00:00`, `10:00:00.25`.
fn clock_text(nanoseconds: i128) -> String {
    let (second, fraction) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let text = format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
    match fraction {
        0 => text,
        fraction => format!("{text}.{fraction:09}").trim_end_matches('0').to_owned(),
    }
}

/// `1 month 2 days 03:00:00`, as DuckDB writes it.
fn interval_text(months: i32, days: i32, nanoseconds: i64) -> String {
    let counted = |number: i32, unit: &str| {
        (number != 0).then(|| format!("{number} {unit}{}", if number.abs() == 1 { "" } else { "s" }))
    };
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let clock = (nanoseconds != 0 || (months == 0 && days == 0))
        .then(|| format!("{sign}{}", clock_text(i128::from(nanoseconds).abs())));
    let parts = [counted(months / 12, "year"), counted(months % 12, "month"), counted(days, "day"), clock];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn blob(bytes: &[u8]) -> Cell {
    Cell::Text(format!("\\x{}", hex(bytes)))
}

fn list(values: &ArrayRef) -> Result<Cell, String> {
    let values: Result<Vec<Value>, String> =
        (0..values.len()).map(|row| Ok(cell(values.as_ref(), row)?.to_json())).collect();
    Ok(Cell::Nested(Value::Array(values?)))
}

/// An object, with the keys as text.
fn map(array: &MapArray, row: usize) -> Result<Cell, String> {
    let entries = array.value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    let entry = |at| Ok((cell(keys.as_ref(), at)?.text(), cell(values.as_ref(), at)?.to_json()));
    let entries: Result<Map<String, Value>, String> = (0..entries.len()).map(entry).collect();
    Ok(Cell::Nested(Value::Object(entries?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of the columns of a row.
    fn texts(select: &str) -> Vec<String> {
        let connection = duckdb::Connection::open_in_memory().expect("a database");
        let mut statement = connection.prepare(&format!("select {select}")).expect(select);
        drop(statement.stream_arrow([]).expect(select));
        let batch = statement.step().expect(select).expect("a row");
        let rows = rows(batch.columns(), batch.len()).expect(select);
        rows[0].iter().map(Cell::text).collect()
    }

    #[test]
    fn every_type_of_duckdb_has_a_text() {
        for (sql, text) in [
            ("null", ""),
            ("true", "true"),
            ("170141183460469231731687303715884105727::hugeint", "170141183460469231731687303715884105727"),
            ("sum(9223372036854775807) from range(2)", "18446744073709551614"),
            ("18446744073709551615::ubigint", "18446744073709551615"),
            ("0.1::float", "0.1"),
            ("1e22", "10000000000000000000000"),
            ("-0.050::decimal(18, 3)", "-0.050"),
            ("12345678901234567890.12::decimal(38, 2)", "12345678901234567890.12"),
            ("date '2026-11-02'", "2026-11-02"),
            ("date '0001-01-01'", "0001-01-01"),
            ("date '9999-12-31'", "9999-12-31"),
            ("date '10000-01-01'", "2932897 days after 1970-01-01"),
            ("time '10:00:00.25'", "10:00:00.25"),
            ("timestamp '2026-11-02 10:00:00'", "2026-11-02 10:00:00"),
            ("timestamp '1969-12-31 23:59:59.5'", "1969-12-31 23:59:59.5"),
            ("timestamp_ns '2026-11-02 10:00:00.000000001'", "2026-11-02 10:00:00.000000001"),
            ("make_timestamptz(1762077600000000)", "2025-11-02 10:00:00+00"),
            ("timestamp 'infinity'", "infinity"),
            ("interval '14 months 2 days 3 hours'", "1 year 2 months 2 days 03:00:00"),
            ("interval 0 second", "00:00:00"),
            ("-interval '90 seconds'", "-00:01:30"),
            ("'\\x01\\xFFa'::blob", "\\x01ff61"),
            ("'b'::enum('a', 'b')", "b"),
            ("'d0e5a1b2-0000-4000-8000-000000000001'::uuid", "d0e5a1b2-0000-4000-8000-000000000001"),
            ("[1, null, 3]", "[1,null,3]"),
            ("[1, 2]::integer[2]", "[1,2]"),
            ("{'a': date '2026-11-02', 'b': [true]}", "{\"a\":\"2026-11-02\",\"b\":[true]}"),
            ("map {'x': 1, 'y': 2}", "{\"x\":1,\"y\":2}"),
            ("union_value(n := 5)", "5"),
            ("'{\"a\": 1}'::json", "{\"a\": 1}"),
        ] {
            assert_eq!(texts(sql).concat(), text, "{sql}");
        }
    }
}
