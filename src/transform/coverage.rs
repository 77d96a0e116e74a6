//! `coverage`: one row for each participant row, always, with its reason.

use super::Participant;
use crate::schema::cell::{Cell, Row};
use crate::schema::identity::unlisted_key;
use crate::schema::{COVERAGE, Status};

/// What is known of the asking for one participant's quality (or one meeting's participants).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// Walks begun from the first page.
    pub attempts: u64,
    /// When the first walk began, microseconds UTC.
    pub first_us: i64,
    /// When the last walk began, microseconds UTC.
    pub last_us: i64,
    /// How the last walk ended.
    pub status: Status,
    /// The same in words.
    pub reason: String,
    /// The vendor's code in the last answer.
    pub api_code: Option<i64>,
    /// The vendor's log id of the last answer.
    pub log_id: Option<String>,
}

/// How the listing of a meeting's participants stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Listing {
    /// The last walk is whole, perhaps an empty list.
    Listed,
    /// It is not, or it lacks a part; what it came to, if there was one. Rows of an earlier walk may be there.
    Unlisted(Option<Asked>),
}

/// The reason of a participant without any id.
const NO_ID: &str = "neither a user id nor a room id: a guest, a telephone, or another tenant's person";
/// The reason of a participant whose join can't be read.
const NO_JOIN: &str = "its join time cannot be read, and the vendor takes no question without it";
/// The reason of what was not asked yet.
const NOT_ASKED: &str = "not asked yet";
/// The reason of a meeting whose participants were not listed yet.
const NOT_LISTED: &str = "its participants are not listed yet";

/// The rows of one meeting: one for each participant, and one that stands for those who could not be listed. `asked`
pub(crate) fn coverage_rows(
    meeting_key: &str,
    meeting_date: i32,
    listing: &Listing,
    participants: &[Participant],
    asked: impl Fn(&Participant) -> Option<Asked>,
    sample_counts: &[u64],
) -> Vec<Row> {
    let mut rows = Vec::with_capacity(participants.len() + 1);
    if let Listing::Unlisted(last) = listing {
        let unasked = unasked(Status::Pending, NOT_LISTED);
        let asked = last.as_ref().unwrap_or(&unasked);
        // No quality page was asked for: `attempts` counts those.
        let asked = Asked { attempts: 0, ..asked.clone() };
        rows.push(row(&unlisted_key(meeting_key), meeting_key, meeting_date, None, 0, &asked, last.is_some()));
    }
    rows.extend(participants.iter().enumerate().map(|(position, participant)| {
        let count = sample_counts.get(position).copied().unwrap_or_default();
        let answer = asked(participant);
        let was_asked = answer.is_some();
        let mut asked = answer.unwrap_or_else(|| match &participant.identity {
            identity if identity.id.is_none() => unasked(Status::Unaddressable, NO_ID),
            identity if identity.join.is_none() => unasked(Status::Unsupported, NO_JOIN),
            _ => unasked(Status::Pending, NOT_ASKED),
        });
        // Whether a whole answer holds a sample shows only once its items are typed.
        asked.status = match asked.status {
            Status::Complete | Status::Empty if count > 0 => Status::Complete,
            Status::Complete | Status::Empty => Status::Empty,
            other => other,
        };
        let expected = participant.identity.expected_minutes;
        row(&participant.participant_key, meeting_key, meeting_date, expected, count, &asked, was_asked)
    }));
    rows
}

fn unasked(status: Status, reason: &str) -> Asked {
    Asked { attempts: 0, first_us: 0, last_us: 0, status, reason: reason.to_owned(), api_code: None, log_id: None }
}

fn row(
    participant_key: &str,
    meeting_key: &str,
    meeting_date: i32,
    expected_minutes: Option<i64>,
    sample_count: u64,
    asked: &Asked,
    was_asked: bool,
) -> Row {
    COVERAGE
        .columns
        .iter()
        .map(|column| match column.name {
            "participant_key" => Cell::Text(participant_key.to_owned()),
            "meeting_key" => Cell::Text(meeting_key.to_owned()),
            "status" => Cell::Text(asked.status.name().to_owned()),
            "reason" => Cell::Text(asked.reason.clone()),
            "api_code" => Cell::whole(asked.api_code),
            "expected_minutes" => Cell::whole(expected_minutes),
            "sample_count" => Cell::Whole(sample_count as i64),
            "attempts" => Cell::Whole(asked.attempts as i64),
            "first_attempt_utc" => Cell::micros(was_asked.then_some(asked.first_us)),
            "last_attempt_utc" => Cell::micros(was_asked.then_some(asked.last_us)),
            "log_id" => Cell::text(asked.log_id.clone()),
            "meeting_date" => Cell::Day(meeting_date),
            _ => Cell::Null,
        })
        .collect()
}
