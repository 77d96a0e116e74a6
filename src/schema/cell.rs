//! Rows as cells, for all tables except `quality_samples`, which is too large for it.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::{Column, Table, arrow_schema};

#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Whole(i64),
    Real(f64),
    Flag(bool),
    Text(String),
    /// TIMESTAMP columns, microseconds.
    Micros(i64),
    /// DATE columns, days since 1970-01-01.
    Day(i32),
}

impl Cell {
    pub fn text(text: Option<impl Into<String>>) -> Cell {
        text.map_or(Cell::Null, |text| Cell::Text(text.into()))
    }

    pub fn whole(number: Option<i64>) -> Cell {
        number.map_or(Cell::Null, Cell::Whole)
    }

    pub fn micros(us: Option<i64>) -> Cell {
        us.map_or(Cell::Null, Cell::Micros)
    }
}

/// A cell for every column of the table, including the partition column.
pub(crate) type Row = Vec<Cell>;

/// Builds the record batch of a table's Parquet file, without the partition column. A required column that is NULL or a
/// cell of the wrong kind is an internal error, whatever the input.
pub(crate) fn file_batch(table: &Table, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let arrays = table
        .file_columns()
        .map(|column| {
            let position = table.position(column.name).unwrap_or_default();
            array(column, rows.iter().map(|row| row.get(position).unwrap_or(&Cell::Null)))
        })
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::new(arrow_schema::file_schema(table)), arrays)
}

/// As [`file_batch`], with the partition column.
pub(crate) fn table_batch(table: &Table, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let cells = |position: usize| rows.iter().map(move |row| row.get(position).unwrap_or(&Cell::Null));
    let arrays = table.columns.iter().enumerate().map(|(position, column)| array(column, cells(position)));
    RecordBatch::try_new(Arc::new(arrow_schema::table_schema(table)), arrays.collect::<Result<_, _>>()?)
}

fn array<'a>(column: &Column, cells: impl Iterator<Item = &'a Cell>) -> Result<ArrayRef, ArrowError> {
    let wrong = |cell: &Cell| ArrowError::SchemaError(format!("{}: {cell:?} is not {:?}", column.name, column.kind));
    macro_rules! build {
        ($builder:expr, $variant:path) => {{
            let mut builder = $builder;
            for cell in cells {
                match cell {
                    Cell::Null => builder.append_null(),
                    $variant(value) => builder.append_value(value.clone()),
                    other => return Err(wrong(other)),
                }
            }
            Arc::new(builder.finish())
        }};
    }
    Ok(match column.kind.arrow() {
        DataType::Utf8 => build!(StringBuilder::new(), Cell::Text),
        DataType::Boolean => build!(BooleanBuilder::new(), Cell::Flag),
        DataType::Int64 => build!(Int64Builder::new(), Cell::Whole),
        DataType::Float64 => build!(Float64Builder::new(), Cell::Real),
        DataType::Date32 => build!(Date32Builder::new(), Cell::Day),
        kind => build!(TimestampMicrosecondBuilder::new().with_data_type(kind), Cell::Micros),
    })
}
