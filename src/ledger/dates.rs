//! Which dates have data that is not published yet.

use std::collections::BTreeSet;

use rusqlite::params;

use super::change::Change;
use super::database::{Ledger, read_fields};
use super::error::LedgerError;
use crate::schema::window::overlap_sql;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirtyDate {
    pub meeting_date: i32,
    pub changes: i64,
}

impl Ledger {
    /// The dates with unpublished changes, oldest first.
    pub(crate) fn dirty_dates(&self) -> Result<Vec<DirtyDate>, LedgerError> {
        let read = read_fields!(DirtyDate { meeting_date changes });
        self.rows("select * from dirty_dates order by meeting_date", [], read)
    }

    /// The dates on which no meeting was listed by a complete walk in its current form: a walk over the meeting list
    /// ended early, and nothing of it can be published yet. Leaves out dates whose meetings all belong to `read_us`
    /// (microseconds UTC, end exclusive), a window whose list was read to its end since: a meeting that is no longer
    /// listed there will not come.
    pub(crate) fn partially_listed_dates(&self, read_us: (i64, i64)) -> Result<BTreeSet<i32>, LedgerError> {
        let belongs = overlap_sql("start_us", "end_us", "?1", "?2");
        let sql = format!(
            "select meeting_date from meetings group by meeting_date having max(item_digest) = '' and not min({belongs})"
        );
        Ok(self.rows(&sql, [read_us.0, read_us.1], |row| row.get(0))?.into_iter().collect())
    }

    /// Clears dates that were published, except those that changed since they were read.
    pub(crate) fn mark_published(&self, dates: &[DirtyDate]) -> Result<(), LedgerError> {
        let sql = "delete from dirty_dates where meeting_date = ?1 and changes <= ?2";
        self.in_transaction(|transaction| {
            let mut delete = transaction.prepare_cached(sql)?;
            dates.iter().try_for_each(|date| delete.execute(params![date.meeting_date, date.changes]).map(drop))
        })
    }

    pub(crate) fn mark_dirty(&self, dates: impl Iterator<Item = i32>) -> Result<(), LedgerError> {
        self.apply(dates.map(|meeting_date| Change::Dirty { meeting_date }))
    }
}
