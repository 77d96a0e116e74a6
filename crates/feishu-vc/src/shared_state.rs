//! One budget for every process that asks as the same app: the decision. State in, decision out; the time is an argument.
//!
//! The state holds, for each endpoint, the ideal slot of the next call and until when the vendor wants nobody to call. The
//! slots are those of [`super::pace`], in microseconds of the wall clock, because that is the one clock which processes
//! share. It can be set back, and what is read can be anything: so no wait is ever longer than a given longest one, and
//! whoever has waited as long as it was told finds the way free.
//!
//! Processes with different settings obey the stricter pace while the stricter one is asking.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::client::Rate;
use super::endpoint::Endpoint;
use super::pace::ROOM_DIVISOR;

/// The form of the text. Another one is not understood, and as good as none.
const VERSION: u32 = 1;

/// Every state is written with this length, in one write: a process that dies leaves the old text or the new one, and
/// there is never a rest of a longer text behind a shorter one. JSON allows blanks at its end.
pub(super) const TEXT_BYTES: usize = 1_024;

/// A stricter pace is forgotten when its process has not asked for as long as its window, and after this at the latest.
const STRICTEST_FOR: Duration = Duration::from_secs(600);

/// How fast a process may call. As in [`super::pace::Pacer`], in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SharedPace {
    interval_us: i64,
    tolerance_us: i64,
    window_us: i64,
}

impl SharedPace {
    pub(crate) fn of(rate: Rate) -> SharedPace {
        let window_us = micros(rate.window).max(1);
        let room_us = window_us / i64::from(ROOM_DIVISOR);
        // One more, because the division rounds down.
        let interval_us = window_us.saturating_add(room_us) / i64::from(rate.calls.get()) + 1;
        SharedPace { interval_us, tolerance_us: (room_us / 2).min(interval_us), window_us }
    }

    /// Whether it can be a pace at all; what is read from a file can be anything.
    fn is_sound(&self) -> bool {
        self.window_us > 0
            && (1..=self.window_us.saturating_mul(2)).contains(&self.interval_us)
            && self.tolerance_us >= 0
    }
}

/// What asking for a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The call is taken and counted.
    Taken,
    /// Not yet; nothing is counted.
    Wait {
        /// How long.
        wait: Duration,
        /// True where the vendor made some process wait, false for the usual pacing.
        held: bool,
    },
}

/// What the processes share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SharedState {
    version: u32,
    /// When it was written, by the writer's clock: a clock that is behind it was set back.
    written_us: i64,
    lanes: [SharedLane; Endpoint::ALL.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct SharedLane {
    next_us: i64,
    hold_us: i64,
    strictest: Option<SharedPace>,
    /// When the process with the strictest pace last called.
    seen_us: i64,
}

impl Default for SharedState {
    fn default() -> SharedState {
        SharedState { version: VERSION, written_us: 0, lanes: Default::default() }
    }
}

impl SharedState {
    /// Reads a state. What is empty, cut, of another version or anything else is an empty one.
    pub(crate) fn read(bytes: &[u8]) -> SharedState {
        let state: Option<SharedState> = serde_json::from_slice(bytes).ok();
        state.filter(|state| state.version == VERSION).unwrap_or_default()
    }

    /// The text to write, of [`TEXT_BYTES`] bytes; `now_us` is the time of writing.
    pub(crate) fn text(&mut self, now_us: i64) -> Vec<u8> {
        self.written_us = now_us;
        // Numbers only: there is always a JSON form, and it is shorter even where every number has all its digits.
        let mut text = serde_json::to_vec(self).expect("a state is plain numbers");
        text.resize(TEXT_BYTES - 1, b' ');
        text.push(b'\n');
        text
    }

    /// Whether the other holds the same but for the time of writing: then nothing needs to be written.
    pub(crate) fn is_like(&self, other: &SharedState) -> bool {
        self.lanes == other.lanes
    }

    /// FetchScope for a call at `now_us`. No wait is longer than `longest`.
    pub(crate) fn take(&mut self, endpoint: Endpoint, pace: SharedPace, longest: Duration, now_us: i64) -> Asked {
        self.make_plausible(longest, now_us);
        let lane = &mut self.lanes[endpoint as usize];
        let before = lane.strictest_at(now_us).filter(|known| known.interval_us > pace.interval_us);
        if before.is_none() {
            // Known from the first asking on, so that the others slow down at once.
            lane.strictest = Some(pace);
            lane.seen_us = lane.seen_us.max(now_us);
        }
        let interval_us = before.map_or(pace.interval_us, |stricter| stricter.interval_us);
        let tolerance_us = before.map_or(pace.tolerance_us, |stricter| stricter.tolerance_us.min(pace.tolerance_us));
        let free_us = lane.next_us.max(lane.hold_us);
        if free_us > now_us {
            return Asked::Wait { wait: duration(free_us - now_us), held: lane.hold_us > now_us };
        }
        lane.next_us = free_us.max(now_us - tolerance_us).saturating_add(interval_us);
        Asked::Taken
    }

    /// Lets no call out before `wait` is over: the vendor said so to one of us.
    pub(crate) fn hold(&mut self, endpoint: Endpoint, wait: Duration, longest: Duration, now_us: i64) {
        self.make_plausible(longest, now_us);
        let lane = &mut self.lanes[endpoint as usize];
        lane.hold_us = lane.hold_us.max(now_us.saturating_add(micros(wait.min(longest))));
    }

    /// Moves everything back with a clock that was set back, and brings what is still beyond all sense to the longest wait.
    fn make_plausible(&mut self, longest: Duration, now_us: i64) {
        let set_back_us = self.written_us.saturating_sub(now_us).max(0);
        let latest_us = now_us.saturating_add(micros(longest));
        for lane in &mut self.lanes {
            lane.next_us = lane.next_us.saturating_sub(set_back_us).min(latest_us);
            lane.hold_us = lane.hold_us.saturating_sub(set_back_us).min(latest_us);
            lane.seen_us = lane.seen_us.saturating_sub(set_back_us).min(now_us);
        }
        self.written_us = self.written_us.min(now_us);
    }
}

impl SharedLane {
    /// The strictest pace of those that are asking.
    fn strictest_at(&self, now_us: i64) -> Option<SharedPace> {
        let fresh =
            |pace: &SharedPace| now_us.saturating_sub(self.seen_us) <= pace.window_us.min(micros(STRICTEST_FOR));
        self.strictest.filter(|pace| pace.is_sound() && fresh(pace))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn duration(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::pace::Pacer;

    const Q: Endpoint = Endpoint::ParticipantQualityList;
    const LONGEST: Duration = Duration::from_secs(180);
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

    /// A process: its pace, and its own pacer, which it asks first, as the client does.
    struct Process {
        pace: SharedPace,
        pacer: Pacer,
        wakes_us: i64,
    }

    /// Processes that share a state, each wanting to call again `gaps` after a call; their timers are late by `lateness`.
    /// Gives the calls in their order. Whoever wakes first asks first, so the interleaving is that of gaps and lateness.
    fn together(rates: &[Rate], for_us: i64, gaps: &[i64], lateness: &[i64]) -> Vec<i64> {
        let origin = Instant::now();
        let instant = |us: i64| origin + duration(us - START_US);
        let mut processes: Vec<Process> = rates
            .iter()
            .map(|rate| Process {
                pace: SharedPace::of(*rate),
                pacer: Pacer::new(rate.calls, rate.window),
                wakes_us: START_US,
            })
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
            let asked = match process.pacer.wait(instant(now_us)) {
                Some(wait) => Asked::Wait { wait, held: false },
                None => state.take(Q, process.pace, LONGEST, now_us),
            };
            process.wakes_us = match asked {
                Asked::Taken => {
                    process.pacer.take(instant(now_us)).expect("its own pacer said so");
                    calls.push(now_us);
                    now_us + next(&mut gap)
                }
                // A timer does not wake before its time.
                Asked::Wait { wait, .. } => now_us + micros(wait) + 1 + next(&mut late),
            };
            // Through the file and back, as between two processes.
            state = SharedState::read(&state.text(now_us));
        }
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit_however_processes_interleave(
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
        fn saturation_uses_at_least_98_percent_for_one_process_and_for_more(
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
        fn whatever_is_read_no_wait_is_longer_than_the_longest_and_then_the_way_is_free(
            numbers in proptest::collection::vec(any::<i64>(), 19),
            now_us in START_US - 1..START_US + 1,
        ) {
            let mut numbers = numbers.into_iter();
            let mut number = || numbers.next().unwrap_or_default();
            let mut lane = || SharedLane {
                next_us: number(),
                hold_us: number(),
                strictest: Some(SharedPace { interval_us: number(), tolerance_us: number(), window_us: number() }),
                seen_us: number(),
            };
            let lanes = [lane(), lane(), lane()];
            let mut state = SharedState { version: VERSION, written_us: number(), lanes };
            let pace = SharedPace::of(rate(LIMITS[0]));
            if let Asked::Wait { wait, .. } = state.take(Q, pace, LONGEST, now_us) {
                prop_assert!(wait <= LONGEST);
                let mut state = SharedState::read(&state.text(now_us));
                prop_assert_eq!(state.take(Q, pace, LONGEST, now_us + micros(wait)), Asked::Taken);
            }
        }

        #[test]
        fn what_is_no_state_is_an_empty_one(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(SharedState::read(&bytes), SharedState::default());
        }

        #[test]
        fn a_clock_that_is_set_back_changes_no_wait(hold_s in 1..100u64, back_s in 0..1_000_000i64, tries in 1..5usize) {
            let mut state = SharedState::default();
            state.hold(Q, Duration::from_secs(hold_s), LONGEST, START_US);
            let mut state = SharedState::read(&state.text(START_US));
            let now_us = START_US - back_s * 1_000_000;
            let expected = Asked::Wait { wait: Duration::from_secs(hold_s), held: true };
            for _ in 0..tries {
                prop_assert_eq!(state.take(Q, SharedPace::of(rate(LIMITS[0])), LONGEST, now_us), expected);
                state = SharedState::read(&state.text(now_us));
            }
        }
    }

    #[test]
    fn processes_obey_the_stricter_pace_as_long_as_it_is_asked_for() {
        let (fast, slow) = (rate((600, 60_000)), rate((60, 60_000)));
        let calls = together(&[slow, fast, fast], 300_000_000, &[0], &[1_000]);
        assert!(busiest(&calls, slow.window) <= 60);
        assert!(calls.len() >= 290, "{} calls", calls.len());

        let (fast, slow) = (SharedPace::of(fast), SharedPace::of(slow));
        let mut state = SharedState::default();
        assert_eq!(state.take(Q, slow, LONGEST, START_US), Asked::Taken);
        let wait_at = |state: &mut SharedState, now_us| match state.take(Q, fast, LONGEST, now_us) {
            Asked::Wait { wait, .. } => micros(wait),
            Asked::Taken => 0,
        };
        assert!(wait_at(&mut state, START_US) > 500_000, "a tenth of a second would be the fast one's own");
        // The slow one has been silent for longer than its window.
        let now_us = START_US + 61_000_000;
        assert_eq!(wait_at(&mut state, now_us), 0);
        assert!(wait_at(&mut state, now_us) <= 101_001);
    }

    #[test]
    fn a_hold_is_for_one_endpoint_and_an_earlier_one_does_not_shorten_it() {
        let pace = SharedPace::of(rate(LIMITS[0]));
        let mut state = SharedState::default();
        state.hold(Q, Duration::from_secs(40), LONGEST, START_US);
        state.hold(Q, Duration::from_secs(10), LONGEST, START_US);
        assert_eq!(state.take(Endpoint::MeetingList, pace, LONGEST, START_US), Asked::Taken);
        let wait = Duration::from_secs(40);
        assert_eq!(state.take(Q, pace, LONGEST, START_US), Asked::Wait { wait, held: true });
        state.hold(Q, Duration::from_secs(86_400), LONGEST, START_US);
        assert_eq!(state.take(Q, pace, LONGEST, START_US), Asked::Wait { wait: LONGEST, held: true });
    }

    #[test]
    fn a_text_has_one_length_and_holds_numbers_only() {
        let lane = SharedLane {
            next_us: i64::MIN,
            hold_us: i64::MIN,
            strictest: Some(SharedPace { interval_us: i64::MIN, tolerance_us: i64::MIN, window_us: i64::MIN }),
            seen_us: i64::MIN,
        };
        let mut longest = SharedState { version: u32::MAX, written_us: i64::MIN, lanes: [lane; 3] };
        for text in [longest.text(i64::MIN), SharedState::default().text(0)] {
            assert_eq!(text.len(), TEXT_BYTES);
            assert!(text.ends_with(b" \n"));
        }
        let mut newer = SharedState { version: VERSION + 1, ..SharedState::default() };
        newer.hold(Q, LONGEST, LONGEST, START_US);
        assert_eq!(
            SharedState::read(&newer.text(START_US)),
            SharedState::default(),
            "another version is as good as none"
        );
    }
}
