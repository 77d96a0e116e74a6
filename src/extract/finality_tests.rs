//! The rule itself, and the rule against a service whose answers come late.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::TenantZone;
use crate::schema::identity::ParticipantIdentity;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const SETTLE: Settle = Settle { us: DAY };

fn answered(status: Status, items: u64, requested_us: i64) -> ReceivedAnswer {
    ReceivedAnswer { status, items, requested_us, end_us: 0 }
}

#[test]
fn early_answers_are_not_final_until_long_enough_or_stable() {
    use Status::{Complete, Empty, NotFound};
    let quality =
        |status, items, requested_h| SETTLE.quality_is_final(&answered(status, items, requested_h * HOUR), Some(100));
    for (status, items) in [(Empty, 0), (NotFound, 0), (Complete, 89)] {
        assert!(!quality(status, items, 1), "{status:?} early");
        assert!(!quality(status, items, 23), "{status:?} just inside");
        assert!(quality(status, items, 24), "{status:?} stable");
    }
    assert!(quality(Complete, 90, 1), "long enough");
    assert!(quality(Status::Unreadable, 90, 1) && !quality(Status::Unreadable, 10, 1));
    assert!(SETTLE.quality_is_final(&answered(Complete, 1, HOUR), None), "length unknown");
}

#[test]
fn failures_are_never_final_and_refusals_always() {
    for status in [Status::Failed, Status::Pending] {
        assert!(!SETTLE.quality_is_final(&answered(status, 0, 99 * HOUR), None));
        assert!(!SETTLE.list_is_final(&answered(status, 0, 99 * HOUR), None));
    }
    for status in [Status::Forbidden, Status::Unsupported, Status::TooLong] {
        assert!(SETTLE.quality_is_final(&answered(status, 0, HOUR), Some(5)));
        assert!(SETTLE.list_is_final(&answered(status, 0, HOUR), None));
    }
}

#[test]
fn a_short_list_is_final_a_day_after_the_first_short_answer() {
    let list = |requested_us, since_us| SETTLE.list_is_final(&answered(Status::Complete, 2, requested_us), since_us);
    assert!(list(DAY, None) && !list(DAY - 1, None), "a list that is not short is final once stable");
    assert!(!list(30 * DAY, Some(30 * DAY)), "the first short answer, however old the meeting");
    assert!(!list(30 * DAY + HOUR, Some(30 * DAY)));
    assert!(list(31 * DAY - 3 * MINUTE, Some(30 * DAY)), "the run of the next night began earlier");
    assert!(!list(23 * HOUR, Some(0)), "within the settle time");
}

#[test]
fn the_next_request_comes_when_the_age_has_grown_by_half() {
    let again = |status, requested_us, is_short| again_us(&answered(status, 0, requested_us), is_short);
    assert_eq!(again(Status::Empty, HOUR, false), 90 * MINUTE);
    assert_eq!(again(Status::Empty, 20 * DAY, false), 30 * DAY);
    assert_eq!(again(Status::Failed, HOUR, false), 90 * MINUTE);
    for (status, is_short) in [(Status::Failed, false), (Status::Complete, true)] {
        let waits_us = again(status, 20 * DAY, is_short) - 20 * DAY;
        assert!(waits_us <= DAY && waits_us > 12 * HOUR, "a day at most");
    }
    assert_eq!(again(Status::Failed, 90 * DAY, false), NEVER_AGAIN_US);
    assert!(again(Status::Complete, 90 * DAY, true) < 91 * DAY, "a short list gets its second day at any age");
    assert_eq!(again(Status::Empty, -HOUR, false), -HOUR + 5 * MINUTE, "an end in the future: our clock is behind");
}

#[test]
fn a_meeting_that_just_ended_is_left_for_the_next_run() {
    assert!(is_fresh(0, FRESH_US - 1));
    assert!(!is_fresh(0, FRESH_US));
}

/// A unit as the ledger keeps it.
#[derive(Debug, Default)]
struct Unit {
    is_final: bool,
    items: u64,
    again_us: Option<i64>,
    short_since_us: Option<i64>,
    requests: u32,
}

impl Unit {
    fn is_due(&self, now_us: i64) -> bool {
        !self.is_final && !is_fresh(0, now_us) && self.again_us.is_none_or(|again_us| again_us <= now_us)
    }

    /// What Feishu has of `total` items at `now_us`: nothing, half of them, and all from `late_us` on.
    fn request(&mut self, now_us: i64, late_us: i64, total: u64, judge: impl Fn(&ReceivedAnswer, &Unit) -> Judged) {
        let items = if now_us >= late_us { total } else { total * u64::from(now_us * 2 >= late_us) / 2 };
        let status = if items > 0 { Status::Complete } else { Status::Empty };
        let answer = answered(status, items, now_us);
        let judged = judge(&answer, self);
        self.requests += 1;
        self.items = items;
        self.is_final = judged.is_final;
        self.short_since_us = judged.short_since_us;
        self.again_us = Some(again_us(&answer, judged.short_since_us.is_some()));
    }
}

struct Judged {
    is_final: bool,
    short_since_us: Option<i64>,
}

/// A participant with this many expected minutes.
fn quality(expected_minutes: i64) -> impl Fn(&ReceivedAnswer, &Unit) -> Judged {
    move |answer, _| Judged { is_final: SETTLE.quality_is_final(answer, Some(expected_minutes)), short_since_us: None }
}

/// The minutes of the clock that a stay touches, as the list of participants gives them.
fn clock_minutes(join_s: i64, stay_s: i64) -> i64 {
    let item = json!({"join_time": join_s.to_string(), "time_in_meeting": stay_s.to_string()});
    let zone = TenantZone::parse("+08:00").expect("an offset");
    let item = item.as_object().expect("an object");
    ParticipantIdentity::from_item(item, "m", &zone).clock_minutes.expect("a length")
}

/// A list of a meeting for which Feishu counts `counted` people.
fn list(counted: u64) -> impl Fn(&ReceivedAnswer, &Unit) -> Judged {
    move |answer, unit| {
        let since_us = unit.short_since_us.unwrap_or(answer.requested_us);
        let short_since_us = (answer.items < counted).then_some(since_us);
        Judged { is_final: SETTLE.list_is_final(answer, short_since_us), short_since_us }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn hourly_runs_lose_nothing_that_comes_within_the_settle_time(
        first_us in 0..61 * MINUTE, late_us in 20 * MINUTE..20 * HOUR,
        join_s in 1_671_765_420_i64..1_671_765_480, stay_s in prop_oneof![1_i64..200, 1_i64..40_000],
    ) {
        let samples = (join_s..join_s + stay_s).map(|second| second / 60).collect::<HashSet<_>>().len();
        let (mut answer, mut people) = (Unit::default(), Unit::default());
        for run in 0..60 {
            let now_us = first_us + run * 61 * MINUTE;
            if answer.is_due(now_us) {
                answer.request(now_us, late_us, samples as u64, quality(clock_minutes(join_s, stay_s)));
            }
            if people.is_due(now_us) {
                people.request(now_us, late_us, 5, list(5));
            }
        }
        prop_assert!(answer.is_final && answer.items == samples as u64, "{answer:?}");
        prop_assert!(people.is_final && people.items == 5, "{people:?}");
        prop_assert!(answer.requests <= 12 && people.requests <= 12, "{} {}", answer.requests, people.requests);
    }

    #[test]
    fn nightly_runs_leave_nothing_pending(
        first_us in 0..DAY, late_us in 0..20 * HOUR, jitter_us in -10 * MINUTE..10 * MINUTE, counted in 5_u64..9,
    ) {
        let (mut answer, mut people) = (Unit::default(), Unit::default());
        for night in 0..4 {
            let now_us = first_us + night * DAY + night % 2 * jitter_us;
            if answer.is_due(now_us) {
                answer.request(now_us, late_us, 60, quality(60));
            }
            if people.is_due(now_us) {
                people.request(now_us, late_us, 5, list(counted));
            }
        }
        prop_assert!(answer.is_final && answer.items == 60, "{answer:?}");
        prop_assert!(people.is_final && people.items == 5, "{people:?}");
        prop_assert_eq!(people.short_since_us.is_some(), counted > 5, "named if it stays short");
    }
}
