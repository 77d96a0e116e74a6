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
