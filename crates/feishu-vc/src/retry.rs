//! The wait before a retry. Pure; the randomness is an argument.

use std::time::Duration;

/// Exponential backoff with full jitter: each wait is random, from zero to a maximum that doubles every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Maximum of the first wait.
    pub base: Duration,
    /// Maximum of every wait.
    pub cap: Duration,
}

impl Default for Backoff {
    /// The maximum grows from 0.5 s to 30 s.
    fn default() -> Backoff {
        Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row, with `random` in `[0, 1]` for the jitter.
    ///
    /// Full jitter, because tasks that fail together must not retry together.
    pub fn wait(&self, failures: u32, random: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let max = self.base.saturating_mul(1 << doublings).min(self.cap);
        max.mul_f64(if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_from_half_a_second_to_thirty() {
        let longest: Vec<_> = (1..=8).map(|failures| Backoff::default().wait(failures, 1.0).as_millis()).collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    }

    proptest! {
        #[test]
        fn jitter_is_at_most_the_full_wait_and_grows_with_the_random_number(
            failures in 0u32..,
            a in 0.0..=1.0f64,
            b in 0.0..=1.0f64,
        ) {
            let backoff = Backoff::default();
            let (low, high) = if a <= b { (a, b) } else { (b, a) };
            prop_assert!(backoff.wait(failures, low) <= backoff.wait(failures, high));
            prop_assert!(backoff.wait(failures, high) <= backoff.wait(failures, 1.0));
            prop_assert!(backoff.wait(failures, 1.0) <= backoff.cap);
        }

        #[test]
        fn wait_never_panics(failures in any::<u32>(), random in any::<f64>()) {
            Backoff::default().wait(failures, random);
        }
    }
}
