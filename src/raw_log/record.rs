//! What a checkpoint holds.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::schema::Status;

/// The three kinds of raw files, named like their folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawKind {
    /// Pages of meeting_list. A page that spans dates is filed under each of them.
    Meetings,
    Participants,
    Quality,
}

impl RawKind {
    pub const ALL: &'static [RawKind] = &[RawKind::Meetings, RawKind::Participants, RawKind::Quality];

    /// The folder below `raw/`.
    pub fn folder(self) -> &'static str {
        match self {
            RawKind::Meetings => "meetings",
            RawKind::Participants => "participants",
            RawKind::Quality => "quality",
        }
    }
}

/// What a walk came to. Written as the last line of its checkpoint and in its header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WalkEnd {
    /// True where every page was read: only whole walks are published.
    pub whole: bool,
    #[serde(with = "status_name")]
    pub status: Status,
    /// The same in words.
    pub reason: String,
    /// True where it is never asked again.
    pub is_final: bool,
    /// The vendor's code in the last answer.
    pub api_code: Option<i64>,
    /// The vendor's log id of the last answer.
    pub log_id: Option<String>,
    /// Items over all pages.
    pub items: u64,
    /// Digest of the items, to tell an equal answer; empty where the vendor did not say all it has to say.
    pub digest: String,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Walks from a first page on: more than one where the question had to be put in another form.
    pub walks: u64,
}

impl WalkEnd {
    /// The digest, where the walk is an answer that can confirm an earlier one.
    pub(crate) fn answer_digest(&self) -> Option<String> {
        (!self.digest.is_empty()).then(|| self.digest.clone())
    }
}

mod status_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::schema::Status;

    pub(super) fn serialize<S: Serializer>(status: &Status, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(status.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
        let name = String::deserialize(deserializer)?;
        Status::named(&name).ok_or_else(|| D::Error::custom(format!("{name:?} is no status")))
    }
}

/// What stands in front of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Version of the raw format.
    pub v: u32,
    pub run_id: String,
    /// The kind of file.
    pub kind: RawKind,
    /// What was walked: the window, the meeting, or the participant (before `#2`).
    pub unit: String,
    /// When the walk began, microseconds UTC.
    pub requested_us: i64,
    /// The window that a meeting of the walk must start in, microseconds UTC; only of meetings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_us: Option<(i64, i64)>,
    /// What the walk came to, in its last checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<WalkEnd>,
    /// Compressed bytes of the frame that follows; filled in when it is encoded.
    pub bytes: u32,
}

/// The version of the raw format.
pub(crate) const RAW_VERSION: u32 = 1;

/// One answer: a line of a checkpoint.
#[derive(Debug, Serialize)]
pub(crate) struct PageRecord {
    /// Always `page`.
    pub record: &'static str,
    pub endpoint: &'static str,
    /// The query, in the order it was sent.
    pub request: serde_json::Map<String, serde_json::Value>,
    /// When it was asked, RFC 3339 UTC.
    pub requested_utc: String,
    /// From sending to the last byte, milliseconds.
    pub elapsed_ms: u64,
    pub http_status: u16,
    /// The vendor's log id.
    pub log_id: Option<String>,
    /// The answer as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Box<RawValue>>,
    /// The answer as text, where it was no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_text: Option<String>,
}

impl PageRecord {
    /// Keeps an answer's body: JSON verbatim but for line breaks between its tokens, anything else as text.
    pub(crate) fn body(body: &[u8]) -> (Option<Box<RawValue>>, Option<String>) {
        let text = String::from_utf8_lossy(body);
        // JSON allows a raw line break only between tokens, where a blank is as good; the log is one line a record.
        let line = text.replace(['\n', '\r'], " ");
        match RawValue::from_string(line) {
            Ok(raw) => (Some(raw), None),
            Err(_) => (None, (!text.is_empty()).then(|| text.into_owned())),
        }
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
