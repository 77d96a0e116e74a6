//! The state of a run, folded from its events. A pure function of the events and of `now`, the time since the run
//! started.

use std::time::Duration;

use feishu_vc::Endpoint;
use serde::Serialize;

use crate::commands::Calls;
use crate::event::{Event, TOKEN_ENDPOINT};
use crate::schema::Status;

/// Length of the window in which the rate is measured.
const RATE_SECONDS: usize = 60;

/// Until then the rate limit predicts the rate better than the few calls so far.
const MIN_MEASURED: Duration = Duration::from_secs(20);

/// Extrapolating from less is meaningless.
const MIN_EXTRAPOLATED: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub meetings: u64,
    pub meetings_complete: bool,
    /// Meetings whose participants must be listed.
    pub to_list: u64,
    /// How many of those are done.
    pub listed: u64,
    pub participants: u64,
    /// Participants whose quality data must be fetched, as far as known.
    pub to_fetch: u64,
    /// How many of those are done, failed ones included.
    pub done: u64,
    pub failed: u64,
    pub samples: u64,
    pub calls: Calls,
    /// Requests that Feishu refused because of the rate limit.
    pub throttles: u64,
    /// Requests repeated after a fault.
    pub retries: u64,
    /// Dates being published now.
    pub publishing: Option<u64>,
    /// What of the copy is sent, if something has to be.
    pub upload: Option<Upload>,
    /// Nothing is fetched: the command only copies.
    pub is_upload: bool,
    /// Why the run is ending early.
    pub stopping: Option<String>,
    wait_until: Option<Duration>,
    quality_calls_estimate: u64,
    quality_calls_known: u64,
    calls_per_minute: u32,
    meeting_rate: Rate,
    participant_rate: Rate,
    quality_rate: Rate,
}

/// Files and bytes of a copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Upload {
    pub files: u64,
    pub of_files: u64,
    pub bytes: u64,
    pub of_bytes: u64,
}

impl Upload {
    pub(super) fn is_complete(&self) -> bool {
        self.files >= self.of_files
    }

    pub(super) fn percent(&self) -> u64 {
        let percent = u128::from(self.bytes) * 100 / u128::from(self.of_bytes.max(1));
        u64::try_from(percent).unwrap_or(100).min(100)
    }
}

impl Model {
    /// `calls_per_minute` is the rate limit of each endpoint.
    pub(crate) fn new(calls_per_minute: u32) -> Model {
        Model { calls_per_minute, ..Model::default() }
    }

    /// For a command that only copies.
    pub(crate) fn of_upload() -> Model {
        Model { is_upload: true, ..Model::default() }
    }

    /// Folds in one event that happened at `now`.
    pub(crate) fn apply(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started { .. } | Event::EventsRead { .. } | Event::Warning { .. } => {}
            Event::MeetingPage { meetings, to_list, quality_calls_estimate }
            | Event::MeetingsListed { meetings, to_list, quality_calls_estimate } => {
                self.meetings = *meetings;
                self.meetings_complete |= matches!(event, Event::MeetingsListed { .. });
                self.to_list = *to_list;
                self.quality_calls_estimate = *quality_calls_estimate;
            }
            Event::MeetingListed { participants, to_fetch, quality_calls } => {
                self.listed += 1;
                self.participants += participants;
                self.to_fetch += to_fetch;
                self.quality_calls_known += quality_calls;
            }
            Event::ParticipantDone { status, samples } => {
                self.done += 1;
                self.failed += u64::from(*status == Status::Failed);
                self.samples += samples;
            }
            Event::CallSent { endpoint } => {
                if let Some(index) = Endpoint::OPTIONAL.iter().position(|optional| optional.name() == *endpoint) {
                    self.calls.optional.0[index] += 1;
                    return;
                }
                let (calls, rate) = match *endpoint {
                    "meeting_list" => (&mut self.calls.meeting_list, &mut self.meeting_rate),
                    "participant_list" => (&mut self.calls.participant_list, &mut self.participant_rate),
                    _ => (&mut self.calls.participant_quality_list, &mut self.quality_rate),
                };
                *calls += 1;
                rate.add(now);
            }
            Event::Throttled { .. } => self.throttles += 1,
            // Several requests can wait at once: the longest wait counts.
            Event::Waiting { wait, .. } | Event::WaitClamped { wait, .. } => {
                self.wait_until = self.wait_until.max(Some(now + *wait))
            }
            // The token request is not among the calls, so neither are its retries.
            Event::Retrying { endpoint } => self.retries += u64::from(*endpoint != TOKEN_ENDPOINT),
            Event::Publishing { dates } => self.publishing = (*dates > 0).then_some(*dates),
            Event::Published { .. } => self.publishing = None,
            Event::Uploading { files, of_files, bytes, of_bytes } => {
                let upload = Upload { files: *files, of_files: *of_files, bytes: *bytes, of_bytes: *of_bytes };
                self.upload = Some(upload);
            }
            Event::Stopping { why } => self.stopping = Some(why.clone()),
        }
    }

    /// Calls per minute to the endpoint that determines how long the run takes: the quality list, before that the
    /// busiest. The rate limit applies per endpoint, so a sum would seem to exceed it. `None` until enough calls were
    /// made.
    pub(crate) fn calls_per_minute(&self, now: Duration) -> Option<u64> {
        let rate = |rate: &Rate| {
            let seen = rate.last_minute(now);
            let expected = rate.per_minute(now)?.round() as u64;
            // The extrapolated part is clamped to the rate limit; calls that were really sent are not.
            Some(expected.min(u64::from(self.calls_per_minute)).max(seen))
        };
        rate(&self.quality_rate).or_else(|| rate(&self.meeting_rate).max(rate(&self.participant_rate)))
    }

    /// How much longer the rate limit blocks the run at `now`.
    pub(crate) fn wait(&self, now: Duration) -> Option<Duration> {
        self.wait_until.and_then(|until| until.checked_sub(now)).filter(|wait| !wait.is_zero())
    }

    /// Quality calls still to make; an estimate until all meetings are listed.
    pub(crate) fn quality_calls_pending(&self) -> u64 {
        let unlisted = self.to_list.saturating_sub(self.listed);
        // If more meetings are reported than were to be listed, some were listed by an earlier run. The share of
        // meetings is meaningless then, and the remainder of the estimate is used.
        let estimated = match self.to_list {
            to_list if self.listed > to_list || to_list == 0 => {
                self.quality_calls_estimate.saturating_sub(self.quality_calls_known)
            }
            to_list => (u128::from(self.quality_calls_estimate) * u128::from(unlisted) / u128::from(to_list)) as u64,
        };
        let by_calls = (self.quality_calls_known + estimated).saturating_sub(self.calls.participant_quality_list);
        // Retries use up calls without a result: each remaining participant needs at least one.
        by_calls.max(self.to_fetch.saturating_sub(self.done))
    }

    /// Remaining time: the pending quality calls at the measured rate, before that at the rate limit. `None` until the
    /// meeting list is complete and once nothing is pending.
    pub(crate) fn remaining(&self, now: Duration) -> Option<Duration> {
        let pending = self.quality_calls_pending();
        if !self.meetings_complete || pending == 0 || self.stopping.is_some() {
            return None;
        }
        let (wait, limit) = (self.wait(now), f64::from(self.calls_per_minute.max(1)));
        let is_measured = self.quality_rate.measured_for(now) >= MIN_MEASURED && wait.is_none();
        let measured = self.quality_rate.per_minute(now).filter(|calls| *calls > 0.0 && is_measured);
        let per_minute = measured.map_or(limit, |calls| calls.min(limit));
        Some(wait.unwrap_or_default() + Duration::from_secs_f64(pending as f64 * 60.0 / per_minute))
    }
}

/// Calls of the last minute, counted per second, so that its size does not depend on their number.
#[derive(Debug, Clone)]
struct Rate {
    /// For each second modulo 60: the second and its calls.
    seconds: [(u64, u64); RATE_SECONDS],
    /// Time of the first call.
    first: Option<Duration>,
}

impl Default for Rate {
    fn default() -> Rate {
        Rate { seconds: [(0, 0); RATE_SECONDS], first: None }
    }
}

impl Rate {
    fn add(&mut self, now: Duration) {
        self.first.get_or_insert(now);
        let second = now.as_secs();
        let slot = &mut self.seconds[(second % RATE_SECONDS as u64) as usize];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 += 1;
    }

    fn last_minute(&self, now: Duration) -> u64 {
        let now = now.as_secs();
        let recent = |second: u64| second <= now && now - second < RATE_SECONDS as u64;
        self.seconds.iter().filter(|(second, _)| recent(*second)).map(|(_, calls)| calls).sum()
    }

    fn measured_for(&self, now: Duration) -> Duration {
        self.first.map_or(Duration::ZERO, |first| now.saturating_sub(first))
    }

    /// Calls of the last minute, extrapolated if the first call was less than a minute ago.
    fn per_minute(&self, now: Duration) -> Option<f64> {
        let (calls, measured_for) = (self.last_minute(now), self.measured_for(now));
        // The first call marks the start of the time measured: 3 calls in 2 s are one per second.
        let extrapolated = || calls.saturating_sub(1) as f64 * 60.0 / measured_for.as_secs_f64();
        let is_short = measured_for.as_secs() < RATE_SECONDS as u64;
        (measured_for >= MIN_EXTRAPOLATED).then(|| if is_short { extrapolated() } else { calls as f64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUALITY: Event = Event::CallSent { endpoint: "participant_quality_list" };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn listed(to_list: u64, estimate: u64) -> Model {
        let mut model = Model::new(100);
        model.apply(
            &Event::MeetingsListed { meetings: to_list, to_list, quality_calls_estimate: estimate },
            Duration::ZERO,
        );
        model
    }

    #[test]
    fn what_is_known_replaces_what_was_guessed() {
        let mut model = listed(2, 100);
        assert_eq!(model.quality_calls_pending(), 100);
        model.apply(&Event::MeetingListed { participants: 30, to_fetch: 30, quality_calls: 30 }, at(1));
        assert_eq!(model.quality_calls_pending(), 30 + 50);
        model.apply(&Event::MeetingListed { participants: 5, to_fetch: 4, quality_calls: 5 }, at(1));
        assert_eq!(model.quality_calls_pending(), 35);
        model.apply(&QUALITY, at(2));
        model.apply(&Event::ParticipantDone { status: Status::Complete, samples: 60 }, at(2));
        assert_eq!((model.quality_calls_pending(), model.samples, model.done), (34, 60, 1));
    }

    #[test]
    fn meetings_that_an_earlier_run_listed_keep_their_calls() {
        let mut model = listed(1, 100);
        for _ in 0..3 {
            model.apply(&Event::MeetingListed { participants: 10, to_fetch: 10, quality_calls: 10 }, at(0));
        }
        assert_eq!(model.quality_calls_pending(), 100);
        let mut none_to_list = listed(0, 40);
        none_to_list.apply(&Event::MeetingListed { participants: 10, to_fetch: 10, quality_calls: 10 }, at(0));
        assert_eq!(none_to_list.quality_calls_pending(), 40);
    }

    #[test]
    fn retries_do_not_eat_what_is_pending() {
        let mut model = listed(1, 2);
        model.apply(&Event::MeetingListed { participants: 2, to_fetch: 2, quality_calls: 2 }, at(0));
        for _ in 0..10 {
            model.apply(&QUALITY, at(1));
        }
        assert_eq!(model.quality_calls_pending(), 2);
    }

    #[test]
    fn the_rest_is_priced_at_the_quota_first_and_then_at_the_rate_seen() {
        let mut model = listed(1, 1_000);
        model.apply(&Event::MeetingListed { participants: 1_000, to_fetch: 1_000, quality_calls: 1_000 }, at(0));
        assert_eq!(model.remaining(at(0)), Some(at(600)));
        // One call a second: 60 a minute, below the quota of 100.
        for second in 0..60 {
            model.apply(&QUALITY, at(second));
            model.apply(&Event::ParticipantDone { status: Status::Complete, samples: 1 }, at(second));
        }
        assert_eq!(model.calls_per_minute(at(59)), Some(60));
        let left = model.remaining(at(59)).expect("an estimate").as_secs();
        assert!((900..=960).contains(&left), "{left}");
        assert_eq!(model.calls_per_minute(at(130)), Some(0));
    }

    #[test]
    fn the_rate_is_one_endpoint_s_and_never_above_a_quota_that_was_kept() {
        let mut model = listed(1, 1_000);
        assert_eq!(model.calls_per_minute(at(9)), None);
        let call =
            |model: &mut Model, endpoint, ms| model.apply(&Event::CallSent { endpoint }, Duration::from_millis(ms));
        // Two endpoints at their quota of 100 a minute each, the second one 20 s later.
        for ms in (0..120_000).step_by(600) {
            call(&mut model, "participant_list", ms);
            if ms >= 20_000 {
                call(&mut model, "participant_quality_list", ms);
            }
            let rate = model.calls_per_minute(Duration::from_millis(ms));
            match ms {
                0..5_000 => assert_eq!(rate, None),
                _ => assert!(rate.is_some_and(|rate| (96..=100).contains(&rate)), "{ms}: {rate:?}"),
            }
        }
        // A limit that was broken is shown.
        for _ in 0..50 {
            call(&mut model, "participant_quality_list", 120_000);
        }
        assert!(model.calls_per_minute(at(120)) > Some(140));
    }

    #[test]
    fn nothing_is_estimated_before_the_list_or_after_the_end() {
        assert_eq!(Model::new(100).remaining(at(5)), None);
        let mut model = listed(1, 10);
        model.apply(&Event::Stopping { why: "interrupted".to_owned() }, at(1));
        assert_eq!(model.remaining(at(1)), None);
        let mut model = listed(1, 1);
        model.apply(&Event::MeetingListed { participants: 1, to_fetch: 1, quality_calls: 1 }, at(1));
        model.apply(&QUALITY, at(1));
        model.apply(&Event::ParticipantDone { status: Status::Failed, samples: 0 }, at(1));
        assert_eq!((model.remaining(at(2)), model.failed), (None, 1));
    }

    #[test]
    fn the_longest_wait_counts_and_ends_by_itself() {
        let mut model = listed(1, 100);
        let waiting = |seconds| Event::Waiting { endpoint: "participant_quality_list", wait: at(seconds) };
        model.apply(&waiting(41), at(0));
        model.apply(&waiting(2), at(1));
        assert_eq!(model.wait(at(2)), Some(at(39)));
        assert_eq!(model.remaining(at(1)), Some(at(100)));
        assert_eq!(model.wait(at(41)), None);
    }

    #[test]
    fn a_retry_is_counted_and_holds_nothing_up() {
        let mut model = listed(1, 100);
        let retry = |endpoint| Event::Retrying { endpoint };
        model.apply(&retry("participant_quality_list"), at(0));
        model.apply(&retry(TOKEN_ENDPOINT), at(0));
        assert_eq!((model.retries, model.wait(at(0)), model.remaining(at(0))), (1, None, Some(at(60))));
    }

    proptest! {
        #[test]
        fn the_rate_counts_each_call_of_the_last_minute_once(mut seconds in prop::collection::vec(0_u64..300, 0..200)) {
            seconds.sort_unstable();
            let mut rate = Rate::default();
            for second in &seconds {
                rate.add(at(*second));
            }
            let now = seconds.last().copied().unwrap_or_default();
            let expected = seconds.iter().filter(|second| now - **second < 60).count() as u64;
            prop_assert_eq!(rate.last_minute(at(now)), expected);
        }
    }
}
