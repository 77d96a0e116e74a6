//! The numbers behind the candidates in random tenants: a changed formula shows here although no incident changes.

use std::fmt::Write;

use super::super::chronic::ChronicSearch;
use super::super::planted_tests::{past_and_today, random_tenant, short};
use super::super::search::{explained_by, network_types};
use super::super::search_tests::FIRST;
use super::*;

/// What is expected of some sessions, how much it varies, and every candidate, of a day of a tenant.
fn numbers(seed: u64, day: usize) -> String {
    let (_, tenant) = random_tenant(seed);
    let (past, today) = past_and_today(&tenant, day);
    let strata = Strata::learn(&past, &today, network_types(&tenant.names));
    let earlier = Earlier::default();
    let chronic = ChronicSearch::new(&past, &today, &strata, &earlier).run();
    let explained = explained_by(&chronic, &past, &today);
    let mut of_today = Today::new(&today, &strata);
    of_today.leave_out(&explained);
    let mut rates = Rates::learn(&past, &strata, today.date, today.date);
    rates.leave_out(&explained, &past, &strata, today.date, today.date);
    let mut text = format!("tenant {seed}, day {day}\n");
    for session in today.sessions.iter().step_by(23) {
        let _ = writeln!(text, "  {}, kind of network {}", session.key, strata.of(session));
        for (family, one) in Family::ALL.iter().zip(rates.expected(&strata, session)) {
            let _ = writeln!(
                text,
                "    {family:?}: session {}, hazard {}, minutes {}, in 20 minutes {}, unknown home {}, own dates {}",
                one.session.map(short).join(" "),
                one.hazard.map(short).join(" "),
                short(one.minutes),
                (0..LEVELS).map(|level| short(one.probability(level, 20.0))).collect::<Vec<_>>().join(" "),
                one.is_unknown_home,
                one.own_dates,
            );
        }
    }
    let mut search = Search::new(&mut of_today, &past, &strata, &rates, &explained, &earlier);
    for family in Family::ALL {
        let spreads = [ScopeKind::Service, ScopeKind::Site, ScopeKind::Meeting].map(|kind| search.spread(kind, family));
        let _ = writeln!(text, "  spread of {family:?}: {}", spreads.map(short).join(" "));
    }
    for one in search.candidates() {
        let alone = search.test(one.kind, one.scope, one.family, one.window, one.level).expect("it is a candidate");
        let _ = writeln!(
            text,
            "  {} {}, {:?}, {} to {}, level {}, {} people, p {} ({}), score {}, ratio {}, share {}",
            one.kind.name(),
            tenant.names.value(one.kind, one.scope),
            one.family,
            one.window.0 - (FIRST + day as i32) * 1440,
            one.window.1 - (FIRST + day as i32) * 1440,
            one.level,
            one.people.len(),
            short(one.weighted_p),
            short(alone.weighted_p),
            short(one.score),
            short(one.ratio),
            short(one.share),
        );
    }
    text
}

#[test]
fn the_numbers_behind_acute_incidents() {
    let days = [(1, 1), (2, 11), (4, 24), (5, 41), (6, 32), (7, 13), (8, 13), (9, 13), (10, 33)];
    insta::assert_snapshot!(days.map(|(seed, day)| numbers(seed, day)).join("\n"));
}
