//! Meetings that only an event has named so far.

use rusqlite::params;

use super::database::Ledger;
use super::error::LedgerError;

/// Begins the digest of an item that is an event, not an item of the meeting list.
pub(crate) const EVENT_DIGEST_PREFIX: &str = "event:";

impl Ledger {
    /// The keys of the meetings that start in a window (microseconds UTC, end exclusive), ended before `ended_us`, and
    /// that no complete meeting list has returned, although an event named them.
    pub(crate) fn unlisted_events(
        &self,
        (since_us, until_us): (i64, i64),
        ended_us: i64,
    ) -> Result<Vec<String>, LedgerError> {
        let sql = "select meeting_key from meetings
                   where start_us >= ?1 and start_us < ?2 and end_us < ?3 and item_digest glob ?4 order by start_us";
        let digest = format!("{EVENT_DIGEST_PREFIX}*");
        self.rows(sql, params![since_us, until_us, ended_us, digest], |row| row.get(0))
    }
}
