//! The records of a checkpoint.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::schema::Status;
use crate::schema::meeting_keys::KnownMeeting;

/// The kinds of raw files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawKind {
    /// Pages of the meeting list. A page that spans dates is stored under each of them.
    Meetings,
    /// Events that meetings ended, under the days on which the meetings started.
    Events,
    Participants,
    Quality,
    /// All rooms of the tenant, on the day of the request.
    Rooms,
    /// All levels of rooms, on the day of the request.
    RoomLevels,
    RoomAlerts,
    Reservations,
    /// Feishu's own count of meetings per day. A response for several days is stored under each of them.
    CensusDaily,
    /// Feishu's own count of meetings per user and day.
    CensusUsers,
}

impl RawKind {
    pub const ALL: &'static [RawKind] = &[
        RawKind::Meetings,
        RawKind::Events,
        RawKind::Participants,
        RawKind::Quality,
        RawKind::Rooms,
        RawKind::RoomLevels,
        RawKind::RoomAlerts,
        RawKind::Reservations,
        RawKind::CensusDaily,
        RawKind::CensusUsers,
    ];

    /// The kinds of the three lists.
    pub const LISTS: &'static [RawKind] = &[RawKind::Meetings, RawKind::Participants, RawKind::Quality];

    /// The kinds that hold one walk per day. Its unit is the day, `YYYY-MM-DD`: the last complete walk is the answer.
    pub const DAILY: &'static [RawKind] = &[
        RawKind::Rooms,
        RawKind::RoomLevels,
        RawKind::RoomAlerts,
        RawKind::Reservations,
        RawKind::CensusDaily,
        RawKind::CensusUsers,
    ];

    pub fn folder(self) -> &'static str {
        match self {
            RawKind::Meetings => "meetings",
            RawKind::Events => "events",
            RawKind::Participants => "participants",
            RawKind::Quality => "quality",
            RawKind::Rooms => "rooms",
            RawKind::RoomLevels => "room_levels",
            RawKind::RoomAlerts => "room_alerts",
            RawKind::Reservations => "reservations",
            RawKind::CensusDaily => "census_daily",
            RawKind::CensusUsers => "census_users",
        }
    }
}

/// How a walk over the pages of a list ended. Written as the last line of its checkpoint and in its header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WalkEnd {
    /// True if every page was read: only such walks are published.
    pub whole: bool,
    pub status: Status,
    pub reason: String,
    /// True if it is never fetched again.
    pub is_final: bool,
    pub api_code: Option<i64>,
    /// Feishu's log ID of the last response.
    pub log_id: Option<String>,
    pub items: u64,
    /// Digest of the items, to detect an equal answer; empty if the answer was incomplete.
    pub digest: String,
    /// Requests sent, including retries.
    pub requests: u64,
    /// Walks from the first page: more than one if the query had to be sent in another form.
    pub walks: u64,
    /// Not requested again before this time, microseconds UTC; `None` for at once, or for never if it is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_us: Option<i64>,
    /// Of a participant list with fewer people than Feishu counts: when the first such answer in a row was requested,
    /// microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_since_us: Option<i64>,
    /// No walk: those of the unit before it are void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_reset: bool,
}

impl WalkEnd {
    /// The end of an incomplete walk without any page.
    pub(crate) fn new(status: Status, reason: String, api_code: Option<i64>, log_id: Option<String>) -> WalkEnd {
        WalkEnd { status, reason, api_code, log_id, walks: 1, ..WalkEnd::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub v: u32,
    pub run_id: String,
    pub kind: RawKind,
    /// What was fetched: the window, the meeting, the participant (before `#2`), or the day.
    pub unit: String,
    /// When the walk began, microseconds UTC.
    #[serde(rename = "asked_us")]
    pub requested_us: i64,
    /// The window to which a listed meeting must belong, microseconds UTC; `None` except for the meeting list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_us: Option<(i64, i64)>,
    /// Meetings of these pages that keep the key, or the start, under which they were listed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<KnownMeeting>,
    /// Only in the last checkpoint of a walk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<WalkEnd>,
    /// Compressed bytes of the frame that follows; set by [`encode`](super::encode).
    pub bytes: u32,
}

/// Since version 2 a meeting belongs to the window that it overlaps, and is recognised by its instance ID. Walks of
/// version 1 are read as they were published: a meeting belongs to the window in which it starts.
pub(crate) const RAW_VERSION: u32 = 2;

/// One response: a line of a checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PageRecord {
    /// `page` or `refusal`.
    pub record: Cow<'static, str>,
    pub endpoint: Cow<'static, str>,
    /// The query, in the order it was sent.
    pub request: serde_json::Map<String, serde_json::Value>,
    #[serde(rename = "asked_utc")]
    pub requested_utc: String,
    pub elapsed_ms: u64,
    pub http_status: u16,
    pub log_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Box<RawValue>>,
    /// The body as text, if it was not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_text: Option<String>,
}

impl PageRecord {
    /// The `response` and `response_text` of a body: JSON verbatim except line breaks between tokens, anything else as
    /// text.
    pub(crate) fn body(body: &[u8]) -> (Option<Box<RawValue>>, Option<String>) {
        let text = String::from_utf8_lossy(body);
        // JSON allows a raw line break only between tokens, where a space is equivalent; a record is one line.
        let line = text.replace(['\n', '\r'], " ");
        let response = RawValue::from_string(line).ok();
        let is_text = response.is_none() && !text.is_empty();
        (response, is_text.then(|| text.into_owned()))
    }
}

/// The last line of a walk.
#[derive(Debug, Serialize)]
pub(crate) struct EndRecord<'a> {
    pub record: &'static str,
    pub unit: &'a str,
    #[serde(flatten)]
    pub end: &'a WalkEnd,
}
