//! The invariants. Each compares what the program says with what was on the wire and what the tenant holds, and returns
//! what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::claims::{Ledgered, Published, seat};
use super::truth::{Samples, Seat, Truth};
use super::world::{List, Wire};

const S_US: i64 = 1_000_000;
/// A meeting that has just ended is left for the next run.
const FRESH_S: i64 = 600;

/// What a night was like, for the judgement of what was on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NightKind {
    pub settle_us: i64,
    /// Every response that the program got was written.
    pub writes_all: bool,
    /// It ended by itself, without a reason to stop.
    pub is_whole: bool,
}

/// A participant, or a list, that was requested again although a complete answer had come after its settle time.
pub(super) fn fetched_twice(
    wire: &[Wire],
    nights: &[NightKind],
    ends: &BTreeMap<String, i64>,
    lists_are_requested_for_ids: bool,
) -> Vec<String> {
    let mut finals: BTreeMap<&str, usize> = BTreeMap::new();
    // When the walk of each unit began, by the program's clock.
    let mut began: BTreeMap<&str, i64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for sent in wire.iter().filter(|sent| sent.list != List::Meetings) {
        if sent.list == List::Participants && lists_are_requested_for_ids {
            continue;
        }
        if sent.is_first_page {
            if let Some(night) = finals.get(sent.unit.as_str()) {
                wrong.push(format!("{} was final in night {night} and requested in night {}", sent.unit, sent.night));
            }
            began.insert(&sent.unit, sent.wall_us);
        }
        let night = nights[sent.night];
        let is_written = night.writes_all && (night.is_whole || sent.list == List::Quality);
        let is_complete = sent.is_delivered && sent.code == Some(0) && !sent.has_more && is_written;
        let Some(end_s) = ends.get(&sent.unit) else {
            wrong.push(format!("{} is not of this tenant", sent.unit));
            continue;
        };
        let is_stable = began.get(sent.unit.as_str()).is_some_and(|at| *at >= end_s * S_US + night.settle_us);
        if is_complete && is_stable {
            finals.insert(&sent.unit, sent.night);
        }
    }
    wrong
}

/// A run that covers its window although the last page of the meeting list that it got was not the last one.
pub(super) fn list_not_read(wire: &[Wire], night: usize) -> Vec<String> {
    let pages = wire.iter().rev().filter(|sent| sent.night == night && sent.list == List::Meetings);
    match pages.clone().find(|sent| sent.is_delivered) {
        Some(last) if !last.has_more => Vec::new(),
        last => vec![format!("{} requests, the last response is {last:?}", pages.count())],
    }
}

/// Meetings that ended in a covered window and that the ledger does not know, participants of a final list that it does
/// not know, and pending ones without a status.
pub(super) fn forgotten(truth: &Truth, ledger: &Ledgered, covered: &[(i64, i64)]) -> Vec<String> {
    let mut known: BTreeMap<&Seat, usize> = BTreeMap::new();
    ledger.seats.iter().for_each(|(seat, _)| *known.entry(seat).or_default() += 1);
    let mut wrong = Vec::new();
    for meeting in &truth.meetings {
        let (start_us, end_us) = (meeting.start_s * S_US, (meeting.end_s + FRESH_S) * S_US);
        let is_covered = covered.iter().any(|(since, until)| start_us < *until && end_us < *until && end_us >= *since);
        let is_final = match ledger.meetings.get(&meeting.key) {
            None if is_covered => {
                wrong.push(format!("meeting {} is in a covered window and unknown", meeting.key));
                continue;
            }
            None => continue,
            Some(is_final) => *is_final,
        };
        for (seat, units) in meeting.units.iter().filter(|_| is_final) {
            let found = known.get(seat).copied().unwrap_or_default();
            if found != *units {
                wrong.push(format!("{seat:?} has {units} participants, and the ledger knows {found}"));
            }
        }
    }
    let nameless = ledger.seats.iter().filter(|(_, known)| known.status.is_empty());
    wrong.extend(nameless.map(|(seat, _)| format!("{seat:?} has no status")));
    wrong
}

/// Time that no whole run has covered and the summary does not name, and the other way round. `covered` are windows of
/// whole runs; all times in microseconds.
pub(super) fn unnamed_holes(covered: &[(i64, i64)], named: &[(i64, i64)], now_us: i64) -> Vec<String> {
    const STEP_US: i64 = 3_600 * S_US;
    let Some(first_us) = covered.iter().map(|(since, _)| *since).min() else { return Vec::new() };
    let last_us = covered.iter().map(|(_, until)| *until).max().unwrap_or(first_us);
    let is_in = |spans: &[(i64, i64)], at: i64| spans.iter().any(|(since, until)| (*since..*until).contains(&at));
    let mut wrong = Vec::new();
    let mut at_us = first_us;
    // The summary names whole seconds.
    while at_us < now_us - S_US {
        // The newest time is a hole only once it is older than a nightly run can be late.
        let is_hole = !is_in(covered, at_us) && (at_us < last_us || now_us - last_us > 36 * STEP_US);
        if is_hole != is_in(named, at_us) {
            wrong.push(format!("{at_us}: is a hole: {is_hole}, is named: {}", !is_hole));
        }
        at_us += STEP_US;
    }
    wrong
}

/// Meetings whose coverage and rows differ, and rows of coverage without a reason.
pub(super) fn coverage_differs(published: &Published) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut covered: BTreeSet<&str> = BTreeSet::new();
    for row in &published.coverage {
        let key = row.participant_key.as_str();
        if !covered.insert(key) {
            wrong.push(format!("{key} has two rows of coverage"));
        }
        if row.reason.is_empty() || row.status.is_empty() {
            wrong.push(format!("{key} has no reason"));
        }
        let samples = published.samples.get(key).map_or(0, |(count, ..)| *count);
        if samples != row.sample_count {
            wrong.push(format!("{key}: coverage counts {} samples, there are {samples}", row.sample_count));
        }
        let is_list = key == format!("{}/*", row.meeting_key);
        if !is_list && !published.participants.contains(key) {
            wrong.push(format!("{key} is covered and no participant"));
        }
    }
    let uncovered = published.participants.iter().filter(|key| !covered.contains(key.as_str()));
    wrong.extend(uncovered.map(|key| format!("{key} is not covered")));
    for meeting in &published.meetings {
        if !published.coverage.iter().any(|row| row.meeting_key == *meeting) {
            wrong.push(format!("meeting {meeting} is not covered"));
        }
    }
    wrong
}

/// More samples than the tenant holds.
pub(super) fn invented(published: &Published, truth: &Truth) -> Vec<String> {
    let mut wrong = Vec::new();
    for (seat, found) in by_seat(published) {
        let held = truth.samples.get(&seat).map(Vec::as_slice).unwrap_or_default();
        let count = |samples: &[Samples]| samples.iter().map(|(count, ..)| count).sum::<u64>();
        if count(&found) > count(held) {
            wrong.push(format!("{seat:?}: {found:?} are published, and the tenant holds {held:?}"));
        }
    }
    wrong
}

fn by_seat(published: &Published) -> BTreeMap<Seat, Vec<Samples>> {
    let mut seats: BTreeMap<Seat, Vec<Samples>> = BTreeMap::new();
    for (key, samples) in &published.samples {
        seats.entry(seat(key)).or_default().push(*samples);
    }
    seats.values_mut().for_each(|samples| samples.sort_unstable());
    seats
}

/// At the end of the year: what differs from what the tenant holds.
pub(super) fn incomplete(published: &Published, ledger: &Ledgered, truth: &Truth) -> Vec<String> {
    let mut wrong = Vec::new();
    let keys: BTreeSet<String> = truth.meetings.iter().map(|meeting| meeting.key.clone()).collect();
    wrong
        .extend(keys.symmetric_difference(&published.meetings).map(|key| format!("meeting {key} is only on one side")));
    let mut listed: BTreeMap<Seat, i64> = BTreeMap::new();
    truth
        .meetings
        .iter()
        .flat_map(|meeting| &meeting.seats)
        .for_each(|seat| *listed.entry(seat.clone()).or_default() += 1);
    published.participants.iter().for_each(|key| *listed.entry(seat(key)).or_default() -= 1);
    let differ = listed.into_iter().filter(|(_, rows)| *rows != 0);
    wrong.extend(differ.map(|(seat, rows)| format!("{seat:?}: {rows} participants more than published")));
    let found = by_seat(published);
    let seats: BTreeSet<&Seat> = found.keys().chain(truth.samples.keys()).collect();
    for seat in seats {
        if found.get(seat) != truth.samples.get(seat) {
            let (found, held) = (found.get(seat), truth.samples.get(seat));
            wrong.push(format!("{seat:?}: published {found:?}, held {held:?}"));
        }
    }
    let pending = ledger.seats.iter().filter(|(_, known)| !known.is_final && known.status != "unaddressable");
    wrong.extend(pending.map(|(seat, known)| format!("{seat:?} is still {}", known.status)));
    wrong.extend(
        ledger
            .meetings
            .iter()
            .filter(|(_, is_final)| !**is_final)
            .map(|(key, _)| format!("the list of {key} is pending")),
    );
    let open = published.coverage.iter().filter(|row| matches!(row.status.as_str(), "pending" | "failed"));
    wrong.extend(open.map(|row| format!("{} is {}: {}", row.participant_key, row.status, row.reason)));
    wrong
}

/// Rows that were accepted by the receiver twice or never, and rows of dates without samples. `accepted` are the dates
/// of all messages that it accepted.
pub(super) fn not_sent_once(accepted: &[String], dates: &BTreeSet<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut wrong: Vec<String> =
        accepted.iter().filter(|date| !seen.insert(*date)).map(|date| format!("{date} was sent twice")).collect();
    wrong.extend(dates.iter().filter(|date| !seen.contains(date)).map(|date| format!("{date} was never sent")));
    wrong.extend(seen.iter().filter(|date| !dates.contains(**date)).map(|date| format!("{date} has no samples")));
    wrong
}
