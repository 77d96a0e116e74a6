//! The asking as a pipeline: the list of meetings, then lists of participants and quality pages side by side.
//!
//! Newest meetings first, so that a window that can't be finished has its newest days. Meetings wait as a few words each;
//! participants wait in a bounded queue, which holds the lists back while quality is behind.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use super::decide::{Settle, is_fresh};
use super::gates::{IdGate, RefusalGate};
use super::items::{add_minutes, list_items};
use super::ledger::{OwedMeeting, OwedParticipant};
use super::list_meetings::{MeetingsFound, OpenDates, guessed_calls};
use super::queue::NewestFirst;
use super::raw::RawKind;
use super::recorder::{RecordError, Recorder};
use super::stop::Stop;
use super::unit::{Earlier, Finished, MeetingWindow, WindowForm, ask};
use super::walk::{Outcome, Walked};
use super::watch::{Watch, WatchEvent};
use crate::feishu::{
    Cancel, Client, Endpoint, Identity, ParticipantListRequest, QualityListRequest, UserIdType, WebinarUserRole,
};
use crate::schema::identity::{Item, ParticipantId, ParticipantIdentity};
use crate::schema::{Status, TenantZone};

/// Participants that wait for their quality, at most, for each worker.
const QUEUE_PER_WORKER: usize = 16;

/// Which of the three lists a run asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Meetings, and participants of those whose list was never answered: what a price needs to be known.
    Lists,
    /// All that is owed.
    Everything,
}

/// What a run asks for, and how.
#[derive(Debug, Clone)]
pub struct ExtractSettings {
    /// The run.
    pub run_id: String,
    /// Which lists.
    pub asks: Asks,
    /// Meetings that start in here, microseconds UTC, end exclusive.
    pub window_us: (i64, i64),
    /// Only these meetings; all where empty.
    pub meeting_nos: Vec<String>,
    /// Ask again also for what is final.
    pub refetch: bool,
    /// The tenant's zone.
    pub zone: TenantZone,
    /// Kind of user ids.
    pub user_id_type: UserIdType,
    /// How long an answer may still grow.
    pub settle: Settle,
    /// Dates that are published and whose answers are not all in the raw log: not asked for, unless asked again.
    pub frozen_dates: BTreeSet<i32>,
    /// What settles and was asked since then, microseconds UTC, was asked by the run that this one goes on with.
    pub resumed_since_us: Option<i64>,
    /// Workers for each of the two lists of a meeting.
    pub concurrency: usize,
}

/// The time now, microseconds UTC.
pub type Now = dyn Fn() -> i64 + Send + Sync;

/// A run's asking.
pub struct Extraction {
    pub(super) client: Client,
    pub(super) recorder: Recorder,
    pub(super) settings: ExtractSettings,
    pub(super) watch: Arc<dyn Watch>,
    pub(super) now_us: Arc<Now>,
    cancel: Cancel,
    stop: Mutex<Option<Stop>>,
    pub(super) refusal_gates: [RefusalGate; 2],
    pub(super) id_gate: IdGate,
    /// Of lists, and of quality: the one may answer while the other is down.
    pub(super) failures_in_row: [AtomicU32; 2],
    pub(super) failed_units: AtomicU64,
    open_dates: Mutex<OpenDates>,
}

/// What the asking came to.
#[derive(Debug)]
pub struct Extracted {
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
    /// Pages of the meeting list; `None` where the list was not read to its end.
    pub meeting_list_pages: Option<u64>,
    /// Meetings whose start can't be read.
    pub unreadable_meetings: u64,
    /// Units (lists, participants) that failed and are owed.
    pub failed_units: u64,
}

/// A meeting under work, shared by its participants.
struct MeetingTask {
    meeting: OwedMeeting,
    window: MeetingWindow,
    form: WindowForm,
    /// Participants not done yet, and one for the listing.
    open: AtomicU64,
}

type QualityTask = (Arc<MeetingTask>, OwedParticipant);

impl Extraction {
    /// Everything an asking needs. `cancel` is the switch of `client`: thrown by the user, or here when the run must end.
    pub fn new(
        client: Client,
        cancel: Cancel,
        recorder: Recorder,
        settings: ExtractSettings,
        watch: Arc<dyn Watch>,
        now_us: Arc<Now>,
    ) -> Extraction {
        Extraction {
            client,
            recorder,
            settings,
            watch,
            now_us,
            cancel,
            stop: Mutex::new(None),
            refusal_gates: Default::default(),
            id_gate: IdGate::default(),
            failures_in_row: Default::default(),
            failed_units: AtomicU64::new(0),
            open_dates: Mutex::new(OpenDates::new()),
        }
    }

    /// Dates that still have work in this run.
    pub fn open_dates(&self) -> Vec<i32> {
        self.dates().keys().copied().collect()
    }

    fn dates(&self) -> MutexGuard<'_, OpenDates> {
        self.open_dates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for everything the window owes.
    pub async fn run(self: &Arc<Self>) -> Extracted {
        let (mut unreadable_meetings, mut meeting_list_pages) = (0, None);
        match self.list_meetings().await {
            Ok(found) => {
                unreadable_meetings = found.unreadable;
                meeting_list_pages = Some(found.pages);
                match self.owed(&found) {
                    Ok(tasks) => self.work(tasks).await,
                    Err(error) => self.stop_with(error.into()),
                }
            }
            Err(stop) => self.stop_with(stop),
        }
        Extracted {
            stop: self.take_stop(),
            meeting_list_pages,
            unreadable_meetings,
            failed_units: self.failed_units.load(Ordering::Relaxed),
        }
    }

    /// The meetings to work on, newest first.
    fn owed(&self, found: &MeetingsFound) -> Result<VecDeque<OwedMeeting>, RecordError> {
        let (since_us, until_us) = self.settings.window_us;
        let now_us = (self.now_us)();
        if self.settings.refetch {
            // Once, in the ledger: a run that stops early is gone on with by one without --refetch. Meetings that the
            // vendor no longer lists stay as they are, and those that ended just now are asked as soon as they may be.
            let ledger = self.recorder.ledger();
            let asked_again: HashSet<String> = (ledger.meetings(since_us, until_us)?.into_iter())
                .filter(|meeting| found.listed.contains(&meeting.meeting_key))
                .filter(|meeting| !is_fresh(MeetingWindow::of(meeting, now_us).end_s * 1_000_000, now_us))
                .map(|meeting| meeting.meeting_key)
                .collect();
            ledger.begin_refetch(asked_again.iter(), now_us)?;
        }
        let mut tasks = VecDeque::new();
        let (mut to_list, mut quality_calls_estimate) = (0, 0);
        for meeting in self.recorder.ledger().owed_meetings(since_us, until_us)? {
            let numbers = &self.settings.meeting_nos;
            let is_asked_for = numbers.is_empty() || numbers.contains(&meeting.meeting_no);
            let window = MeetingWindow::of(&meeting, now_us);
            // What is being asked again is asked as a whole, so it may replace what is published.
            let is_frozen = meeting.refetch_us.is_none() && self.settings.frozen_dates.contains(&meeting.meeting_date);
            if !is_asked_for || is_frozen || is_fresh(window.end_s * 1_000_000, now_us) {
                continue;
            }
            // A list that was answered is good enough for a price; asked again so soon, an equal answer would make it
            // final before its time.
            if self.settings.asks == Asks::Lists && (meeting.list_final || meeting.list_digest.is_some()) {
                continue;
            }
            to_list += 1;
            if self.settings.asks == Asks::Lists {
                // No quality is asked.
            } else if !meeting.list_final {
                quality_calls_estimate += guessed_calls(meeting.devices, meeting.start_us, meeting.end_us);
            } else {
                let owed = self.recorder.ledger().owed_participants(&meeting.meeting_key)?;
                quality_calls_estimate += owed.iter().map(quality_calls).sum::<u64>();
            }
            *self.dates().entry(meeting.meeting_date).or_default() += 1;
            tasks.push_back(meeting);
        }
        let meetings = found.meetings;
        self.watch.event(WatchEvent::MeetingsListed { meetings, to_list, quality_calls_estimate });
        Ok(tasks)
    }

    /// Works on all meetings with a fixed number of workers for each of the two lists.
    async fn work(self: &Arc<Self>, tasks: VecDeque<OwedMeeting>) {
        let workers = self.settings.concurrency.max(1);
        let tasks = Arc::new(Mutex::new(tasks));
        let queue = Arc::new(NewestFirst::new(workers * QUEUE_PER_WORKER, workers));
        let mut set = JoinSet::new();
        for _ in 0..workers {
            let (this, tasks, filled) = (Arc::clone(self), Arc::clone(&tasks), Arc::clone(&queue));
            set.spawn(async move {
                while !this.is_stopping() {
                    let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(meeting) = next else { break };
                    if let Err(stop) = this.meeting(meeting, &filled).await {
                        this.stop_with(stop);
                    }
                }
                filled.done();
            });
            let (this, waiting) = (Arc::clone(self), Arc::clone(&queue));
            set.spawn(async move {
                while let Some((task, participant)) = waiting.pop().await {
                    // After a stop the queue is still emptied, so that no list worker waits for a place in it.
                    if this.is_stopping() {
                        continue;
                    }
                    if let Err(stop) = this.participant(&task, participant).await {
                        this.stop_with(stop);
                    }
                    this.one_done(&task);
                }
            });
        }
        while let Some(ended) = set.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
        if let Err(stop) = self.settle_gates().await {
            self.stop_with(stop);
        }
    }

    /// Lists a meeting's participants, if it must be, and queues those that are owed.
    async fn meeting(self: &Arc<Self>, meeting: OwedMeeting, queue: &NewestFirst<QualityTask>) -> Result<(), Stop> {
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
        let owed = match self.settings.asks {
            Asks::Lists => Ok(Vec::new()),
            Asks::Everything => self.recorder.ledger().owed_participants(&task.meeting.meeting_key),
        };
        let mut owed = owed.map_err(RecordError::from)?;
        owed.retain(|participant| {
            let is_settling = participant.status == Status::Pending.name() && participant.digest.is_some();
            !(is_settling && self.was_just_asked(participant.last_us))
        });
        self.watch.event(WatchEvent::MeetingListed {
            participants: listed.max(owed.len() as u64),
            to_ask: owed.len() as u64,
            quality_calls: owed.iter().map(quality_calls).sum(),
        });
        task.open.fetch_add(owed.len() as u64, Ordering::Relaxed);
        for participant in owed {
            queue.push(task.meeting.start_us, (Arc::clone(&task), participant)).await;
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
            let mut dates = self.dates();
            if let Some(count) = dates.get_mut(&task.meeting.meeting_date) {
                *count -= 1;
                if *count == 0 {
                    dates.remove(&task.meeting.meeting_date);
                }
            }
        }
    }

    /// Walks the participant list of a meeting; a webinar's audience is a second walk of the same unit.
    async fn list_participants(&self, task: &MeetingTask) -> Result<Finished, Stop> {
        let meeting = &task.meeting;
        let mut participants = Vec::new();
        let mut seen = HashSet::new();
        let mut walked = self.walk_participants(task, None, &mut participants, &mut seen).await;
        // A list that stops short of the audience is published as far as it goes; its status says what is missing.
        let mut panel_is_whole = false;
        if matches!(walked.outcome, Outcome::Whole) && meeting.is_webinar {
            panel_is_whole = true;
            let audience =
                self.walk_participants(task, Some(WebinarUserRole::Audience), &mut participants, &mut seen).await;
            walked = walked.then(audience);
        }
        let settle = self.settings.settle;
        let earlier = Earlier {
            status: meeting.list_status.as_deref(),
            digest: meeting.list_digest.as_deref(),
            us: meeting.list_us,
        };
        let stop = walked.stop.take();
        let mut finished = Finished::new(
            RawKind::Participants,
            &meeting.meeting_key,
            meeting,
            task.window,
            walked,
            None,
            earlier,
            |answered| settle.list_is_final(answered),
        );
        let is_whole = finished.end.whole;
        finished.end.whole |= panel_is_whole;
        if !is_whole && panel_is_whole {
            finished.end.reason = format!("the webinar's audience could not be listed: {}", finished.end.reason);
        }
        if finished.end.whole {
            finished.participants = participants;
        }
        match stop {
            Some(stop) if finished.pages.is_empty() => Err(stop),
            Some(stop) => {
                self.write(finished).await?;
                Err(stop)
            }
            None => Ok(finished),
        }
    }

    async fn walk_participants(
        &self,
        task: &MeetingTask,
        role: Option<WebinarUserRole>,
        participants: &mut Vec<ParticipantIdentity>,
        seen: &mut HashSet<String>,
    ) -> Walked {
        let (meeting, kind) = (&task.meeting, self.settings.user_id_type);
        let zone = &self.settings.zone;
        let query = |window: MeetingWindow, token: Option<&str>| {
            let mut request =
                ParticipantListRequest::new(window.start_s, window.end_s, meeting.meeting_no.clone(), kind);
            request.webinar_user_role = role;
            request.query(token)
        };
        let endpoint = Endpoint::ParticipantList;
        ask(&self.client, endpoint, task.window, &task.form, (self.now_us)(), &query, |page| {
            for item in list_items(&page.body, endpoint.list_key()) {
                let empty = Item::new();
                let item = item.as_object().unwrap_or(&empty);
                let identity = ParticipantIdentity::of(item, &meeting.meeting_key, zone);
                if seen.insert(identity.base_key.clone()) {
                    participants.push(identity);
                }
            }
        })
        .await
    }

    /// Walks the quality of a participant.
    async fn participant(&self, task: &MeetingTask, participant: OwedParticipant) -> Result<(), Stop> {
        let (meeting, kind) = (&task.meeting, self.settings.user_id_type);
        let identity = match &participant.id {
            ParticipantId::User(id) => Identity::User(id.clone()),
            ParticipantId::Room(id) => Identity::Room(id.clone()),
        };
        let query = |window: MeetingWindow, token: Option<&str>| {
            let request = QualityListRequest {
                meeting_start_time: window.start_s,
                meeting_end_time: window.end_s,
                meeting_no: meeting.meeting_no.clone(),
                join_time: participant.join_s,
                participant: identity.clone(),
                user_id_type: kind,
            };
            request.query(token)
        };
        let endpoint = Endpoint::ParticipantQualityList;
        // How many minutes an answer has matters only while it may still grow.
        let now_us = (self.now_us)();
        let grows = now_us < (task.window.end_s * 1_000_000).saturating_add(self.settings.settle.us);
        let mut minutes = HashSet::new();
        let mut walked = ask(&self.client, endpoint, task.window, &task.form, now_us, &query, |page| {
            if grows {
                add_minutes(&page.body, endpoint.list_key(), &mut minutes);
            }
        })
        .await;
        let stop = match walked.stop.take() {
            // Nothing was answered: nothing is to be written down.
            Some(stop) if walked.pages.is_empty() => return Err(stop),
            stop => stop,
        };
        let settle = self.settings.settle;
        let finished = Finished::new(
            RawKind::Quality,
            &participant.base_key,
            meeting,
            task.window,
            walked,
            grows.then_some(minutes.len() as u64),
            Earlier {
                status: Some(&participant.status),
                digest: participant.digest.as_deref(),
                us: participant.last_us,
            },
            |answered| settle.quality_is_final(answered, participant.expected_minutes),
        );
        if let Some(stop) = stop {
            self.write(finished).await?;
            return Err(stop);
        }
        let (status, samples) = (finished.end.status, finished.end.items);
        self.watch.event(WatchEvent::ParticipantDone { status, samples });
        let failing = self.note_failures(&finished);
        self.record_quality(finished).await?;
        failing
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Ends the run for this reason; the first reason counts.
    fn stop_with(&self, stop: Stop) {
        // Set before the switch is thrown, so that the others' "cancelled" comes second. Of a recorder that stopped, one
        // worker is told the cause, and not always the first.
        let mut first = self.lock_stop();
        match &*first {
            None | Some(Stop::Record(RecordError::Stopped)) => *first = Some(stop),
            Some(_) => {}
        }
        drop(first);
        self.cancel.cancel();
    }

    fn take_stop(&self) -> Option<Stop> {
        match self.lock_stop().take() {
            None if self.cancel.is_cancelled() => Some(Stop::Cancelled),
            stop => stop,
        }
    }

    fn lock_stop(&self) -> MutexGuard<'_, Option<Stop>> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The quality calls that a participant will take, by its expected minutes.
pub(super) fn quality_calls(participant: &OwedParticipant) -> u64 {
    participant.expected_minutes.unwrap_or(1).max(1).unsigned_abs().div_ceil(100)
}
