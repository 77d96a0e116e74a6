//! A price in words.

use std::time::Duration;

use super::words::{counted, rough, thousands};
use crate::commands::{Price, PricedCalls};

/// `1,950 calls`, `about 1,950 calls`.
pub(crate) fn calls_text(calls: PricedCalls) -> String {
    about(calls.is_estimate, counted(calls.calls, "call"))
}

/// `about` before what a guess is in.
pub(crate) fn about(is_estimate: bool, text: String) -> String {
    if is_estimate { format!("about {text}") } else { text }
}

/// The time that calls take at the quota.
pub(crate) fn time_text(calls: PricedCalls) -> String {
    rough(Duration::from_secs_f64(calls.seconds.max(0.0)))
}

/// What is left in one clause: `1,204 participants of 131 meetings, about 1,950 calls, 20 min at 100 a minute`.
pub(crate) fn price_text(price: &Price) -> String {
    let participants = about(price.unlisted > 0, counted(price.participants, "participant"));
    format!(
        "{participants} of {}, {}, {} at {} a minute",
        counted(price.meetings, "meeting"),
        calls_text(price.total),
        time_text(price.total),
        thousands(price.calls_per_minute)
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::commands::price::PricedLater;

    /// A price of a few round numbers.
    pub(crate) fn price() -> Price {
        let calls = |calls, is_estimate, seconds| PricedCalls { calls, is_estimate, seconds };
        Price {
            meetings: 131,
            lists: 12,
            unlisted: 3,
            participants: 1_204,
            meeting_list: calls(2, false, 1.2),
            participant_list: calls(13, true, 7.9),
            participant_quality_list: calls(1_935, true, 1_172.6),
            total: calls(1_950, true, 1_172.6),
            calls_per_minute: 100,
            later: PricedLater {
                fresh_meetings: 0,
                fresh_until_utc: None,
                settling_meetings: 0,
                settling_participants: 0,
                settled_utc: None,
            },
        }
    }

    #[test]
    fn a_price_is_one_clause_and_says_what_is_guessed() {
        assert_eq!(
            price_text(&price()),
            "about 1,204 participants of 131 meetings, about 1,950 calls, 19 min at 100 a minute"
        );
        let exact = PricedCalls { calls: 1, is_estimate: false, seconds: 0.6 };
        let price = Price { meetings: 1, unlisted: 0, participants: 1, total: exact, ..price() };
        assert_eq!(price_text(&price), "1 participant of 1 meeting, 1 call, 1 s at 100 a minute");
    }
}
