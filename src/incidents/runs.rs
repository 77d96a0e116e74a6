//! Bad days of a scope before a date, from the sessions alone.

use std::collections::BTreeMap;

use super::constants::{HISTORY_DAYS, LEAST_JUDGED_MINUTES};
use super::data::is_single;
use super::data::{Day, Family};
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
