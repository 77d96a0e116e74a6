//! Values and rows that could not be converted.

use crate::schema::cell::{Cell, Row};
use crate::schema::{Reason, Table};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    pub table_name: &'static str,
    pub row_key: String,
    /// The column, or `*`.
    pub column_name: &'static str,
    /// The text as sent; for `*` the JSON of the item.
    pub raw_text: String,
    pub reason: Reason,
    /// Time of the request, in microseconds UTC.
    pub first_seen_us: i64,
}

pub(super) const WHOLE_ROW: &str = "*";

/// The rows of `rejects`, sorted by key, without repetitions.
pub(crate) fn reject_rows(table: &Table, mut rejects: Vec<Reject>, meeting_date: i32) -> Vec<Row> {
    rejects.sort();
    // The time is the last sort key: of rejects that are equal except for it the first one is kept.
    rejects.dedup_by(|later, earlier| {
        let of_row = (later.table_name, &later.row_key) == (earlier.table_name, &earlier.row_key);
        let of_cell = (later.column_name, &later.raw_text) == (earlier.column_name, &earlier.raw_text);
        of_row && of_cell && later.reason == earlier.reason
    });
    rejects
        .into_iter()
        .map(|reject| {
            table
                .columns
                .iter()
                .map(|column| match column.name {
                    "table_name" => Cell::Text(reject.table_name.to_owned()),
                    "row_key" => Cell::Text(reject.row_key.clone()),
                    "column_name" => Cell::Text(reject.column_name.to_owned()),
                    "raw_text" => Cell::Text(reject.raw_text.clone()),
                    "reason" => Cell::Text(reject.reason.name().to_owned()),
                    "first_seen_utc" => Cell::Micros(reject.first_seen_us),
                    "meeting_date" => Cell::Day(meeting_date),
                    _ => Cell::Null,
                })
                .collect()
        })
        .collect()
}
