//! Rules that decide between explanations, and the limits of what is found.

use super::acute::Acute;
use super::data::Family;
use super::describe::counted_minutes;
use super::earlier::Earlier;
use super::incident::{Metric, ScopeKind};
use super::null_model::Past;
use super::search::{Verdict, judge};
use super::search_tests::{FIRST, Tenant, noise, tenant};

fn judged(tenant: &Tenant, day: usize, earlier: &Earlier) -> Verdict {
    let mut past = Past::default();
    past.days.extend(tenant.days[..day].iter().cloned());
    judge(&past, &tenant.days[day], &tenant.names, earlier)
}

fn kinds(acute: &[Acute]) -> Vec<ScopeKind> {
    acute.iter().map(|one| one.kind).collect()
}

#[test]
fn a_person_in_a_scope_with_a_chronic_problem_is_no_acute_incident() {
    let with = |is_chronic: bool| {
        tenant(&move |day, person, _, minute| {
            let of_site = is_chronic && day >= 6 && person < 11 && minute % 2 == 0;
            let of_person = day == 18 && person == 11 && minute >= 2;
            (of_site || of_person).then_some(Metric::Jitter)
        })
    };
    let alone = judged(&with(false), 18, &Earlier::default());
    assert_eq!(kinds(&alone.acute), [ScopeKind::Person]);
    let part = judged(&with(true), 18, &Earlier::default());
    assert!(part.chronic.iter().any(|one| one.kind == ScopeKind::Site && !one.affected.contains(&11)));
    assert_eq!(kinds(&part.acute), []);
}

#[test]
fn a_person_or_meeting_in_a_scope_whose_problem_continues_is_no_incident_of_its_own() {
    let of_meeting = tenant(&|day, person, slot, minute| {
        let bad = day == 15 && person < 12 && slot == 1 && (person + slot) % 4 == 1 && minute >= 2;
        if bad { Some(Metric::Loss) } else { noise(day, person, slot, minute) }
    });
    let of_person =
        tenant(&|day, person, _, minute| (day == 15 && person == 11 && minute >= 2).then_some(Metric::Loss));
    for (tenant, kind) in [(&of_meeting, ScopeKind::Meeting), (&of_person, ScopeKind::Person)] {
        let site = tenant.names.number(ScopeKind::Site, "Harbour House").expect("a site");
        let earlier = Earlier { acute: vec![(ScopeKind::Site, site, Family::Network)], chronic: Vec::new() };
        assert_eq!(kinds(&judged(tenant, 15, &Earlier::default()).acute), [kind]);
        assert_eq!(kinds(&judged(tenant, 15, &earlier).acute), []);
    }
}

#[test]
fn a_severe_outage_of_few_people_is_found_where_everybody_often_has_poor_minutes() {
    // Usual is a quarter of a meeting; the outage takes three quarters.
    let with = |share: i32| {
        tenant(&move |day, person, slot, minute| {
            let out = day == 15 && slot != 2 && matches!(person, 1 | 6 | 11 | 16) && minute % 8 < share;
            let usual = (day * 7 + person as i32 * 5 + slot as i32 * 11) % 3 == 0 && (8..18).contains(&minute);
            (out || usual).then_some(Metric::Loss)
        })
    };
    let severe = judged(&with(7), 15, &Earlier::default());
    assert_eq!(kinds(&severe.acute), [ScopeKind::AppVersion]);
    let light = judged(&with(2), 15, &Earlier::default());
    assert_eq!(kinds(&light.acute), []);
}

#[test]
fn a_part_of_a_meeting_needs_ten_minutes() {
    let with = |minutes: i32| {
        tenant(&move |day, person, slot, minute| {
            let out = day == 15 && slot == 1 && (person + slot) % 4 == 1 && (10..10 + minutes).contains(&minute);
            out.then_some(Metric::Delay)
        })
    };
    assert_eq!(kinds(&judged(&with(9), 15, &Earlier::default()).acute), []);
    assert_eq!(kinds(&judged(&with(12), 15, &Earlier::default()).acute), [ScopeKind::Meeting]);
}

#[test]
fn scopes_with_the_same_people_are_named_by_the_kind_that_says_most() {
    // Everybody with the version is at the site, and nobody else there is present.
    let tenant = tenant(&|day, person, slot, minute| {
        let out = day == 15 && person < 12 && slot == 1 && minute % 3 != 0;
        if out { Some(Metric::Loss) } else { noise(day, person, slot, minute) }
    });
    for least in [ScopeKind::Egress, ScopeKind::Location, ScopeKind::Device] {
        let mut days = tenant.days.clone();
        for session in days.iter_mut().flat_map(|day| &mut day.sessions) {
            let site = session.scope(ScopeKind::Site);
            session.scopes[ScopeKind::Site as usize] = 0;
            session.scopes[ScopeKind::Egress as usize] = 0;
            session.scopes[ScopeKind::Location as usize] = 0;
            session.scopes[least as usize] = site;
            session.scopes[ScopeKind::NetworkType as usize] = 1;
            session.scopes[ScopeKind::Device as usize] = site;
        }
        let mut past = Past::default();
        past.days.extend(days[..15].iter().cloned());
        let verdict = judge(&past, &days[15], &tenant.names, &Earlier::default());
        assert_eq!(kinds(&verdict.acute), [least]);
    }
}

#[test]
fn an_outage_of_the_service_is_no_bad_day_of_a_building() {
    let with = |is_general: bool| {
        let mut tenant = tenant(&|day, person, slot, minute| {
            let all = day == 8 && slot == 1;
            let site = (12..16).contains(&day) && person < 12 && slot != 1;
            ((all || site) && minute % 2 == 0).then_some(Metric::Loss)
        });
        let of_day = |day: &&mut super::data::Day| day.date == FIRST + 8;
        for day in tenant.days.iter_mut().filter(of_day) {
            day.sessions.iter_mut().for_each(|session| session.is_in_general_incident = is_general);
        }
        let verdict = judged(&tenant, 15, &Earlier::default());
        verdict.chronic.iter().map(|one| one.bad_days).max()
    };
    assert_eq!((with(false), with(true)), (Some(5), Some(4)));
}

#[test]
fn an_incident_counts_the_minutes_of_its_own_metrics() {
    let tenant = tenant(&|day, person, slot, minute| match (day, slot, person) {
        (15, 1, 0..12) if minute % 3 != 0 => Some(Metric::Loss),
        (15, 1, 0..6) if minute > 2 => Some(Metric::Cpu),
        _ => noise(day, person, slot, minute),
    });
    let day = &tenant.days[15];
    let found = judged(&tenant, 15, &Earlier::default()).acute;
    let site = found.iter().find(|one| one.kind == ScopeKind::Site).expect("the problem of the site");
    assert_eq!(site.family, Family::Network);
    assert!(site.minutes.iter().any(|at| day.minutes[*at].metric == Metric::Cpu));
    let counted = counted_minutes(day, site);
    assert!(!counted.is_empty() && counted.iter().all(|minute| minute.metric == Metric::Loss));
}
