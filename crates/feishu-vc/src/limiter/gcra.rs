//! The generic cell rate algorithm, in whole ticks of any clock.
//!
//! Feishu does not document whether its minute is fixed or sliding, so the promise is the stronger one: no half-open
//! window of the given length, wherever it starts, holds more than N calls.
//!
//! Calls go into ideal slots, an interval `T` apart, with `N * T` a hundredth longer than the window. A call that is
//! late (a timer woke up late) keeps the ideal slot of up to `tolerance` ago, so that the delays do not add up and the
//! rate stays at 99 %. The `N+1`st call after any call is at least `N * T - tolerance` later, so the promise holds
//! while `tolerance < N * T - window`. Half of that room is the tolerance; the other half allows for jitter on the
//! network.

use serde::{Deserialize, Serialize};

/// `N * T` exceeds the window by the window divided by this.
const ROOM_DIVISOR: i64 = 100;

/// A rate. All fields are in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gcra {
    #[serde(rename = "interval_us")]
    pub interval: i64,
    #[serde(rename = "tolerance_us")]
    pub tolerance: i64,
    #[serde(rename = "window_us")]
    pub window: i64,
}

impl Gcra {
    /// At most `calls` in any `window`.
    pub(super) fn new(calls: u32, window: i64) -> Gcra {
        let window = window.max(1);
        let room = window / ROOM_DIVISOR;
        // One more, because the division rounds down.
        let interval = window.saturating_add(room) / i64::from(calls.max(1)) + 1;
        Gcra { interval, tolerance: (room / 2).min(interval), window }
    }

    /// Requests a call at `now`, where `free` is when the next slot becomes free. `Ok` is when the slot after this call
    /// becomes free; `Err` is how long to wait.
    pub(super) fn take(&self, free: i64, now: i64) -> Result<i64, i64> {
        if free > now {
            return Err(free.saturating_sub(now));
        }
        Ok(free.max(now.saturating_sub(self.tolerance)).saturating_add(self.interval))
    }

    /// Whether these values, which may come from a damaged file, are a possible rate.
    pub(super) fn is_plausible(&self) -> bool {
        (1..=self.window.saturating_mul(2)).contains(&self.interval) && self.tolerance >= 0
    }

    /// The rate that keeps both.
    pub(super) fn stricter(self, other: Gcra) -> Gcra {
        let interval = self.interval.max(other.interval);
        Gcra { interval, tolerance: self.tolerance.min(other.tolerance), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rate(interval: i64, tolerance: i64, window: i64) -> Gcra {
        Gcra { interval, tolerance, window }
    }

    #[test]
    fn impossible_rates_are_recognised() {
        for possible in [Gcra::new(100, 60_000_000), Gcra::new(1, 1), rate(1, 0, 1), rate(20, 0, 10)] {
            assert!(possible.is_plausible(), "{possible:?}");
        }
        for impossible in
            [rate(0, 0, 10), rate(-1, 0, 10), rate(21, 0, 10), rate(1, -1, 10), rate(1, 0, 0), rate(1, 0, -1)]
        {
            assert!(!impossible.is_plausible(), "{impossible:?}");
        }
    }

    #[test]
    fn of_two_rates_the_longer_interval_and_the_smaller_tolerance_apply() {
        assert_eq!(rate(2, 9, 10).stricter(rate(3, 5, 20)), rate(3, 5, 10));
        assert_eq!(rate(3, 5, 20).stricter(rate(2, 9, 10)), rate(3, 5, 20));
    }
}
