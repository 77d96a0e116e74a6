//! Read-only summaries: the state of a window's meetings, and what is pending in the complete store.

use rusqlite::params;

use super::database::{Ledger, read_fields};
use super::error::LedgerError;
use super::pending::{IS_PENDING, in_window, list_is_due, participant_is_due};
use super::runs::RunRecord;

#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowFilter<'a> {
    pub window_us: (i64, i64),
    /// Only these meetings; empty for all.
    pub meeting_nos: &'a [String],
    /// Count final units of the window as pending too.
    pub refetch: bool,
    /// Also what is pending outside of the window.
    pub outside: bool,
}

/// A meeting with something pending, and how much of it is to be requested now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MeetingState {
    pub start_us: i64,
    pub end_us: Option<i64>,
    pub meeting_date: i32,
    pub is_webinar: bool,
    pub devices: i64,
    pub list_final: bool,
    /// Whether its list is to be requested now.
    pub list_due: bool,
    /// True if its participant list was answered before, final or not.
    pub was_listed: bool,
    pub known: u64,
    pub pending: u64,
    /// Those of them that are people, not rooms.
    pub pending_people: u64,
    /// Pending participants that are not requested yet, because they were a short time ago.
    pub waiting: u64,
    /// Quality calls for the pending participants, if their answers are as long as expected.
    pub quality_calls: u64,
    /// Pending participants whose expected minutes are not known.
    pub unknown_length: u64,
}

/// Units of a kind that are not final, in the complete store, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OpenUnits {
    pub never_requested: u64,
    /// Requested too early.
    pub requested_again: u64,
    /// Pending because of a refetch.
    pub refetch: u64,
    pub failed: u64,
}

impl Ledger {
    /// The number of meetings and participants that the ledger knows in a window.
    pub(crate) fn count_known(&self, filter: WindowFilter<'_>) -> Result<(u64, u64), LedgerError> {
        let (since_us, until_us) = filter.window_us;
        let (numbers, matches) = (join_numbers(filter.meeting_nos), format!("{} and {HAS_NUMBER}", in_window()));
        let meetings = format!("select count(*) from meetings m where {matches}");
        let participants =
            format!("select count(*) from meetings m join participants p using (meeting_key) where {matches}");
        let count = |sql: &str| self.one(sql, params![since_us, until_us, numbers], |row| row.get(0));
        Ok((count(&meetings)?, count(&participants)?))
    }

    /// The meetings with something pending, newest first, and those outside of the window after it.
    pub(crate) fn meeting_states(
        &self,
        filter: WindowFilter<'_>,
        now_us: i64,
    ) -> Result<Vec<MeetingState>, LedgerError> {
        let (since_us, until_us) = filter.window_us;
        let has_id = "p.id is not null and p.join_s is not null";
        let in_window = in_window();
        let participant_is_due = participant_is_due("?5", &in_window);
        let list_is_due = list_is_due("?5", &in_window);
        let is_pending = format!("((?4 and {in_window} and {has_id}) or {participant_is_due})");
        let sql = format!(
            "select m.start_us, m.end_us, m.meeting_date, m.is_webinar, m.devices, m.list_final,
                    (?4 and {in_window}) or {list_is_due} as list_due,
                    m.list_final = 1 or m.list_digest is not null as was_listed,
                    count(p.base_key) as known,
                    count(*) filter (where {is_pending}) as pending,
                    count(*) filter (where {is_pending} and p.id_kind = 'user') as pending_people,
                    count(*) filter (where p.is_final = 0 and {has_id} and not {is_pending}) as waiting,
                    coalesce(sum(max(1, (coalesce(p.expected_minutes, 1) + 99) / 100)) filter (where {is_pending}), 0)
                        as quality_calls,
                    count(*) filter (where {is_pending} and p.expected_minutes is null) as unknown_length
             from meetings m
             left join participants p on p.meeting_key = m.meeting_key
             where ({in_window} or ?6) and {HAS_NUMBER} and ((?4 and {in_window}) or {IS_PENDING})
             group by m.meeting_key
             order by {in_window} desc, m.start_us desc, m.meeting_key"
        );
        let read = read_fields!(MeetingState {
            start_us end_us meeting_date is_webinar devices list_final list_due was_listed
            known pending pending_people waiting quality_calls unknown_length
        });
        let WindowFilter { refetch, outside, .. } = filter;
        let numbers = join_numbers(filter.meeting_nos);
        self.rows(&sql, params![since_us, until_us, numbers, refetch, now_us, outside], read)
    }

    /// The start of the oldest meeting with something pending, microseconds UTC.
    pub(crate) fn oldest_pending_us(&self) -> Result<Option<i64>, LedgerError> {
        self.one(&format!("select min(start_us) from meetings m where {IS_PENDING}"), [], |row| row.get(0))
    }

    pub(crate) fn open_participants(&self) -> Result<OpenUnits, LedgerError> {
        self.open_units("participants", "status", "last_us", "is_final")
    }

    pub(crate) fn open_lists(&self) -> Result<OpenUnits, LedgerError> {
        self.open_units("meetings", "list_status", "list_us", "list_final")
    }

    fn open_units(&self, table: &str, status: &str, us: &str, is_final: &str) -> Result<OpenUnits, LedgerError> {
        // A meeting's status is null until its list is requested; a participant's is pending from the start.
        let has_not_failed = format!("{status} is distinct from 'failed'");
        let sql = format!(
            "select count(*) filter (where {has_not_failed} and {us} is null) as never_requested,
                    count(*) filter (where {has_not_failed} and {us} >= coalesce(r.began_us, {us})) as requested_again,
                    count(*) filter (where {has_not_failed} and {us} < r.began_us) as refetch,
                    count(*) filter (where {status} = 'failed') as failed
             from {table} left join refetch r using (meeting_key) where {is_final} = 0"
        );
        self.one(&sql, [], read_fields!(OpenUnits { never_requested requested_again refetch failed }))
    }

    pub(crate) fn refetch_meetings(&self) -> Result<u64, LedgerError> {
        self.one("select count(*) from refetch", [], |row| row.get(0))
    }

    /// The last `sync` that was complete for its window.
    pub(crate) fn last_complete_run(&self) -> Result<Option<RunRecord>, LedgerError> {
        let complete = |run: &RunRecord| run.command == "sync" && run.exit_code == Some(0);
        Ok(self.runs()?.into_iter().rev().find(complete))
    }
}

/// The numbers of a [`WindowFilter`] are ?3.
const HAS_NUMBER: &str = "(?3 = '' or instr(?3, ',' || m.meeting_no || ',') > 0)";

/// Numbers as one text that SQL can search: `,705605196,123456789,`; empty for all meetings.
fn join_numbers(meeting_nos: &[String]) -> String {
    if meeting_nos.is_empty() { String::new() } else { format!(",{},", meeting_nos.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meeting_numbers_are_joined_with_delimiters() {
        assert_eq!(join_numbers(&[]), "");
        assert_eq!(join_numbers(&["705605196".to_owned(), "123456789".to_owned()]), ",705605196,123456789,");
    }
}
