//! When an answer is final, and when one that is not may be requested again: pure functions of times and counts.
//!
//! Two equal early answers prove nothing: Feishu can take a day to write a meeting's data. An early answer is final
//! only if it is long enough; else it is requested again at growing intervals until the settle time is over.

use std::time::Duration;

use crate::ledger::NEVER_AGAIN_US;
use crate::schema::Status;

/// How long after its end a meeting is left alone: Feishu is still writing its data.
const FRESH_US: i64 = 10 * 60 * 1_000_000;
/// "A day later" for runs that start at the same time of day: a run takes a while, so a full day would be missed.
const NEXT_DAY_US: i64 = 20 * 3_600_000_000;
/// What still fails at this age is final for runs whose window does not contain it.
const GIVE_UP_US: i64 = 90 * 86_400_000_000;

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

/// An answer for a meeting that ended at `end_us`, microseconds UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceivedAnswer {
    pub status: Status,
    /// Samples, or items where samples were not counted.
    pub items: u64,
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

    fn is_early(self, answer: &ReceivedAnswer) -> bool {
        answer.requested_us < self.stable_us(answer.end_us)
    }

    /// Whether a participant's quality is final. `expected_minutes` are those of the clock, so that no
    /// minute of a short stay is missing; `None` if unknown.
    pub(super) fn quality_is_final(self, answer: &ReceivedAnswer, expected_minutes: Option<i64>) -> bool {
        // Less than 90 % of what is expected: ten times the items against nine times the minutes.
        let is_short = || expected_minutes.is_some_and(|minutes| (answer.items as i64) * 10 < minutes * 9);
        let is_long_enough = matches!(answer.status, Status::Complete | Status::Unreadable) && !is_short();
        is_long_enough || self.list_is_final(answer, None)
    }

    /// Whether a participant list is final. If it has fewer people than Feishu counts, `short_since_us` is when the
    /// first such answer in a row was requested: it is final a day later.
    pub(super) fn list_is_final(self, answer: &ReceivedAnswer, short_since_us: Option<i64>) -> bool {
        match answer.status {
            Status::Failed | Status::Pending => false,
            Status::Complete | Status::Empty | Status::Unreadable | Status::NotFound | Status::ListShort => {
                let is_confirmed =
                    short_since_us.is_none_or(|since_us| answer.requested_us.saturating_sub(since_us) >= NEXT_DAY_US);
                !self.is_early(answer) && is_confirmed
            }
            Status::Unaddressable | Status::TooLong | Status::Forbidden | Status::Unsupported => true,
        }
    }
}

/// When an answer that is not final may be requested again, microseconds UTC: once the meeting's age has grown by half.
/// A failure and a short list wait a day at most, because their meetings can be old. Runs whose window holds a failure
/// do not wait.
pub(super) fn again_us(answer: &ReceivedAnswer, is_short: bool) -> i64 {
    let age_us = answer.requested_us.saturating_sub(answer.end_us);
    let has_failed = answer.status == Status::Failed;
    if has_failed && age_us >= GIVE_UP_US {
        return NEVER_AGAIN_US;
    }
    let grown_us = answer.requested_us.saturating_add(age_us.max(FRESH_US) / 2);
    if has_failed || is_short { grown_us.min(answer.requested_us.saturating_add(NEXT_DAY_US)) } else { grown_us }
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
#[path = "finality_tests.rs"]
mod tests;
