//! The meetings that wait to be fetched, newest first, and the dates that still have work in this run.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::estimate::{count_quality_calls, guess_quality_calls};
use super::finality::is_fresh;
use super::queue::NewestFirst;
use super::settings::{Context, FetchScope};
use super::window::MeetingWindow;
use super::writer::WriteError;
use crate::ledger::Due;

/// A waiting meeting. Its state is read from the ledger when its turn comes: a window of a year has a hundred thousand.
#[derive(Debug)]
pub(super) struct WaitingMeeting {
    pub meeting_key: Box<str>,
    pub meeting_date: i32,
    /// Its place in the order of the run: a later one comes first.
    pub order: i64,
    /// Whether it belongs to the run's window; else it is pending from an earlier one.
    pub in_window: bool,
}

#[derive(Debug)]
pub(super) struct Backlog {
    pub queue: NewestFirst<WaitingMeeting>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The keys of the meetings that were added while the list is read.
    keys: HashSet<Box<str>>,
    /// The number of unfinished meetings by date.
    open_meetings: BTreeMap<i32, u64>,
    is_complete: bool,
    added: u64,
    quality_calls_estimate: u64,
}

impl Backlog {
    pub(super) fn new() -> Backlog {
        Backlog { queue: NewestFirst::new(usize::MAX, 1), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of meetings added, and the quality calls that they need, as far as known.
    pub(super) fn added(&self) -> (u64, u64) {
        let state = self.state();
        (state.added, state.quality_calls_estimate)
    }

    /// Dates with unfinished meetings; `None` while the meeting list is read, because then any date may get more.
    pub(super) fn open_dates(&self) -> Option<Vec<i32>> {
        let state = self.state();
        state.is_complete.then(|| state.open_meetings.keys().copied().collect())
    }

    pub(super) fn finish_meeting(&self, meeting_date: i32) {
        let mut state = self.state();
        if let Some(count) = state.open_meetings.get_mut(&meeting_date) {
            *count -= 1;
            if *count == 0 {
                state.open_meetings.remove(&meeting_date);
            }
        }
    }

    /// Adds those of these meetings that have something to request, while the list is still being read.
    pub(super) fn add_listed(&self, context: &Context, keys: &[String]) -> Result<(), WriteError> {
        let now_us = context.now_us();
        for key in keys {
            // If Feishu ignores the filter, it lists a meeting once for each requested number.
            let is_new = !self.state().keys.contains(key.as_str());
            if is_new && self.add(context, key, Due { now_us, in_window: true })? {
                self.state().keys.insert(key.as_str().into());
            }
        }
        Ok(())
    }

    /// Adds everything else that is to be requested in the window, and outside of it unless the run is limited to its
    /// window, once the list is complete. `listed` are the keys of a refetch.
    pub(super) fn add_rest(&self, context: &Context, listed: &HashSet<String>) -> Result<(), WriteError> {
        let (since_us, until_us) = context.settings.window_us;
        let now_us = context.now_us();
        let ledger = context.ledger();
        if context.settings.refetch {
            // Recorded in the ledger, so that a run without --refetch resumes it. Meetings that Feishu no longer lists
            // stay as they are, and those that just ended are fetched as soon as possible.
            let mut meetings = ledger.meetings(since_us, until_us)?;
            meetings.retain(|meeting| {
                let window = MeetingWindow::new(meeting.start_us, meeting.end_us, now_us);
                listed.contains(&meeting.meeting_key) && !is_fresh(window.end_us(), now_us)
            });
            ledger.begin_refetch(meetings.iter().map(|meeting| &meeting.meeting_key), now_us)?;
        }
        let already_added = std::mem::take(&mut self.state().keys);
        for key in ledger.due_meetings(since_us, until_us, now_us)? {
            if !already_added.contains(key.as_str()) {
                self.add(context, &key, Due { now_us, in_window: true })?;
            }
        }
        if !context.settings.window_only {
            for key in ledger.due_meetings_outside(since_us, until_us, now_us)? {
                self.add(context, &key, Due { now_us, in_window: false })?;
            }
        }
        self.state().is_complete = true;
        Ok(())
    }

    /// Adds a meeting if it has something pending that this run fetches; false if not.
    fn add(&self, context: &Context, meeting_key: &str, due: Due) -> Result<bool, WriteError> {
        let Due { now_us, in_window } = due;
        let settings = &context.settings;
        let Some(meeting) = context.ledger().pending_meeting(meeting_key, due)? else { return Ok(false) };
        let is_selected = settings.meeting_nos.is_empty() || settings.meeting_nos.contains(&meeting.meeting_no);
        let window = MeetingWindow::new(meeting.start_us, meeting.end_us, now_us);
        // A refetch covers the whole meeting, so it may replace what is published.
        let is_lost = meeting.refetch_us.is_none() && settings.lost_raw_dates.contains(&meeting.meeting_date);
        if !is_selected || is_lost || is_fresh(window.end_us(), now_us) {
            return Ok(false);
        }
        // A fetched list is good enough for an estimate.
        let lists_only = settings.scope == FetchScope::Lists;
        if lists_only && (meeting.list_final || meeting.list_digest.is_some()) {
            return Ok(false);
        }
        let participants = context.ledger().due_participants(&meeting.meeting_key, due)?;
        if !meeting.list_due && (lists_only || participants.is_empty()) {
            return Ok(false);
        }
        let quality_calls = if lists_only {
            0
        } else if meeting.list_digest.is_none() && meeting.list_due {
            guess_quality_calls(meeting.devices, meeting.start_us, meeting.end_us)
        } else {
            participants.iter().map(count_quality_calls).fold(0, u64::saturating_add)
        };
        let mut state = self.state();
        state.added += 1;
        state.quality_calls_estimate = state.quality_calls_estimate.saturating_add(quality_calls);
        *state.open_meetings.entry(meeting.meeting_date).or_default() += 1;
        // What is pending from earlier windows comes after the window's own work.
        let order = if in_window { meeting.start_us } else { meeting.start_us.saturating_sub(i64::MAX / 2) };
        let (meeting_key, meeting_date) = (meeting_key.into(), meeting.meeting_date);
        self.queue.insert(order, 0, WaitingMeeting { meeting_key, meeting_date, order, in_window });
        Ok(true)
    }
}
