//! Changes to the ledger.

use rusqlite::{Transaction, params};

use crate::raw_log::{RawKind, WalkEnd};
use crate::schema::Status;
use crate::schema::identity::{MeetingIdentity, ParticipantId, ParticipantIdentity};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FileProgress {
    /// The end of the last checkpoint that is indexed.
    pub indexed_bytes: u64,
    /// The size of the file when it was last read.
    pub seen_bytes: u64,
}

/// How the fetch of a unit ended.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: Status,
    pub is_final: bool,
    /// `None` if the walk is not an answer that can confirm an earlier one.
    pub digest: Option<String>,
    pub items: u64,
    pub requested_us: i64,
}

impl Answer {
    pub(crate) fn new(end: &WalkEnd, requested_us: i64) -> Answer {
        let digest = (!end.digest.is_empty()).then(|| end.digest.clone());
        Answer { status: end.status, is_final: end.is_final, digest, items: end.items, requested_us }
    }
}

/// Applied once its response is on disk. `path` is below `raw/`.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Meeting {
        key: String,
        identity: MeetingIdentity,
        devices: i64,
        number_of_participants: Option<i64>,
        item_digest: String,
    },
    // The participant list of a meeting was fetched.
    Listed {
        meeting_key: String,
        answer: Answer,
    },
    Participant {
        meeting_key: String,
        identity: ParticipantIdentity,
    },
    // The quality data of a participant was fetched.
    Answered {
        base_key: String,
        answer: Answer,
    },
    // A day of a kind that is kept by day was fetched.
    DayAnswered {
        kind: RawKind,
        day: i32,
        answer: Answer,
    },
    // A date has something new to publish.
    Dirty {
        meeting_date: i32,
    },
    Indexed {
        path: String,
        progress: FileProgress,
    },
}

pub(super) const ROOM: &str = "room";
const USER: &str = "user";

impl Change {
    pub(super) fn apply(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Change::Meeting { key, identity, devices, number_of_participants, item_digest } => {
                let sql = "insert into meetings (meeting_key, meeting_no, start_us, offset_min, end_us, meeting_date,
                                                 is_webinar, devices, number_of_participants, item_digest, instance_id)
                           values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                           on conflict (meeting_key) do update set
                               start_us = iif(excluded.meeting_date = meeting_date, excluded.start_us, start_us),
                               offset_min = iif(excluded.meeting_date = meeting_date, excluded.offset_min, offset_min),
                               instance_id = coalesce(excluded.instance_id, instance_id),
                               end_us = excluded.end_us, is_webinar = excluded.is_webinar, devices = excluded.devices,
                               number_of_participants = excluded.number_of_participants,
                               item_digest = excluded.item_digest";
                let MeetingIdentity { meeting_no, instance_id, start, is_webinar, .. } = identity;
                let (end_us, meeting_date) = (identity.end.map(|end| end.utc_us), start.local_day());
                let (start_us, offset_min) = (start.utc_us, start.offset_min);
                transaction.prepare_cached(sql)?.execute(params![
                    key,
                    meeting_no,
                    start_us,
                    offset_min,
                    end_us,
                    meeting_date,
                    is_webinar,
                    devices,
                    number_of_participants,
                    item_digest,
                    instance_id
                ])
            }
            Change::Listed { meeting_key, answer } => {
                let sql = "update meetings set list_status = ?2, list_final = ?3,
                               list_digest = coalesce(?4, list_digest),
                               list_us = case when ?4 is null and ?2 = 'pending' then list_us else ?5 end where meeting_key = ?1";
                let Answer { status, is_final, digest, requested_us, .. } = answer;
                let values = params![meeting_key, status.name(), is_final, digest, requested_us];
                transaction.prepare_cached(sql)?.execute(values)
            }
            Change::Participant { meeting_key, identity } => {
                let (kind, id) = match &identity.id {
                    Some(ParticipantId::User(id)) => (Some(USER), Some(id)),
                    Some(ParticipantId::Room(id)) => (Some(ROOM), Some(id)),
                    None => (None, None),
                };
                let join_s = identity.join.map(|join| join.unix_s());
                // Participants that cannot be requested are final at once.
                let (status, is_final) = match (id, join_s) {
                    (None, _) => (Status::Unaddressable, true),
                    (_, None) => (Status::Unsupported, true),
                    _ => (Status::Pending, false),
                };
                let sql = "insert into participants (base_key, meeting_key, id_kind, id, join_s, expected_minutes,
                                                     status, is_final)
                           values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                           on conflict (base_key) do update set expected_minutes = excluded.expected_minutes";
                let ParticipantIdentity { base_key, expected_minutes, .. } = identity;
                let values =
                    params![base_key, meeting_key, kind, id, join_s, expected_minutes, status.name(), is_final];
                transaction.prepare_cached(sql)?.execute(values)
            }
            Change::Answered { base_key, answer } => {
                let sql = "update participants set status = ?2, is_final = ?3, digest = coalesce(?4, digest), items = ?5,
                               last_us = case when ?4 is null and ?2 = 'pending' then last_us else ?6 end where base_key = ?1";
                let Answer { status, is_final, digest, items, requested_us } = answer;
                let values = params![base_key, status.name(), is_final, digest, items, requested_us];
                transaction.prepare_cached(sql)?.execute(values)
            }
            Change::DayAnswered { kind, day, answer } => {
                let sql = "insert into days (kind, day, status, is_final, digest, items, last_us)
                           values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                           on conflict (kind, day) do update set
                               status = excluded.status, is_final = excluded.is_final,
                               digest = coalesce(excluded.digest, digest), items = excluded.items,
                               last_us = excluded.last_us";
                let Answer { status, is_final, digest, items, requested_us } = answer;
                let values = params![kind.folder(), day, status.name(), is_final, digest, items, requested_us];
                transaction.prepare_cached(sql)?.execute(values)
            }
            Change::Dirty { meeting_date } => {
                let sql = "insert into dirty_dates values (?1, 1)
                           on conflict (meeting_date) do update set changes = changes + 1";
                transaction.prepare_cached(sql)?.execute([meeting_date])
            }
            Change::Indexed { path, progress } => {
                let sql = "insert or replace into raw_files values (?1, ?2, ?3)";
                let values = params![path, progress.indexed_bytes, progress.seen_bytes];
                transaction.prepare_cached(sql)?.execute(values)
            }
        }
        .map(drop)
    }
}
