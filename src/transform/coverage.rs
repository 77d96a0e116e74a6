//! The rows of `coverage`: one for each participant.

use super::participants::Participant;
use crate::schema::cell::{Cell, Row};
use crate::schema::identity::unlisted_key;
use crate::schema::{COVERAGE, Status};

/// How far fetching one participant's quality (or one meeting's participants) got.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FetchState {
    pub attempts: u64,
    /// Items of the last walk.
    pub items: u64,
    /// Start of the first walk, in microseconds UTC.
    pub first_us: i64,
    /// Start of the last walk, in microseconds UTC.
    pub last_us: i64,
    pub status: Status,
    /// The status in words.
    pub reason: String,
    /// Of the last response, as is the log ID.
    pub api_code: Option<i64>,
    pub log_id: Option<String>,
}

/// Whether the participants of a meeting are listed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Listing {
    /// The last walk is complete, even if its list is empty.
    Listed,
    /// The last walk, if there was one, is incomplete, or its list is short. There may be rows of participants.
    Unlisted(Option<FetchState>),
}

// Stored dates contain this text and verify compares it: it does not change.
const NO_ID: &str = "neither a user id nor a room id: a guest, a telephone, or another tenant's person";
const NO_JOIN: &str = "the join time is unreadable, and Feishu requires it";
const NOT_REQUESTED: &str = "not requested yet";
const NOT_LISTED: &str = "the participants of the meeting are not listed yet";

/// For the test that every reason has a Chinese form.
#[cfg(test)]
pub(crate) const REASONS: [&str; 4] = [NO_ID, NO_JOIN, NOT_REQUESTED, NOT_LISTED];

/// The rows of one meeting: one for each participant, and one for the meeting if not all its participants are listed.
/// `sample_counts` has the same order as `participants`.
pub(crate) fn coverage_rows(
    meeting_key: &str,
    meeting_date: i32,
    listing: &Listing,
    participants: &[Participant],
    fetch_state: impl Fn(&Participant) -> Option<FetchState>,
    sample_counts: &[u64],
) -> Vec<Row> {
    let mut rows = Vec::with_capacity(participants.len() + 1);
    if let Listing::Unlisted(last) = listing {
        let state = last.clone().unwrap_or_else(|| not_fetched(Status::Pending, NOT_LISTED));
        // `attempts` counts requests of quality pages.
        let state = FetchState { attempts: 0, ..state };
        rows.push(row(&unlisted_key(meeting_key), meeting_key, meeting_date, None, 0, &state, last.is_some()));
    }
    rows.extend(participants.iter().enumerate().map(|(position, participant)| {
        let count = sample_counts.get(position).copied().unwrap_or_default();
        let fetched = fetch_state(participant);
        let was_fetched = fetched.is_some();
        let mut state = fetched.unwrap_or_else(|| match &participant.identity {
            identity if identity.id.is_none() => not_fetched(Status::Unaddressable, NO_ID),
            identity if identity.join.is_none() => not_fetched(Status::Unsupported, NO_JOIN),
            _ => not_fetched(Status::Pending, NOT_REQUESTED),
        });
        // Only the typed items show whether a complete walk has samples.
        if matches!(state.status, Status::Complete | Status::Empty | Status::Unreadable) {
            state.status = match (count, state.items) {
                (1.., _) => Status::Complete,
                (0, 1..) => Status::Unreadable,
                (0, 0) => Status::Empty,
            };
        }
        let expected = participant.identity.expected_minutes;
        row(&participant.participant_key, meeting_key, meeting_date, expected, count, &state, was_fetched)
    }));
    rows
}

fn not_fetched(status: Status, reason: &str) -> FetchState {
    let reason = reason.to_owned();
    FetchState { attempts: 0, items: 0, first_us: 0, last_us: 0, status, reason, api_code: None, log_id: None }
}

fn row(
    participant_key: &str,
    meeting_key: &str,
    meeting_date: i32,
    expected_minutes: Option<i64>,
    sample_count: u64,
    state: &FetchState,
    was_fetched: bool,
) -> Row {
    COVERAGE
        .columns
        .iter()
        .map(|column| match column.name {
            "participant_key" => Cell::Text(participant_key.to_owned()),
            "meeting_key" => Cell::Text(meeting_key.to_owned()),
            "status" => Cell::Text(state.status.name().to_owned()),
            "reason" => Cell::Text(state.reason.clone()),
            "api_code" => Cell::whole(state.api_code),
            "expected_minutes" => Cell::whole(expected_minutes),
            "sample_count" => Cell::Whole(sample_count as i64),
            "attempts" => Cell::Whole(state.attempts as i64),
            "first_attempt_utc" => Cell::micros(was_fetched.then_some(state.first_us)),
            "last_attempt_utc" => Cell::micros(was_fetched.then_some(state.last_us)),
            "log_id" => Cell::text(state.log_id.clone()),
            "meeting_date" => Cell::Day(meeting_date),
            _ => Cell::Null,
        })
        .collect()
}
