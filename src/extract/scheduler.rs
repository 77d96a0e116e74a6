//! Runs the requests of a run as a pipeline: meeting list, participant lists and quality pages at the same time.
//!
//! Newest meetings come first, so that a window that cannot be finished has its newest days. Participants wait in a
//! bounded queue, which holds the participant lists back while quality is behind.

use std::sync::Arc;

use super::backlog::{Backlog, WaitingMeeting};
use super::commit::Committer;
use super::concurrency::{Backpressure, ConcurrencyController, process_queue};
use super::daily::{DailyOutcome, fetch_days};
use super::estimate::{count_list_calls, count_quality_calls};
use super::events::{ImportedEvents, import_events};
use super::fetch::{fetch_participants, fetch_quality};
use super::meeting_list::{ListProgress, read_meeting_list};
use super::queue::NewestFirst;
use super::settings::{Clock, Context, ExtractSettings, FetchScope};
use super::stop::{Stop, StopSignal};
use super::task::MeetingTask;
use super::unit_result::{ID_LIST_REFUSED, UnitResult};
use super::writer::{CheckpointWriter, WriteError};
use crate::event::{Event, Listener};
use crate::ledger::{Due, PendingParticipant};
use crate::raw_log::RawKind;
use crate::schema::Status;
use feishu_vc::{CancellationToken, Client, Endpoint, Reservation};

/// The maximum number of participants that wait for their quality; no more lists are requested while that many wait.
const MAX_WAITING_PARTICIPANTS: usize = 128;

type QualityTask = (Arc<MeetingTask>, PendingParticipant);

pub(crate) struct Scheduler {
    context: Arc<Context>,
    backlog: Backlog,
    committer: Committer,
    stop: StopSignal,
}

#[derive(Debug)]
pub(crate) struct Extracted {
    pub stop: Option<Stop>,
    /// Pages of the meeting list; `None` if it was not read to its end.
    pub meeting_list_pages: Option<u64>,
    /// Meetings whose start cannot be read.
    pub unreadable_meetings: u64,
    /// Units (lists, participants) that failed and are pending.
    pub failed_units: u64,
    /// What was fetched in addition to meetings.
    pub daily: DailyOutcome,
    pub events: ImportedEvents,
    /// Participants that this run found to be unreadable.
    pub unreadable_participants: u64,
}

impl Scheduler {
    /// `cancel` is the one of `client`.
    pub(crate) fn new(
        client: Client,
        cancel: CancellationToken,
        writer: CheckpointWriter,
        settings: ExtractSettings,
        listener: Arc<dyn Listener>,
        clock: Arc<Clock>,
    ) -> Scheduler {
        let context = Arc::new(Context { client, writer, settings, listener, clock });
        let committer = Committer::new(Arc::clone(&context));
        Scheduler { context, backlog: Backlog::new(), committer, stop: StopSignal::new(cancel) }
    }

    /// Dates that still have work in this run; `None` while the meeting list is read.
    pub(crate) fn open_dates(&self) -> Option<Vec<i32>> {
        self.backlog.open_dates()
    }

    pub(crate) async fn run(self: &Arc<Self>) -> Extracted {
        let participants = Arc::new(NewestFirst::new(MAX_WAITING_PARTICIPANTS, 1));
        let ((unreadable_meetings, meeting_list_pages, events), (), (), mut daily) = tokio::join!(
            self.read_list(),
            self.process_meetings(&participants),
            self.process_participants(&participants),
            self.fetch_days()
        );
        if let Err(stop) = self.committer.finish(self.stop.ends_early()).await {
            self.stop.set(stop);
        }
        Extracted {
            stop: self.stop.take().or_else(|| daily.stop.take()),
            meeting_list_pages,
            unreadable_meetings,
            failed_units: self.committer.failed_units(),
            daily,
            events,
            unreadable_participants: self.committer.unreadable_participants(),
        }
    }

    /// What is kept by day has rate limits of its own, so it is fetched in addition to meetings.
    async fn fetch_days(&self) -> DailyOutcome {
        if self.context.settings.scope == FetchScope::Lists {
            return DailyOutcome::default();
        }
        fetch_days(&self.context).await.unwrap_or_else(|stop| {
            self.stop.set(stop);
            DailyOutcome::default()
        })
    }

    /// Returns the number of unreadable meetings, and of pages if the list was read to its end.
    async fn read_list(&self) -> (u64, Option<u64>, ImportedEvents) {
        let mut progress = ListProgress::default();
        let imported = import_events(&self.context).await;
        let events = imported.as_ref().copied().unwrap_or_default();
        let read = match imported {
            Ok(_) if self.context.settings.has_window => {
                read_meeting_list(&self.context, &self.backlog, &mut progress).await
            }
            other => other.map(drop),
        };
        let pages = read.is_ok().then_some(progress.pages);
        match read.and_then(|()| Ok(self.backlog.add_rest(&self.context, &progress.keys)?)) {
            Ok(()) => {
                let (to_list, quality_calls_estimate) = self.backlog.added();
                let meetings = match self.context.settings.has_window {
                    true => progress.meetings,
                    false => events.new + events.known,
                };
                self.context.listener.on_event(&Event::MeetingsListed { meetings, to_list, quality_calls_estimate });
            }
            Err(stop) => self.stop.set(stop),
        }
        self.backlog.queue.writer_done();
        (progress.unreadable, pages, events)
    }

    async fn process_meetings(self: &Arc<Self>, participants: &Arc<NewestFirst<QualityTask>>) {
        let process = |waiting: WaitingMeeting| {
            let (this, participants) = (Arc::clone(self), Arc::clone(participants));
            async move {
                if let Err(stop) = this.process_meeting(waiting, &participants).await {
                    this.stop.set(stop);
                }
                !this.committer.is_failing(RawKind::Participants)
            }
        };
        let clock = self.context.client.effects();
        let limited = self.context.client.waiting(Endpoint::ParticipantList);
        let room = Backpressure { level: participants.length(), below: MAX_WAITING_PARTICIPANTS };
        let is_over = || self.is_over();
        process_queue(self.controller(), limited, Some(room), &self.backlog.queue, is_over, clock, process).await;
        participants.writer_done();
    }

    async fn process_participants(self: &Arc<Self>, participants: &Arc<NewestFirst<QualityTask>>) {
        let process = |(task, participant): QualityTask| {
            let this = Arc::clone(self);
            async move {
                if let Err(stop) = this.process_participant(&task, participant).await {
                    this.stop.set(stop);
                }
                this.finish_one(&task);
                !this.committer.is_failing(RawKind::Quality)
            }
        };
        let clock = self.context.client.effects();
        let limited = self.context.client.waiting(Endpoint::ParticipantQualityList);
        process_queue(self.controller(), limited, None, participants, || self.is_over(), clock, process).await;
    }

    /// True once nothing more is to be begun. What was begun within a budget is still finished.
    fn is_over(&self) -> bool {
        if let Err(why) = self.context.client.check_budget() {
            self.stop.set_if_budget(why);
            return true;
        }
        // Recording the last failure may take long; requests sent meanwhile would be wasted.
        self.stop.is_set() || self.committer.has_failed()
    }

    /// Sets the calls of a walk aside. `None`: they are not left, so the walk is not begun, because its first pages
    /// would be lost. Shorter ones may still fit.
    fn reserve(&self, calls: u64) -> Option<Reservation> {
        self.context.client.reserve(calls).map_err(|why| self.stop.set_if_budget(why)).ok()
    }

    fn controller(&self) -> ConcurrencyController {
        let settings = &self.context.settings;
        ConcurrencyController::new(settings.concurrency, settings.rate, settings.may_end_early)
    }

    /// Fetches the participant list of a meeting if needed, and queues its pending participants.
    async fn process_meeting(&self, waiting: WaitingMeeting, queue: &NewestFirst<QualityTask>) -> Result<(), Stop> {
        let (ledger, settings) = (self.context.ledger(), &self.context.settings);
        let due = Due { now_us: self.context.now_us(), in_window: waiting.in_window };
        let Some(meeting) = ledger.pending_meeting(&waiting.meeting_key, due).map_err(WriteError::from)? else {
            // A concurrent `plan` has listed it meanwhile, and it has no participants.
            self.backlog.finish_meeting(waiting.meeting_date);
            return Ok(());
        };
        let task = Arc::new(MeetingTask::new(meeting, due.now_us));
        let (mut listed, mut has_list) = (0, false);
        let for_ids = !task.meeting.list_due && self.needs_ids(&task, due)?;
        if task.meeting.list_due || for_ids {
            let Some(reserved) = self.reserve(count_list_calls(&task.meeting, task.window)) else {
                self.finish_one(&task);
                return Ok(());
            };
            let fetched = fetch_participants(&self.context, &task, Some(&reserved)).await.map_err(WriteError::from)?;
            drop(reserved);
            let mut result = self.committer.unless_interrupted(fetched).await?;
            if for_ids && !result.end.whole && result.end.status != Status::Failed {
                // The list of an earlier answer stays.
                result = result.withdrawn(ID_LIST_REFUSED);
            }
            has_list = result.end.whole;
            listed = result.participants.len() as u64;
            self.committer.commit(result).await?;
        }
        let mut pending = match settings.scope {
            FetchScope::Lists => Vec::new(),
            FetchScope::Everything => {
                ledger.due_participants(&task.meeting.meeting_key, due).map_err(WriteError::from)?
            }
        };
        let unknown: Vec<_> = pending.extract_if(.., |one| !self.context.can_request(&one.id)).collect();
        // Without a list nothing is known, and the list is pending.
        if has_list {
            for unknown in unknown {
                let now_us = self.context.now_us();
                self.committer.commit_id_unknown(UnitResult::id_unknown(&task, &unknown, now_us)).await?;
            }
        }
        self.context.listener.on_event(&Event::MeetingListed {
            participants: listed.max(pending.len() as u64),
            to_fetch: pending.len() as u64,
            quality_calls: pending.iter().map(count_quality_calls).sum(),
        });
        task.add_participants(pending.len() as u64);
        for participant in pending {
            // A run that may end early keeps to newest first, and the window's own work comes before the rest.
            let in_order = settings.may_end_early || !waiting.in_window;
            let calls = if in_order { 0 } else { count_quality_calls(&participant) };
            queue.push(waiting.order, calls, (Arc::clone(&task), participant)).await;
        }
        self.finish_one(&task);
        Ok(())
    }

    /// Whether a due participant can be requested only after the list was requested again.
    fn needs_ids(&self, task: &MeetingTask, due: Due) -> Result<bool, Stop> {
        if self.context.settings.scope == FetchScope::Lists || self.context.settings.identities.is_none() {
            return Ok(false);
        }
        let pending = self.context.ledger().due_participants(&task.meeting.meeting_key, due);
        Ok(pending.map_err(WriteError::from)?.iter().any(|one| !self.context.can_request(&one.id)))
    }

    async fn process_participant(&self, task: &MeetingTask, participant: PendingParticipant) -> Result<(), Stop> {
        // A window of more than a day is refused once, unless it is known how Feishu accepts it.
        let is_refused_once = task.window.is_over_a_day() && !task.form().is_clamped;
        let calls = count_quality_calls(&participant) + u64::from(is_refused_once);
        let Some(reserved) = self.reserve(calls) else { return Ok(()) };
        let fetched = fetch_quality(&self.context, task, &participant, Some(&reserved)).await;
        drop(reserved);
        let result = self.committer.unless_interrupted(fetched).await?;
        let (status, samples) = (result.end.status, result.end.items);
        self.context.listener.on_event(&Event::ParticipantDone { status, samples });
        self.committer.commit(result).await
    }

    fn finish_one(&self, task: &MeetingTask) {
        if task.finish_one() {
            self.backlog.finish_meeting(task.meeting.meeting_date);
        }
    }
}
