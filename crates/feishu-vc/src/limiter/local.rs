//! The rate limit within this process. Pure; the time is an argument.

use std::time::{Duration, Instant};

use super::gcra::Gcra;
use crate::rate::Rate;

/// Decides when the next call may be sent. Ticks are nanoseconds since the first call.
#[derive(Debug, Clone)]
pub(super) struct LocalLimiter {
    gcra: Gcra,
    /// The origin of the ticks, and when the next slot becomes free.
    next: Option<(Instant, i64)>,
}

impl LocalLimiter {
    pub(super) fn new(rate: Rate) -> LocalLimiter {
        LocalLimiter { gcra: Gcra::new(rate.calls.get(), nanos(rate.window)), next: None }
    }

    /// Requests a call at `now`. `Ok` counts the call; `Err` is how long to wait before trying again and counts
    /// nothing.
    ///
    /// A caller that waits holds no slot, so a pause that begins in the meantime applies to it.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let (origin, free) = self.next.unwrap_or((now, 0));
        let free =
            self.gcra.take(free, ticks(origin, now)).map_err(|wait| Duration::from_nanos(wait.unsigned_abs()))?;
        self.next = Some((origin, free));
        Ok(())
    }

    /// How long a call at `now` would have to wait; `None` if it may be sent. Counts nothing.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        let (origin, free) = self.next?;
        let wait = free.saturating_sub(ticks(origin, now));
        (wait > 0).then(|| Duration::from_nanos(wait.unsigned_abs()))
    }

    /// Admits no call before `at`. An earlier pause that ends later stays.
    pub(super) fn hold_until(&mut self, at: Instant) {
        let (origin, free) = self.next.unwrap_or((at, 0));
        self.next = Some((origin, free.max(ticks(origin, at))));
    }
}

/// Nanoseconds from `origin` to `at`, negative where `at` is earlier.
fn ticks(origin: Instant, at: Instant) -> i64 {
    match at.checked_duration_since(origin) {
        Some(after) => nanos(after),
        None => -nanos(origin.duration_since(at)),
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The room that the tolerance and network jitter share, as a divisor of the window.
    const ROOM_DIVISOR: u32 = 100;
    const LIMITS: [(u32, Duration); 4] = [
        (100, Duration::from_secs(60)),
        (600, Duration::from_secs(6)),
        (1, Duration::from_secs(60)),
        (7, Duration::from_millis(333)),
    ];

    fn limiter((calls, window): (u32, Duration)) -> LocalLimiter {
        LocalLimiter::new(Rate { calls: calls.try_into().expect("the limits above are positive"), window })
    }

    /// The most calls in any half-open window that starts at a call.
    fn busiest(calls: &[Instant], window: Duration) -> usize {
        let mut most = 0;
        for (index, start) in calls.iter().enumerate() {
            most = most.max(calls[index..].partition_point(|at| *at < *start + window));
        }
        most
    }

    /// The calls of one caller that always has another call to make and whose timers wake up late by `lateness`.
    fn saturated(
        limiter: &mut LocalLimiter,
        start: Instant,
        for_time: Duration,
        lateness: &[Duration],
    ) -> Vec<Instant> {
        let mut late = lateness.iter().cycle();
        let mut now = start;
        let mut calls = Vec::new();
        while now < start + for_time {
            match limiter.take(now) {
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
        fn no_window_exceeds_the_limit_for_any_arrivals(
            which in 0..LIMITS.len(),
            gaps in proptest::collection::vec(prop_oneof![Just(0), 0..2_000u64, 0..2_000_000u64], 1..1_500),
        ) {
            let (limit, window) = LIMITS[which];
            let mut limiter = limiter(LIMITS[which]);
            let mut now = Instant::now();
            let mut calls = Vec::new();
            for gap in gaps {
                now += Duration::from_micros(gap);
                if limiter.take(now).is_ok() {
                    calls.push(now);
                }
            }
            prop_assert!(busiest(&calls, window) <= limit as usize);
        }

        #[test]
        fn network_jitter_within_the_room_keeps_the_limit(
            which in 0..2usize,
            travel in proptest::collection::vec(0.0..1.0f64, 200),
            lateness in proptest::collection::vec(micros(0..20_000), 50),
        ) {
            let (limit, window) = LIMITS[which];
            let mut limiter = limiter(LIMITS[which]);
            let left = window / ROOM_DIVISOR / 2;
            let sent = saturated(&mut limiter, Instant::now(), window * 4, &lateness);
            let mut seen: Vec<_> =
                sent.iter().zip(travel.iter().cycle()).map(|(at, share)| *at + left.mul_f64(*share)).collect();
            seen.sort();
            prop_assert!(busiest(&seen, window) <= limit as usize);
        }

        #[test]
        fn a_busy_caller_uses_at_least_98_percent(
            which in 0..2usize,
            lateness in proptest::collection::vec(micros(0..5_000), 50),
        ) {
            let (limit, window) = LIMITS[which];
            let sent = saturated(&mut limiter(LIMITS[which]), Instant::now(), window * 10, &lateness);
            prop_assert!(busiest(&sent, window) <= limit as usize);
            prop_assert!(sent.len() * 100 >= limit as usize * 10 * 98, "{} calls", sent.len());
        }

        #[test]
        fn after_a_pause_the_full_rate_is_reached_again(
            which in 0..2usize,
            hold_ms in 0..90_000u64,
            lateness in proptest::collection::vec(micros(0..5_000), 50),
        ) {
            let (limit, window) = LIMITS[which];
            let mut limiter = limiter(LIMITS[which]);
            let start = Instant::now();
            let mut sent = saturated(&mut limiter, start, window / 2, &lateness);
            let half = *sent.last().expect("the first call is never refused");
            let until = half + Duration::from_millis(hold_ms);
            limiter.hold_until(until);
            prop_assert!(limiter.take(half).is_err());
            let after = saturated(&mut limiter, half, window * 10 + Duration::from_millis(hold_ms), &lateness);
            prop_assert!(after.iter().all(|at| *at >= until));
            prop_assert!(after.len() * 100 >= limit as usize * 10 * 98, "{} calls", after.len());
            sent.extend(after);
            prop_assert!(busiest(&sent, window) <= limit as usize);
        }

        #[test]
        fn calls_are_spread_out(lateness in proptest::collection::vec(micros(0..400_000), 50)) {
            let mut limiter = limiter(LIMITS[0]);
            let sent = saturated(&mut limiter, Instant::now(), Duration::from_secs(120), &lateness);
            for pair in sent.windows(2) {
                let least = limiter.gcra.interval - limiter.gcra.tolerance;
                prop_assert!(nanos(pair[1] - pair[0]) >= least);
            }
        }
    }

    #[test]
    fn a_refused_call_is_not_counted() {
        let mut limiter = limiter(LIMITS[0]);
        let now = Instant::now();
        assert_eq!(limiter.take(now), Ok(()));
        let wait = limiter.take(now).expect_err("the second call comes too early");
        assert_eq!(limiter.take(now), Err(wait));
        assert_eq!((limiter.wait(now), limiter.wait(now + wait)), (Some(wait), None));
        assert_eq!(limiter.take(now + wait), Ok(()));
    }

    #[test]
    fn a_shorter_pause_does_not_end_a_longer_one() {
        let mut limiter = limiter(LIMITS[0]);
        let now = Instant::now();
        limiter.hold_until(now + Duration::from_secs(40));
        limiter.hold_until(now + Duration::from_secs(10));
        assert_eq!(limiter.take(now), Err(Duration::from_secs(40)));
    }
}
