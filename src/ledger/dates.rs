//! Which dates have data that is not published yet.

use std::collections::BTreeSet;

use rusqlite::{Row, params};

use super::change::Change;
use super::database::Ledger;
use super::error::LedgerError;

/// A date with unpublished changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirtyDate {
    pub meeting_date: i32,
    pub changes: i64,
}

impl Ledger {
    /// The dates with unpublished changes, oldest first.
    pub(crate) fn dirty_dates(&self) -> Result<Vec<DirtyDate>, LedgerError> {
        let read = |row: &Row<'_>| Ok(DirtyDate { meeting_date: row.get(0)?, changes: row.get(1)? });
        self.rows("select meeting_date, changes from dirty_dates order by meeting_date", [], read)
    }

    /// The dates on which no meeting was listed by a complete walk in its current form: a walk over the meeting list
    /// ended early, and nothing of it can be published yet. Leaves out dates whose meetings all start in `read_us`
    /// (microseconds UTC, end exclusive), a window whose list was read to its end since: a meeting that is no longer
    /// listed there will not come.
    pub(crate) fn partially_listed_dates(&self, read_us: (i64, i64)) -> Result<BTreeSet<i32>, LedgerError> {
        let sql = "select meeting_date from meetings group by meeting_date
                   having max(item_digest) = '' and not (min(start_us) >= ?1 and max(start_us) < ?2)";
        Ok(self.rows(sql, [read_us.0, read_us.1], |row| row.get(0))?.into_iter().collect())
    }

    /// Clears dates that were published, except those that changed since they were read.
    pub(crate) fn mark_published(&self, dates: &[DirtyDate]) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            for date in dates {
                let sql = "delete from dirty_dates where meeting_date = ?1 and changes <= ?2";
                transaction.prepare_cached(sql)?.execute(params![date.meeting_date, date.changes])?;
            }
            Ok(())
        })
    }

    pub(crate) fn mark_dirty(&self, mut dates: impl Iterator<Item = i32>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            dates.try_for_each(|meeting_date| Change::Dirty { meeting_date }.apply(transaction))
        })
    }
}
