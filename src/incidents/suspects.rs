//! Scopes that may be chronic, from affected sessions alone, so that few of them are looked at closely.

use std::collections::{HashMap, HashSet};

use super::constants::CHRONIC_BAD_DAYS;
use super::data::{Day, Family, KINDS, WhoKind, is_single};
use super::incident::ScopeKind;
use super::null_model::is_affected;

/// A shared scope explains the trouble of its people a day before it is reported itself.
pub(super) fn least_bad_days(kind: ScopeKind) -> usize {
    if is_single(kind) { CHRONIC_BAD_DAYS } else { CHRONIC_BAD_DAYS - 1 }
}

/// The scopes that may have had enough bad days, by kind: with affected sessions on enough dates.
pub(super) fn suspects<'a>(days: impl Iterator<Item = &'a Day>, date: i32) -> [HashSet<u32>; KINDS] {
    // By scope and family, one bit a date: one affected session, two.
    let mut masks: [HashMap<u32, [[u32; 2]; 3]>; KINDS] = Default::default();
    for day in days {
        let bit = 1_u32 << (date - day.date);
        for session in day.sessions.iter().filter(|session| session.all_minutes() >= 3) {
            let judged = f64::from(session.judged_minutes);
            let affected = Family::ALL.map(|family| is_affected(0, f64::from(session.family_minutes(family)), judged));
            if !affected.contains(&true) {
                continue;
            }
            for kind in ScopeKind::ALL.iter().copied() {
                let own = match kind {
                    // Somebody with an ID of their own in a room is a person.
                    ScopeKind::Room => session.who_kind == WhoKind::Room,
                    ScopeKind::Service | ScopeKind::Meeting => false,
                    _ => true,
                };
                if !own || session.scope(kind) == 0 {
                    continue;
                }
                let masks = masks[kind as usize].entry(session.scope(kind)).or_default();
                for (mask, _) in masks.iter_mut().zip(affected).filter(|(_, affected)| *affected) {
                    mask[1] |= mask[0] & bit;
                    mask[0] |= bit;
                }
            }
        }
    }
    let mut suspects: [HashSet<u32>; KINDS] = Default::default();
    for (kind, masks) in ScopeKind::ALL.iter().copied().zip(masks) {
        let which = usize::from(!is_single(kind));
        let many = |masks: &[[u32; 2]; 3]| {
            masks.iter().any(|mask| {
                mask[which].count_ones() as usize >= least_bad_days(kind) && (!is_single(kind) || mask[0] & 1 == 1)
            })
        };
        suspects[kind as usize] = masks.into_iter().filter(|(_, masks)| many(masks)).map(|(scope, _)| scope).collect();
    }
    suspects
}

#[cfg(test)]
mod tests {
    use super::super::incident::Metric;
    use super::super::search_tests::{FIRST, tenant};
    use super::*;

    #[test]
    fn a_room_is_suspected_if_it_takes_part_itself() {
        let suspected = |who_kind: WhoKind| {
            let mut tenant = tenant(&|_, person, _, _| (person == 3).then_some(Metric::Loss));
            for session in tenant.days.iter_mut().flat_map(|day| &mut day.sessions) {
                session.scopes[ScopeKind::Room as usize] = session.scope(ScopeKind::Person);
                session.who_kind = who_kind;
            }
            let suspects = suspects(tenant.days[12..].iter(), FIRST + 19);
            [ScopeKind::Person, ScopeKind::Room, ScopeKind::Service].map(|kind| suspects[kind as usize].len())
        };
        assert_eq!((suspected(WhoKind::Person), suspected(WhoKind::Room)), ([1, 0, 0], [1, 1, 0]));
    }
}
