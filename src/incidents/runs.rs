//! Bad days of a scope before a date, from the sessions alone.

use std::collections::BTreeMap;

use super::constants::{HISTORY_DAYS, LEAST_JUDGED_MINUTES, OVERNIGHT_SHARE, RUN_SHARE};
use super::data::is_single;
use super::data::{Day, Family, Session};
use super::incident::ScopeKind;
use super::null_model::{Past, is_affected};

/// The longest run that counts as one acute problem; a longer one is chronic, or how the scope is.
const LONGEST_RUN: usize = 4;

/// The first date of the run of used days directly before `date` on which at least two people (meetings) and half of
/// the share of today were affected.
pub(super) fn bad_run(
    past: &Past,
    date: i32,
    kind: ScopeKind,
    scope: u32,
    family: Family,
    share_today: f64,
) -> Option<i32> {
    let mut first = None;
    let mut length = 0;
    for day in past.before(date, HISTORY_DAYS) {
        let (people, affected) = day_share(day, kind, scope, family);
        if people < 2 {
            continue;
        }
        if affected < 2 || (affected as f64) < 0.5 * share_today * people as f64 {
            break;
        }
        length += 1;
        if length > LONGEST_RUN {
            return None;
        }
        first = Some(day.date);
    }
    first
}

/// Whether a problem that ended at `end` on an earlier day is the one that starts at `start` on a later day.
///
/// Nearly no use of the scope lies between, or the sessions between are affected at least half as often as later ones.
pub(super) fn goes_on(
    kind: ScopeKind,
    scope: u32,
    family: Family,
    (earlier, end): (&Day, i32),
    (later, start): (&Day, i32),
) -> bool {
    let members = |day: &'_ Day| -> Vec<(i32, i32, f64, f64)> {
        let members = day.sessions.iter().filter(|session| session.scope(kind) == scope);
        let row =
            |one: &Session| (one.first, one.last, f64::from(one.judged_minutes), f64::from(one.family_minutes(family)));
        members.map(row).collect()
    };
    let (before, after) = (members(earlier), members(later));
    let share = |rows: &[(i32, i32, f64, f64)], gap: (i32, i32)| {
        let all: f64 = rows.iter().map(|row| row.2).sum();
        let inside = rows.iter().map(|row| {
            let minutes = f64::from((row.1.min(gap.1) - row.0.max(gap.0) + 1).max(0));
            minutes * (row.2 / f64::from(row.1 - row.0 + 1)).min(1.0)
        });
        inside.sum::<f64>() / all.max(1.0)
    };
    let is_unused = share(&before, (end + 1, i32::MAX / 2)) <= OVERNIGHT_SHARE
        && share(&after, (i32::MIN / 2, start - 1)) <= OVERNIGHT_SHARE;
    // Sessions that are affected, of how many.
    let affected = |rows: &mut dyn Iterator<Item = &(i32, i32, f64, f64)>| -> (f64, f64) {
        let (mut all, mut affected) = (0.0, 0.0);
        for row in rows.filter(|row| row.2 >= LEAST_JUDGED_MINUTES) {
            all += 1.0;
            affected += f64::from(u8::from(is_affected(0, row.3, row.2)));
        }
        (affected, all)
    };
    let (bad, all) = affected(&mut after.iter().filter(|row| row.1 >= start));
    let between =
        affected(&mut before.iter().filter(|row| row.0 > end).chain(after.iter().filter(|row| row.1 < start)));
    // One more might be affected: a few sessions prove nothing.
    is_unused || (between.0 + 1.0) * all.max(1.0) >= RUN_SHARE * bad * between.1
}

/// People (meetings) of a scope on a day, and how many were lightly affected.
pub(super) fn day_share(day: &Day, kind: ScopeKind, scope: u32, family: Family) -> (usize, usize) {
    let mut units: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for (at, session) in day.sessions.iter().enumerate() {
        if session.scope(kind) == scope {
            let unit = units.entry(if is_single(kind) { at as u32 } else { session.who }).or_default();
            unit.0 += f64::from(session.judged_minutes);
            unit.1 += f64::from(session.family_minutes(family));
        }
    }
    let judged = units.values().filter(|(judged, _)| *judged >= LEAST_JUDGED_MINUTES);
    let (mut people, mut affected) = (0, 0);
    for (judged, poor) in judged {
        people += 1;
        affected += usize::from(is_affected(0, *poor, *judged));
    }
    (people, affected)
}

#[cfg(test)]
mod tests {
    use super::super::data::{KINDS, WhoKind};
    use super::*;

    const SITE: ScopeKind = ScopeKind::Site;

    /// A session at site 1.
    fn session(who: u32, (first, last): (i32, i32), judged_minutes: u32, poor: u32) -> Session {
        let mut scopes = [0; KINDS];
        scopes[SITE as usize] = 1;
        Session {
            key: String::new(),
            who,
            who_kind: WhoKind::Person,
            scopes,
            is_home_like: false,
            judged_minutes,
            minutes: [poor, 0, 0, 0, 0],
            first,
            last,
            offset_minutes: 0,
            is_in_incident: false,
            is_in_general_incident: false,
        }
    }

    fn day(date: i32, sessions: Vec<Session>) -> Day {
        Day { date, sessions, minutes: Vec::new() }
    }

    /// People at the site on a date, of whom some are affected.
    fn people(date: i32, count: u32, affected: u32) -> Day {
        day(date, (0..count).map(|who| session(who, (0, 39), 40, if who < affected { 8 } else { 0 })).collect())
    }

    #[test]
    fn a_run_ends_at_the_first_day_that_is_less_than_half_as_bad_and_is_no_longer_than_four() {
        let run = |days: &[(u32, u32)], share_today: f64| {
            let mut past = Past::default();
            past.days.extend(days.iter().zip(1..).map(|((count, affected), date)| people(date, *count, *affected)));
            bad_run(&past, days.len() as i32 + 1, SITE, 1, Family::Network, share_today)
        };
        assert_eq!(run(&[(4, 4), (4, 0), (4, 2), (4, 3)], 1.0), Some(3));
        assert_eq!(run(&[(5, 5), (5, 2), (5, 5)], 1.0), Some(3), "two of five are less than half of all");
        assert_eq!(run(&[(5, 5), (5, 2), (5, 5)], 0.8), Some(1));
        assert_eq!(run(&[(9, 9), (9, 1), (9, 9)], 0.1), Some(3), "one person is no problem of the site");
        assert_eq!(run(&[(4, 4), (1, 0), (0, 0), (4, 4)], 1.0), Some(1), "days that tell nothing are left out");
        assert_eq!(run(&[(4, 4), (2, 0), (4, 4)], 1.0), Some(3));
        assert_eq!(run(&[(4, 0), (4, 4), (4, 4), (4, 4), (4, 4)], 1.0), Some(2));
        assert_eq!(run(&[(4, 4), (4, 4), (4, 4), (4, 4), (4, 4)], 1.0), None);
        assert_eq!(run(&[(4, 4), (4, 0)], 1.0), None);
    }

    #[test]
    fn people_count_once_and_meetings_of_a_person_each() {
        let mut sessions = vec![session(1, (0, 9), 10, 2), session(1, (20, 29), 10, 2), session(2, (0, 3), 4, 4)];
        sessions.push(session(3, (0, 4), 5, 0));
        sessions.push(Session { scopes: [0; KINDS], ..session(4, (0, 39), 40, 40) });
        assert_eq!(day_share(&day(1, sessions.clone()), SITE, 1, Family::Network), (2, 1));
        for one in &mut sessions {
            one.scopes[ScopeKind::Person as usize] = 1;
        }
        assert_eq!(day_share(&day(1, sessions), ScopeKind::Person, 1, Family::Network), (4, 1));
    }

    /// Three short sessions without trouble before the problem of the later day.
    fn later() -> Day {
        let mut sessions: Vec<Session> = (0..3).map(|who| session(who, (0, 4), 5, 0)).collect();
        sessions.push(session(3, (1000, 1999), 1000, 500));
        day(2, sessions)
    }

    fn goes_on_from(earlier: Vec<Session>, end: i32) -> bool {
        goes_on(SITE, 1, Family::Network, (&day(1, earlier), end), (&later(), 1000))
    }

    #[test]
    fn a_problem_goes_on_overnight_if_at_most_a_fifth_of_the_use_lies_between() {
        // Half of the minutes are judged: twenty of them are ten of fifty.
        let half = || vec![session(1, (0, 99), 50, 25)];
        assert!(goes_on_from(half(), 79) && !goes_on_from(half(), 78));
        // No more minutes than the session has.
        let more = || vec![session(1, (0, 99), 400, 25)];
        assert!(goes_on_from(more(), 19) && !goes_on_from(vec![session(1, (0, 99), 100, 25)], 19));
        let after = |count: i32| {
            let mut sessions = vec![session(1, (0, 99), 100, 50)];
            sessions.extend((0..3).map(|who| session(who, (100, 99 + count), count as u32, 0)));
            sessions
        };
        assert!(goes_on_from(after(8), 99) && !goes_on_from(after(9), 99));
        let other_site = Session { scopes: [0; KINDS], ..session(9, (100, 999), 900, 0) };
        assert!(goes_on_from([after(8), vec![other_site]].concat(), 99), "another site does not count");
        // The later day.
        let early = |count: i32| {
            let mut sessions: Vec<Session> = (0..3).map(|who| session(who, (0, count - 1), count as u32, 0)).collect();
            sessions.push(session(3, (100, 199), 100, 50));
            let earlier = day(1, vec![session(1, (0, 99), 100, 50)]);
            goes_on(SITE, 1, Family::Network, (&earlier, 99), (&day(2, sessions), 100))
        };
        assert!(early(8) && !early(9));
    }

    #[test]
    fn a_problem_goes_on_if_the_sessions_between_are_half_as_often_affected() {
        // Four sessions with the problem later; of those between, some are affected.
        let with = |between: u32, affected: u32, bad: u32| {
            let mut earlier = vec![session(0, (0, 9), 10, 5)];
            earlier.extend((0..between).map(|who| session(who, (10, 49), 40, if who < affected { 8 } else { 0 })));
            // Too short to tell.
            earlier.extend((0..9).map(|who| session(who, (10, 13), 4, 0)));
            let later = (0..4).map(|who| session(who, (100, 139), 40, if who < bad { 8 } else { 0 })).collect();
            goes_on(SITE, 1, Family::Network, (&day(1, earlier), 9), (&day(2, later), 100))
        };
        assert!(with(6, 2, 4) && !with(6, 1, 4));
        assert!(with(8, 1, 2) && !with(9, 1, 2));
        // A session is between if it begins after the end, or ends before the start.
        let four = || (0..4).map(|who| session(who, (100, 139), 40, 8));
        let begins = |first: i32| {
            let earlier = [vec![session(0, (0, 9), 10, 5)], vec![session(1, (first, 49), 40, 0); 3]].concat();
            goes_on(SITE, 1, Family::Network, (&day(1, earlier), 9), (&day(2, four().collect()), 100))
        };
        assert!(begins(9) && !begins(10));
        let ends = |last: i32| {
            let earlier = day(1, vec![session(0, (0, 9), 10, 5)]);
            let later = four().chain(vec![session(5, (60, last), 40, 0); 3]).collect();
            goes_on(SITE, 1, Family::Network, (&earlier, 9), (&day(2, later), 100))
        };
        assert!(ends(100) && !ends(99));
    }
}
