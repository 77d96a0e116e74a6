//! The rate limit across all processes of an app: the decision. Pure; the time is an argument.
//!
//! The state holds, for each endpoint, when the next slot is free and until when Feishu asked to pause. Ticks are
//! microseconds of the wall clock, the only clock that processes share. It can be set back, and the file can contain
//! anything: no wait is ever longer than a given maximum, and whoever has waited that long is admitted.
//!
//! Processes with different rates keep the strictest one while its process is active.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::gcra::Gcra;
use crate::endpoint::Endpoint;
use crate::rate::Rate;

/// Version of the format. Any other version is read as an empty state.
const VERSION: u32 = 1;

/// Every state is written with this length, in one write: a process that dies leaves the old text or the new one, never
/// the end of a longer text behind a shorter one. JSON allows trailing spaces.
pub(super) const TEXT_BYTES: usize = 4_096;

/// A stricter rate is forgotten when its process has been idle for its window, and after this at the latest.
const STRICTEST_FOR: Duration = Duration::from_secs(600);

/// The rate in microseconds.
pub(super) fn shared_rate(rate: Rate) -> Gcra {
    Gcra::new(rate.calls.get(), micros(rate.window))
}

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// The call is counted.
    Admitted,
    /// Not yet; nothing is counted.
    Wait {
        wait: Duration,
        /// True during a pause that Feishu requested, false for the usual pacing.
        held: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SharedState {
    version: u32,
    /// When it was written, by the writer's clock: a clock that is behind it was set back.
    written_us: i64,
    #[serde(rename = "lanes")]
    lists: [EndpointState; Endpoint::LISTS.len()],
    /// Apart from the lists, so that versions that do not know them read the rest.
    #[serde(default)]
    optional: [EndpointState; Endpoint::OPTIONAL.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct EndpointState {
    next_us: i64,
    hold_us: i64,
    strictest: Option<Gcra>,
    /// When the process with the strictest rate last called.
    seen_us: i64,
}

impl Default for SharedState {
    fn default() -> SharedState {
        SharedState { version: VERSION, written_us: 0, lists: Default::default(), optional: Default::default() }
    }
}

impl SharedState {
    /// Reads a state. Text that is not a state of this version is read as an empty one.
    pub(super) fn read(bytes: &[u8]) -> SharedState {
        let state: Option<SharedState> = serde_json::from_slice(bytes).ok();
        state.filter(|state| state.version == VERSION).unwrap_or_default()
    }

    /// The text to write, of [`TEXT_BYTES`] bytes; `now_us` is the time of writing.
    pub(super) fn text(&mut self, now_us: i64) -> Vec<u8> {
        self.written_us = now_us;
        // Numbers only: there is always a JSON form, and it is shorter even if every number has all its digits.
        let mut text = serde_json::to_vec(self).expect("a state is plain numbers");
        text.resize(TEXT_BYTES - 1, b' ');
        text.push(b'\n');
        text
    }

    fn endpoint(&mut self, endpoint: Endpoint) -> &mut EndpointState {
        // The lists come first.
        match (endpoint as usize).checked_sub(Endpoint::LISTS.len()) {
            None => &mut self.lists[endpoint as usize],
            Some(index) => &mut self.optional[index],
        }
    }

    /// Requests a call at `now_us`. No wait is longer than `max_wait`.
    pub(super) fn take(&mut self, endpoint: Endpoint, rate: Gcra, max_wait: Duration, now_us: i64) -> Admission {
        self.make_plausible(max_wait, now_us);
        let state = self.endpoint(endpoint);
        let stricter = state.strictest_at(now_us).filter(|known| known.interval > rate.interval);
        if stricter.is_none() {
            // Recorded with the first request, so that the other processes slow down at once.
            state.strictest = Some(rate);
            state.seen_us = state.seen_us.max(now_us);
        }
        let rate = stricter.map_or(rate, |stricter| rate.stricter(stricter));
        match rate.take(state.next_us.max(state.hold_us), now_us) {
            Ok(next_us) => {
                state.next_us = next_us;
                Admission::Admitted
            }
            Err(wait_us) => {
                let wait = Duration::from_micros(wait_us.unsigned_abs());
                Admission::Wait { wait, held: state.hold_us > now_us }
            }
        }
    }

    /// Admits no call before `wait` is over: Feishu requested it from one of the processes.
    pub(super) fn hold(&mut self, endpoint: Endpoint, wait: Duration, max_wait: Duration, now_us: i64) {
        self.make_plausible(max_wait, now_us);
        let state = self.endpoint(endpoint);
        state.hold_us = state.hold_us.max(now_us.saturating_add(micros(wait.min(max_wait))));
    }

    /// Moves all times back with a clock that was set back, and clamps them to the longest wait.
    fn make_plausible(&mut self, max_wait: Duration, now_us: i64) {
        let set_back_us = self.written_us.saturating_sub(now_us).max(0);
        let latest_us = now_us.saturating_add(micros(max_wait));
        for state in self.lists.iter_mut().chain(&mut self.optional) {
            state.next_us = state.next_us.saturating_sub(set_back_us).min(latest_us);
            state.hold_us = state.hold_us.saturating_sub(set_back_us).min(latest_us);
            state.seen_us = state.seen_us.saturating_sub(set_back_us).min(now_us);
        }
        self.written_us = self.written_us.min(now_us);
    }
}

impl EndpointState {
    /// The strictest rate of the active processes.
    fn strictest_at(&self, now_us: i64) -> Option<Gcra> {
        let is_active = |rate: &Gcra| now_us.saturating_sub(self.seen_us) <= rate.window.min(micros(STRICTEST_FOR));
        self.strictest.filter(|rate| rate.is_plausible() && is_active(rate))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::limiter::local::LocalLimiter;

    const Q: Endpoint = Endpoint::ParticipantQualityList;
    const MAX_WAIT: Duration = Duration::from_secs(180);
    /// Some time in 2026, so that nothing works only near zero.
    const START_US: i64 = 1_795_000_000_000_000;
    const LIMITS: [(u32, u64); 4] = [(100, 60_000), (600, 6_000), (1, 60_000), (7, 333)];

    fn rate((calls, window_ms): (u32, u64)) -> Rate {
        Rate { calls: calls.try_into().expect("the limits are positive"), window: Duration::from_millis(window_ms) }
    }

    /// The most calls in any half-open window that starts at a call.
    fn busiest(calls: &[i64], window: Duration) -> usize {
        let within = |index: usize| calls[index..].partition_point(|at| *at < calls[index] + micros(window));
        (0..calls.len()).map(within).max().unwrap_or_default()
    }

    /// A process: its rate, and its local limiter, which it consults first, as the client does.
    struct Process {
        rate: Gcra,
        limiter: LocalLimiter,
        wakes_us: i64,
    }

    /// The calls, in order, of processes that share a state. Each makes another call `gaps` after a call, and its
    /// timers are late by `lateness`; these determine the interleaving.
    fn together(rates: &[Rate], for_us: i64, gaps: &[i64], lateness: &[i64]) -> Vec<i64> {
        let origin = Instant::now();
        let instant = |us: i64| origin + Duration::from_micros((us - START_US).unsigned_abs());
        let mut processes: Vec<Process> = rates
            .iter()
            .map(|rate| Process { rate: shared_rate(*rate), limiter: LocalLimiter::new(*rate), wakes_us: START_US })
            .collect();
        let (mut gap, mut late) = (gaps.iter().cycle(), lateness.iter().cycle());
        let next = |of: &mut std::iter::Cycle<std::slice::Iter<'_, i64>>| of.next().copied().unwrap_or_default();
        let mut state = SharedState::default();
        let mut calls = Vec::new();
        loop {
            let process = processes.iter_mut().min_by_key(|process| process.wakes_us).expect("at least one process");
            let now_us = process.wakes_us;
            if now_us >= START_US + for_us {
                return calls;
            }
            let admission = match process.limiter.wait(instant(now_us)) {
                Some(wait) => Admission::Wait { wait, held: false },
                None => state.take(Q, process.rate, MAX_WAIT, now_us),
            };
            process.wakes_us = match admission {
                Admission::Admitted => {
                    process.limiter.take(instant(now_us)).expect("its local limiter admitted it");
                    calls.push(now_us);
                    now_us + next(&mut gap)
                }
                // Timers never wake early.
                Admission::Wait { wait, .. } => now_us + micros(wait) + 1 + next(&mut late),
            };
            // Through the file and back, as between two processes.
            state = SharedState::read(&state.text(now_us));
        }
    }

    proptest! {
        #[test]
        fn no_window_exceeds_the_limit_for_any_interleaving(
            which in 0..LIMITS.len(),
            processes in 1..6usize,
            gaps in proptest::collection::vec(prop_oneof![Just(0), 0..2_000i64, 0..2_000_000i64], 1..300),
            lateness in proptest::collection::vec(prop_oneof![0..3_000i64, 0..400_000i64], 1..50),
        ) {
            let rate = rate(LIMITS[which]);
            let calls = together(&vec![rate; processes], micros(rate.window) * 4, &gaps, &lateness);
            prop_assert!(busiest(&calls, rate.window) <= rate.calls.get() as usize);
        }

        #[test]
        fn busy_processes_use_at_least_98_percent(
            which in 0..2usize,
            processes in 1..4usize,
            lateness in proptest::collection::vec(0..5_000i64, 50),
        ) {
            let rate = rate(LIMITS[which]);
            let calls = together(&vec![rate; processes], micros(rate.window) * 10, &[0], &lateness);
            prop_assert!(busiest(&calls, rate.window) <= rate.calls.get() as usize);
            prop_assert!(calls.len() * 100 >= rate.calls.get() as usize * 10 * 98, "{} calls", calls.len());
        }

        #[test]
        fn no_content_causes_more_than_one_wait_of_the_maximum(
            numbers in proptest::collection::vec(any::<i64>(), 19),
            now_us in START_US - 1..START_US + 1,
        ) {
            let mut numbers = numbers.into_iter();
            let mut number = || numbers.next().unwrap_or_default();
            let mut endpoint = || EndpointState {
                next_us: number(),
                hold_us: number(),
                strictest: Some(Gcra { interval: number(), tolerance: number(), window: number() }),
                seen_us: number(),
            };
            let lists = [endpoint(), endpoint(), endpoint()];
            let mut state = SharedState { written_us: number(), lists, ..SharedState::default() };
            let rate = shared_rate(rate(LIMITS[0]));
            if let Admission::Wait { wait, .. } = state.take(Q, rate, MAX_WAIT, now_us) {
                prop_assert!(wait <= MAX_WAIT);
                let mut state = SharedState::read(&state.text(now_us));
                prop_assert_eq!(state.take(Q, rate, MAX_WAIT, now_us + micros(wait)), Admission::Admitted);
            }
        }

        #[test]
        fn anything_else_is_an_empty_state(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(SharedState::read(&bytes), SharedState::default());
        }

        #[test]
        fn a_clock_that_is_set_back_changes_no_wait(
            hold_s in 1..100u64,
            back_s in 0..1_000_000i64,
            tries in 1..5usize,
        ) {
            let mut state = SharedState::default();
            state.hold(Q, Duration::from_secs(hold_s), MAX_WAIT, START_US);
            let mut state = SharedState::read(&state.text(START_US));
            let now_us = START_US - back_s * 1_000_000;
            let expected = Admission::Wait { wait: Duration::from_secs(hold_s), held: true };
            for _ in 0..tries {
                prop_assert_eq!(state.take(Q, shared_rate(rate(LIMITS[0])), MAX_WAIT, now_us), expected);
                state = SharedState::read(&state.text(now_us));
            }
        }
    }

    #[test]
    fn the_strictest_rate_applies_while_its_process_is_active() {
        let (fast, slow) = (rate((600, 60_000)), rate((60, 60_000)));
        let calls = together(&[slow, fast, fast], 300_000_000, &[0], &[1_000]);
        assert!(busiest(&calls, slow.window) <= 60);
        assert!(calls.len() >= 290, "{} calls", calls.len());

        let (fast, slow) = (shared_rate(fast), shared_rate(slow));
        let mut state = SharedState::default();
        assert_eq!(state.take(Q, slow, MAX_WAIT, START_US), Admission::Admitted);
        let wait_at = |state: &mut SharedState, now_us| match state.take(Q, fast, MAX_WAIT, now_us) {
            Admission::Wait { wait, .. } => micros(wait),
            Admission::Admitted => 0,
        };
        assert!(wait_at(&mut state, START_US) > 500_000, "0.1 s would be its own interval");
        // The slow process calls again, and has then been idle for longer than its window.
        assert_eq!(state.take(Q, slow, MAX_WAIT, START_US + 50_000_000), Admission::Admitted);
        assert!(wait_at(&mut state, START_US + 50_000_000) > 500_000);
        assert!(wait_at(&mut state, START_US + 50_100_000) > 500_000, "a fast call does not replace the rate");
        assert_eq!(wait_at(&mut state, START_US + 110_000_000), 0, "within its window");
        assert!(wait_at(&mut state, START_US + 110_000_000) > 500_000, "the slow rate still applies");
        let now_us = START_US + 111_000_000;
        assert_eq!(wait_at(&mut state, now_us), 0);
        assert!(wait_at(&mut state, now_us) <= 101_001);
    }

    #[test]
    fn a_pause_is_for_one_endpoint_and_is_not_shortened() {
        let rate = shared_rate(rate(LIMITS[0]));
        let mut state = SharedState::default();
        state.hold(Q, Duration::from_secs(40), MAX_WAIT, START_US);
        state.hold(Q, Duration::from_secs(10), MAX_WAIT, START_US);
        assert_eq!(state.take(Endpoint::MeetingList, rate, MAX_WAIT, START_US), Admission::Admitted);
        let wait = Duration::from_secs(40);
        assert_eq!(state.take(Q, rate, MAX_WAIT, START_US), Admission::Wait { wait, held: true });
        state.hold(Q, Duration::from_secs(86_400), MAX_WAIT, START_US);
        assert_eq!(state.take(Q, rate, MAX_WAIT, START_US), Admission::Wait { wait: MAX_WAIT, held: true });

        // Once the pause is over, a wait is for the next slot again.
        let mut state = SharedState::default();
        assert_eq!(state.take(Q, rate, MAX_WAIT, START_US), Admission::Admitted);
        state.hold(Q, Duration::from_millis(300), MAX_WAIT, START_US);
        for (now_us, is_held) in [(START_US + 299_999, true), (START_US + 300_000, false)] {
            assert!(matches!(state.take(Q, rate, MAX_WAIT, now_us), Admission::Wait { held, .. } if held == is_held));
        }
    }

    #[test]
    fn a_state_of_a_version_without_optional_endpoints_is_read_and_the_reverse() {
        let mut state = SharedState::default();
        let wait = Duration::from_secs(40);
        state.hold(Q, wait, MAX_WAIT, START_US);
        state.hold(Endpoint::UserStats, wait, MAX_WAIT, START_US);
        let mut text: serde_json::Value = serde_json::from_slice(&state.text(START_US)).expect("JSON");
        assert_eq!(text["lanes"].as_array().map(Vec::len), Some(3), "what 0.1.0 reads");
        text.as_object_mut().expect("an object").remove("optional");
        let mut state = SharedState::read(text.to_string().as_bytes());
        let rate = shared_rate(rate(LIMITS[0]));
        assert_eq!(state.take(Q, rate, MAX_WAIT, START_US), Admission::Wait { wait, held: true });
        assert_eq!(state.take(Endpoint::UserStats, rate, MAX_WAIT, START_US), Admission::Admitted);
    }

    #[test]
    fn the_text_has_a_fixed_length() {
        let endpoint = EndpointState {
            next_us: i64::MIN,
            hold_us: i64::MIN,
            strictest: Some(Gcra { interval: i64::MIN, tolerance: i64::MIN, window: i64::MIN }),
            seen_us: i64::MIN,
        };
        let (lists, optional) = ([endpoint; 3], [endpoint; 6]);
        let mut longest = SharedState { version: u32::MAX, written_us: i64::MIN, lists, optional };
        for text in [longest.text(i64::MIN), SharedState::default().text(0)] {
            assert_eq!(text.len(), TEXT_BYTES);
            assert!(text.ends_with(b" \n"));
        }
        let mut newer = SharedState { version: VERSION + 1, ..SharedState::default() };
        newer.hold(Q, MAX_WAIT, MAX_WAIT, START_US);
        assert_eq!(
            SharedState::read(&newer.text(START_US)),
            SharedState::default(),
            "another version is an empty state"
        );
    }
}
