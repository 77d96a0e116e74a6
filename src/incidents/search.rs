//! The search on one date: chronic incidents first, then acute ones in what is left.

use super::acute::{Acute, Search};
use super::chronic::{Chronic, ChronicSearch};
use super::constants::CHRONIC_BAD_DAYS;
use super::data::{Day, Names};
use super::incident::ScopeKind;
use super::null_model::{Past, Rates, Strata, network_number};
use super::today::Today;

/// What was found on a date, in numbers.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) acute: Vec<Acute>,
    pub(super) chronic: Vec<Chronic>,
}

pub(super) fn judge(past: &Past, day: &Day, names: &Names) -> Verdict {
    let network_types = (0..=names.count(ScopeKind::NetworkType))
        .map(|number| network_number(names.value(ScopeKind::NetworkType, number)))
        .collect();
    let strata = Strata::learn(past, day, network_types);
    let chronic = ChronicSearch::new(past, day, &strata).run();
    let mut today = Today::new(day, &strata);
    // One that is not reported yet leaves its minutes to acute incidents.
    for one in chronic.iter().filter(|one| one.bad_days >= CHRONIC_BAD_DAYS) {
        for at in today.members(one.kind, one.scope).to_vec() {
            if one.affected.contains(&today.session(at).who) {
                today.explain(at, (i32::MIN / 2, i32::MAX / 2), Some(one.family));
            }
        }
    }
    let rates = Rates::learn(past, &strata, day.date, day.date);
    let acute = Search::new(&mut today, past, &strata, &rates).run();
    Verdict { acute, chronic }
}
