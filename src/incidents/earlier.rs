//! What was found on earlier dates, in numbers: a problem that continues keeps its explanation.

use super::constants::{HISTORY_DAYS, LONGEST_LINK_DAYS};
use super::data::{Family, Names};
use super::incident::ScopeKind;
use super::known::{Known, KnownIncidents};

const DAY_US: i64 = 86_400_000_000;

#[derive(Debug, Clone, Default)]
pub(super) struct Earlier {
    /// With the first day of the problem.
    pub(super) chronic: Vec<((ScopeKind, u32, Family), i32)>,
    /// Of the days that can be linked to the date.
    pub(super) acute: Vec<(ScopeKind, u32, Family)>,
}

impl Earlier {
    pub(super) fn of(known: &KnownIncidents, names: &Names, date: i32) -> Earlier {
        let mut earlier = Earlier::default();
        // Not older than what a publication of this date alone would read.
        let is_earlier = |one: &&Known| one.date < date && one.date >= date - HISTORY_DAYS;
        for one in known.incidents.iter().filter(is_earlier) {
            let Some(scope) = names.number(one.scope_kind, &one.scope) else { continue };
            let which = (one.scope_kind, scope, Family::of(one.metric));
            if one.is_chronic {
                earlier.chronic.push((which, one.start_local_us.div_euclid(DAY_US) as i32));
            } else if one.date >= date - LONGEST_LINK_DAYS {
                earlier.acute.push(which);
            }
        }
        earlier
    }
}
