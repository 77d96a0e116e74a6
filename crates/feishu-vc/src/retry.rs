//! How long to wait before a retry. Pure; chance is an argument.

use std::time::Duration;

/// Exponential back-off with full jitter: anything from nothing to twice as much as the time before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The most that the first wait can be.
    pub base: Duration,
    /// The most that any wait can be.
    pub cap: Duration,
}

impl Default for Backoff {
    /// From half a second to thirty.
    fn default() -> Backoff {
        Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait after the `failed`th failure in a row (the first is 1), with `random` in `[0, 1]` for the jitter.
    ///
    /// Full jitter, because many tasks that fail at one time must not come back at one time.
    pub fn wait(&self, failed: u32, random: f64) -> Duration {
        let doublings = failed.saturating_sub(1).min(31);
        let most = self.base.saturating_mul(1 << doublings).min(self.cap);
        most.mul_f64(if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_from_half_a_second_to_thirty() {
        let most: Vec<_> = (1..=8).map(|failed| Backoff::default().wait(failed, 1.0).as_millis()).collect();
        assert_eq!(most, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    }

    proptest! {
        #[test]
        fn jitter_stays_below_the_full_wait_and_grows_with_chance(failed in 0u32.., a in 0.0..=1.0f64, b in 0.0..=1.0f64) {
            let backoff = Backoff::default();
            let (low, high) = if a <= b { (a, b) } else { (b, a) };
            prop_assert!(backoff.wait(failed, low) <= backoff.wait(failed, high));
            prop_assert!(backoff.wait(failed, high) <= backoff.wait(failed, 1.0));
            prop_assert!(backoff.wait(failed, 1.0) <= backoff.cap);
        }

        #[test]
        fn no_chance_number_panics(failed in any::<u32>(), random in any::<f64>()) {
            Backoff::default().wait(failed, random);
        }
    }
}
