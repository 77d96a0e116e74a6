//! The rate that a Feishu bot accepts: five messages a second and a hundred a minute.

use std::time::Duration;

/// Number of messages within a time.
const LIMITS: &[(usize, Duration)] = &[(5, Duration::from_secs(1)), (100, Duration::from_secs(60))];

/// The times of earlier messages, oldest first, since any fixed moment.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    sent: Vec<Duration>,
}

impl Pacer {
    /// How long to wait before the next message.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        let of_limit = |(count, window): &(usize, Duration)| {
            let nth = self.sent.len().checked_sub(*count).map(|at| self.sent[at])?;
            // Sent at the end of the window, it would still be within it.
            (nth + *window + Duration::from_millis(1)).checked_sub(now)
        };
        LIMITS.iter().filter_map(of_limit).max().unwrap_or_default()
    }

    pub(super) fn sent(&mut self, now: Duration) {
        self.sent.push(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_window_has_more_messages_than_allowed(gaps_ms in proptest::collection::vec(0_u64..400, 1..300)) {
            let (mut pacer, mut now) = (Pacer::default(), Duration::ZERO);
            for gap in gaps_ms {
                now += Duration::from_millis(gap);
                now += pacer.wait(now);
                prop_assert_eq!(pacer.wait(now), Duration::ZERO);
                pacer.sent(now);
            }
            for (count, window) in LIMITS {
                for pair in pacer.sent.windows(count + 1) {
                    prop_assert!(pair[*count] - pair[0] > *window);
                }
            }
        }
    }

    #[test]
    fn the_first_five_are_sent_at_once() {
        let mut pacer = Pacer::default();
        (0..5).for_each(|_| {
            assert_eq!(pacer.wait(Duration::ZERO), Duration::ZERO);
            pacer.sent(Duration::ZERO);
        });
        assert_eq!(pacer.wait(Duration::ZERO), Duration::from_millis(1001));
        assert_eq!(pacer.wait(Duration::from_millis(400)), Duration::from_millis(601));
    }
}
