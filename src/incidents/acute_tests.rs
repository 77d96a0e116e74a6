//! The numbers behind the candidates in random tenants: a changed formula shows here although no incident changes.

use std::fmt::Write;

use super::super::chronic::ChronicSearch;
use super::super::data::Session;
use super::super::incident::Metric;
use super::super::planted_tests::{past_and_today, random_tenant, short};
use super::super::search::{explained_by, network_types};
use super::super::search_tests::{FIRST, Tenant, tenant};
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

#[test]
fn a_short_part_of_a_session_is_not_compared_at_the_last_level() {
    let compared = |cover| [0, 1, 2, 3].map(|level| comparable(level, cover));
    assert_eq!((compared(LEAST_SESSION_COVER), compared(0.69)), ([0, 1, 2, 3], [0, 1, 2, 2]));
}

/// What the search says about a scope of a day after fifteen good ones, from 09:00 to the end of the second meetings,
/// or of the third ones if `is_whole_day`.
fn tested(tenant: &Tenant, kind: ScopeKind, value: &str, is_whole_day: bool) -> Option<Candidate> {
    let day = &tenant.days[15];
    let (mut past, earlier, explained) = (Past::default(), Earlier::default(), Explained::default());
    past.days.extend(tenant.days[..15].iter().cloned());
    let strata = Strata::learn(&past, day, Vec::new());
    let rates = Rates::learn(&past, &strata, day.date, day.date);
    let mut today = Today::new(day, &strata);
    let mut search = Search::new(&mut today, &past, &strata, &rates, &explained, &earlier);
    let midnight = day.date * 1440;
    let window = (midnight + 540, midnight + if is_whole_day { 879 } else { 699 });
    let scope = tenant.names.number(kind, value).expect("of the tenant");
    search.test(kind, scope, Family::Network, window, 1)
}

/// Somebody has these poor minutes in the second meeting of day 15.
fn with_poor(people: &'static [usize], metric: Metric) -> Tenant {
    tenant(&move |day, person, slot, _| (day == 15 && slot == 1 && people.contains(&person)).then_some(metric))
}

#[test]
fn a_fifth_of_the_people_present_must_be_affected() {
    let with = |people: usize, metric: Metric| {
        let mut tenant = with_poor(&[0, 1, 2], metric);
        let device = tenant.names.scope(ScopeKind::Device, Some("laptop A"));
        let has_it = |session: &&mut Session| (0..people).any(|one| session.key.ends_with(&format!("-{one:02}")));
        let sessions = tenant.days[15].sessions.iter_mut().filter(has_it);
        sessions.for_each(|session| session.scopes[ScopeKind::Device as usize] = device);
        tested(&tenant, ScopeKind::Device, "laptop A", false)
    };
    assert!(with(15, Metric::Loss).is_some_and(|one| one.people.len() == 3));
    assert!(with(16, Metric::Loss).is_none());
    assert!(with(15, Metric::Cpu).is_none(), "of the family that is looked for");
}

#[test]
fn the_people_of_a_scope_must_be_affected_in_two_meetings() {
    let found = |people| tested(&with_poor(people, Metric::Loss), ScopeKind::Subnet, "10.0.0.0/24", false).is_some();
    assert!(found(&[0, 1, 2]));
    // They meet each other, before that without a problem.
    let together = |people| tested(&with_poor(people, Metric::Loss), ScopeKind::Site, "Harbour House", false).is_some();
    assert!(together(&[0, 4, 7]) && !together(&[0, 4, 8]));
}

#[test]
fn a_person_must_be_affected_in_three_meetings() {
    let mut tenant = tenant(&|day, person, _, _| (day == 15 && person == 3).then_some(Metric::Loss));
    let found = |tenant: &Tenant| tested(tenant, ScopeKind::Person, "person 3", true).is_some();
    assert!(found(&tenant));
    let second = tenant.names.number(ScopeKind::Meeting, &format!("{}-1-0", FIRST + 15)).expect("a meeting");
    let third = format!("{}-2-03", FIRST + 15);
    for session in tenant.days[15].sessions.iter_mut().filter(|one| one.key == third) {
        session.scopes[ScopeKind::Meeting as usize] = second;
    }
    assert!(!found(&tenant), "two of its sessions are one meeting");
}
