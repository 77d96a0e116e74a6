//! Each check finds what it is for.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::*;
use super::claims::{Covered, LedgerSeat, Ledgered, Published};
use super::truth::{TrueMeeting, Truth};
use super::world::{List, Wire};

const H_US: i64 = 3_600_000_000;
const WHOLE: NightKind = NightKind { settle_us: 24 * H_US, writes_all: true, is_whole: true };

fn sent(night: usize, hour: i64, list: List) -> Wire {
    let unit = if list == List::Quality { "1/ou_1/5".to_owned() } else { "1/0/".to_owned() };
    Wire {
        night,
        wall_us: hour * H_US,
        list,
        unit,
        is_first_page: true,
        code: Some(0),
        has_more: false,
        is_delivered: true,
    }
}

#[test]
fn a_request_after_a_final_answer_is_found() {
    let ends = BTreeMap::from([("1/ou_1/5".to_owned(), 0), ("1/0/".to_owned(), 0)]);
    let wrong = |wire: &[Wire], nights: &[NightKind]| fetched_twice(wire, nights, &ends, false).len();
    for list in [List::Quality, List::Participants] {
        let twice = [sent(0, 24, list), sent(1, 48, list)];
        assert_eq!(wrong(&twice, &[WHOLE; 2]), 1, "{list:?}");
        assert_eq!(wrong(&twice[1..], &[WHOLE; 2]), 0);
        assert_eq!(wrong(&[sent(0, 23, list), sent(1, 48, list)], &[WHOLE; 2]), 0, "the first came too early");
        let full = NightKind { writes_all: false, ..WHOLE };
        assert_eq!(wrong(&twice, &[full, WHOLE]), 0, "the disk was full");
        for change in
            [|w: &mut Wire| w.is_delivered = false, |w: &mut Wire| w.has_more = true, |w: &mut Wire| w.code = Some(5)]
        {
            let mut wire = twice.clone();
            change(&mut wire[0]);
            assert_eq!(wrong(&wire, &[WHOLE; 2]), 0);
        }
    }
    let killed = NightKind { is_whole: false, ..WHOLE };
    assert_eq!(wrong(&[sent(0, 24, List::Quality), sent(1, 48, List::Quality)], &[killed, WHOLE]), 1);
    let mut pages = [sent(0, 24, List::Quality), sent(0, 24, List::Quality), sent(1, 48, List::Quality)];
    (pages[0].has_more, pages[1].is_first_page) = (true, false);
    assert_eq!(wrong(&pages, &[WHOLE; 2]), 1, "the second page completes the walk");
    assert_eq!(fetched_twice(&pages, &[WHOLE; 2], &BTreeMap::new(), false).len(), 3, "unknown units");
}

#[test]
fn a_list_that_was_not_read_to_its_end_is_found() {
    let mut wire = vec![sent(3, 1, List::Meetings), sent(3, 2, List::Quality)];
    assert_eq!(list_not_read(&wire, 3).len(), 0);
    assert_eq!(list_not_read(&wire, 4).len(), 1);
    wire[0].has_more = true;
    assert_eq!(list_not_read(&wire, 3).len(), 1);
}

fn truth() -> Truth {
    let seat = |join: &str| ("1-0".to_owned(), join.to_owned());
    let seats = vec![seat("5"), seat("5"), seat("9")];
    let units = BTreeMap::from([(seat("5"), 2), (seat("9"), 1)]);
    let meeting =
        TrueMeeting { key: "1-0".to_owned(), start_s: 0, end_s: 60, date: "2026-01-05".to_owned(), seats, units };
    let samples = BTreeMap::from([(seat("5"), vec![(1, 60, 60), (2, 60, 120)]), (seat("9"), vec![(1, 60, 60)])]);
    Truth { meetings: vec![meeting], samples, ends: BTreeMap::new() }
}

fn ledger() -> Ledgered {
    let seat = |join: &str| {
        let known = LedgerSeat { status: "complete".to_owned(), is_final: true };
        (("1-0".to_owned(), join.to_owned()), known)
    };
    Ledgered { meetings: BTreeMap::from([("1-0".to_owned(), true)]), seats: vec![seat("5"), seat("5"), seat("9")] }
}

#[test]
fn forgotten_meetings_and_participants_are_found() {
    let covered = [(0, 24 * H_US)];
    assert_eq!(forgotten(&truth(), &ledger(), &covered), Vec::<String>::new());
    assert_eq!(forgotten(&truth(), &Ledgered::default(), &covered).len(), 1);
    assert_eq!(forgotten(&truth(), &Ledgered::default(), &[(0, 1_000_000)]).len(), 0, "not covered");
    let mut lost = ledger();
    lost.seats.pop();
    assert_eq!(forgotten(&truth(), &lost, &covered).len(), 1);
    lost.meetings.insert("1-0".to_owned(), false);
    assert_eq!(forgotten(&truth(), &lost, &covered).len(), 0, "the list is pending");
    let mut nameless = ledger();
    nameless.seats[0].1.status.clear();
    assert_eq!(forgotten(&truth(), &nameless, &covered).len(), 1);
}

#[test]
fn holes_that_are_not_named_and_names_without_a_hole_are_found() {
    let covered = [(0, 10 * H_US), (14 * H_US, 20 * H_US)];
    let hole = (10 * H_US, 14 * H_US);
    assert_eq!(unnamed_holes(&covered, &[hole], 22 * H_US).len(), 0);
    assert_eq!(unnamed_holes(&covered, &[], 22 * H_US).len(), 4);
    assert_eq!(unnamed_holes(&covered, &[hole, (0, H_US)], 22 * H_US).len(), 1);
    assert_eq!(unnamed_holes(&covered, &[hole], 60 * H_US).len(), 40, "no run for 40 hours");
    assert_eq!(unnamed_holes(&covered, &[hole, (20 * H_US, 60 * H_US)], 60 * H_US).len(), 0);
}

fn published() -> Published {
    let key = |at: usize| ["1-0/a/5", "1-0/a/5#2", "1-0/b/9"][at].to_owned();
    let counts: [(u64, i64, i64); 3] = [(1, 60, 60), (2, 60, 120), (1, 60, 60)];
    let row = |at: usize| Covered {
        participant_key: key(at),
        meeting_key: "1-0".to_owned(),
        status: "complete".to_owned(),
        reason: "all pages read".to_owned(),
        sample_count: counts[at].0,
    };
    Published {
        coverage: (0..3).map(row).collect(),
        meetings: BTreeSet::from(["1-0".to_owned()]),
        participants: (0..3).map(key).collect(),
        samples: (0..3).map(|at| (key(at), counts[at])).collect(),
    }
}

/// Each change must be found by the check.
fn found(check: impl Fn(&Published) -> Vec<String>, changes: &[fn(&mut Published)]) {
    assert_eq!(check(&published()), Vec::<String>::new());
    for (at, change) in changes.iter().enumerate() {
        let mut changed = published();
        change(&mut changed);
        assert!(!check(&changed).is_empty(), "change {at}");
    }
}

#[test]
fn coverage_that_does_not_add_up_is_found() {
    found(
        coverage_differs,
        &[
            |store| drop(store.coverage.pop()),
            |store| store.coverage[0].sample_count += 1,
            |store| store.coverage[0].reason.clear(),
            |store| drop(store.samples.pop_first()),
            |store| drop(store.participants.pop_first()),
            |store| store.meetings.extend(["2-0".to_owned()]),
            |store| store.coverage.push(store.coverage[0].clone()),
        ],
    );
}

#[test]
fn rows_that_differ_from_the_tenant_are_found() {
    found(|store| invented(store, &truth()), &[|store| store.samples.values_mut().for_each(|samples| samples.0 += 1)]);
    found(
        |store| incomplete(store, &ledger(), &truth()),
        &[
            |store| drop(store.samples.pop_last()),
            |store| store.samples.values_mut().for_each(|samples| samples.2 += 60),
            |store| drop(store.participants.pop_last()),
            |store| drop(store.meetings.pop_first()),
            |store| store.coverage[0].status = "pending".to_owned(),
        ],
    );
    let mut pending = ledger();
    pending.seats[0].1.is_final = false;
    assert_eq!(incomplete(&published(), &pending, &truth()).len(), 1);
    pending.meetings.insert("1-0".to_owned(), false);
    assert_eq!(incomplete(&published(), &pending, &truth()).len(), 2);
}

#[test]
fn alerts_that_are_sent_twice_or_never_or_about_nothing_are_found() {
    let dates = BTreeSet::from(["2026-01-05".to_owned(), "2026-01-06".to_owned()]);
    let sent = |dates: &[&str]| dates.iter().map(|date| (*date).to_owned()).collect::<Vec<_>>();
    assert_eq!(not_sent_once(&sent(&["2026-01-05", "2026-01-06"]), &dates).len(), 0);
    assert_eq!(not_sent_once(&sent(&["2026-01-05"]), &dates).len(), 1);
    assert_eq!(not_sent_once(&sent(&["2026-01-05", "2026-01-06", "2026-01-05"]), &dates).len(), 1);
    assert_eq!(not_sent_once(&sent(&["2026-01-05", "2026-01-06", "2026-01-07"]), &dates).len(), 1);
}
