//! The search on one date: chronic incidents first, then acute ones in what is left.

use super::acute::{Acute, Search};
use super::chronic::{Chronic, ChronicSearch};
use super::constants::{CHRONIC_BAD_DAYS, LEAST_METRIC_SHARE};
use super::data::{Day, Family, Names, Session, is_single};
use super::earlier::Earlier;
use super::explained::{Cause, Explained};
use super::incident::{Metric, ScopeKind};
use super::null_model::{Past, Rates, Strata, network_number};
use super::today::Today;

/// What was found on a date, in numbers.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) acute: Vec<Acute>,
    pub(super) chronic: Vec<Chronic>,
}

pub(super) fn judge(past: &Past, day: &Day, names: &Names, earlier: &Earlier) -> Verdict {
    let strata = Strata::learn(past, day, network_types(names));
    let chronic = ChronicSearch::new(past, day, &strata, earlier).run();
    let mut today = Today::new(day, &strata);
    let explained = explained_by(&chronic, past, day);
    today.leave_out(&explained);
    let mut rates = Rates::learn(past, &strata, day.date, day.date);
    rates.leave_out(&explained, past, &strata, day.date, day.date);
    let acute = Search::new(&mut today, past, &strata, &rates, &explained, earlier).run();
    Verdict { acute, chronic }
}

/// The kind of network by number of the network type.
pub(super) fn network_types(names: &Names) -> Vec<usize> {
    (0..=names.count(ScopeKind::NetworkType))
        .map(|number| network_number(names.value(ScopeKind::NetworkType, number)))
        .collect()
}

/// What the chronic incidents that can be reported explain. One that is not reported yet leaves its minutes to acute
/// incidents.
pub(super) fn explained_by(chronic: &[Chronic], past: &Past, today: &Day) -> Explained {
    let mut explained = Explained::default();
    for one in chronic.iter().filter(|one| one.bad_days >= CHRONIC_BAD_DAYS) {
        let metrics = metrics(one, past, today);
        let cause = Cause { kind: one.kind, scope: one.scope, since: one.first_bad, metrics };
        explained.add(cause, !is_single(one.kind), &one.affected);
    }
    explained
}

/// The metrics of an incident's family that make up its minutes.
fn metrics(one: &Chronic, past: &Past, today: &Day) -> [bool; 5] {
    let mut minutes = [0_u32; 5];
    for day in past.days.iter().filter(|day| day.date >= one.first_bad).chain(std::iter::once(today)) {
        let is_member = |session: &&Session| session.scope(one.kind) == one.scope;
        for session in day.sessions.iter().filter(is_member).filter(|session| one.affected.contains(&session.who)) {
            minutes.iter_mut().zip(session.minutes).for_each(|(sum, minutes)| *sum += minutes);
        }
    }
    let all = one.family.minutes(&minutes);
    std::array::from_fn(|at| {
        // Where the picture is poor anyway, nobody can tell what the load of the computer does, and the reverse.
        let family = Family::of(Metric::ALL[at]);
        one.family.other_of_picture() == Some(family)
            || family == one.family && f64::from(minutes[at]) >= LEAST_METRIC_SHARE * f64::from(all)
    })
}
