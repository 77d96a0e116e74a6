//! What is pending: meetings whose list is not final, and participants without a final answer.

use rusqlite::{Row, params};

use super::change::ROOM;
use super::database::{Ledger, read_fields};
use super::error::LedgerError;
use crate::schema::identity::ParticipantId;
use crate::schema::window::overlap_sql;

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
    pub list_final: bool,
    pub list_status: Option<String>,
    pub list_digest: Option<String>,
    pub list_us: Option<i64>,
    /// When the open refetch of the meeting began, microseconds UTC.
    pub refetch_us: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PendingParticipant {
    pub base_key: String,
    pub id: ParticipantId,
    pub join_s: i64,
    pub expected_minutes: Option<i64>,
    pub status: String,
    pub digest: Option<String>,
    pub last_us: Option<i64>,
}

/// Meeting `m` belongs to the window ?1 to ?2.
pub(super) fn in_window() -> String {
    overlap_sql("m.start_us", "m.end_us", "?1", "?2")
}

/// Something of meeting `m` is pending.
pub(super) const IS_PENDING: &str = "(m.list_final = 0 or exists (
                         select 1 from participants p where p.meeting_key = m.meeting_key and p.is_final = 0))";

impl Ledger {
    /// The keys of the meetings that belong to a window and have something pending, newest first.
    pub(crate) fn pending_meetings(&self, since_us: i64, until_us: i64) -> Result<Vec<String>, LedgerError> {
        let in_window = in_window();
        let sql = format!(
            "select meeting_key from meetings m where {in_window} and {IS_PENDING} order by start_us desc, meeting_key"
        );
        self.rows(&sql, params![since_us, until_us], |row| row.get(0))
    }

    /// A meeting, if something of it is pending.
    pub(crate) fn pending_meeting(&self, meeting_key: &str) -> Result<Option<PendingMeeting>, LedgerError> {
        Ok(self.meetings_where(&format!("m.meeting_key = ?1 and {IS_PENDING}"), params![meeting_key])?.pop())
    }

    /// All the meetings that belong to a window, newest first.
    pub(crate) fn meetings(&self, since_us: i64, until_us: i64) -> Result<Vec<PendingMeeting>, LedgerError> {
        self.meetings_where(&in_window(), params![since_us, until_us])
    }

    fn meetings_where(
        &self,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<PendingMeeting>, LedgerError> {
        let sql = format!(
            "select meeting_key, meeting_no, start_us, offset_min, end_us, meeting_date, is_webinar, devices,
                    list_final, list_status, list_digest, list_us, began_us as refetch_us
             from meetings m left join refetch using (meeting_key)
             where {condition}
             order by start_us desc, meeting_key"
        );
        let read = read_fields!(PendingMeeting {
            meeting_key meeting_no start_us offset_min end_us meeting_date is_webinar devices
            list_final list_status list_digest list_us refetch_us
        });
        self.rows(&sql, parameters, read)
    }

    pub(crate) fn pending_participants(&self, meeting_key: &str) -> Result<Vec<PendingParticipant>, LedgerError> {
        let sql = "select base_key, id_kind, id, join_s, expected_minutes, status, digest, last_us
                   from participants
                   where meeting_key = ?1 and is_final = 0 and id is not null and join_s is not null
                   order by base_key";
        let read = |row: &Row<'_>| {
            let (kind, id): (String, String) = (row.get(1)?, row.get(2)?);
            Ok(PendingParticipant {
                base_key: row.get(0)?,
                id: if kind == ROOM { ParticipantId::Room(id) } else { ParticipantId::User(id) },
                join_s: row.get(3)?,
                expected_minutes: row.get(4)?,
                status: row.get(5)?,
                digest: row.get(6)?,
                last_us: row.get(7)?,
            })
        };
        self.rows(sql, params![meeting_key], read)
    }
}
