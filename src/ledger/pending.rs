//! What is pending: meetings whose list is not final, and participants without a final answer.

use rusqlite::{Row, params};

use super::change::ROOM;
use super::database::{Ledger, read_fields};
use super::error::LedgerError;
use crate::schema::identity::ParticipantId;
use crate::schema::window::overlap_sql;

/// A time, and whether the meetings in question are those of a run's window: there, what failed is requested again by
/// every run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub now_us: i64,
    pub in_window: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PendingMeeting {
    pub meeting_key: String,
    pub meeting_no: String,
    pub start_us: i64,
    pub offset_min: i32,
    pub end_us: Option<i64>,
    pub meeting_date: i32,
    pub is_webinar: bool,
    pub devices: i64,
    pub number_of_participants: Option<i64>,
    pub list_final: bool,
    /// Whether its list may be requested now.
    pub list_due: bool,
    pub list_status: Option<String>,
    pub list_digest: Option<String>,
    pub list_us: Option<i64>,
    pub list_short_us: Option<i64>,
    /// When the open refetch of the meeting began, microseconds UTC.
    pub refetch_us: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PendingParticipant {
    pub base_key: String,
    pub id: ParticipantId,
    pub join_s: i64,
    /// The minutes of the clock that the stay touches; `None` if its length is unknown.
    pub expected_minutes: Option<i64>,
    pub status: String,
    pub last_us: Option<i64>,
}

/// Meeting `m` belongs to the window ?1 to ?2.
pub(super) fn in_window() -> String {
    overlap_sql("m.start_us", "m.end_us", "?1", "?2")
}

/// A participant that the lists of a meeting have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KnownParticipant {
    pub base_key: String,
    pub id: Option<ParticipantId>,
    pub rows: u64,
}

/// Something of meeting `m` is pending.
pub(super) const IS_PENDING: &str = "(m.list_final = 0 or exists (
                         select 1 from participants p where p.meeting_key = m.meeting_key and p.is_final = 0))";

/// `again_us` of a unit that runs outside of its window never request again.
pub(crate) const NEVER_AGAIN_US: i64 = i64::MAX;

/// The list of meeting `m` may be requested at a time, given as SQL, in its window or outside.
pub(super) fn list_is_due(now_us: &str, in_window: &str) -> String {
    is_due("m.list_final", "m.list_again_us", "m.list_status", now_us, in_window)
}

/// The same for the quality of participant `p`.
pub(super) fn participant_is_due(now_us: &str, in_window: &str) -> String {
    let is_due = is_due("p.is_final", "p.again_us", "p.status", now_us, in_window);
    format!("({is_due} and p.id is not null and p.join_s is not null)")
}

fn is_due(is_final: &str, again_us: &str, status: &str, now_us: &str, in_window: &str) -> String {
    format!(
        "({is_final} = 0 and (coalesce({again_us}, {now_us}) <= {now_us} or ({in_window} and {status} = 'failed')))"
    )
}

impl Ledger {
    /// The keys of the meetings that belong to a window and have something to request now, newest first.
    pub(crate) fn due_meetings(&self, since_us: i64, until_us: i64, now_us: i64) -> Result<Vec<String>, LedgerError> {
        self.due_meetings_where(&in_window(), "true", params![since_us, until_us, now_us])
    }

    /// The same for the meetings outside of a window.
    pub(crate) fn due_meetings_outside(
        &self,
        since_us: i64,
        until_us: i64,
        now_us: i64,
    ) -> Result<Vec<String>, LedgerError> {
        self.due_meetings_where(&format!("not {}", in_window()), "false", params![since_us, until_us, now_us])
    }

    fn due_meetings_where(
        &self,
        condition: &str,
        in_window: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<String>, LedgerError> {
        let (list_is_due, participant_is_due) = (list_is_due("?3", in_window), participant_is_due("?3", in_window));
        let sql = format!(
            "select meeting_key from meetings m
             where {condition}
               and ({list_is_due}
                    or exists (select 1 from participants p
                               where p.meeting_key = m.meeting_key and {participant_is_due}))
             order by start_us desc, meeting_key"
        );
        self.rows(&sql, parameters, |row| row.get(0))
    }

    /// The lists and participants of meetings outside of a window that later runs request.
    pub(crate) fn count_pending_outside(&self, since_us: i64, until_us: i64) -> Result<u64, LedgerError> {
        let in_window = in_window();
        let sql = format!(
            "select (select count(*) from meetings m
                     where not {in_window} and m.list_final = 0 and coalesce(m.list_again_us, 0) < {NEVER_AGAIN_US})
                  + (select count(*) from participants p join meetings m using (meeting_key)
                     where not {in_window} and p.is_final = 0 and coalesce(p.again_us, 0) < {NEVER_AGAIN_US})"
        );
        self.one(&sql, params![since_us, until_us], |row| row.get(0))
    }

    /// A meeting, if something of it is pending.
    pub(crate) fn pending_meeting(&self, meeting_key: &str, due: Due) -> Result<Option<PendingMeeting>, LedgerError> {
        let condition = format!("m.meeting_key = ?3 and {IS_PENDING}");
        Ok(self.meetings_where(&condition, params![due.now_us, due.in_window, meeting_key])?.pop())
    }

    /// All the meetings that belong to a window, newest first.
    pub(crate) fn meetings(&self, since_us: i64, until_us: i64) -> Result<Vec<PendingMeeting>, LedgerError> {
        let in_window = overlap_sql("m.start_us", "m.end_us", "?3", "?4");
        self.meetings_where(&in_window, params![0, true, since_us, until_us])
    }

    /// The meetings with something pending whose lists have people.
    pub(crate) fn listed_people_pending(&self) -> Result<Vec<PendingMeeting>, LedgerError> {
        let has_people =
            "exists (select 1 from participants p where p.meeting_key = m.meeting_key and p.id_kind = 'user')";
        self.meetings_where(&format!("{IS_PENDING} and {has_people}"), params![0, true])
    }

    /// `?1` and `?2` are the time and whether the meetings are those of the window.
    fn meetings_where(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<PendingMeeting>, LedgerError> {
        let list_is_due = list_is_due("?1", "?2");
        let sql = format!(
            "select meeting_key, meeting_no, start_us, offset_min, end_us, meeting_date, is_webinar, devices,
                    number_of_participants, list_final, {list_is_due} as list_due, list_status, list_digest, list_us,
                    list_short_us, began_us as refetch_us
             from meetings m left join refetch using (meeting_key)
             where {condition}
             order by start_us desc, meeting_key"
        );
        let read = read_fields!(PendingMeeting {
            meeting_key meeting_no start_us offset_min end_us meeting_date is_webinar devices number_of_participants
            list_final list_due list_status list_digest list_us list_short_us refetch_us
        });
        self.rows(&sql, parameters, read)
    }

    /// The participants of a meeting that may be requested now.
    pub(crate) fn due_participants(&self, meeting_key: &str, due: Due) -> Result<Vec<PendingParticipant>, LedgerError> {
        let sql = format!(
            "select base_key, id_kind, id, join_s, expected_minutes, status, last_us
             from participants p where meeting_key = ?1 and {} order by base_key",
            participant_is_due("?2", "?3")
        );
        let read = |row: &Row<'_>| {
            Ok(PendingParticipant {
                base_key: row.get(0)?,
                id: participant_id(row.get(1)?, row.get(2)?),
                join_s: row.get(3)?,
                expected_minutes: row.get(4)?,
                status: row.get(5)?,
                last_us: row.get(6)?,
            })
        };
        self.rows(&sql, params![meeting_key, due.now_us, due.in_window], read)
    }

    pub(crate) fn known_participants(&self, meeting_key: &str) -> Result<Vec<KnownParticipant>, LedgerError> {
        let sql = "select base_key, id_kind, id, rows from participants where meeting_key = ?1";
        let read = |row: &Row<'_>| {
            let (kind, id): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            let id = kind.zip(id).map(|(kind, id)| participant_id(kind, id));
            Ok(KnownParticipant { base_key: row.get(0)?, id, rows: row.get(3)? })
        };
        self.rows(sql, params![meeting_key], read)
    }
}

fn participant_id(kind: String, id: String) -> ParticipantId {
    if kind == ROOM { ParticipantId::Room(id) } else { ParticipantId::User(id) }
}
