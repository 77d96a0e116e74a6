//! When an answer is final: contract 4's settle rule, as pure functions of times and counts.

use crate::schema::Status;

/// How long after its end a meeting is left alone: the vendor is still writing.
const FRESH_LIMIT_US: i64 = 10 * 60 * 1_000_000;

/// So long apart two equal answers must be for the second to confirm the first; less where the settle time is short.
pub(super) const CONFIRMS_AFTER_US: i64 = 3_600_000_000;

/// How long after a meeting's end an answer may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settle {
    /// Microseconds.
    pub us: i64,
}

/// An answer to judge.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    /// How the walk ended, settled or not.
    pub status: Status,
    /// Items over all pages.
    pub items: u64,
    /// Digest of the answer.
    pub digest: &'a str,
    /// Digest of the answer before, if there was one.
    pub earlier_digest: Option<&'a str>,
    /// When that was asked, microseconds UTC.
    pub earlier_us: Option<i64>,
    /// When it was asked, microseconds UTC.
    pub requested_us: i64,
    /// When the meeting ended, microseconds UTC.
    pub end_us: i64,
}

/// Why an answer that is not final will be asked again.
pub(super) const ASKED_EARLY: &str = "asked soon after the meeting's end: asked again until the settle time is over";

impl Settle {
    /// True while the vendor may still be writing.
    fn is_open(self, answered: &Answered<'_>) -> bool {
        answered.requested_us < answered.end_us.saturating_add(self.us) && !self.is_confirmed(answered)
    }

    /// True where the answer before was the same, and the vendor had time to change it: two runs in a row prove nothing.
    fn is_confirmed(self, answered: &Answered<'_>) -> bool {
        let least_us = CONFIRMS_AFTER_US.min(self.us / 24);
        let is_apart = answered.earlier_us.is_some_and(|us| answered.requested_us.saturating_sub(us) >= least_us);
        is_apart && answered.earlier_digest == Some(answered.digest)
    }

    /// Whether a participant's quality is final. `expected_minutes` is `None` where it is not known.
    pub(super) fn quality_is_final(self, answered: &Answered<'_>, expected_minutes: Option<i64>) -> bool {
        match answered.status {
            Status::Failed | Status::Pending => false,
            Status::NotFound | Status::Empty => !self.is_open(answered),
            Status::Complete => {
                // Shorter than 90 % of what is expected: ten times the items against nine times the minutes.
                let is_short = expected_minutes.is_some_and(|minutes| (answered.items as i64) * 10 < minutes * 9);
                !(is_short && self.is_open(answered))
            }
            Status::Unaddressable | Status::TooLong | Status::Forbidden | Status::Unsupported => true,
        }
    }

    /// Whether a meeting's participant list is final: how long it ought to be is not known, so only time and an equal
    /// answer tell.
    pub(super) fn list_is_final(self, answered: &Answered<'_>) -> bool {
        match answered.status {
            Status::Failed | Status::Pending => false,
            Status::Complete | Status::Empty | Status::NotFound => !self.is_open(answered),
            Status::Unaddressable | Status::TooLong | Status::Forbidden | Status::Unsupported => true,
        }
    }
}

/// True where a meeting ended so recently that it is left for the next run.
pub(super) fn is_fresh(end_us: i64, now_us: i64) -> bool {
    now_us < fresh_until_us(end_us)
}

/// Until when a meeting that ended then is left alone, microseconds UTC.
pub(super) fn fresh_until_us(end_us: i64) -> i64 {
    end_us.saturating_add(FRESH_LIMIT_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const SETTLE: Settle = Settle { us: 24 * HOUR };

    fn answered(status: Status, items: u64, requested_h: i64, earlier: Option<&'static str>) -> Answered<'static> {
        Answered {
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
    fn early_answers_stay_open_until_long_enough_equal_or_settled() {
        use Status::{Complete, Empty, NotFound};
        let quality = |status, items, requested_h, earlier| {
            SETTLE.quality_is_final(&answered(status, items, requested_h, earlier), Some(100))
        };
        for (status, items) in [(Empty, 0), (NotFound, 0), (Complete, 89)] {
            assert!(!quality(status, items, 1, None), "{status:?} early");
            assert!(!quality(status, items, 1, Some("before")), "{status:?} changed");
            assert!(quality(status, items, 1, Some("now")), "{status:?} equal to the one before");
            assert!(!quality(status, items, 23, None), "{status:?} just inside");
            assert!(quality(status, items, 24, None), "{status:?} settled");
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
            settle.list_is_final(&Answered {
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
    fn a_meeting_that_just_ended_is_left_alone() {
        assert!(is_fresh(0, FRESH_LIMIT_US - 1));
        assert!(!is_fresh(0, FRESH_LIMIT_US));
    }
}
