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

impl Reject {
    /// Whether both are the same text in the same cell, whenever they were seen.
    fn is_same(&self, other: &Reject) -> bool {
        self.table_name == other.table_name
            && self.row_key == other.row_key
            && self.column_name == other.column_name
            && self.raw_text == other.raw_text
            && self.reason == other.reason
    }
}

pub(super) const WHOLE_ROW: &str = "*";

/// The rows of `rejects`, sorted by key, without repetitions.
pub(crate) fn reject_rows(table: &Table, mut rejects: Vec<Reject>, meeting_date: i32) -> Vec<Row> {
    rejects.sort();
    // The time is the last sort key: of equal rejects the first one is kept.
    rejects.dedup_by(|later, earlier| later.is_same(earlier));
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
