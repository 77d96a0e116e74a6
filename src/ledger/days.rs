//! What is known of the kinds that are kept by day: rooms, alerts, reservations, Feishu's own counts.

use std::collections::HashMap;

use rusqlite::Row;

use super::database::{Ledger, read_fields};
use super::error::LedgerError;
use crate::raw_log::RawKind;

/// The last answer for a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DayState {
    pub status: String,
    pub is_final: bool,
    /// Of the last complete answer.
    pub digest: Option<String>,
    pub items: i64,
    /// When it was requested, microseconds UTC.
    pub last_us: i64,
}

impl Ledger {
    /// The days of a kind that were requested, by day (days since 1970-01-01).
    pub(crate) fn days(&self, kind: RawKind) -> Result<HashMap<i32, DayState>, LedgerError> {
        let sql = "select day, status, is_final, digest, items, last_us from days where kind = ?1";
        let read = |row: &Row<'_>| {
            let state: rusqlite::Result<DayState> =
                read_fields!(DayState { status is_final digest items last_us })(row);
            Ok((row.get(0)?, state?))
        };
        Ok(self.rows(sql, [kind.folder()], read)?.into_iter().collect())
    }
}
