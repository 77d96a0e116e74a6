//! The answer for one unit (a participant list, or a participant's quality), and what it means.

use super::finality::{REQUESTED_EARLY, ReceivedAnswer};
use super::stop::Stop;
use super::task::MeetingTask;
use super::walk::{Outcome, Walk};
use super::writer::Checkpoint;
use crate::ledger::{Answer, Change};
use crate::raw_log::{Header, PageRecord, RAW_VERSION, RawKind, WalkEnd};
use crate::schema::Status;
use crate::schema::identity::ParticipantIdentity;
use crate::text::error_chain;
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
    pub participants: Vec<ParticipantIdentity>,
    pub changes_published: bool,
    /// True for a complete walk or a refusal: only such an answer can confirm an earlier one.
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

/// The status, the reason and whether every page was read, before the settle time is considered.
fn interpret(walk: &Walk) -> (Status, String, bool) {
    match &walk.outcome {
        Outcome::Complete if walk.end.items > 0 => (Status::Complete, "all pages read".to_owned(), true),
        Outcome::Complete => (Status::Empty, "all pages read, no items".to_owned(), true),
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

impl UnitResult {
    /// `samples` is the number of distinct minutes among the items, if they were counted; `is_final` decides whether
    /// the answer can still change.
    pub(super) fn new(
        kind: RawKind,
        unit: &str,
        task: &MeetingTask,
        walk: Walk,
        samples: Option<u64>,
        earlier: Earlier<'_>,
        is_final: impl FnOnce(&ReceivedAnswer<'_>) -> bool,
    ) -> UnitResult {
        let meeting = &task.meeting;
        let (mut status, reason, whole) = interpret(&walk);
        if status == Status::TooLong && !task.window.is_over_a_day() && !walk.is_clamped {
            status = Status::Unsupported;
        }
        if status == Status::Complete && samples == Some(0) {
            status = Status::Empty;
        }
        let is_answer = matches!(walk.outcome, Outcome::Complete | Outcome::Refused { .. });
        // Request times increase whatever the clock does: the later answer counts, and a refetch began before it.
        let after_us =
            earlier.us.map_or(i64::MIN, |us| us.saturating_add(1)).max(meeting.refetch_us.unwrap_or(i64::MIN));
        let requested_us = walk.requested_us.max(after_us);
        let is_final = is_final(&ReceivedAnswer {
            status,
            items: samples.unwrap_or(walk.end.items),
            digest: &walk.end.digest,
            earlier_digest: earlier.digest,
            earlier_us: earlier.us,
            requested_us,
            end_us: task.window.end_us(),
        });
        let may_change = matches!(status, Status::Complete | Status::Empty | Status::NotFound);
        let (status, reason) = match status {
            _ if may_change && !is_final => (Status::Pending, REQUESTED_EARLY.to_owned()),
            // What is not found in a window of a day is outside of it.
            Status::NotFound if walk.is_clamped => {
                (Status::TooLong, format!("longer than a day, and in a window of a day: {reason}"))
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
            end: WalkEnd { whole, status, reason, is_final, ..walk.end },
            pages: walk.pages,
            participants: Vec::new(),
            stop: walk.stop,
        }
    }

    /// Voids the answer: the run stops for a reason that makes it worthless, and the unit will be requested again.
    pub(super) fn withdrawn(mut self, reason: &str) -> UnitResult {
        let reason = reason.to_owned();
        self.end = WalkEnd { whole: false, status: Status::Pending, is_final: false, reason, ..self.end };
        self.is_answer = false;
        self.participants.clear();
        self
    }

    pub(super) fn into_checkpoint(mut self, run_id: &str) -> Checkpoint {
        if !self.is_answer {
            // The digest of an incomplete walk must not confirm the next, equal-looking one.
            self.end.digest.clear();
        }
        let answer = Answer::new(&self.end, self.requested_us);
        let meeting_key = self.meeting_key;
        let mut changes: Vec<Change> = Vec::with_capacity(self.participants.len() + 2);
        if self.kind == RawKind::Quality {
            changes.push(Change::Answered { base_key: self.unit.clone(), answer });
        } else {
            let key = || meeting_key.clone();
            let participants = self.participants.into_iter();
            changes.extend(participants.map(|identity| Change::Participant { meeting_key: key(), identity }));
            changes.push(Change::Listed { meeting_key, answer });
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
