//! Pacing ahead of the vendor's limit: never more than N calls in any window, and no bursts.
//!
//! Pure; the time is an argument. The vendor does not say whether its minute is fixed or sliding, so the promise is the
//! stronger one: no half-open window of the length, wherever it starts, holds more than N calls.
//!
//! The calls go into ideal slots, an interval `T` apart, where `N * T` is a hundredth longer than the window. A call that
//! comes late (a timer that woke up late) keeps the ideal slot of up to `tolerance` ago, so the lateness does not add up
//! and the rate stays at 99 %. The `N+1`st call after any call is at least `N * T - tolerance` later, so the promise holds
//! exactly while `tolerance < N * T - window`. Half of that room is the tolerance, the other half is left for the
//! unevenness of the way to the vendor.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// The room between `N * T` and the window, as a divisor of the window: a hundredth.
pub(super) const ROOM_DIVISOR: u32 = 100;

/// Decides when the next call may go out. One for each endpoint, as each has its own limit.
#[derive(Debug, Clone)]
pub struct Pacer {
    interval: Duration,
    tolerance: Duration,
    next_slot: Option<Instant>,
}

impl Pacer {
    /// At most `calls` in any `window`.
    pub fn new(calls: NonZeroU32, window: Duration) -> Pacer {
        let room = window / ROOM_DIVISOR;
        // A nanosecond more, because the division rounds down.
        let interval = (window + room) / calls.get() + Duration::from_nanos(1);
        Pacer { interval, tolerance: (room / 2).min(interval), next_slot: None }
    }

    /// FetchScope for a call at `now`. `Ok` is a call, taken and counted; `Err` is how long to wait before asking again, and
    /// nothing is counted.
    ///
    /// A caller that was told to wait holds no slot, so a hold that comes in the meantime loses nothing and is obeyed.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(wait) = self.wait(now) {
            return Err(wait);
        }
        let slot = match self.next_slot {
            // `None` from the subtraction: the clock began less than the tolerance ago, so nothing can be late yet.
            Some(next) => now.checked_sub(self.tolerance).map_or(next, |earliest| next.max(earliest)),
            None => now,
        };
        self.next_slot = Some(slot + self.interval);
        Ok(())
    }

    /// How long a call at `now` would have to wait; `None` where it may go out. Counts nothing.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        self.next_slot.and_then(|next| next.checked_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Lets no call out before `at`: the vendor said to wait.
    pub fn hold_until(&mut self, at: Instant) {
        self.next_slot = Some(self.next_slot.map_or(at, |next| next.max(at)));
    }

    /// Time between two calls at the full rate.
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: [(u32, Duration); 4] = [
        (100, Duration::from_secs(60)),
        (600, Duration::from_secs(6)),
        (1, Duration::from_secs(60)),
        (7, Duration::from_millis(333)),
    ];

    fn pacer((calls, window): (u32, Duration)) -> Pacer {
        Pacer::new(NonZeroU32::new(calls).expect("the limits above are positive"), window)
    }

    /// The most calls in any half-open window that starts at a call.
    fn busiest(calls: &[Instant], window: Duration) -> usize {
        let mut most = 0;
        for (index, start) in calls.iter().enumerate() {
            most = most.max(calls[index..].partition_point(|at| *at < *start + window));
        }
        most
    }

    /// One caller that always wants to call, and whose timers wake up late by what `lateness` says.
    fn saturated(pacer: &mut Pacer, start: Instant, for_time: Duration, lateness: &[Duration]) -> Vec<Instant> {
        let mut late = lateness.iter().cycle();
        let mut now = start;
        let mut calls = Vec::new();
        while now < start + for_time {
            match pacer.take(now) {
                Ok(()) => calls.push(now),
                Err(wait) => now += wait + *late.next().expect("a cycle over a non-empty slice has no end"),
            }
        }
        calls
    }

    fn micros(values: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
        values.prop_map(Duration::from_micros)
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit_whenever_callers_come(
            which in 0..LIMITS.len(),
            gaps in proptest::collection::vec(prop_oneof![Just(0), 0..2_000u64, 0..2_000_000u64], 1..1_500),
        ) {
            let (limit, window) = LIMITS[which];
            let mut pacer = pacer(LIMITS[which]);
            let mut now = Instant::now();
            let mut calls = Vec::new();
            for gap in gaps {
                now += Duration::from_micros(gap);
                if pacer.take(now).is_ok() {
                    calls.push(now);
                }
            }
            prop_assert!(busiest(&calls, window) <= limit as usize);
        }

        #[test]
        fn uneven_travel_of_up_to_the_room_left_keeps_the_limit(
            which in 0..2usize,
            travel in proptest::collection::vec(0.0..1.0f64, 200),
            lateness in proptest::collection::vec(micros(0..20_000), 50),
        ) {
            let (limit, window) = LIMITS[which];
            let mut pacer = pacer(LIMITS[which]);
            let left = window / ROOM_DIVISOR / 2;
            let sent = saturated(&mut pacer, Instant::now(), window * 4, &lateness);
            let mut seen: Vec<_> =
                sent.iter().zip(travel.iter().cycle()).map(|(at, share)| *at + left.mul_f64(*share)).collect();
            seen.sort();
            prop_assert!(busiest(&seen, window) <= limit as usize);
        }

        #[test]
        fn saturation_uses_at_least_98_percent(
            which in 0..2usize,
            lateness in proptest::collection::vec(micros(0..5_000), 50),
        ) {
            let (limit, window) = LIMITS[which];
            let sent = saturated(&mut pacer(LIMITS[which]), Instant::now(), window * 10, &lateness);
            prop_assert!(busiest(&sent, window) <= limit as usize);
            prop_assert!(sent.len() * 100 >= limit as usize * 10 * 98, "{} calls", sent.len());
        }

        #[test]
        fn after_a_hold_nothing_goes_out_early_and_the_rate_is_whole_again(
            which in 0..2usize,
            hold_ms in 0..90_000u64,
            lateness in proptest::collection::vec(micros(0..5_000), 50),
        ) {
            let (limit, window) = LIMITS[which];
            let mut pacer = pacer(LIMITS[which]);
            let start = Instant::now();
            let mut sent = saturated(&mut pacer, start, window / 2, &lateness);
            let half = *sent.last().expect("the first call is never refused");
            let until = half + Duration::from_millis(hold_ms);
            pacer.hold_until(until);
            prop_assert!(pacer.take(half).is_err());
            let after = saturated(&mut pacer, half, window * 10 + Duration::from_millis(hold_ms), &lateness);
            prop_assert!(after.iter().all(|at| *at >= until));
            prop_assert!(after.len() * 100 >= limit as usize * 10 * 98, "{} calls", after.len());
            sent.extend(after);
            prop_assert!(busiest(&sent, window) <= limit as usize);
        }

        #[test]
        fn calls_are_spread_and_never_bunch(lateness in proptest::collection::vec(micros(0..400_000), 50)) {
            let mut pacer = pacer(LIMITS[0]);
            let sent = saturated(&mut pacer, Instant::now(), Duration::from_secs(120), &lateness);
            for pair in sent.windows(2) {
                prop_assert!(pair[1] - pair[0] >= pacer.interval - pacer.tolerance);
            }
        }
    }

    #[test]
    fn refused_asking_counts_nothing() {
        let mut pacer = pacer(LIMITS[0]);
        let now = Instant::now();
        assert_eq!(pacer.take(now), Ok(()));
        let wait = pacer.take(now).expect_err("the second call comes too early");
        assert_eq!(pacer.take(now), Err(wait));
        assert_eq!(pacer.take(now + wait), Ok(()));
    }

    #[test]
    fn an_earlier_hold_does_not_shorten_a_later_one() {
        let mut pacer = pacer(LIMITS[0]);
        let now = Instant::now();
        pacer.hold_until(now + Duration::from_secs(40));
        pacer.hold_until(now + Duration::from_secs(10));
        assert_eq!(pacer.take(now), Err(Duration::from_secs(40)));
    }
}
