//! When an answer is final: pure functions of times and counts.

use std::time::Duration;

use crate::schema::Status;

/// How long after its end a meeting is left alone: Feishu is still writing its data.
const FRESH_US: i64 = 10 * 60 * 1_000_000;

/// Minimum time between two equal answers for the second to confirm the first; less if the settle time is short.
const CONFIRMS_AFTER_US: i64 = 3_600_000_000;

/// How long after a meeting's end an answer may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settle {
    us: i64,
}

impl From<Duration> for Settle {
    fn from(duration: Duration) -> Settle {
        Settle { us: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ReceivedAnswer<'a> {
    pub status: Status,
    pub items: u64,
    pub digest: &'a str,
    pub earlier_digest: Option<&'a str>,
    pub earlier_us: Option<i64>,
    pub requested_us: i64,
    pub end_us: i64,
}

/// The reason of an answer that is not final.
pub(super) const REQUESTED_EARLY: &str =
    "requested soon after the meeting's end; it will be requested again until the settle time is over";

impl Settle {
    /// When the answers of a meeting that ended at `end_us` are stable, microseconds UTC.
    pub(super) fn stable_us(self, end_us: i64) -> i64 {
        end_us.saturating_add(self.us)
    }

    fn may_change(self, answer: &ReceivedAnswer<'_>) -> bool {
        // An equal answer confirms the earlier one only if Feishu had time to change it: two runs in quick succession
        // prove nothing.
        let min_us = CONFIRMS_AFTER_US.min(self.us / 24);
        let is_apart = answer.earlier_us.is_some_and(|us| answer.requested_us.saturating_sub(us) >= min_us);
        let is_confirmed = is_apart && answer.earlier_digest == Some(answer.digest);
        answer.requested_us < self.stable_us(answer.end_us) && !is_confirmed
    }

    /// Whether a participant's quality is final. `expected_minutes` is `None` if unknown.
    pub(super) fn quality_is_final(self, answer: &ReceivedAnswer<'_>, expected_minutes: Option<i64>) -> bool {
        // Less than 90 % of what is expected: ten times the items against nine times the minutes.
        let is_short = || expected_minutes.is_some_and(|minutes| (answer.items as i64) * 10 < minutes * 9);
        let is_long_enough = answer.status == Status::Complete && !is_short();
        is_long_enough || self.list_is_final(answer)
    }

    /// Whether a participant list is final. Its expected length is unknown, so only time and an equal answer decide.
    pub(super) fn list_is_final(self, answer: &ReceivedAnswer<'_>) -> bool {
        match answer.status {
            Status::Failed | Status::Pending => false,
            Status::Complete | Status::Empty | Status::NotFound => !self.may_change(answer),
            Status::Unaddressable | Status::TooLong | Status::Forbidden | Status::Unsupported => true,
        }
    }
}

/// True if a meeting ended so recently that it is left for the next run.
pub(super) fn is_fresh(end_us: i64, now_us: i64) -> bool {
    now_us < fresh_until_us(end_us)
}

/// When a meeting that ended at `end_us` can be fetched, microseconds UTC.
pub(super) fn fresh_until_us(end_us: i64) -> i64 {
    end_us.saturating_add(FRESH_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const SETTLE: Settle = Settle { us: 24 * HOUR };

    fn answered(
        status: Status,
        items: u64,
        requested_h: i64,
        earlier: Option<&'static str>,
    ) -> ReceivedAnswer<'static> {
        ReceivedAnswer {
            status,
            items,
            digest: "now",
            earlier_digest: earlier,
            earlier_us: Some(0),
            requested_us: requested_h * HOUR,
            end_us: 0,
        }
    }

    #[test]
    fn early_answers_are_not_final_until_long_enough_equal_or_stable() {
        use Status::{Complete, Empty, NotFound};
        let quality = |status, items, requested_h, earlier| {
            SETTLE.quality_is_final(&answered(status, items, requested_h, earlier), Some(100))
        };
        for (status, items) in [(Empty, 0), (NotFound, 0), (Complete, 89)] {
            assert!(!quality(status, items, 1, None), "{status:?} early");
            assert!(!quality(status, items, 1, Some("before")), "{status:?} changed");
            assert!(quality(status, items, 1, Some("now")), "{status:?} equal to the one before");
            assert!(!quality(status, items, 23, None), "{status:?} just inside");
            assert!(quality(status, items, 24, None), "{status:?} stable");
        }
        assert!(quality(Complete, 90, 1, None), "long enough");
        assert!(SETTLE.quality_is_final(&answered(Complete, 1, 1, None), None), "length unknown");
    }

    #[test]
    fn failures_are_never_final_and_refusals_always() {
        for status in [Status::Failed, Status::Pending] {
            assert!(!SETTLE.quality_is_final(&answered(status, 0, 99, Some("now")), None));
            assert!(!SETTLE.list_is_final(&answered(status, 0, 99, Some("now"))));
        }
        for status in [Status::Forbidden, Status::Unsupported, Status::TooLong] {
            assert!(SETTLE.quality_is_final(&answered(status, 0, 1, None), Some(5)));
            assert!(SETTLE.list_is_final(&answered(status, 0, 1, None)));
        }
    }

    #[test]
    fn a_list_is_open_while_the_meeting_settles() {
        assert!(!SETTLE.list_is_final(&answered(Status::Complete, 5, 1, None)));
        assert!(SETTLE.list_is_final(&answered(Status::Complete, 5, 1, Some("now"))));
        assert!(SETTLE.list_is_final(&answered(Status::Complete, 5, 24, None)));
    }

    #[test]
    fn an_equal_answer_confirms_only_an_hour_later() {
        let final_after = |settle: Settle, apart_us: i64| {
            let earlier_us = Some(HOUR);
            let requested_us = HOUR + apart_us;
            settle.list_is_final(&ReceivedAnswer {
                earlier_us,
                requested_us,
                ..answered(Status::Complete, 5, 1, Some("now"))
            })
        };
        assert!(!final_after(SETTLE, 1_000_000) && !final_after(SETTLE, HOUR - 1));
        assert!(final_after(SETTLE, HOUR));
        assert!(final_after(Settle { us: 2 * HOUR }, HOUR / 12), "a short settle time shortens it");
        assert!(!final_after(Settle { us: 2 * HOUR }, HOUR / 12 - 1));
    }

    #[test]
    fn a_meeting_that_just_ended_is_left_for_the_next_run() {
        assert!(is_fresh(0, FRESH_US - 1));
        assert!(!is_fresh(0, FRESH_US));
    }
}
