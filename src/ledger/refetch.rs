//! Refetching final answers, and holding back the publication of their dates until everything was fetched again.
//!
//! The new answers of a refetch are published together: until then readers see all the old ones.

use std::collections::BTreeSet;

use rusqlite::params;

use super::database::Ledger;
use super::error::LedgerError;

/// Something of refetched meeting `m` was not requested since.
const IS_OPEN: &str = "
    (coalesce(m.list_us, -1) < r.began_us
     or exists (select 1 from participants p
                where p.meeting_key = m.meeting_key and p.id is not null and p.join_s is not null
                  and coalesce(p.last_us, -1) < r.began_us))";

impl Ledger {
    /// Makes everything of these meetings pending again. Earlier answers stay published until all of it was fetched
    /// again.
    pub(crate) fn begin_refetch<'a>(
        &self,
        mut meetings: impl Iterator<Item = &'a String>,
        now_us: i64,
    ) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            let mut insert = transaction.prepare_cached("insert or replace into refetch values (?1, ?2)")?;
            meetings.try_for_each(|meeting_key| insert.execute(params![meeting_key, now_us]).map(drop))?;
            reset_finality(transaction)
        })
    }

    /// Makes the open refetches pending again after the index was rebuilt, except what was requested since they began.
    pub(crate) fn resume_refetch(&self) -> Result<(), LedgerError> {
        self.in_transaction(reset_finality)
    }

    /// The dates that must wait for a refetch. After a complete run (`is_whole`) only those with something left to
    /// request; otherwise all refetched dates as long as any of them has something left.
    pub(crate) fn awaiting_refetch_dates(&self, is_whole: bool) -> Result<BTreeSet<i32>, LedgerError> {
        let open = self.refetched_meeting_dates(IS_OPEN)?;
        if open.is_empty() || is_whole { Ok(open) } else { self.refetch_dates() }
    }

    /// The dates of all meetings with an open refetch.
    pub(crate) fn refetch_dates(&self) -> Result<BTreeSet<i32>, LedgerError> {
        self.refetched_meeting_dates("true")
    }

    fn refetched_meeting_dates(&self, condition: &str) -> Result<BTreeSet<i32>, LedgerError> {
        let sql = format!("select m.meeting_date from refetch r join meetings m using (meeting_key) where {condition}");
        Ok(self.rows(&sql, [], |row| row.get(0))?.into_iter().collect())
    }

    /// Closes the refetch of all meetings except those of the `waiting` dates.
    pub(crate) fn end_refetch(&self, waiting: &BTreeSet<i32>) -> Result<(), LedgerError> {
        let dates: Vec<String> = waiting.iter().map(i32::to_string).collect();
        let sql = format!(
            "delete from refetch
             where meeting_key not in (select meeting_key from meetings where meeting_date in ({}))",
            dates.join(", ")
        );
        self.in_transaction(|transaction| transaction.execute(&sql, []).map(drop))
    }
}

fn reset_finality(transaction: &rusqlite::Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "update meetings set list_final = 0, list_again_us = null
         where exists (select 1 from refetch r
                       where r.meeting_key = meetings.meeting_key and coalesce(meetings.list_us, -1) < r.began_us);
         update participants set is_final = 0, again_us = null
         where id is not null and join_s is not null
           and exists (select 1 from refetch r
                       where r.meeting_key = participants.meeting_key
                         and coalesce(participants.last_us, -1) < r.began_us);",
    )
}
