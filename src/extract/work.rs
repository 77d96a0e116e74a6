//! The asking as a pipeline: the list of meetings, lists of participants and quality pages side by side.
//!
//! Newest meetings first, so that a window that can't be finished has its newest days. Meetings wait as a few words each;
//! participants wait in a bounded queue, which holds the lists back while quality is behind.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::crew::{Crew, Gate, work_on};
use super::decide::is_fresh;
use super::list_meetings::guessed_calls;
use super::queue::NewestFirst;
use super::recorder::RecordError;
use super::run::{Extraction, FetchScope};
use super::stop::Stop;
use super::unit::{MeetingWindow, WindowForm};
use crate::event::Event;
use crate::ledger::{PendingMeeting, PendingParticipant};
use crate::raw_log::RawKind;
use crate::schema::Status;
use feishu_vc::Endpoint;

/// Participants that wait for their quality, at most; while so many do, no more lists are asked for.
const PLACES: usize = 128;

/// A meeting under work, shared by its participants.
pub(super) struct MeetingTask {
    pub meeting: PendingMeeting,
    pub window: MeetingWindow,
    pub form: WindowForm,
    /// Participants not done yet, and one for the listing.
    open: AtomicU64,
}

/// A meeting that waits: its state is read from the ledger when its turn comes, because a window of a year has a hundred
/// thousand of them.
#[derive(Debug)]
pub(super) struct Offered {
    meeting_key: Box<str>,
    meeting_date: i32,
}

type QualityTask = (Arc<MeetingTask>, PendingParticipant);

/// The dates that have work which is not done.
#[derive(Debug, Default)]
pub(super) struct OpenDates {
    /// How many meetings, by date.
    meetings: BTreeMap<i32, u64>,
    /// True once all the meetings are known.
    is_known: bool,
}

/// What the meeting list brought, and what of it is put up for work.
#[derive(Debug)]
pub(super) struct Backlog<'q> {
    queue: &'q NewestFirst<Offered>,
    /// The keys of those that were put up while the list was being read.
    offered: HashSet<Box<str>>,
    /// The keys of all that are listed, where the run asks again for what is final.
    pub listed: HashSet<String>,
    /// Meetings of the window.
    pub meetings: u64,
    /// Pages of the list.
    pub pages: u64,
    /// Meetings whose start can't be read.
    pub unreadable: u64,
    /// Meetings that were put up.
    pub to_list: u64,
    /// Quality calls that they will take, as far as known.
    pub quality_calls_estimate: u64,
}

impl<'q> Backlog<'q> {
    fn new(queue: &'q NewestFirst<Offered>) -> Backlog<'q> {
        Backlog {
            queue,
            offered: HashSet::new(),
            listed: HashSet::new(),
            meetings: 0,
            pages: 0,
            unreadable: 0,
            to_list: 0,
            quality_calls_estimate: 0,
        }
    }
}

impl Extraction {
    /// FetchScope for everything; gives the meetings that are unreadable, and the pages of the meeting list where it was read to
    /// its end.
    pub(super) async fn ask_all(self: &Arc<Self>) -> (u64, Option<u64>) {
        let crew = Crew::new(self.settings.concurrency, self.settings.rate, self.settings.may_end_early);
        let meetings = NewestFirst::new(usize::MAX, 1);
        let participants = Arc::new(NewestFirst::new(PLACES, 1));

        let walk = async {
            let mut backlog = Backlog::new(&meetings);
            let walked = self.list_meetings(&mut backlog).await;
            let pages = walked.is_ok().then_some(backlog.pages);
            if let Err(stop) = walked.and_then(|()| Ok(self.offer_rest(&mut backlog)?)) {
                self.stop_with(stop);
            }
            meetings.done();
            (backlog.unreadable, pages)
        };
        let lists = async {
            let unit = |offered| {
                let (this, participants) = (Arc::clone(self), Arc::clone(&participants));
                async move {
                    if let Err(stop) = this.offered(offered, &participants).await {
                        this.stop_with(stop);
                    }
                    !this.is_failing(RawKind::Participants)
                }
            };
            let waiting = self.client.waiting(Endpoint::ParticipantList);
            let room = Gate { level: participants.length(), below: PLACES };
            work_on(crew, waiting, Some(room), &meetings, || self.is_stopping(), unit).await;
            participants.done();
        };
        let quality = async {
            let unit = |(task, participant): QualityTask| {
                let this = Arc::clone(self);
                async move {
                    if let Err(stop) = this.participant(&task, participant).await {
                        this.stop_with(stop);
                    }
                    this.one_done(&task);
                    !this.is_failing(RawKind::Quality)
                }
            };
            let waiting = self.client.waiting(Endpoint::ParticipantQualityList);
            work_on(crew, waiting, None, &participants, || self.is_stopping(), unit).await;
        };
        let (listed, (), ()) = tokio::join!(walk, lists, quality);
        if let Err(stop) = self.settle_gates().await {
            self.stop_with(stop);
        }
        listed
    }

    /// Puts up those of these meetings that are pending, while the list is still being read.
    pub(super) fn offer_listed(&self, backlog: &mut Backlog<'_>, keys: Vec<String>) -> Result<(), RecordError> {
        let now_us = (self.now_us)();
        for key in keys {
            // A vendor that ignores the filter lists a meeting for each number that was asked for.
            if !backlog.offered.contains(key.as_str()) && self.offer(backlog, &key, now_us)? {
                backlog.offered.insert(key.into());
            }
        }
        Ok(())
    }

    /// Puts up all the rest that the window owes, once the list is whole.
    fn offer_rest(&self, backlog: &mut Backlog<'_>) -> Result<(), RecordError> {
        let (since_us, until_us) = self.settings.window_us;
        let now_us = (self.now_us)();
        let ledger = self.recorder.ledger();
        if self.settings.refetch {
            // Once, in the ledger: a run that stops early is gone on with by one without --refetch. Meetings that the
            // vendor no longer lists stay as they are, and those that ended just now are asked as soon as they may be.
            let requested_again: HashSet<String> = (ledger.meetings(since_us, until_us)?.into_iter())
                .filter(|meeting| backlog.listed.contains(&meeting.meeting_key))
                .filter(|meeting| !is_fresh(MeetingWindow::of(meeting, now_us).end_s * 1_000_000, now_us))
                .map(|meeting| meeting.meeting_key)
                .collect();
            ledger.begin_refetch(requested_again.iter(), now_us)?;
        }
        for key in ledger.pending_meetings(since_us, until_us)? {
            if !backlog.offered.contains(key.as_str()) {
                self.offer(backlog, &key, now_us)?;
            }
        }
        self.dates().is_known = true;
        self.listener.on_event(&Event::MeetingsListed {
            meetings: backlog.meetings,
            to_list: backlog.to_list,
            quality_calls_estimate: backlog.quality_calls_estimate,
        });
        Ok(())
    }

    /// Puts up a meeting, if it owes something and is to be asked for in this run.
    fn offer(&self, backlog: &mut Backlog<'_>, meeting_key: &str, now_us: i64) -> Result<bool, RecordError> {
        let Some(meeting) = self.recorder.ledger().pending_meeting(meeting_key)? else { return Ok(false) };
        let numbers = &self.settings.meeting_nos;
        let is_asked_for = numbers.is_empty() || numbers.contains(&meeting.meeting_no);
        let window = MeetingWindow::of(&meeting, now_us);
        // What is being asked again is asked as a whole, so it may replace what is published.
        let is_frozen = meeting.refetch_us.is_none() && self.settings.lost_raw_dates.contains(&meeting.meeting_date);
        if !is_asked_for || is_frozen || is_fresh(window.end_s * 1_000_000, now_us) {
            return Ok(false);
        }
        // A list that was answered is good enough for a price; asked again so soon, an equal answer would make it
        // final before its time.
        let lists_only = self.settings.scope == FetchScope::Lists;
        if lists_only && (meeting.list_final || meeting.list_digest.is_some()) {
            return Ok(false);
        }
        backlog.to_list += 1;
        backlog.quality_calls_estimate += if lists_only {
            0
        } else if !meeting.list_final {
            guessed_calls(meeting.devices, meeting.start_us, meeting.end_us)
        } else {
            let pending = self.recorder.ledger().pending_participants(&meeting.meeting_key)?;
            pending.iter().map(quality_calls).sum()
        };
        *self.dates().meetings.entry(meeting.meeting_date).or_default() += 1;
        let offered = Offered { meeting_key: meeting_key.into(), meeting_date: meeting.meeting_date };
        backlog.queue.put(meeting.start_us, 0, offered);
        Ok(true)
    }

    /// Works on a meeting whose turn has come.
    async fn offered(self: &Arc<Self>, offered: Offered, queue: &NewestFirst<QualityTask>) -> Result<(), Stop> {
        match self.recorder.ledger().pending_meeting(&offered.meeting_key).map_err(RecordError::from)? {
            Some(meeting) => self.meeting(meeting, queue).await,
            // A plan beside this run has listed it meanwhile, and nobody was there.
            None => {
                self.dates().done(offered.meeting_date);
                Ok(())
            }
        }
    }

    /// Lists a meeting's participants, if it must be, and queues those that are pending.
    async fn meeting(self: &Arc<Self>, meeting: PendingMeeting, queue: &NewestFirst<QualityTask>) -> Result<(), Stop> {
        let window = MeetingWindow::of(&meeting, (self.now_us)());
        let task = Arc::new(MeetingTask { meeting, window, form: WindowForm::default(), open: AtomicU64::new(1) });
        let mut listed = 0;
        let is_settling = task.meeting.list_status.as_deref() == Some(Status::Pending.name());
        let was_just_listed = is_settling && self.was_just_asked(task.meeting.list_us);
        if !task.meeting.list_final && !was_just_listed {
            let finished = self.list_participants(&task).await?;
            listed = finished.participants.len() as u64;
            let failing = self.note_failures(&finished);
            self.record_list(finished).await?;
            failing?;
        }
        let pending = match self.settings.scope {
            FetchScope::Lists => Ok(Vec::new()),
            FetchScope::Everything => self.recorder.ledger().pending_participants(&task.meeting.meeting_key),
        };
        let mut pending = pending.map_err(RecordError::from)?;
        pending.retain(|participant| {
            let is_settling = participant.status == Status::Pending.name() && participant.digest.is_some();
            !(is_settling && self.was_just_asked(participant.last_us))
        });
        self.listener.on_event(&Event::MeetingListed {
            participants: listed.max(pending.len() as u64),
            to_fetch: pending.len() as u64,
            quality_calls: pending.iter().map(quality_calls).sum(),
        });
        task.open.fetch_add(pending.len() as u64, Ordering::Relaxed);
        for participant in pending {
            // A run that may end before its end keeps to newest first.
            let calls = if self.settings.may_end_early { 0 } else { quality_calls(&participant) };
            queue.push(task.meeting.start_us, calls, (Arc::clone(&task), participant)).await;
        }
        self.one_done(&task);
        Ok(())
    }

    /// True for what the run before this one asked for, where that run did not come to its end: going on with it asks for
    /// nothing twice. Only for answers that settle; what failed is asked again.
    fn was_just_asked(&self, last_us: Option<i64>) -> bool {
        let since_us = self.settings.resumed_since_us;
        !self.settings.refetch && since_us.is_some_and(|since_us| last_us.is_some_and(|last_us| last_us >= since_us))
    }

    /// One thing of a meeting is done; with the last one its date has one meeting less open.
    fn one_done(&self, task: &MeetingTask) {
        if task.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.dates().done(task.meeting.meeting_date);
        }
    }
}

impl OpenDates {
    /// The dates; `None` while not all meetings are known.
    pub(super) fn known(&self) -> Option<Vec<i32>> {
        self.is_known.then(|| self.meetings.keys().copied().collect())
    }

    /// A meeting of this date is done.
    fn done(&mut self, meeting_date: i32) {
        if let Some(count) = self.meetings.get_mut(&meeting_date) {
            *count -= 1;
            if *count == 0 {
                self.meetings.remove(&meeting_date);
            }
        }
    }
}

/// The quality calls that a participant will take, by its expected minutes.
pub(super) fn quality_calls(participant: &PendingParticipant) -> u64 {
    participant.expected_minutes.unwrap_or(1).max(1).unsigned_abs().div_ceil(100)
}
