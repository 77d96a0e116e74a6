//! The estimate against hand-made meetings, against what a sync requests, and within limits.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;
use crate::ledger::{Answer, Change, Due};
use crate::schema::identity::{MeetingIdentity, ParticipantId, ParticipantIdentity};
use crate::schema::{Moment, Status};

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
/// A day after the meetings of these tests.
const NOW_US: i64 = 1_000 * 24 * HOUR_US;
const RATE: Rate = Rate::per_minute(NonZeroU32::new(100).expect("not zero"));

fn input() -> EstimateInput<'static> {
    EstimateInput {
        filter: WindowFilter { window_us: (0, NOW_US), meeting_nos: &[], refetch: false, outside: false },
        now_us: NOW_US,
        settle: Settle::from(Duration::from_secs(24 * 3_600)),
        longest_meeting: Duration::from_secs(72 * 3_600),
        lists_for_ids: false,
    }
}

/// A stable meeting of an hour, three days ago, whose list is final and whose two participants are pending.
fn meeting() -> MeetingState {
    let start_us = NOW_US - 72 * HOUR_US;
    MeetingState {
        start_us,
        end_us: Some(start_us + HOUR_US),
        meeting_date: 997,
        is_webinar: false,
        devices: 2,
        list_final: true,
        list_due: false,
        was_listed: true,
        known: 2,
        pending: 2,
        pending_people: 2,
        waiting: 0,
        quality_calls: 2,
        unknown_length: 0,
    }
}

fn exact(calls: u64) -> Count {
    Count { calls, is_estimate: false }
}

fn guess(calls: u64) -> Count {
    Count { calls, is_estimate: true }
}

#[test]
fn what_is_listed_is_counted_and_what_is_not_is_guessed() {
    let unlisted = MeetingState {
        list_final: false,
        list_due: true,
        was_listed: false,
        known: 0,
        pending: 0,
        quality_calls: 0,
        devices: 150,
        end_us: Some(meeting().start_us + 101 * MINUTE_US),
        ..meeting()
    };
    let webinar = MeetingState { is_webinar: true, list_final: false, list_due: true, ..meeting() };
    let unknown_length = MeetingState { unknown_length: 1, ..meeting() };
    for (case, state, list, quality) in [
        ("final list", meeting(), exact(0), exact(2)),
        (
            "list to be requested again, stable",
            MeetingState { list_final: false, list_due: true, ..meeting() },
            exact(1),
            exact(2),
        ),
        ("many known", MeetingState { list_final: false, list_due: true, known: 201, ..meeting() }, exact(3), exact(2)),
        ("no list: pages of its devices, two pages of minutes each", unlisted, guess(2), guess(300)),
        ("audience", webinar, guess(2), exact(2)),
        ("a length that is not known", unknown_length, exact(0), guess(2)),
    ] {
        let pending = estimate_meetings(&[state], &input());
        assert_eq!((pending.calls[LISTS], pending.calls[QUALITY]), (list, quality), "{case}");
    }
    let pending = estimate_meetings(&[unlisted, meeting()], &input());
    assert_eq!((pending.participants_pending, pending.participants_guessed, pending.unlisted), (2, 150, 1));
    assert_eq!((pending.meetings_pending, pending.lists_pending, pending.total()), (2, 1, guess(304)));
}

#[test]
fn with_pseudonyms_the_lists_of_pending_people_are_requested_again() {
    let input = EstimateInput { lists_for_ids: true, ..input() };
    let due = MeetingState { list_final: false, list_due: true, ..meeting() };
    let rooms = MeetingState { pending_people: 0, ..meeting() };
    for (case, state, lists) in [("people", meeting(), guess(1)), ("rooms", rooms, exact(0)), ("due", due, exact(1))] {
        let pending = estimate_meetings(&[state], &input);
        assert_eq!((pending.calls[LISTS], pending.calls[QUALITY]), (lists, exact(2)), "{case}");
    }
}

#[test]
fn a_meeting_of_more_than_a_day_costs_the_refusal_too() {
    let long = MeetingState { end_us: Some(meeting().start_us + 25 * HOUR_US), ..meeting() };
    assert_eq!(estimate_meetings(&[long], &input()).calls[QUALITY], guess(3));
    let unlisted = MeetingState { list_final: false, list_due: true, ..long };
    let pending = estimate_meetings(&[unlisted], &input());
    assert_eq!(pending.calls[LISTS], guess(2));
    assert_eq!(pending.calls[QUALITY].calls, 2, "the list has learned it by then");
}

#[test]
fn a_refetch_counts_the_lists_again_and_guesses_nothing() {
    let again = EstimateInput { filter: WindowFilter { refetch: true, ..input().filter }, ..input() };
    // The ledger makes everything of the window due.
    let pending = estimate_meetings(&[MeetingState { list_due: true, ..meeting() }], &again);
    assert_eq!((pending.calls[LISTS], pending.calls[QUALITY]), (exact(1), exact(2)));
}

#[test]
fn fresh_meetings_wait_and_unstable_ones_may_be_fetched_again() {
    let fresh = MeetingState { end_us: Some(NOW_US - 9 * MINUTE_US), ..meeting() };
    let unstable =
        MeetingState { end_us: Some(NOW_US - 10 * MINUTE_US), list_final: false, list_due: true, ..meeting() };
    let pending = estimate_meetings(&[fresh, unstable], &input());
    assert_eq!(pending.meetings_pending, 1);
    assert_eq!(pending.calls[QUALITY], guess(2), "its list may still grow");
    assert_eq!(
        pending.later,
        Later {
            fresh_meetings: 1,
            fresh_until_us: Some(NOW_US + MINUTE_US),
            unstable_meetings: 1,
            unstable_participants: 2,
            stable_us: Some(NOW_US - 10 * MINUTE_US + 24 * HOUR_US),
            waiting_units: 0,
        }
    );
}

#[test]
fn the_time_is_that_of_the_longest_list_at_the_effective_rate() {
    let pending = Estimate { calls: [exact(1), exact(10), exact(100)], ..Estimate::default() };
    assert_eq!(pending.time(RATE), Duration::from_millis(60_600));
    assert_eq!(Estimate::default().time(RATE), Duration::ZERO);
}

#[test]
fn limits_reach_back_to_the_last_finished_date() {
    let of = |date: i32| MeetingState { meeting_date: date, ..meeting() };
    // Two calls each, newest first, and one for the meeting list.
    let pending = estimate_meetings(&[of(3), of(3), of(2), of(1)], &input()).with_meeting_list(1);
    let reach = |calls| pending.reach(Limits { calls: Some(calls), time: None }, RATE);
    let reached = |is_whole, meetings, calls, back_to| Reach { is_whole, meetings, calls, back_to };
    assert_eq!(reach(0), reached(false, 0, 1, None));
    assert_eq!(reach(4), reached(false, 1, 3, None), "the newest day has started");
    assert_eq!(reach(5), reached(false, 2, 5, Some(3)));
    assert_eq!(reach(8), reached(false, 3, 7, Some(2)));
    assert_eq!(reach(9), reached(true, 4, 9, Some(1)));
    let in_time = pending.reach(Limits { calls: None, time: Some(paced(4, RATE)) }, RATE);
    assert_eq!(in_time, reached(false, 2, 5, Some(3)), "each list has its own rate limit");
}

/// A participant: expected minutes, whether it has an ID, and how its last answer ended.
type Person = (Option<i64>, bool, Option<(Status, Ending)>);

/// Final, to be requested now, or later.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ending {
    Final,
    Due,
    Waits,
}
/// A meeting: hours before now, hours long, list answered, list final, participants.
type Meeting = (i64, i64, bool, bool, Vec<Person>);

fn people() -> impl Strategy<Value = Vec<Person>> {
    let answer = prop_oneof![
        Just(None),
        prop_oneof![Just(Ending::Final), Just(Ending::Due), Just(Ending::Waits)]
            .prop_map(|ending| Some((Status::Complete, ending))),
        // What failed in the window is requested again at once.
        Just(Some((Status::Failed, Ending::Waits)))
    ];
    proptest::collection::vec((proptest::option::of(-1_i64..450), any::<bool>(), answer), 0..6)
}

fn meetings() -> impl Strategy<Value = Vec<Meeting>> {
    proptest::collection::vec((0_i64..96, 0_i64..24, any::<bool>(), any::<bool>(), people()), 0..12)
}

/// A ledger with these meetings.
fn ledger(folder: &std::path::Path, meetings: &[Meeting]) -> Ledger {
    let ledger = Ledger::open(&folder.join("ledger.sqlite")).expect("a ledger");
    let mut changes = Vec::new();
    for (index, (ago_h, long_h, is_listed, is_final, people)) in meetings.iter().enumerate() {
        let end_us = NOW_US - ago_h * HOUR_US;
        let at = |utc_us| Moment { utc_us, offset_min: 480 };
        let key = format!("m{index}");
        changes.push(Change::Meeting {
            key: key.clone(),
            identity: MeetingIdentity {
                instance_id: None,
                key: key.clone(),
                meeting_no: format!("{:09}", index % 3),
                start: at(end_us - long_h * HOUR_US),
                end: Some(at(end_us)),
                is_webinar: false,
                number_of_participants: None,
            },
            devices: 3,
            item_digest: String::new(),
        });
        if !is_listed {
            continue;
        }
        let digest = Some("list".to_owned());
        let status = Status::Complete;
        let answer = Answer { status, is_final: *is_final, digest, items: 1, requested_us: 0, ..Answer::default() };
        changes.push(Change::Listed { meeting_key: key.clone(), answer, people: 0 });
        for (number, (expected_minutes, has_id, answer)) in people.iter().enumerate() {
            let base_key = format!("{key}/{number}");
            let identity = ParticipantIdentity {
                base_key: base_key.clone(),
                id: has_id.then(|| ParticipantId::User(number.to_string())),
                join: Some(at(end_us)),
                expected_minutes: *expected_minutes,
                clock_minutes: *expected_minutes,
            };
            changes.push(Change::Participant { meeting_key: key.clone(), identity, rows: 1 });
            if let Some((status, ending)) = answer.filter(|_| *has_id) {
                let (is_final, again_us) = (ending == Ending::Final, (ending == Ending::Waits).then_some(NOW_US + 1));
                let digest = Some("answer".to_owned());
                let answer =
                    Answer { status, is_final, digest, items: 1, requested_us: end_us, again_us, ..Answer::default() };
                changes.push(Change::Answered { base_key, answer });
            }
        }
    }
    ledger.apply(changes.iter()).expect("applied");
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_estimate_is_what_a_sync_would_request(meetings in meetings(), by_number in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = ledger(folder.path(), &meetings);
        let numbers = if by_number { vec!["000000001".to_owned()] } else { Vec::new() };
        let input = EstimateInput { filter: WindowFilter { meeting_nos: &numbers, ..input().filter }, ..input() };
        let pending = Estimate::new(&ledger, &input).expect("estimated");
        // What a sync would request, computed like a sync does.
        let due = Due { now_us: NOW_US, in_window: true };
        let (mut meetings_pending, mut lists, mut calls, mut participants) = (0, 0, 0, 0);
        for key in ledger.due_meetings(0, NOW_US, NOW_US).expect("pending") {
            let meeting = ledger.pending_meeting(&key, due).expect("pending").expect("it is pending");
            let is_meant = numbers.is_empty() || numbers.contains(&meeting.meeting_no);
            if !is_meant || is_fresh(meeting.end_us.expect("an end"), NOW_US) {
                continue;
            }
            meetings_pending += 1;
            lists += u64::from(meeting.list_due);
            let people = ledger.due_participants(&meeting.meeting_key, due).expect("pending");
            participants += people.len() as u64;
            if meeting.list_digest.is_some() {
                calls += people.iter().map(count_quality_calls).sum::<u64>();
            } else {
                calls += guess_quality_calls(meeting.devices, meeting.start_us, meeting.end_us);
            }
        }
        prop_assert_eq!(pending.meetings_pending, meetings_pending);
        prop_assert_eq!(pending.lists_pending, lists);
        prop_assert_eq!(pending.participants_pending, participants);
        prop_assert_eq!(pending.calls[QUALITY].calls, calls);
        prop_assert!(pending.calls[QUALITY].is_estimate || pending.unlisted == 0);
        prop_assert!(pending.meetings >= pending.meetings_pending + pending.later.fresh_meetings);
    }

    #[test]
    fn a_wider_limit_never_reaches_less_and_no_limit_is_exceeded(
        meetings in meetings(), most in 0_u64..120, more in 0_u64..120, seconds in 0_u64..90,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let pending = Estimate::new(&ledger(folder.path(), &meetings), &input()).expect("estimated");
        let time = Some(Duration::from_secs(seconds));
        for (narrow, wide) in [
            (Limits { calls: Some(most), time: None }, Limits { calls: Some(most + more), time: None }),
            (Limits { calls: Some(most), time }, Limits { calls: Some(most), time: None }),
            (Limits { calls: Some(most), time }, Limits::default()),
        ] {
            let (narrow, wide) = (pending.reach(narrow, RATE), pending.reach(wide, RATE));
            prop_assert!(narrow.meetings <= wide.meetings && narrow.calls <= wide.calls);
            prop_assert!(narrow.calls <= most.max(pending.calls[MEETINGS].calls));
            prop_assert_eq!(
                narrow.is_whole, narrow.calls == pending.total().calls && narrow.meetings == pending.meetings_pending
                && narrow.is_whole);
        }
        let all = pending.reach(Limits::default(), RATE);
        prop_assert!(all.is_whole);
        prop_assert_eq!((all.meetings, all.calls), (pending.meetings_pending, pending.total().calls));
    }

    #[test]
    fn a_refetch_includes_all_dates_and_counts(meetings in meetings()) {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = ledger(folder.path(), &meetings);
        let once = Estimate::new(&ledger, &input()).expect("estimated");
        let again = Estimate::new(&ledger, &EstimateInput { filter: WindowFilter { refetch: true, ..input().filter }, ..input() }).expect("estimated");
        prop_assert!(again.total().calls >= once.total().calls && again.dates.is_superset(&once.dates));
        prop_assert_eq!(again.meetings_pending + again.later.fresh_meetings, again.meetings, "waiting ones too");
        let by_date: BTreeMap<i32, usize> =
            again.steps.iter().fold(BTreeMap::new(), |mut dates, step| {
                *dates.entry(step.meeting_date).or_default() += 1;
                dates
            });
        prop_assert_eq!(by_date.into_keys().collect::<BTreeSet<_>>(), again.dates);
        // Estimating changes nothing.
        prop_assert_eq!(Estimate::new(&ledger, &input()).expect("estimated").total(), once.total());
    }
}

#[test]
fn a_ledger_is_read_without_creating_or_changing_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    assert!(matches!(Ledger::open_read_only(&path), Err(LedgerError::Sqlite { attempt: "open", .. })));
    assert!(!path.exists(), "nothing was created");

    let people = vec![(Some(10), true, None), (Some(10), true, Some((Status::Failed, Ending::Waits)))];
    let writer = ledger(folder.path(), &[(2, 1, true, true, people), (2, 1, false, false, Vec::new())]);
    let reader = Ledger::open_read_only(&path).expect("read beside the writer");
    let open = reader.open_participants().expect("read");
    assert_eq!((open.never_requested, open.requested_again, open.refetch, open.failed), (1, 0, 0, 1));
    assert_eq!(reader.open_lists().expect("read").never_requested, 1);
    assert_eq!(reader.oldest_pending_us().expect("read"), Some(NOW_US - 3 * HOUR_US));
    assert_eq!(reader.refetch_meetings().expect("read"), 0);
    assert!(reader.set_setting("user_id_type", "open_id").is_err(), "nothing is written");
    drop((reader, writer));

    std::fs::write(&path, b"this is no database, and longer than a header of one is".repeat(9)).expect("written");
    assert!(Ledger::open_read_only(&path).is_err());
}

#[test]
fn what_a_refetch_makes_pending_counts_as_refetch_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let answered = |status, ending| Some((status, ending));
    let people = vec![
        (Some(10), true, answered(Status::Complete, Ending::Final)),
        (Some(10), true, answered(Status::Failed, Ending::Waits)),
        (Some(10), true, None),
    ];
    let early = vec![(Some(10), true, answered(Status::Complete, Ending::Due))];
    let ledger = ledger(folder.path(), &[(2, 1, true, true, people), (3, 1, true, false, early)]);
    let counts = || {
        let (open, lists) = (ledger.open_participants().expect("read"), ledger.open_lists().expect("read"));
        let open = (open.never_requested, open.requested_again, open.refetch, open.failed);
        (open, (lists.never_requested, lists.requested_again, lists.refetch, lists.failed))
    };
    assert_eq!(counts(), ((1, 1, 0, 1), (0, 1, 0, 0)));
    ledger.begin_refetch(["m0".to_owned()].iter(), NOW_US).expect("begun");
    assert_eq!(counts(), ((1, 1, 1, 1), (0, 1, 1, 0)));
    // Requested again, too early.
    let digest = Some("early".to_owned());
    let answer = Answer { status: Status::Pending, digest, requested_us: NOW_US + 1, ..Answer::default() };
    let again = Change::Answered { base_key: "m0/0".to_owned(), answer };
    ledger.apply([again].iter()).expect("applied");
    assert_eq!(counts().0, (1, 2, 0, 1));
}
