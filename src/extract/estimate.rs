//! What a window still owes, in calls: the price of the next sync.
//!
//! Owns the one pricing that `plan`, `status` and a run that stops early share. Pure but for reading the ledger: the time
//! is an argument. Promises: what is known is counted, what is guessed is marked as an estimate. A count is exact if every
//! answer is as long as expected; no pricing can know more than that.

use std::collections::BTreeSet;
use std::time::Duration;

use super::decide::{Settle, fresh_until_us, is_fresh};
use super::list_meetings::{MARGIN_BEFORE_US, MARGIN_BEHIND_US, SLICE_US, guessed_calls};
use super::unit::MeetingWindow;
use crate::ledger::{Ledger, LedgerError, MeetingState, WindowFilter};
use feishu_vc::{Endpoint, Rate};

/// Items on a full page of any of the lists.
const PAGE_ITEMS: u64 = 100;
/// The pacer keeps a hundredth below the limit.
const PACE_MARGIN: f64 = 1.01;

/// Which part of a store is to be priced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EstimateInput<'a> {
    /// Meetings that start in here, microseconds UTC, end exclusive.
    pub window_us: (i64, i64),
    /// Only these meetings; all where empty.
    pub meeting_nos: &'a [String],
    /// Price everything, also what is final.
    pub refetch: bool,
    /// Now, microseconds UTC.
    pub now_us: i64,
    /// How long an answer may still grow.
    pub settle: Settle,
}

/// A number of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub calls: u64,
    /// True where a guess is in it.
    pub is_estimate: bool,
}

impl Count {
    fn add(&mut self, calls: u64, is_estimate: bool) {
        self.calls += calls;
        self.is_estimate |= is_estimate;
    }
}

/// What can't be settled now and is asked by later runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Later {
    /// Meetings that ended less than ten minutes ago and are left alone.
    pub fresh_meetings: u64,
    /// When the last of them can be asked for, microseconds UTC.
    pub fresh_until_us: Option<i64>,
    /// Meetings within the settle time: an answer that is given now may be asked for again.
    pub settling_meetings: u64,
    /// Their participants that are pending, listed or guessed.
    pub settling_participants: u64,
    /// When the last of them is settled, microseconds UTC.
    pub settled_us: Option<i64>,
}

/// One meeting's share of the price.
#[derive(Debug, Clone, Copy)]
struct Step {
    meeting_date: i32,
    list_calls: u64,
    quality_calls: u64,
}

/// What a window owes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Estimate {
    /// Meetings that the ledger knows of the window.
    pub meetings: u64,
    /// Participants that it knows of them; duplicates are one.
    pub participants: u64,
    /// Meetings with something to ask now.
    pub meetings_pending: u64,
    /// Of those, meetings whose list of participants is to be asked.
    pub lists_pending: u64,
    /// Of those, meetings that nobody has a list of: their participants are guessed.
    pub unlisted: u64,
    /// Participants to ask for now, known ones.
    pub participants_pending: u64,
    /// Participants of the meetings without a list, guessed from their devices.
    pub participants_guessed: u64,
    /// Calls to make now, by endpoint in the order of [`Endpoint::ALL`].
    pub calls: [Count; 3],
    pub later: Later,
    /// Meeting dates that answers are still to come for.
    pub dates: BTreeSet<i32>,
    /// Newest first, as a sync asks.
    steps: Vec<Step>,
}

/// What bounds a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// At most so many calls to the three lists.
    pub calls: Option<u64>,
    /// At most so long.
    pub time: Option<Duration>,
}

/// How far a bounded run gets, newest meetings first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// True where everything fits.
    pub is_whole: bool,
    /// Meetings that are finished.
    pub meetings: u64,
    /// Calls that these take, the meeting list's included.
    pub calls: u64,
    /// The oldest date of which everything is asked; `None` where not even the newest is finished.
    pub back_to: Option<i32>,
}

impl Estimate {
    /// Prices a window by what the ledger knows. The calls to the meeting list are an estimate, unless
    /// [`Estimate::with_meeting_list`] tells of a walk.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn of(ledger: &Ledger, question: &EstimateInput<'_>) -> Result<Estimate, LedgerError> {
        let EstimateInput { window_us, meeting_nos, refetch, .. } = *question;
        let asked = WindowFilter { window_us, meeting_nos, refetch };
        let mut pending = price(&ledger.meeting_states(asked)?, question);
        (pending.meetings, pending.participants) = ledger.count_known(asked)?;
        let (mut since_us, until_us) = window_us;
        while since_us < until_us {
            let slice_until = until_us.min(since_us.saturating_add(SLICE_US));
            let asked_until = slice_until.saturating_add(MARGIN_BEHIND_US).min(question.now_us);
            let widened = (since_us.saturating_sub(MARGIN_BEFORE_US), asked_until);
            if meeting_nos.is_empty() {
                let slice = WindowFilter { window_us: widened, ..asked };
                pending.calls[MEETINGS].add(pages(ledger.count_known(slice)?.0), true);
            } else {
                pending.calls[MEETINGS].add(meeting_nos.iter().collect::<BTreeSet<_>>().len() as u64, true);
            }
            since_us = slice_until;
        }
        Ok(pending)
    }

    /// Takes the pages that a walk over the meeting list just had for the calls that the next one will take.
    #[must_use]
    pub(crate) fn with_meeting_list(mut self, pages: u64) -> Estimate {
        self.calls[MEETINGS] = Count { calls: pages, is_estimate: false };
        self
    }

    /// Calls to all three lists.
    pub(crate) fn total(&self) -> Count {
        let mut total = Count::default();
        self.calls.iter().for_each(|count| total.add(count.calls, count.is_estimate));
        total
    }

    /// How long the calls take: each list has a limit of its own and they are worked side by side, so the longest counts.
    pub(crate) fn time(&self, rate: Rate) -> Duration {
        self.calls.iter().map(|count| paced(count.calls, rate)).max().unwrap_or_default()
    }

    /// How far a run within these limits gets.
    pub(crate) fn reach(&self, limits: Limits, rate: Rate) -> Reach {
        let mut taken = [self.calls[MEETINGS].calls, 0, 0];
        let fits = |taken: &[u64; 3]| {
            limits.calls.is_none_or(|most| taken.iter().sum::<u64>() <= most)
                && limits.time.is_none_or(|most| taken.iter().all(|calls| paced(*calls, rate) <= most))
        };
        let mut reach = Reach { is_whole: fits(&taken), meetings: 0, calls: taken[MEETINGS], back_to: None };
        let mut newer = None;
        for step in self.steps.iter().take_while(|_| reach.is_whole) {
            // A date is whole once a meeting of an older one is begun.
            if newer != Some(step.meeting_date) {
                reach.back_to = newer;
                newer = Some(step.meeting_date);
            }
            taken[LISTS] += step.list_calls;
            taken[QUALITY] += step.quality_calls;
            if !fits(&taken) {
                reach.is_whole = false;
                break;
            }
            reach.meetings += 1;
            reach.calls = taken.iter().sum();
        }
        if reach.is_whole {
            reach.back_to = newer;
        }
        reach
    }
}

const MEETINGS: usize = Endpoint::MeetingList as usize;
const LISTS: usize = Endpoint::ParticipantList as usize;
const QUALITY: usize = Endpoint::ParticipantQualityList as usize;

/// How long calls to one list take at the effective pace.
pub(crate) fn paced(calls: u64, rate: Rate) -> Duration {
    let interval_s = rate.window.as_secs_f64() * PACE_MARGIN / f64::from(rate.calls.get());
    // No store owes the 10^15 calls from which on a duration would overflow; a cap keeps the arithmetic total.
    Duration::from_secs_f64((calls as f64 * interval_s).min(1e15))
}

/// Pages of so many items: an empty list takes a call too.
fn pages(items: u64) -> u64 {
    items.div_ceil(PAGE_ITEMS).max(1)
}

/// Prices meetings, newest first.
fn price(meetings: &[MeetingState], question: &EstimateInput<'_>) -> Estimate {
    let mut pending = Estimate::default();
    for meeting in meetings {
        let window = MeetingWindow::from_times(meeting.start_us, meeting.end_us, question.now_us);
        let end_us = window.end_s * 1_000_000;
        if is_fresh(end_us, question.now_us) {
            pending.later.fresh_meetings += 1;
            pending.later.fresh_until_us = pending.later.fresh_until_us.max(Some(fresh_until_us(end_us)));
            continue;
        }
        let settled_us = end_us.saturating_add(question.settle.us);
        let is_settling = question.now_us < settled_us;
        let list_is_pending = !meeting.list_final || question.refetch;
        let is_unlisted = list_is_pending && !meeting.was_listed;
        // A list that may still grow brings participants that nobody knows yet.
        let list_is_open = is_unlisted || (list_is_pending && is_settling);
        let is_long = window.is_over_a_day();

        let devices = meeting.devices.max(1).unsigned_abs();
        let guessed = if is_unlisted { devices.saturating_sub(meeting.known) } else { 0 };
        let mut list = Count::default();
        if list_is_pending {
            list.add(pages(meeting.known + guessed), is_unlisted);
            // The audience is asked for by a query of its own; how it shares the pages with the panel is not known.
            list.add(u64::from(meeting.is_webinar), meeting.is_webinar);
            // A window of more than a day is refused once, then cut.
            list.add(u64::from(is_long), is_long);
        }
        let mut quality = Count::default();
        if is_unlisted {
            quality
                .add(guessed_calls(meeting.devices, meeting.start_us, meeting.end_us).max(meeting.quality_calls), true);
        } else {
            quality.add(meeting.quality_calls, meeting.unknown_length > 0 || list_is_open);
        }
        if is_long && !list_is_pending && meeting.pending > 0 {
            quality.add(1, true);
        }

        pending.meetings_pending += 1;
        pending.lists_pending += u64::from(list_is_pending);
        pending.unlisted += u64::from(is_unlisted);
        pending.participants_pending += meeting.pending;
        pending.participants_guessed += guessed;
        pending.calls[LISTS].add(list.calls, list.is_estimate);
        pending.calls[QUALITY].add(quality.calls, quality.is_estimate);
        pending.dates.insert(meeting.meeting_date);
        pending.steps.push(Step {
            meeting_date: meeting.meeting_date,
            list_calls: list.calls,
            quality_calls: quality.calls,
        });
        if is_settling {
            pending.later.settling_meetings += 1;
            pending.later.settling_participants += meeting.pending + guessed;
            pending.later.settled_us = pending.later.settled_us.max(Some(settled_us));
        }
    }
    pending
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
