//! The answer for one unit (a participant list, or a participant's quality), and what it means.

use super::finality::{REQUESTED_EARLY, ReceivedAnswer, Settle, again_us};
use super::items::{ListedParticipant, participant_changes};
use super::stop::Stop;
use super::task::MeetingTask;
use super::walk::{Outcome, Walk};
use super::writer::Checkpoint;
use crate::ledger::{Answer, Change, PendingParticipant};
use crate::raw_log::{Header, PageRecord, RAW_VERSION, RawKind, WalkEnd};
use crate::schema::Status;
use crate::text::{counted, error_chain};
use feishu_vc::{RefusalClass, error_codes};

#[derive(Debug)]
pub(super) struct UnitResult {
    pub kind: RawKind,
    /// The meeting's key, or the participant's.
    pub unit: String,
    pub meeting_key: String,
    pub meeting_date: i32,
    pub requested_us: i64,
    pub pages: Vec<PageRecord>,
    pub end: WalkEnd,
    /// The participants of a list; empty for quality.
    pub participants: Vec<ListedParticipant>,
    /// The people of a list, with those of earlier ones.
    pub people: u64,
    /// True for the first answer of a participant whose times are all unreadable.
    pub is_newly_unreadable: bool,
    pub changes_published: bool,
    /// True for a complete walk or a refusal.
    pub is_answer: bool,
    /// Why the run ends with this unit, if it does.
    pub stop: Option<Stop>,
}

/// The state of a unit before the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Earlier<'a> {
    pub status: Option<&'a str>,
    pub digest: Option<&'a str>,
    pub us: Option<i64>,
}

/// What an answer is judged by, besides its status.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    /// The samples of a participant. `minutes` are those of its answer, counted while the number matters; 0 for sure if
    /// it is 0.
    Quality { minutes: u64, is_counted: bool, expected_minutes: Option<i64> },
    /// The people of a list. `short_since_us` is when the first of the short answers before this one was requested.
    List { people: u64, number_of_participants: Option<i64>, is_short: bool, short_since_us: Option<i64> },
}

/// The status, the reason and whether every page was read, before the settle time is considered.
fn interpret(walk: &Walk) -> (Status, String, bool) {
    match &walk.outcome {
        Outcome::Complete if walk.end.items > 0 => (Status::Complete, ALL_READ.to_owned(), true),
        Outcome::Complete => (Status::Empty, NO_ITEMS.to_owned(), true),
        Outcome::Refused { class, response } => {
            let status = match class {
                RefusalClass::NotFound => Status::NotFound,
                RefusalClass::Forbidden => Status::Forbidden,
                RefusalClass::Unsupported => Status::Unsupported,
                RefusalClass::TooLong => Status::TooLong,
            };
            let meaning = response.code.and_then(error_codes::meaning).unwrap_or("refused by Feishu");
            let code =
                response.code.map_or_else(|| format!("HTTP {}", response.http_status), |code| format!("code {code}"));
            (status, format!("{meaning} ({code})"), false)
        }
        Outcome::Failed(error) => (Status::Failed, error_chain(error), false),
        Outcome::Faulty(fault) => (Status::Failed, error_chain(fault), false),
        Outcome::Interrupted(why) => (Status::Pending, format!("interrupted: {why}"), false),
    }
}

const ALL_READ: &str = "all pages read";
const NO_ITEMS: &str = "all pages read, no items";
const UNREADABLE: &str = "all pages read, but no item has a readable time";

/// The reason of a participant whose ID this process does not have, although it has the list.
const ID_UNKNOWN: &str = "no longer on the participant list, which alone has the ID that the request needs";
/// The digest of such an answer: it is none of Feishu's, but it counts.
const ID_UNKNOWN_DIGEST: &str = "id unknown";
/// The reason of a list that was requested for its IDs only, and refused.
pub(super) const ID_LIST_REFUSED: &str = "requested again for the IDs of its participants, and refused";

/// For the test that every reason has a Chinese form.
#[cfg(test)]
pub(crate) const REASONS: [&str; 6] = [ALL_READ, NO_ITEMS, UNREADABLE, REQUESTED_EARLY, ID_UNKNOWN, ID_LIST_REFUSED];

/// The reason of a list with fewer people than Feishu counts.
pub(crate) fn list_short_reason(number_of_participants: i64, people: u64) -> String {
    format!("Feishu counts {} and lists {people}", counted(number_of_participants.unsigned_abs(), "participant"))
}

impl UnitResult {
    pub(super) fn new(
        kind: RawKind,
        unit: &str,
        task: &MeetingTask,
        walk: Walk,
        expected: Expected,
        earlier: Earlier<'_>,
        settle: Settle,
    ) -> UnitResult {
        let meeting = &task.meeting;
        let (mut status, mut reason, whole) = interpret(&walk);
        if status == Status::TooLong && !task.window.is_over_a_day() && !walk.is_clamped {
            status = Status::Unsupported;
        }
        if status == Status::Complete
            && let Expected::Quality { minutes: 0, .. } = expected
        {
            (status, reason) = (Status::Unreadable, UNREADABLE.to_owned());
        }
        let is_answer = matches!(walk.outcome, Outcome::Complete | Outcome::Refused { .. });
        // Request times increase whatever the clock does: the later answer counts, and a refetch began before it.
        let after_us =
            earlier.us.map_or(i64::MIN, |us| us.saturating_add(1)).max(meeting.refetch_us.unwrap_or(i64::MIN));
        let requested_us = walk.requested_us.max(after_us);
        let items = match expected {
            Expected::Quality { minutes, is_counted: true, .. } if minutes > 0 => minutes,
            _ => walk.end.items,
        };
        let answer = ReceivedAnswer { status, items, requested_us, end_us: task.window.end_us() };
        let mut short_since_us = None;
        let is_final = match expected {
            Expected::Quality { expected_minutes, .. } => settle.quality_is_final(&answer, expected_minutes),
            Expected::List {
                people,
                number_of_participants: Some(number),
                is_short: true,
                short_since_us: earlier_us,
            } if whole => {
                short_since_us = Some(earlier_us.unwrap_or(requested_us));
                let is_final = settle.list_is_final(&answer, short_since_us);
                status = if is_final { Status::ListShort } else { Status::Pending };
                reason = list_short_reason(number, people);
                is_final
            }
            Expected::List { .. } => settle.list_is_final(&answer, None),
        };
        let is_recorded = is_answer || status == Status::Failed;
        let again_us = (is_recorded && !is_final).then(|| again_us(&answer, short_since_us.is_some()));
        // An unreadable answer shows at once, although an early one is requested again.
        let may_change = matches!(status, Status::Complete | Status::Empty | Status::NotFound);
        let (status, reason) = match status {
            _ if may_change && !is_final => (Status::Pending, REQUESTED_EARLY.to_owned()),
            // What is not found in a window of a day is outside of it.
            Status::NotFound if walk.is_clamped => {
                (Status::TooLong, format!("longer than a day; in a one-day window: {reason}"))
            }
            _ => (status, reason),
        };
        UnitResult {
            kind,
            unit: unit.to_owned(),
            meeting_key: meeting.meeting_key.clone(),
            meeting_date: meeting.meeting_date,
            requested_us,
            is_answer,
            // An incomplete answer always shows in coverage, and so does a first complete one.
            changes_published: !whole
                || earlier.digest != Some(walk.end.digest.as_str())
                || earlier.status != Some(status.name()),
            is_newly_unreadable: status == Status::Unreadable && earlier.status != Some(Status::Unreadable.name()),
            end: WalkEnd { whole, status, reason, is_final, again_us, short_since_us, ..walk.end },
            pages: walk.pages,
            participants: Vec::new(),
            people: 0,
            stop: walk.stop,
        }
    }

    /// A participant that cannot be requested: it stays as it is, and later runs look for it again.
    pub(super) fn id_unknown(task: &MeetingTask, participant: &PendingParticipant, now_us: i64) -> UnitResult {
        let meeting = &task.meeting;
        let requested_us = participant.last_us.map_or(now_us, |last_us| now_us.max(last_us.saturating_add(1)));
        let answer = ReceivedAnswer { status: Status::Pending, items: 0, requested_us, end_us: task.window.end_us() };
        let end = WalkEnd {
            digest: ID_UNKNOWN_DIGEST.to_owned(),
            again_us: Some(again_us(&answer, false)),
            walks: 0,
            ..WalkEnd::new(Status::Pending, ID_UNKNOWN.to_owned(), None, None)
        };
        UnitResult {
            kind: RawKind::Quality,
            unit: participant.base_key.clone(),
            meeting_key: meeting.meeting_key.clone(),
            meeting_date: meeting.meeting_date,
            requested_us,
            pages: Vec::new(),
            end,
            participants: Vec::new(),
            people: 0,
            is_newly_unreadable: false,
            changes_published: true,
            is_answer: true,
            stop: None,
        }
    }

    /// Voids the answer: the run stops for a reason that makes it worthless, and the unit will be requested again.
    pub(super) fn withdrawn(mut self, reason: &str) -> UnitResult {
        let reason = reason.to_owned();
        self.end =
            WalkEnd { whole: false, status: Status::Pending, is_final: false, reason, again_us: None, ..self.end };
        self.is_answer = false;
        self.participants.clear();
        self
    }

    pub(super) fn into_checkpoint(mut self, run_id: &str) -> Checkpoint {
        if !self.is_answer {
            self.end.digest.clear();
        }
        let answer = Answer::new(&self.end, self.requested_us);
        let meeting_key = self.meeting_key;
        let mut changes: Vec<Change> = Vec::with_capacity(self.participants.len() + 2);
        if self.kind == RawKind::Quality {
            changes.push(Change::Answered { base_key: self.unit.clone(), answer });
        } else {
            changes.extend(participant_changes(&meeting_key, self.participants));
            changes.push(Change::Listed { meeting_key, answer, people: self.people });
        }
        if self.changes_published || self.kind == RawKind::Quality {
            changes.push(Change::Dirty { meeting_date: self.meeting_date });
        }
        let UnitResult { kind, unit, requested_us, .. } = self;
        let (run_id, end) = (run_id.to_owned(), Some(self.end));
        let header = Header {
            v: RAW_VERSION,
            run_id,
            kind,
            unit,
            requested_us,
            window_us: None,
            known: Vec::new(),
            end,
            bytes: 0,
        };
        Checkpoint { header, dates: vec![self.meeting_date], pages: self.pages, changes }
    }
}

#[cfg(test)]
#[path = "unit_result_tests.rs"]
mod tests;
