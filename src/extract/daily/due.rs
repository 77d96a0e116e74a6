//! Which days are requested, and when the answer for a day is final: pure functions of times and counts.

use std::collections::HashMap;

use super::super::finality::Settle;
use crate::ledger::DayState;
use crate::raw_log::RawKind;
use crate::schema::{Status, TenantZone};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// Feishu reports its own counts for this many days back.
const CENSUS_REACH_US: i64 = 90 * DAY_US;
/// Feishu generates the counts by user at 09:30 on the next day.
const USERS_READY_AFTER_US: i64 = 9 * HOUR_US + HOUR_US / 2;

/// The tenant's clock, and how long answers may change.
#[derive(Clone, Copy)]
pub(super) struct Days<'a> {
    pub zone: &'a TenantZone,
    pub settle: Settle,
    pub now_us: i64,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DueDays {
    /// Newest first.
    pub days: Vec<i32>,
    /// Days of the window without a final answer that Feishu no longer reports.
    pub too_old: u64,
}

impl Days<'_> {
    /// The days of a window (microseconds UTC, end exclusive) to request now. Rooms are requested once a day, whatever
    /// the window is.
    pub(super) fn due(
        &self,
        kind: RawKind,
        window_us: (i64, i64),
        refetch: bool,
        known: &HashMap<i32, DayState>,
    ) -> DueDays {
        let today = self.zone.day_of(self.now_us);
        let is_open = |day: &i32| refetch || known.get(day).is_none_or(|state| !state.is_final);
        let (first, last) = match kind {
            RawKind::Rooms | RawKind::RoomLevels => (today, today),
            _ => (self.zone.day_of(window_us.0), self.zone.day_of(window_us.1.saturating_sub(1)).min(today)),
        };
        let oldest = self.oldest(kind);
        let days = (first.max(oldest)..=last).rev();
        let is_ready = |day: &i32| kind != RawKind::CensusUsers || self.now_us >= self.users_ready_us(*day);
        DueDays {
            days: days.filter(|day| is_ready(day) && is_open(day)).collect(),
            too_old: (first..oldest.min(last.saturating_add(1))).filter(is_open).count() as u64,
        }
    }

    /// Whether the complete answer for a day can no longer change.
    pub(super) fn is_final(&self, kind: RawKind, day: i32, requested_us: i64, status: Status) -> bool {
        match kind {
            RawKind::Rooms | RawKind::RoomLevels => true,
            // Counts that are not there yet look like no counts.
            RawKind::CensusUsers => {
                let ready_us = self.users_ready_us(day);
                requested_us >= ready_us
                    && (status == Status::Complete || requested_us >= self.settle.stable_us(ready_us))
            }
            _ => requested_us >= self.settle.stable_us(self.end_us(day)),
        }
    }

    /// Whether a refusal may only mean that the day is too old.
    pub(super) fn may_be_too_old(&self, kind: RawKind, day: i32) -> bool {
        const SURE_DAYS: i32 = 30;
        kind == RawKind::CensusUsers && day < self.zone.day_of(self.now_us).saturating_sub(SURE_DAYS)
    }

    pub(super) fn end_us(&self, day: i32) -> i64 {
        self.zone.start_of_day(day.saturating_add(1))
    }

    fn users_ready_us(&self, day: i32) -> i64 {
        self.end_us(day).saturating_add(USERS_READY_AFTER_US)
    }

    /// The oldest day that Feishu still reports in full.
    fn oldest(&self, kind: RawKind) -> i32 {
        let reach_us = match kind {
            // The day before is requested too, see `requests`.
            RawKind::CensusDaily => CENSUS_REACH_US - DAY_US,
            RawKind::CensusUsers => CENSUS_REACH_US,
            _ => return i32::MIN,
        };
        self.zone.day_of(self.now_us.saturating_sub(reach_us)).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const DAY: i32 = 20_781;

    fn zone() -> TenantZone {
        TenantZone::parse("+08:00").expect("a zone")
    }

    fn days(zone: &TenantZone, now_us: i64) -> Days<'_> {
        Days { zone, settle: Duration::from_secs(86_400).into(), now_us }
    }

    fn state(is_final: bool) -> DayState {
        DayState { status: "complete".to_owned(), is_final, digest: None, items: 1, last_us: 0 }
    }

    #[test]
    fn the_days_of_the_window_without_a_final_answer_are_due_newest_first() {
        let zone = zone();
        let now_us = zone.start_of_day(DAY) + 10 * HOUR_US;
        let window_us = (zone.start_of_day(DAY - 3) + 1, now_us);
        let known = HashMap::from([(DAY - 1, state(false)), (DAY - 2, state(true))]);
        let due = |kind, refetch| days(&zone, now_us).due(kind, window_us, refetch, &known).days;
        assert_eq!(due(RawKind::RoomAlerts, false), [DAY, DAY - 1, DAY - 3]);
        assert_eq!(due(RawKind::RoomAlerts, true), [DAY, DAY - 1, DAY - 2, DAY - 3]);
        assert_eq!(due(RawKind::CensusUsers, false), [DAY - 1, DAY - 3], "today's counts come tomorrow");
        assert_eq!(due(RawKind::Rooms, false), [DAY]);
        let early = days(&zone, zone.start_of_day(DAY) + 9 * HOUR_US);
        assert_eq!(early.due(RawKind::CensusUsers, window_us, false, &known).days, [DAY - 3], "before 09:30");
    }

    #[test]
    fn rooms_are_due_once_a_day_and_whatever_the_window_is() {
        let zone = zone();
        let now_us = zone.start_of_day(DAY);
        let window_us = (zone.start_of_day(DAY - 40), zone.start_of_day(DAY - 39));
        let due = |known| days(&zone, now_us).due(RawKind::RoomLevels, window_us, false, &known);
        assert_eq!(due(HashMap::from([(DAY - 1, state(true))])).days, [DAY]);
        assert_eq!(due(HashMap::from([(DAY, state(false))])).days, [DAY], "it failed");
        assert_eq!(due(HashMap::from([(DAY, state(true))])), DueDays::default());
    }

    #[test]
    fn the_census_reaches_ninety_days_back_and_counts_what_is_older() {
        let zone = zone();
        let now_us = zone.start_of_day(DAY) + 12 * HOUR_US;
        let window_us = (zone.start_of_day(DAY - 99), zone.start_of_day(DAY));
        let due = |kind| {
            let due = days(&zone, now_us).due(kind, window_us, false, &HashMap::new());
            (due.days.len(), due.days.last().map(|day| DAY - day), due.too_old)
        };
        assert_eq!(due(RawKind::CensusUsers), (89, Some(89), 10));
        assert_eq!(due(RawKind::CensusDaily), (88, Some(88), 11));
        assert_eq!(due(RawKind::Reservations), (99, Some(99), 0));
    }

    #[test]
    fn an_answer_is_final_once_it_can_no_longer_change() {
        let zone = zone();
        let end_us = zone.start_of_day(DAY + 1);
        let is_final = |kind, after_us, status| days(&zone, 0).is_final(kind, DAY, end_us + after_us, status);
        for kind in [RawKind::RoomAlerts, RawKind::Reservations, RawKind::CensusDaily] {
            assert!(!is_final(kind, DAY_US - 1, Status::Complete), "{kind:?}");
            assert!(is_final(kind, DAY_US, Status::Empty), "{kind:?}");
        }
        let users = |after_us, status| is_final(RawKind::CensusUsers, after_us, status);
        assert!(!users(USERS_READY_AFTER_US - 1, Status::Complete));
        assert!(users(USERS_READY_AFTER_US, Status::Complete));
        assert!(!users(USERS_READY_AFTER_US, Status::Empty), "perhaps not generated yet");
        assert!(users(USERS_READY_AFTER_US + DAY_US, Status::Empty));
        assert!(is_final(RawKind::Rooms, -HOUR_US, Status::Empty));
    }

    proptest! {
        #[test]
        fn what_was_answered_finally_is_never_due_again(
            kind in proptest::sample::select(RawKind::DAILY.to_vec()),
            now_h in 0..24i64 * 400,
            length_d in 1..100i64,
            syncs in proptest::collection::vec(0..72i64, 1..8),
        ) {
            let zone = zone();
            let mut now_us = zone.start_of_day(DAY) + now_h * HOUR_US;
            let mut known: HashMap<i32, DayState> = HashMap::new();
            let mut finals: Vec<i32> = Vec::new();
            for wait_h in syncs {
                now_us += wait_h * HOUR_US;
                let at = days(&zone, now_us);
                let due = at.due(kind, (now_us - length_d * DAY_US, now_us), false, &known);
                prop_assert!(due.days.windows(2).all(|pair| pair[0] > pair[1]));
                for day in due.days {
                    prop_assert!(!finals.contains(&day));
                    let is_final = at.is_final(kind, day, now_us, Status::Complete);
                    finals.extend(is_final.then_some(day));
                    known.insert(day, state(is_final));
                }
            }
        }
    }
}
