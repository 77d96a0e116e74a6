//! Rules that decide between explanations, and the limits of what is found.

use super::acute::{Acute, Search};
use super::candidate::Candidate;
use super::constants::MERGE_MINUTES;
use super::data::{Family, Session};
use super::describe::counted_minutes;
use super::earlier::Earlier;
use super::explained::Explained;
use super::incident::{Metric, ScopeKind};
use super::null_model::{Past, Rates, Strata};
use super::search::{Verdict, judge};
use super::search_tests::{FIRST, Tenant, noise, tenant};
use super::today::Today;

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
fn three_people_are_a_problem_of_their_place_and_two_are_not() {
    let with = |people: usize| {
        tenant(&move |day, person, slot, _| (day == 15 && slot == 1 && person < people).then_some(Metric::Loss))
    };
    assert_eq!(kinds(&judged(&with(2), 15, &Earlier::default()).acute), []);
    assert_eq!(kinds(&judged(&with(3), 15, &Earlier::default()).acute), [ScopeKind::Subnet]);
}

#[test]
fn a_part_of_a_meeting_needs_ten_minutes() {
    let with = |minutes: i32| {
        tenant(&move |day, person, slot, minute| {
            let out = day == 15 && slot == 1 && (person + slot) % 4 == 1 && (10..10 + minutes).contains(&minute);
            out.then_some(Metric::Delay)
        })
    };
    assert_eq!(kinds(&judged(&with(10), 15, &Earlier::default()).acute), []);
    assert_eq!(kinds(&judged(&with(11), 15, &Earlier::default()).acute), [ScopeKind::Meeting]);
}

#[test]
fn a_short_meeting_may_be_poor_as_a_whole_and_a_site_may_not_for_so_short_a_time() {
    let mut tenant = tenant(&|day, person, slot, minute| {
        let out = day == 15 && slot == 1 && minute < 9;
        (out && ((person + slot) % 4 == 1 || person < 12)).then_some(Metric::Delay)
    });
    let meeting = tenant.names.number(ScopeKind::Meeting, &format!("{}-1-1", FIRST + 15)).expect("a meeting");
    let long = judged(&tenant, 15, &Earlier::default());
    assert_eq!(kinds(&long.acute), [], "nine minutes of forty");
    let is_short = |session: &&mut Session| session.scope(ScopeKind::Meeting) == meeting;
    for (length, found) in [(9, &[ScopeKind::Meeting][..]), (17, &[ScopeKind::Meeting]), (18, &[])] {
        for session in tenant.days[15].sessions.iter_mut().filter(is_short) {
            (session.last, session.judged_minutes) = (session.first + length - 1, length as u32);
        }
        assert_eq!(kinds(&judged(&tenant, 15, &Earlier::default()).acute), found, "nine minutes of {length}");
    }
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

#[test]
fn what_continues_an_incident_is_added_to_it() {
    // Loss in the first half of the second meetings, CPU load in all of the third ones.
    let tenant = tenant(&|_, _, slot, minute| match slot {
        1 if minute < 20 => Some(Metric::Loss),
        2 => Some(Metric::Cpu),
        _ => None,
    });
    let day = &tenant.days[15];
    let (past, earlier, explained) = (Past::default(), Earlier::default(), Explained::default());
    let strata = Strata::learn(&past, day, Vec::new());
    let rates = Rates::learn(&past, &strata, day.date, day.date);
    let mut today = Today::new(day, &strata);
    let search = Search::new(&mut today, &past, &strata, &rates, &explained, &earlier);
    let number = |kind, value| tenant.names.number(kind, value).expect("of the tenant");
    let (site, subnet) = (number(ScopeKind::Site, "Harbour House"), number(ScopeKind::Subnet, "10.0.0.0/24"));
    let person = number(ScopeKind::Person, "person 3");
    let minutes_of = |people: &[u32], family: Family| -> Vec<usize> {
        let is_of = |at: &usize| {
            let one = &day.minutes[*at];
            let session = &day.sessions[one.session as usize];
            people.contains(&session.scope(ScopeKind::Person)) && Family::of(one.metric) == family
        };
        (0..day.minutes.len()).filter(is_of).collect()
    };
    let first: Vec<u32> = (0..10).collect();
    let candidate = |kind, scope, family, window, people: &[u32]| Candidate {
        kind,
        scope,
        family,
        window,
        level: 0,
        people: people.iter().copied().collect(),
        weighted_p: 0.0,
        score: 0.0,
        ratio: 0.0,
        share: 1.0,
    };
    let added = |new: Candidate, q: f64, minutes: Vec<usize>| {
        let mut found = Vec::new();
        let known = candidate(ScopeKind::Site, site, Family::Network, (600, 640), &first);
        search.add(&mut found, known, 0.02, vec![7]);
        search.add(&mut found, new, q, minutes);
        found
    };
    let network = |kind, scope, window, people: &[u32]| candidate(kind, scope, Family::Network, window, people);

    // The same scope, also with other people, after a lull.
    let others: Vec<u32> = (50..60).collect();
    for (gap, incidents) in [(MERGE_MINUTES, 1), (MERGE_MINUTES + 1, 2)] {
        for window in [(640 + gap, 700 + gap), (500 - gap, 600 - gap)] {
            assert_eq!(added(network(ScopeKind::Site, site, window, &others), 0.1, vec![3]).len(), incidents, "{gap}");
        }
    }
    let merged = &added(network(ScopeKind::Site, site, (650, 660), &others), 0.01, vec![3])[0];
    assert_eq!((merged.window, merged.q, merged.people.len()), ((600, 660), 0.01, 20));
    assert_eq!(merged.minutes, [3, 7]);

    // Another scope with four fifths of the same people, shortly after.
    for (same, gap, incidents) in [(8, MERGE_MINUTES / 4, 1), (8, MERGE_MINUTES / 4 + 1, 2), (7, 0, 2)] {
        let people: Vec<u32> = (10 - same..20 - same).collect();
        let new = network(ScopeKind::Subnet, subnet, (640 + gap, 700 + gap), &people);
        assert_eq!(added(new, 0.1, vec![3]).len(), incidents, "{same} {gap}");
    }

    // The rest of a person of the scope at another hour, of the same family.
    let own = |family| minutes_of(&[person], family);
    let at_another_hour = (1_000, 1_040);
    let rest = network(ScopeKind::Person, person, at_another_hour, &others);
    assert_eq!(added(rest.clone(), 0.1, own(Family::Network)).len(), 1);
    assert_eq!(added(Candidate { family: Family::Cpu, ..rest.clone() }, 0.1, own(Family::Cpu)).len(), 2);
    assert_eq!(added(network(ScopeKind::Subnet, subnet, at_another_hour, &others), 0.1, own(Family::Network)).len(), 2);
    let outside = number(ScopeKind::Person, "person 20");
    assert_eq!(added(rest, 0.1, minutes_of(&[person, outside], Family::Network)).len(), 2, "half of it");

    // Of two families, the one with more minutes.
    let more = candidate(ScopeKind::Site, site, Family::Cpu, (650, 660), &first);
    assert_eq!(added(more.clone(), 0.1, own(Family::Cpu))[0].family, Family::Cpu);
    let mut found = Vec::new();
    search.add(
        &mut found,
        network(ScopeKind::Site, site, (600, 640), &first),
        0.1,
        minutes_of(&[person, outside], Family::Network),
    );
    search.add(&mut found, more, 0.1, own(Family::Cpu)[..40].to_vec());
    assert_eq!(found[0].family, Family::Network, "as many");
}
