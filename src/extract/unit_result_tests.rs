//! What each answer becomes: status, reason, whether it is final, and what the ledger learns.

use std::fmt::Write as _;
use std::time::Duration;

use feishu_vc::{ErrorResponse, PaginationError};

use super::super::task::pending_meeting;
use super::*;
use crate::ledger::PendingMeeting;
use crate::schema::identity::ParticipantId;

const HOUR_US: i64 = 3_600_000_000;
/// When the meeting starts, microseconds UTC.
const START_US: i64 = 1_793_620_800_000_000;
const END_US: i64 = START_US + HOUR_US;

fn task(length_us: i64, refetch_us: Option<i64>) -> MeetingTask {
    let meeting = PendingMeeting { refetch_us, ..pending_meeting(START_US, START_US + length_us) };
    MeetingTask::new(meeting, i64::MAX)
}

/// A walk with this outcome, requested this long after the meeting's end.
fn walk(outcome: Outcome, items: u64, hours_after: i64) -> Walk {
    let end = WalkEnd {
        items,
        requests: 2,
        digest: "new".into(),
        log_id: Some("log".into()),
        ..WalkEnd::new(Status::Pending, String::new(), Some(0), None)
    };
    let requested_us = END_US + hours_after * HOUR_US;
    Walk { requested_us, pages: Vec::new(), end, outcome, is_clamped: false, stop: None }
}

fn refused(class: RefusalClass, code: Option<i64>) -> Outcome {
    let response = ErrorResponse {
        host: "open.example.com".into(),
        http_status: 400,
        code,
        msg: "refused".into(),
        log_id: None,
        server_date: None,
        requested_at: jiff::Timestamp::UNIX_EPOCH,
        requests: 1,
        help_url: None,
        body: Default::default(),
    };
    Outcome::Refused { class, response: Box::new(response) }
}

const SETTLE: Duration = Duration::from_secs(24 * 3600);
const NOTHING_EARLIER: Earlier<'_> = Earlier { status: None, digest: None, us: None };

fn quality(minutes: u64, expected_minutes: Option<i64>) -> Expected {
    Expected::Quality { minutes, is_counted: true, expected_minutes }
}

fn list(people: u64, is_short: bool, short_since_h: Option<i64>) -> Expected {
    let short_since_us = short_since_h.map(|hours| END_US + hours * HOUR_US);
    Expected::List { people, number_of_participants: Some(3), is_short, short_since_us }
}

fn result(walk: Walk, expected: Expected, earlier: Earlier<'_>) -> UnitResult {
    let kind = if matches!(expected, Expected::List { .. }) { RawKind::Participants } else { RawKind::Quality };
    UnitResult::new(kind, "unit", &task(HOUR_US, None), walk, expected, earlier, SETTLE.into())
}

/// A line: times in hours after the meeting's end.
fn shown(result: &UnitResult) -> String {
    let hours = |us: i64| format!("{:.1} h", (us - END_US) as f64 / HOUR_US as f64);
    let end = &result.end;
    let flags = [
        (end.whole, "whole"),
        (end.is_final, "final"),
        (result.is_answer, "an answer"),
        (result.changes_published, "changes what is published"),
        (result.is_newly_unreadable, "newly unreadable"),
    ];
    let flags: Vec<&str> = flags.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect();
    format!(
        "{}: {}\n    {}; again {}, short since {}, requested {}",
        end.status.name(),
        end.reason,
        flags.join(", "),
        end.again_us.map_or_else(|| "any time".to_owned(), hours),
        end.short_since_us.map_or_else(|| "never".to_owned(), hours),
        hours(result.requested_us),
    )
}

#[test]
fn what_each_answer_becomes() {
    use RefusalClass::{Forbidden, NotFound, TooLong, Unsupported};
    let failed = || Outcome::Faulty(PaginationError::RepeatedToken { page: 2 });
    let complete = || Outcome::Complete;
    let interrupted = || Outcome::Interrupted("the run ended".into());
    let published = |status: Status| Earlier { status: Some(status.name()), digest: Some("new"), us: None };
    let clamped = |walk: Walk| Walk { is_clamped: true, ..walk };
    let cases = [
        ("60 of 60 minutes, at once", walk(complete(), 61, 1), quality(60, Some(60)), NOTHING_EARLIER),
        ("54 of 60 minutes, at once", walk(complete(), 61, 1), quality(54, Some(60)), NOTHING_EARLIER),
        ("53 of 60 minutes, at once", walk(complete(), 61, 1), quality(53, Some(60)), NOTHING_EARLIER),
        ("53 of 60 minutes, a day later", walk(complete(), 61, 25), quality(53, Some(60)), NOTHING_EARLIER),
        (
            "minutes that were not counted",
            walk(complete(), 61, 1),
            { Expected::Quality { minutes: 1, is_counted: false, expected_minutes: Some(60) } },
            NOTHING_EARLIER,
        ),
        ("no readable minute, at once", walk(complete(), 61, 1), quality(0, Some(90)), NOTHING_EARLIER),
        ("no readable minute, a day later", walk(complete(), 61, 25), quality(0, Some(90)), NOTHING_EARLIER),
        ("no readable minute, again", walk(complete(), 61, 25), quality(0, Some(90)), published(Status::Unreadable)),
        ("no item, at once", walk(complete(), 0, 1), quality(0, Some(60)), NOTHING_EARLIER),
        ("no item, a day later", walk(complete(), 0, 25), quality(0, Some(60)), NOTHING_EARLIER),
        ("the same answer", walk(complete(), 61, 25), quality(60, Some(60)), published(Status::Complete)),
        ("the same items, another status", walk(complete(), 61, 25), quality(60, Some(60)), published(Status::Empty)),
        ("other items, the same status", walk(complete(), 61, 25), quality(60, Some(60)), {
            Earlier { digest: Some("old"), ..published(Status::Complete) }
        }),
        ("requested before the clock was set back", walk(complete(), 61, 25), quality(60, Some(60)), {
            Earlier { us: Some(END_US + 30 * HOUR_US), ..published(Status::Complete) }
        }),
        ("not found, at once", walk(refused(NotFound, Some(121_004)), 0, 1), quality(0, None), NOTHING_EARLIER),
        ("not found, a day later", walk(refused(NotFound, Some(121_004)), 0, 25), quality(0, None), NOTHING_EARLIER),
        ("not found in a day of more", clamped(walk(refused(NotFound, Some(126_009)), 0, 25)), quality(0, None), {
            NOTHING_EARLIER
        }),
        (
            "not found in a day of more, at once",
            clamped(walk(refused(NotFound, Some(126_009)), 0, 1)),
            { quality(0, None) },
            NOTHING_EARLIER,
        ),
        ("no permission", walk(refused(Forbidden, Some(121_005)), 0, 1), quality(0, None), NOTHING_EARLIER),
        ("no permission, as before", walk(refused(Forbidden, Some(121_005)), 0, 1), quality(0, None), {
            published(Status::Forbidden)
        }),
        ("not supported", walk(refused(Unsupported, Some(1)), 0, 1), quality(0, None), NOTHING_EARLIER),
        ("refused without a code", walk(refused(Unsupported, None), 0, 1), quality(0, None), NOTHING_EARLIER),
        ("too long, but it is an hour", walk(refused(TooLong, Some(126_006)), 0, 1), quality(0, None), {
            NOTHING_EARLIER
        }),
        ("too long in a day of more", clamped(walk(refused(TooLong, Some(126_006)), 0, 1)), quality(0, None), {
            NOTHING_EARLIER
        }),
        ("a failure", walk(failed(), 5, 1), quality(5, Some(60)), NOTHING_EARLIER),
        ("a failure, again", walk(failed(), 5, 25), quality(5, Some(60)), published(Status::Failed)),
        ("an interruption", walk(interrupted(), 5, 1), quality(5, Some(60)), NOTHING_EARLIER),
        ("a list, at once", walk(complete(), 3, 1), list(3, false, None), NOTHING_EARLIER),
        ("a list, a day later", walk(complete(), 3, 25), list(3, false, None), NOTHING_EARLIER),
        (
            "a list without a number to compare",
            walk(complete(), 3, 25),
            { Expected::List { people: 2, number_of_participants: None, is_short: true, short_since_us: None } },
            NOTHING_EARLIER,
        ),
        ("an empty list, a day later", walk(complete(), 0, 25), list(0, true, None), NOTHING_EARLIER),
        ("a short list, at once", walk(complete(), 2, 1), list(2, true, None), NOTHING_EARLIER),
        ("a short list, a day later, for the first time", walk(complete(), 2, 25), list(2, true, None), {
            NOTHING_EARLIER
        }),
        ("a short list, a day after the first", walk(complete(), 2, 49), list(2, true, Some(25)), NOTHING_EARLIER),
        ("a list that is no longer short", walk(complete(), 3, 49), list(3, false, Some(25)), NOTHING_EARLIER),
        ("a short list that failed", walk(failed(), 2, 49), list(2, true, Some(1)), NOTHING_EARLIER),
        ("a refused list", walk(refused(Forbidden, Some(121_005)), 0, 49), list(0, true, Some(1)), NOTHING_EARLIER),
    ];
    let mut text = String::new();
    for (name, walk, expected, earlier) in cases {
        let _ = writeln!(text, "{name}\n    {}", shown(&result(walk, expected, earlier)));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_window_of_more_than_a_day_that_is_too_long_stays_so() {
    let walk = walk(refused(RefusalClass::TooLong, Some(126_006)), 0, 30);
    let (kind, task) = (RawKind::Quality, task(25 * HOUR_US, None));
    let result = UnitResult::new(kind, "unit", &task, walk, quality(0, None), NOTHING_EARLIER, SETTLE.into());
    assert_eq!(result.end.status, Status::TooLong);
}

#[test]
fn an_answer_is_later_than_the_one_before_and_than_the_refetch() {
    let at = |earlier_us: Option<i64>, refetch_us: Option<i64>| {
        let (walk, task) = (walk(Outcome::Complete, 3, 1), task(HOUR_US, refetch_us));
        let earlier = Earlier { us: earlier_us, ..NOTHING_EARLIER };
        let kind = RawKind::Quality;
        UnitResult::new(kind, "unit", &task, walk, quality(3, None), earlier, SETTLE.into()).requested_us
    };
    let requested_us = END_US + HOUR_US;
    assert_eq!(at(None, None), requested_us);
    assert_eq!(at(Some(requested_us - 1), Some(requested_us - 1)), requested_us);
    assert_eq!(at(Some(requested_us), None), requested_us + 1);
    assert_eq!(at(None, Some(requested_us + 9)), requested_us + 9);
    assert_eq!(at(Some(i64::MAX), None), i64::MAX);
}

#[test]
fn what_the_ledger_learns() {
    let changes = |mut result: UnitResult, people: u64| {
        result.people = people;
        result.into_checkpoint("run")
    };
    let answered = changes(result(walk(Outcome::Complete, 60, 25), quality(60, Some(60)), NOTHING_EARLIER), 0);
    let [Change::Answered { base_key, answer }, Change::Dirty { meeting_date: 20_759 }] = &answered.changes[..] else {
        panic!("{:?}", answered.changes);
    };
    assert_eq!((base_key.as_str(), answer.digest.as_deref(), answer.items), ("unit", Some("new"), 60));
    assert_eq!((answered.header.unit.as_str(), answered.header.run_id.as_str()), ("unit", "run"));
    assert_eq!(answered.dates, [20_759]);
    assert_eq!(answered.header.requested_us, END_US + 25 * HOUR_US);

    // The rows of coverage count samples, so an equal answer may change them.
    let known = Earlier { status: Some(Status::Complete.name()), digest: Some("new"), us: None };
    let again = changes(result(walk(Outcome::Complete, 60, 25), quality(60, Some(60)), known), 0);
    assert!(matches!(again.changes[..], [Change::Answered { .. }, Change::Dirty { .. }]), "{:?}", again.changes);

    let listed = changes(result(walk(Outcome::Complete, 3, 25), list(3, false, None), NOTHING_EARLIER), 3);
    let [Change::Listed { meeting_key, people: 3, .. }, Change::Dirty { .. }] = &listed.changes[..] else {
        panic!("{:?}", listed.changes);
    };
    assert_eq!(meeting_key, "meeting");
    let listed = changes(result(walk(Outcome::Complete, 3, 25), list(3, false, None), known), 3);
    assert!(
        matches!(listed.changes[..], [Change::Listed { .. }]),
        "an equal list changes nothing: {:?}",
        listed.changes
    );

    let stopped = Outcome::Interrupted("the run ended".into());
    let interrupted = changes(result(walk(stopped, 3, 25), quality(3, None), NOTHING_EARLIER), 0);
    assert_eq!(interrupted.header.end.map(|end| end.digest), Some(String::new()), "no answer has no digest");
}

#[test]
fn a_withdrawn_answer_is_none() {
    let result = result(walk(Outcome::Complete, 3, 1), list(3, false, None), NOTHING_EARLIER);
    assert!(result.end.again_us.is_some());
    let result = result.withdrawn("the role is missing");
    let is = "pending: the role is missing
    changes what is published; again any time, short since never, requested 1.0 h";
    assert_eq!(shown(&result), is);
    assert!(result.participants.is_empty());
}

#[test]
fn a_participant_without_an_id_waits_and_counts_as_answered() {
    let participant = |last_us: Option<i64>| PendingParticipant {
        base_key: "participant".into(),
        id: ParticipantId::User("ou_made_up".into()),
        join_s: 0,
        expected_minutes: None,
        status: Status::Pending.name().into(),
        last_us,
    };
    let now_us = END_US + HOUR_US;
    let at = |last_us| UnitResult::id_unknown(&task(HOUR_US, None), &participant(last_us), now_us);
    let is = "pending: no longer on the participant list, which alone has the ID that the request needs
    an answer, changes what is published; again 1.5 h, short since never, requested 1.0 h";
    assert_eq!(shown(&at(None)), is);
    assert_eq!((at(Some(now_us - 1)).requested_us, at(Some(now_us)).requested_us), (now_us, now_us + 1));
    assert_eq!(
        (at(None).end.walks, at(None).unit.as_str(), at(None).meeting_key.as_str()),
        (0, "participant", "meeting")
    );
    assert_eq!(at(None).end.digest, ID_UNKNOWN_DIGEST);
}
