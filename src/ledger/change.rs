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
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub status: Status,
    pub is_final: bool,
    /// `None` if the fetch failed or was interrupted.
    pub digest: Option<String>,
    pub items: u64,
    pub requested_us: i64,
    /// Not requested again before, microseconds UTC.
    pub again_us: Option<i64>,
    pub is_whole: bool,
    /// See [`WalkEnd::short_since_us`].
    pub short_since_us: Option<i64>,
}

impl Answer {
    pub(crate) fn new(end: &WalkEnd, requested_us: i64) -> Answer {
        Answer {
            status: end.status,
            is_final: end.is_final,
            digest: (!end.digest.is_empty()).then(|| end.digest.clone()),
            items: end.items,
            requested_us,
            again_us: end.again_us,
            is_whole: end.whole,
            short_since_us: end.short_since_us,
        }
    }

    /// False for a fetch that was interrupted: nothing is known of its unit.
    fn counts(&self) -> bool {
        self.digest.is_some() || self.status != Status::Pending
    }
}

/// Applied once its response is on disk. `path` is below `raw/`.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Meeting { key: String, identity: MeetingIdentity, devices: i64, item_digest: String },
    // The participant list of a meeting was fetched; `people` are those on all its lists.
    Listed { meeting_key: String, answer: Answer, people: u64 },
    // What was listed of a meeting is void.
    ListReset { meeting_key: String },
    // `rows` are the different rows of one list with this key.
    Participant { meeting_key: String, identity: ParticipantIdentity, rows: u64 },
    // The quality data of a participant was fetched.
    Answered { base_key: String, answer: Answer },
    // A day of a kind that is kept by day was fetched.
    DayAnswered { kind: RawKind, day: i32, answer: Answer },
    // A date has something new to publish.
    Dirty { meeting_date: i32 },
    Indexed { path: String, progress: FileProgress },
}

pub(super) const ROOM: &str = "room";
const USER: &str = "user";

impl Change {
    pub(super) fn apply(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Change::Meeting { key, identity, devices, item_digest } => {
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
                let MeetingIdentity { meeting_no, instance_id, start, is_webinar, number_of_participants, .. } =
                    identity;
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
                ])?;
                reopen_short_list(transaction, key)
            }
            // What was interrupted leaves the unit as it was.
            Change::Listed { answer, .. } | Change::Answered { answer, .. } if !answer.counts() => Ok(0),
            Change::Listed { meeting_key, answer, people } => {
                let sql =
                    "update meetings set list_status = ?2, list_final = ?3, list_digest = coalesce(?4, list_digest),
                               list_us = ?5, list_again_us = ?6,
                               list_short_us = iif(?7, ?8, list_short_us), people = max(people, ?9)
                           where meeting_key = ?1";
                let Answer { status, is_final, digest, requested_us, again_us, is_whole, short_since_us, .. } = answer;
                let status = status.name();
                transaction.prepare_cached(sql)?.execute(params![
                    meeting_key,
                    status,
                    is_final,
                    digest,
                    requested_us,
                    again_us,
                    is_whole,
                    short_since_us,
                    people
                ])?;
                reopen_short_list(transaction, meeting_key)
            }
            Change::ListReset { meeting_key } => {
                let sql = "delete from participants where meeting_key = ?1";
                transaction.prepare_cached(sql)?.execute([meeting_key])?;
                let sql = "update meetings set list_status = null, list_final = 0, list_digest = null, list_us = null,
                               list_again_us = null, list_short_us = null, people = 0
                           where meeting_key = ?1";
                transaction.prepare_cached(sql)?.execute([meeting_key])
            }
            Change::Participant { meeting_key, identity, rows } => {
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
                                                     status, is_final, rows)
                           values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                           on conflict (base_key) do update set expected_minutes = excluded.expected_minutes,
                               rows = max(rows, excluded.rows)";
                let ParticipantIdentity { base_key, clock_minutes, .. } = identity;
                let values =
                    params![base_key, meeting_key, kind, id, join_s, clock_minutes, status.name(), is_final, rows];
                transaction.prepare_cached(sql)?.execute(values)
            }
            Change::Answered { base_key, answer } => {
                let sql = "update participants set status = ?2, is_final = ?3, items = ?4, last_us = ?5, again_us = ?6
                           where base_key = ?1";
                let Answer { status, is_final, items, requested_us, again_us, .. } = answer;
                let values = params![base_key, status.name(), is_final, items, requested_us, again_us];
                transaction.prepare_cached(sql)?.execute(values)
            }
            Change::DayAnswered { kind, day, answer } => {
                let sql = "insert into days (kind, day, status, is_final, digest, items, last_us)
                           values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                           on conflict (kind, day) do update set
                               status = excluded.status, is_final = excluded.is_final,
                               digest = coalesce(excluded.digest, digest), items = excluded.items,
                               last_us = excluded.last_us";
                let Answer { status, is_final, digest, items, requested_us, .. } = answer;
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

/// A list that was final before Feishu's number of participants was known, or was larger, is requested again.
fn reopen_short_list(transaction: &Transaction<'_>, meeting_key: &str) -> rusqlite::Result<usize> {
    let sql = "update meetings set list_final = 0, list_again_us = null
               where meeting_key = ?1 and list_final = 1 and list_status in ('complete', 'empty')
                 and number_of_participants > people";
    transaction.prepare_cached(sql)?.execute([meeting_key])
}
