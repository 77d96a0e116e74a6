//! Asking again for what is final, and holding its dates back until all of it was asked.
//!
//! The answers of a refetch are published together: until then readers see the old ones, whole.

use std::collections::BTreeSet;

use rusqlite::params;

use super::{Ledger, LedgerError};

/// A meeting that is being asked again has something left that was not asked since.
const IS_OPEN: &str = "
    (coalesce(m.list_us, -1) < r.began_us
     or exists (select 1 from participants p
                where p.meeting_key = m.meeting_key and p.id is not null and p.join_s is not null
                  and coalesce(p.last_us, -1) < r.began_us))";

impl Ledger {
    /// Makes everything of these meetings pending again, from now on. What was answered stays published until all of it was
    /// asked again.
    pub(crate) fn begin_refetch<'a>(
        &self,
        meetings: impl Iterator<Item = &'a String>,
        now_us: i64,
    ) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            for meeting_key in meetings {
                transaction
                    .prepare_cached("insert or replace into refetch values (?1, ?2)")?
                    .execute(params![meeting_key, now_us])?;
            }
            forget_finality(transaction)
        })
    }

    /// Forgets finality again, after the index was made anew: what was asked since the refetch began keeps it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn resume_refetch(&self) -> Result<(), LedgerError> {
        self.in_transaction(forget_finality)
    }

    /// The dates that wait for a refetch. A run that came to its end (`is_whole`) lets those of its dates go that have
    /// nothing left to ask again; else they wait for each other.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn awaiting_refetch_dates(&self, is_whole: bool) -> Result<BTreeSet<i32>, LedgerError> {
        let dates = |only_open: bool| {
            let open = if only_open { IS_OPEN } else { "true" };
            let sql = format!(
                "select distinct m.meeting_date from refetch r join meetings m using (meeting_key) where {open}"
            );
            self.rows(&sql, [], |row| row.get(0))
        };
        let open: BTreeSet<i32> = dates(true)?.into_iter().collect();
        if open.is_empty() || is_whole { Ok(open) } else { Ok(dates(false)?.into_iter().collect()) }
    }

    /// The dates of meetings that are being asked again.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn refetch_dates(&self) -> Result<BTreeSet<i32>, LedgerError> {
        let sql = "select distinct m.meeting_date from refetch r join meetings m using (meeting_key)";
        Ok(self.rows(sql, [], |row| row.get(0))?.into_iter().collect())
    }

    /// What is published is no longer being asked again: all but the meetings of the dates that are still held.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn end_refetch(&self, held: &BTreeSet<i32>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            let meetings: Vec<(String, Option<i32>)> = transaction
                .prepare_cached("select meeting_key, meeting_date from refetch left join meetings using (meeting_key)")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (meeting_key, meeting_date) in meetings {
                if !meeting_date.is_some_and(|date| held.contains(&date)) {
                    transaction.prepare_cached("delete from refetch where meeting_key = ?1")?.execute([meeting_key])?;
                }
            }
            Ok(())
        })
    }
}

fn forget_finality(transaction: &rusqlite::Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "update meetings set list_final = 0
         where exists (select 1 from refetch r
                       where r.meeting_key = meetings.meeting_key and coalesce(meetings.list_us, -1) < r.began_us);
         update participants set is_final = 0
         where id is not null and join_s is not null
           and exists (select 1 from refetch r
                       where r.meeting_key = participants.meeting_key
                         and coalesce(participants.last_us, -1) < r.began_us);",
    )
}
