//! What the next sync of a window would cost, in calls.
//!
//! Shared by `plan`, `status` and a run that stops early. Reads only the ledger; the time is an argument. What is known
//! is counted, and what is guessed is marked as an estimate. A count is exact if every answer is as long as expected.

use std::collections::BTreeSet;
use std::time::Duration;

use super::finality::{Settle, fresh_until_us, is_fresh};
use super::window::{MeetingWindow, list_slices};
use crate::ledger::{Ledger, LedgerError, MeetingState, PendingMeeting, PendingParticipant, WindowFilter};
use feishu_vc::{Endpoint, Rate};

/// Items on a full page of any of the lists.
const PAGE_ITEMS: u64 = 100;
/// The limiter stays one percent below the rate limit.
const RATE_MARGIN: f64 = 1.01;

#[derive(Debug, Clone, Copy)]
pub(crate) struct EstimateInput<'a> {
    pub filter: WindowFilter<'a>,
    pub now_us: i64,
    pub settle: Settle,
    pub longest_meeting: Duration,
    /// Whether the ID of a person is known only after the list of the meeting was requested by the same process.
    pub lists_for_ids: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub calls: u64,
    /// True if the number contains a guess.
    pub is_estimate: bool,
}

impl Count {
    fn add(&mut self, calls: u64, is_estimate: bool) {
        self.calls += calls;
        self.is_estimate |= is_estimate;
    }
}

/// What later runs must fetch, whatever this one does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Later {
    /// Meetings that ended less than ten minutes ago.
    pub fresh_meetings: u64,
    /// When the last of them can be fetched, microseconds UTC.
    pub fresh_until_us: Option<i64>,
    /// Meetings within the settle time: their answers may have to be fetched again.
    pub unstable_meetings: u64,
    /// Their pending participants, listed or guessed.
    pub unstable_participants: u64,
    /// When the last of them is stable, microseconds UTC.
    pub stable_us: Option<i64>,
    /// Participants and lists that are pending, but were requested too recently.
    pub waiting_units: u64,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    meeting_date: i32,
    list_calls: u64,
    quality_calls: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Estimate {
    pub meetings: u64,
    /// Known participants of these; duplicates count once.
    pub participants: u64,
    /// Meetings with something to fetch now.
    pub meetings_pending: u64,
    /// Of these, meetings whose participant list must be fetched, perhaps only for the IDs.
    pub lists_pending: u64,
    /// Of these, meetings without any list: their participants are guessed.
    pub unlisted: u64,
    /// Known participants to fetch now.
    pub participants_pending: u64,
    /// Participants of meetings without a list, guessed from the number of devices.
    pub participants_guessed: u64,
    /// Calls to make now, by endpoint in the order of [`Endpoint::LISTS`].
    pub calls: [Count; 3],
    pub later: Later,
    pub dates: BTreeSet<i32>,
    /// Newest first, in the order of a sync.
    steps: Vec<Step>,
}

/// The limits of a run; `None` for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub calls: Option<u64>,
    pub time: Option<Duration>,
}

/// How far a run within limits gets, newest meetings first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    pub is_whole: bool,
    pub meetings: u64,
    /// Calls for these, including the meeting list.
    pub calls: u64,
    /// The oldest date that is finished; `None` if not even the newest is.
    pub back_to: Option<i32>,
}

impl Estimate {
    /// From what the ledger knows. The calls to the meeting list are a guess until [`Estimate::with_meeting_list`] is
    /// called.
    pub(crate) fn new(ledger: &Ledger, input: &EstimateInput<'_>) -> Result<Estimate, LedgerError> {
        let EstimateInput { filter, now_us, longest_meeting, .. } = *input;
        let longest_meeting_us = i64::try_from(longest_meeting.as_micros()).unwrap_or(i64::MAX);
        let mut estimate = estimate_meetings(&ledger.meeting_states(filter, now_us)?, input);
        (estimate.meetings, estimate.participants) = ledger.count_known(filter)?;
        for slice in list_slices(filter.window_us, longest_meeting_us, now_us) {
            let calls = if filter.meeting_nos.is_empty() {
                count_pages(ledger.count_known(WindowFilter { window_us: slice.requested_us, ..filter })?.0)
            } else {
                filter.meeting_nos.iter().collect::<BTreeSet<_>>().len() as u64
            };
            estimate.calls[MEETINGS].add(calls, true);
        }
        Ok(estimate)
    }

    /// Sets the calls to the meeting list to the pages that a walk over it just had.
    #[must_use]
    pub(crate) fn with_meeting_list(mut self, pages: u64) -> Estimate {
        self.calls[MEETINGS] = Count { calls: pages, is_estimate: false };
        self
    }

    pub(crate) fn total(&self) -> Count {
        let mut total = Count::default();
        self.calls.iter().for_each(|count| total.add(count.calls, count.is_estimate));
        total
    }

    /// How long the calls take. Each list has its own rate limit and all run at the same time, so the longest counts.
    pub(crate) fn time(&self, rate: Rate) -> Duration {
        self.calls.iter().map(|count| paced(count.calls, rate)).max().unwrap_or_default()
    }

    pub(crate) fn reach(&self, limits: Limits, rate: Rate) -> Reach {
        let mut taken = [self.calls[MEETINGS].calls, 0, 0];
        let fits = |taken: &[u64; 3]| {
            limits.calls.is_none_or(|most| taken.iter().sum::<u64>() <= most)
                && limits.time.is_none_or(|most| taken.iter().all(|calls| paced(*calls, rate) <= most))
        };
        let mut reach = Reach { is_whole: fits(&taken), meetings: 0, calls: taken[MEETINGS], back_to: None };
        let mut newer = None;
        for step in self.steps.iter().take_while(|_| reach.is_whole) {
            // A date is finished once a meeting of an older one starts.
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

/// How long calls to one list take at the effective rate.
pub(crate) fn paced(calls: u64, rate: Rate) -> Duration {
    let interval_s = rate.window.as_secs_f64() * RATE_MARGIN / f64::from(rate.calls.get());
    // Clamped, because a duration would overflow at about 10^15 calls.
    Duration::from_secs_f64((calls as f64 * interval_s).min(1e15))
}

/// An empty list takes a call too.
fn count_pages(items: u64) -> u64 {
    items.div_ceil(PAGE_ITEMS).max(1)
}

/// The quality calls for a participant, from its expected minutes.
pub(super) fn count_quality_calls(participant: &PendingParticipant) -> u64 {
    participant.expected_minutes.unwrap_or(1).max(1).unsigned_abs().div_ceil(PAGE_ITEMS)
}

/// The calls to list the participants of a meeting, estimated from the meeting list.
pub(super) fn count_list_calls(meeting: &PendingMeeting, window: MeetingWindow) -> u64 {
    let pages = count_pages(meeting.devices.max(1).unsigned_abs());
    pages + u64::from(meeting.is_webinar) + u64::from(window.is_over_a_day())
}

/// The quality calls for a meeting, estimated from the meeting list.
pub(super) fn guess_quality_calls(devices: i64, start_us: i64, end_us: Option<i64>) -> u64 {
    let minutes = end_us.map_or(0, |end_us| (end_us - start_us).max(0) / 60_000_000);
    let pages_each = minutes.max(1).unsigned_abs().div_ceil(PAGE_ITEMS);
    devices.max(1).unsigned_abs().saturating_mul(pages_each)
}

/// `meetings` are newest first.
fn estimate_meetings(meetings: &[MeetingState], input: &EstimateInput<'_>) -> Estimate {
    let mut estimate = Estimate::default();
    for meeting in meetings {
        let window = MeetingWindow::new(meeting.start_us, meeting.end_us, input.now_us);
        let end_us = window.end_us();
        if is_fresh(end_us, input.now_us) {
            estimate.later.fresh_meetings += 1;
            estimate.later.fresh_until_us = estimate.later.fresh_until_us.max(Some(fresh_until_us(end_us)));
            continue;
        }
        let stable_us = input.settle.stable_us(end_us);
        let is_unstable = input.now_us < stable_us;
        let list_is_pending = meeting.list_due;
        let list_waits = !meeting.list_final && !meeting.list_due;
        let is_unlisted = list_is_pending && !meeting.was_listed;
        // A list that may still grow can bring unknown participants.
        let list_is_open = is_unlisted || ((list_is_pending || list_waits) && is_unstable);
        let is_long = window.is_over_a_day();

        let devices = meeting.devices.max(1).unsigned_abs();
        let guessed = if is_unlisted { devices.saturating_sub(meeting.known) } else { 0 };
        // Another meeting may have the same people: then their IDs are known without the list.
        let for_ids = input.lists_for_ids && !list_is_pending && meeting.pending_people > 0;
        let mut list = Count::default();
        if for_ids {
            list.add(count_pages(meeting.known), true);
            list.add(u64::from(meeting.is_webinar), meeting.is_webinar);
            list.add(u64::from(is_long), is_long);
        }
        if list_is_pending {
            list.add(count_pages(meeting.known + guessed), is_unlisted);
            // The audience has its own query; how the pages are divided between audience and panel is unknown.
            list.add(u64::from(meeting.is_webinar), meeting.is_webinar);
            // A window of more than a day is refused once, then clamped.
            list.add(u64::from(is_long), is_long);
        }
        let mut quality = Count::default();
        if is_unlisted {
            let guess = guess_quality_calls(meeting.devices, meeting.start_us, meeting.end_us);
            quality.add(guess.max(meeting.quality_calls), true);
        } else {
            quality.add(meeting.quality_calls, meeting.unknown_length > 0 || list_is_open);
        }
        if is_long && !list_is_pending && !for_ids && meeting.pending > 0 {
            quality.add(1, true);
        }

        estimate.later.waiting_units += meeting.waiting + u64::from(list_waits);
        if is_unstable {
            estimate.later.unstable_meetings += 1;
            estimate.later.unstable_participants += meeting.pending + meeting.waiting + guessed;
            estimate.later.stable_us = estimate.later.stable_us.max(Some(stable_us));
        }
        if !list_is_pending && meeting.pending == 0 {
            continue;
        }
        estimate.meetings_pending += 1;
        estimate.lists_pending += u64::from(list_is_pending || for_ids);
        estimate.unlisted += u64::from(is_unlisted);
        estimate.participants_pending += meeting.pending;
        estimate.participants_guessed += guessed;
        estimate.calls[LISTS].add(list.calls, list.is_estimate);
        estimate.calls[QUALITY].add(quality.calls, quality.is_estimate);
        let meeting_date = meeting.meeting_date;
        estimate.dates.insert(meeting_date);
        estimate.steps.push(Step { meeting_date, list_calls: list.calls, quality_calls: quality.calls });
    }
    estimate
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
