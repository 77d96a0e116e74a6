//! What a run asks for, and how it asks for one unit: a meeting's list, a participant's quality.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::decide::Settle;
use super::gates::{MissingIdDetector, RefusalDetector};
use super::items::{add_minutes, parse_items};
use super::recorder::{RecordError, Recorder};
use super::stop::Stop;
use super::unit::{Earlier, Finished, MeetingWindow, ask};
use super::walk::{Outcome, Walked};
use super::work::{MeetingTask, OpenDates};
use crate::event::{Event, Listener};
use crate::ledger::PendingParticipant;
use crate::raw_log::RawKind;
use crate::schema::TenantZone;
use crate::schema::identity::{Item, ParticipantId, ParticipantIdentity};
use feishu_vc::{
    CancellationToken, Client, Endpoint, Identity, ParticipantListRequest, QualityListRequest, Rate, UserIdType,
    WebinarUserRole,
};

/// Which of the three lists a run asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchScope {
    /// Meetings, and participants of those whose list was never answered: what a price needs to be known.
    Lists,
    /// All that is pending.
    Everything,
}

/// What a run asks for, and how.
#[derive(Debug, Clone)]
pub(crate) struct ExtractSettings {
    pub run_id: String,
    pub scope: FetchScope,
    /// Meetings that start in here, microseconds UTC, end exclusive.
    pub window_us: (i64, i64),
    /// Only these meetings; all where empty.
    pub meeting_nos: Vec<String>,
    /// Ask again also for what is final.
    pub refetch: bool,
    pub zone: TenantZone,
    /// Kind of user ids.
    pub user_id_type: UserIdType,
    /// How long an answer may still grow.
    pub settle: Settle,
    /// Dates that are published and whose answers are not all in the raw log: not asked for, unless asked again.
    pub lost_raw_dates: BTreeSet<i32>,
    /// What settles and was asked since then, microseconds UTC, was asked by the run that this one goes on with.
    pub resumed_since_us: Option<i64>,
    /// Most units under way to one endpoint.
    pub concurrency: usize,
    /// The pace of each endpoint.
    pub rate: Rate,
    /// True where a budget of calls or of time may end the run before everything is asked.
    pub may_end_early: bool,
}

impl ExtractSettings {
    /// Whether the meeting list is read to its end before anything else is asked: where it shows only then which meetings
    /// are the newest, or which are to be asked again.
    pub(super) fn list_is_first(&self) -> bool {
        self.refetch || self.may_end_early
    }
}

/// The time now, microseconds UTC.
pub(super) type Now = dyn Fn() -> i64 + Send + Sync;

pub(crate) struct Extraction {
    pub(super) client: Client,
    pub(super) recorder: Recorder,
    pub(super) settings: ExtractSettings,
    pub(super) listener: Arc<dyn Listener>,
    pub(super) now_us: Arc<Now>,
    cancel: CancellationToken,
    stop: Mutex<Option<Stop>>,
    pub(super) refusal_detectors: [RefusalDetector; 2],
    pub(super) missing_id_detector: MissingIdDetector,
    /// Of lists, and of quality: the one may answer while the other is down.
    pub(super) failures_in_row: [AtomicU32; 2],
    pub(super) failed_units: AtomicU64,
    open_dates: Mutex<OpenDates>,
}

/// What the asking came to.
#[derive(Debug)]
pub(crate) struct Extracted {
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
    /// Pages of the meeting list; `None` where the list was not read to its end.
    pub meeting_list_pages: Option<u64>,
    /// Meetings whose start can't be read.
    pub unreadable_meetings: u64,
    /// Units (lists, participants) that failed and are pending.
    pub failed_units: u64,
}

impl Extraction {
    /// Everything an asking needs. `cancel` is the switch of `client`: thrown by the user, or here when the run must end.
    pub(crate) fn new(
        client: Client,
        cancel: CancellationToken,
        recorder: Recorder,
        settings: ExtractSettings,
        listener: Arc<dyn Listener>,
        now_us: Arc<Now>,
    ) -> Extraction {
        Extraction {
            client,
            recorder,
            settings,
            listener,
            now_us,
            cancel,
            stop: Mutex::new(None),
            refusal_detectors: Default::default(),
            missing_id_detector: MissingIdDetector::default(),
            failures_in_row: Default::default(),
            failed_units: AtomicU64::new(0),
            open_dates: Mutex::default(),
        }
    }

    /// Dates that still have work in this run; `None` while the meeting list is being read, when nobody knows.
    pub(crate) fn open_dates(&self) -> Option<Vec<i32>> {
        self.dates().known()
    }

    pub(super) fn dates(&self) -> MutexGuard<'_, OpenDates> {
        self.open_dates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// FetchScope for everything the window owes.
    pub(crate) async fn run(self: &Arc<Self>) -> Extracted {
        let (unreadable_meetings, meeting_list_pages) = self.ask_all().await;
        Extracted {
            stop: self.take_stop(),
            meeting_list_pages,
            unreadable_meetings,
            failed_units: self.failed_units.load(Ordering::Relaxed),
        }
    }

    /// Walks the participant list of a meeting; a webinar's audience is a second walk of the same unit.
    pub(super) async fn list_participants(&self, task: &MeetingTask) -> Result<Finished, Stop> {
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
            for item in parse_items(page.list_json()) {
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
    pub(super) async fn participant(&self, task: &MeetingTask, participant: PendingParticipant) -> Result<(), Stop> {
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
                add_minutes(page.list_json(), &mut minutes);
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
        self.listener.on_event(&Event::ParticipantDone { status, samples });
        let failing = self.note_failures(&finished);
        self.record_quality(finished).await?;
        failing
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Ends the run for this reason; the first reason counts.
    pub(super) fn stop_with(&self, stop: Stop) {
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
