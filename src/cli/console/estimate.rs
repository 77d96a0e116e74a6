//! The estimate of what a sync costs, as text.

use std::time::Duration;

use crate::commands::{CallEstimate, CostEstimate};
use crate::text::{counted, thousands, whole_duration_text};

/// Prefixes an estimate with `about`.
pub(crate) fn about(is_estimate: bool, text: String) -> String {
    if is_estimate { format!("about {text}") } else { text }
}

/// The time that calls take at the rate limit.
pub(crate) fn time_text(calls: CallEstimate) -> String {
    whole_duration_text(Duration::from_secs_f64(calls.seconds.max(0.0)))
}

/// `1,204 participants of 131 meetings, about 1,950 calls, 20 min at 100 per minute`.
pub(crate) fn estimate_text(price: &CostEstimate) -> String {
    let participants = about(price.unlisted > 0, counted(price.participants, "participant"));
    format!(
        "{participants} of {}, {}, {} at {} per minute",
        counted(price.meetings, "meeting"),
        about(price.total.is_estimate, counted(price.total.calls, "call")),
        time_text(price.total),
        thousands(price.calls_per_minute)
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::commands::estimate::LaterEstimate;

    pub(crate) fn price() -> CostEstimate {
        let calls = |calls, is_estimate, seconds| CallEstimate { calls, is_estimate, seconds };
        CostEstimate {
            meetings: 131,
            lists: 12,
            unlisted: 3,
            participants: 1_204,
            meeting_list: calls(2, false, 1.2),
            participant_list: calls(13, true, 7.9),
            participant_quality_list: calls(1_935, true, 1_172.6),
            total: calls(1_950, true, 1_172.6),
            calls_per_minute: 100,
            later: LaterEstimate {
                fresh_meetings: 0,
                fresh_until_utc: None,
                settling_meetings: 0,
                settling_participants: 0,
                settled_utc: None,
                waiting: 0,
            },
        }
    }

    #[test]
    fn an_estimate_says_what_is_approximate() {
        assert_eq!(
            estimate_text(&price()),
            "about 1,204 participants of 131 meetings, about 1,950 calls, 19 min at 100 per minute"
        );
        let exact = CallEstimate { calls: 1, is_estimate: false, seconds: 0.6 };
        let price = CostEstimate { meetings: 1, unlisted: 0, participants: 1, total: exact, ..price() };
        assert_eq!(estimate_text(&price), "1 participant of 1 meeting, 1 call, 1 s at 100 per minute");
    }
}
