//! Asking for one unit, whatever form of the question the vendor takes, and what the answer means for it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::decide::{ASKED_EARLY, Answered};
use super::recorder::Checkpoint;
use super::walk::{Outcome, Walked, walk};
use crate::ledger::{Change, PendingMeeting};
use crate::raw_log::{Header, PageRecord, RawKind, WalkEnd};
use crate::schema::Status;
use crate::schema::identity::ParticipantIdentity;
use feishu_vc::{Client, Endpoint, Page, RefusalClass, error_codes};

/// The longest window that participant_list and participant_quality_list take.
const DAY_S: i64 = 86_400;

/// The form of a meeting's window that the vendor takes, learned once a meeting and run.
#[derive(Debug, Default)]
pub(super) struct WindowForm {
    /// The end is cut to a day after the start.
    is_clamped: AtomicBool,
    /// The start is the beginning of its minute.
    is_floored: AtomicBool,
}

/// A meeting's window, in unix seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct MeetingWindow {
    pub start_s: i64,
    pub end_s: i64,
}

impl MeetingWindow {
    /// The window of a meeting; one whose end can't be read is taken to last a day, but never past now.
    pub(super) fn of(meeting: &PendingMeeting, now_us: i64) -> MeetingWindow {
        MeetingWindow::from_times(meeting.start_us, meeting.end_us, now_us)
    }

    /// The same, from the meeting's times in microseconds UTC.
    pub(super) fn from_times(start_us: i64, end_us: Option<i64>, now_us: i64) -> MeetingWindow {
        let start_s = start_us.div_euclid(1_000_000);
        let end_s = match end_us {
            Some(end_us) => end_us.div_euclid(1_000_000),
            None => (start_s + DAY_S).min(now_us.div_euclid(1_000_000)),
        };
        MeetingWindow { start_s, end_s: end_s.max(start_s) }
    }

    pub(super) fn is_over_a_day(self) -> bool {
        self.end_s - self.start_s > DAY_S
    }

    fn formed(self, is_clamped: bool, is_floored: bool) -> MeetingWindow {
        let start_s = if is_floored { self.start_s - self.start_s.rem_euclid(60) } else { self.start_s };
        let end_s = if is_clamped { self.end_s.min(start_s + DAY_S) } else { self.end_s };
        MeetingWindow { start_s, end_s }
    }
}

/// The query of a page, for a form of the window and a token.
pub(super) type FormedQuery<'a> = &'a (dyn Fn(MeetingWindow, Option<&str>) -> Vec<(&'static str, String)> + Sync);

/// Walks a list of one meeting. A window that is refused as too long is asked once more with its end clamped, a start
/// that is not found once more floored to its minute; the form that worked is remembered for the meeting.
pub(super) async fn ask(
    client: &Client,
    endpoint: Endpoint,
    window: MeetingWindow,
    form: &WindowForm,
    now_us: i64,
    query: FormedQuery<'_>,
    mut on_page: impl FnMut(&Page) + Send,
) -> Walked {
    let mut is_clamped = form.is_clamped.load(Ordering::Relaxed);
    let mut is_floored = form.is_floored.load(Ordering::Relaxed);
    let mut before: Option<Walked> = None;
    loop {
        let formed = window.formed(is_clamped, is_floored);
        let walked = walk(client, endpoint, &|token| query(formed, token), now_us, &mut on_page).await;
        let refused_with = match &walked.outcome {
            Outcome::Refused { .. } => walked.api_code,
            _ => None,
        };
        let again = match refused_with {
            Some(code) if error_codes::is_window_too_long(code) && !is_clamped && window.is_over_a_day() => {
                is_clamped = true;
                true
            }
            Some(code) if error_codes::is_meeting_not_found(code) && !is_floored && window.start_s % 60 != 0 => {
                is_floored = true;
                true
            }
            _ => false,
        };
        if again {
            before = Some(match before.take() {
                Some(before) => before.then(walked),
                None => walked,
            });
            continue;
        }
        if matches!(walked.outcome, Outcome::Whole) {
            form.is_clamped.store(is_clamped, Ordering::Relaxed);
            form.is_floored.store(is_floored, Ordering::Relaxed);
        }
        return match before {
            // The digest of the answer alone: how we came to it is no part of it.
            Some(before) => {
                let digest = walked.digest.clone();
                Walked { digest, ..before.then(walked) }
            }
            None => walked,
        };
    }
}

/// A unit that was asked, with what its answer means.
#[derive(Debug)]
pub(super) struct Finished {
    pub kind: RawKind,
    /// The meeting's key, or the participant's.
    pub unit: String,
    pub meeting_key: String,
    pub meeting_date: i32,
    pub requested_us: i64,
    pub pages: Vec<PageRecord>,
    pub end: WalkEnd,
    /// Who is on a list.
    pub participants: Vec<ParticipantIdentity>,
    /// True where the answer changes what is published.
    pub is_news: bool,
    /// True where the vendor said all it has to say of this unit: only such an answer can confirm an earlier one.
    pub is_answer: bool,
}

/// The status, the reason and the wholeness that a walk's outcome means, before settling.
pub(super) fn judged(walked: &Walked) -> (Status, String, bool) {
    match &walked.outcome {
        Outcome::Whole if walked.items > 0 => (Status::Complete, "all pages read".to_owned(), true),
        Outcome::Whole => (Status::Empty, "all pages read, nothing in them".to_owned(), true),
        Outcome::Refused { class, answer } => {
            let status = match class {
                RefusalClass::NotFound => Status::NotFound,
                RefusalClass::Forbidden => Status::Forbidden,
                RefusalClass::Unsupported => Status::Unsupported,
                RefusalClass::TooLong => Status::TooLong,
            };
            let meaning = answer.code.and_then(error_codes::meaning).unwrap_or("refused by Feishu");
            let code =
                answer.code.map_or_else(|| format!("HTTP {}", answer.http_status), |code| format!("code {code}"));
            (status, format!("{meaning} ({code})"), false)
        }
        Outcome::Failed(error) => (Status::Failed, chain(error), false),
        Outcome::Broken(fault) => (Status::Failed, chain(fault), false),
        Outcome::Cut(why) => (Status::Pending, format!("cut off: {why}"), false),
    }
}

/// An error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

/// How a unit stood before it was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Earlier<'a> {
    pub status: Option<&'a str>,
    /// Digest of the answer before, if there was one.
    pub digest: Option<&'a str>,
    /// When it was asked, microseconds UTC.
    pub us: Option<i64>,
}

impl Finished {
    /// A walk with its meaning. `samples` is how many different minutes the items make, where that was counted;
    /// `is_final` judges what the settle rule says of the answer.
    #[expect(clippy::too_many_arguments, reason = "two callers, each with all of it at hand")]
    pub(super) fn new(
        kind: RawKind,
        unit: &str,
        meeting: &PendingMeeting,
        window: MeetingWindow,
        walked: Walked,
        samples: Option<u64>,
        earlier: Earlier<'_>,
        is_final: impl FnOnce(&Answered<'_>) -> bool,
    ) -> Finished {
        let (mut status, reason, whole) = judged(&walked);
        if status == Status::TooLong && !window.is_over_a_day() {
            status = Status::Unsupported;
        }
        if status == Status::Complete && samples == Some(0) {
            status = Status::Empty;
        }
        let is_answer = matches!(walked.outcome, Outcome::Whole | Outcome::Refused { .. });
        // Times of asking grow, whatever the clock does: the later answer counts, and a refetch began before it.
        let after_us =
            earlier.us.map_or(i64::MIN, |us| us.saturating_add(1)).max(meeting.refetch_us.unwrap_or(i64::MIN));
        let requested_us = walked.requested_us.max(after_us);
        let answered = Answered {
            status,
            items: samples.unwrap_or(walked.items),
            digest: &walked.digest,
            earlier_digest: earlier.digest,
            earlier_us: earlier.us,
            requested_us,
            end_us: window.end_s * 1_000_000,
        };
        let is_final = is_final(&answered);
        let settles = matches!(status, Status::Complete | Status::Empty | Status::NotFound);
        let (status, reason) =
            if settles && !is_final { (Status::Pending, ASKED_EARLY.to_owned()) } else { (status, reason) };
        Finished {
            kind,
            unit: unit.to_owned(),
            meeting_key: meeting.meeting_key.clone(),
            meeting_date: meeting.meeting_date,
            requested_us,
            is_answer,
            // What is not whole shows in coverage, whatever it says, and so does that it is whole now.
            is_news: !whole || earlier.digest != Some(walked.digest.as_str()) || earlier.status != Some(status.name()),
            end: WalkEnd {
                whole,
                status,
                reason,
                is_final,
                api_code: walked.api_code,
                log_id: walked.log_id,
                items: walked.items,
                digest: walked.digest,
                requests: walked.requests,
                walks: walked.walks,
            },
            pages: walked.pages,
            participants: Vec::new(),
        }
    }

    /// Takes the answer back: the run stops for a reason that makes it worthless, and it will be asked again.
    pub(super) fn withdrawn(mut self, reason: &str) -> Finished {
        self.end.whole = false;
        self.end.status = Status::Pending;
        self.end.is_final = false;
        self.is_answer = false;
        self.end.reason = reason.to_owned();
        self.participants.clear();
        self
    }

    /// What is written down.
    pub(super) fn checkpoint(mut self, run_id: &str) -> Checkpoint {
        if !self.is_answer {
            // The digest of a walk that broke off must not make the next, equal-looking one final.
            self.end.digest.clear();
        }
        let end = &self.end;
        let digest = end.answer_digest();
        let mut changes: Vec<Change> = Vec::with_capacity(self.participants.len() + 2);
        match self.kind {
            RawKind::Quality => changes.push(Change::Answered {
                base_key: self.unit.clone(),
                status: end.status,
                is_final: end.is_final,
                digest,
                items: end.items,
                requested_us: self.requested_us,
            }),
            RawKind::Participants | RawKind::Meetings => {
                changes.extend(
                    self.participants
                        .into_iter()
                        .map(|identity| Change::Participant { meeting_key: self.meeting_key.clone(), identity }),
                );
                changes.push(Change::Listed {
                    meeting_key: self.meeting_key.clone(),
                    status: end.status,
                    is_final: end.is_final,
                    digest,
                    requested_us: self.requested_us,
                });
            }
        }
        if self.is_news || self.kind == RawKind::Quality {
            changes.push(Change::Dirty { meeting_date: self.meeting_date });
        }
        let header = Header {
            v: crate::raw_log::RAW_VERSION,
            run_id: run_id.to_owned(),
            kind: self.kind,
            unit: self.unit,
            requested_us: self.requested_us,
            window_us: None,
            end: Some(self.end),
            bytes: 0,
        };
        Checkpoint { raw: Some((header, vec![self.meeting_date])), pages: self.pages, changes }
    }
}
