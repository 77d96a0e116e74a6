//! The numbers behind chronic incidents in random tenants: a changed formula shows here although no incident changes.

use std::fmt::Write;

use super::super::incident::Metric;
use super::super::null_model::STRATA;
use super::super::planted_tests::{past_and_today, random_tenant, short};
use super::super::search::network_types;
use super::super::search_tests::{Cause, FIRST, Tenant, tenant, tenant_of};
use super::*;

/// The answer to every question of a day of a tenant, and what is found in the end.
fn numbers(seed: u64, day: usize, earlier: &Earlier) -> String {
    let (_, tenant) = random_tenant(seed);
    let (past, today) = past_and_today(&tenant, day);
    let strata = Strata::learn(&past, &today, network_types(&tenant.names));
    let shown = |one: &Chronic| {
        format!(
            "{} {}, {:?}: since day {}, {} bad of {}, reported {}, {} people, {} affected",
            one.kind.name(),
            tenant.names.value(one.kind, one.scope),
            one.family,
            one.first_bad - FIRST,
            one.bad_days,
            one.used_days,
            one.is_reported,
            one.people.len(),
            one.affected.len(),
        )
    };
    let search = ChronicSearch::new(&past, &today, &strata, earlier);
    let mut text = format!("tenant {seed}, day {day}, {} known\n", earlier.chronic.len());
    for question in search.questions() {
        let of = format!(
            "{} {}, {:?}, enough at work {}",
            question.kind.name(),
            tenant.names.value(question.kind, question.scope),
            question.family,
            question.is_enough_at_work,
        );
        let _ = match search.answer(&question) {
            None => writeln!(text, "  {of}: no"),
            Some(one) => {
                let numbers =
                    format!("p {}, score {}, known {}", short(one.weighted_p), short(one.score), one.is_known);
                writeln!(text, "  {of}: {numbers}\n    {}", shown(&one.found))
            }
        };
    }
    for one in search.run() {
        let _ = writeln!(text, "  found: {}, q {}", shown(&one), short(one.q));
    }
    text
}

/// After each incident, its people are left out as well.
#[test]
fn a_scope_that_its_sums_reject_has_no_answer() {
    let (mut rejected, mut answered) = (0, 0);
    for seed in 1..=40 {
        let (_, tenant) = random_tenant(seed);
        let (past, today) = past_and_today(&tenant, 20 + seed as usize % 20);
        let strata = Strata::learn(&past, &today, network_types(&tenant.names));
        let mut search = ChronicSearch::new(&past, &today, &strata, &Earlier::default());
        let found = ChronicSearch::new(&past, &today, &strata, &Earlier::default()).run();
        let mut questions = search.questions();
        for round in 0..=found.len() {
            for question in questions.iter_mut().filter(|one| one.tally.is_some()) {
                let quick = search.answer(question).is_some();
                let tally = question.tally.take();
                let full = search.answer(question).is_some();
                let may_be =
                    |part| tally.as_ref().is_some_and(|tally| search.may_have_enough_bad_days(question, tally, part));
                rejected += usize::from(!may_be(Part::Whole) && !may_be(Part::AtWork));
                let of = (question.kind, question.scope, question.family);
                assert_eq!(quick, full, "tenant {seed}, round {round}, {of:?}");
                question.tally = tally;
                answered += usize::from(full);
            }
            let Some(one) = found.get(round) else { break };
            let changed = search.explain(one);
            for question in &mut questions {
                if let Some(people) = &changed[question.family as usize] {
                    search.leave_out(question, people);
                }
            }
        }
    }
    assert!(rejected > 1_000 && answered > 50, "{rejected} rejected, {answered} answered");
}

#[test]
fn the_numbers_behind_chronic_incidents() {
    let none = Earlier::default();
    let mut text: Vec<String> = (1..=10).map(|seed| numbers(seed, 20 + 2 * seed as usize, &none)).collect();
    // Every second question is known already.
    for seed in 1..=4 {
        let day = 22 + 3 * seed as usize;
        let (_, tenant) = random_tenant(seed);
        let (past, today) = past_and_today(&tenant, day);
        let strata = Strata::learn(&past, &today, network_types(&tenant.names));
        let questions = ChronicSearch::new(&past, &today, &strata, &none).questions();
        let known = questions.iter().step_by(2).map(|one| ((one.kind, one.scope, one.family), FIRST + day as i32 - 9));
        text.push(numbers(seed, day, &Earlier { chronic: known.collect(), acute: Vec::new() }));
    }
    insta::assert_snapshot!(text.join("\n"));
}

/// The peers of everybody on one kind of network, as if it were a scope: nobody else uses it.
#[test]
fn a_network_that_nobody_else_uses_is_compared_with_its_past_or_with_all_others() {
    let (_, tenant) = random_tenant(1);
    let (past, today) = past_and_today(&tenant, 30);
    let strata = Strata::learn(&past, &today, network_types(&tenant.names));
    let search = ChronicSearch::new(&past, &today, &strata, &Earlier::default());
    let mut text = String::new();
    for stratum in 0..STRATA {
        let days: Vec<&PersonDay> = search.own.values().flatten().filter(|day| day.stratum == stratum).collect();
        let mut by_date: BTreeMap<i32, Vec<&PersonDay>> = BTreeMap::new();
        days.iter().for_each(|day| by_date.entry(day.date).or_default().push(day));
        for since in [FIRST, FIRST + 25] {
            let peers = search.outside(Family::Network, &days, &by_date, since);
            let Sums { days, judged, affected, heavily, minutes } = peers[stratum];
            let _ = writeln!(
                text,
                "kind of network {stratum}, since day {}: {days} days, {judged} minutes judged, {affected} affected, \
                 {heavily} heavily, {minutes} poor minutes",
                since - FIRST,
            );
        }
    }
    insta::assert_snapshot!(text);
}

/// The person-days that count as peers of everybody.
fn counted(search: &ChronicSearch, family: Family) -> f64 {
    search.total[family as usize].iter().map(|sums| sums.days).sum()
}

#[test]
fn people_of_an_incident_are_no_peers_from_its_first_day_on() {
    let (_, tenant) = random_tenant(1);
    let (past, today) = past_and_today(&tenant, 30);
    let strata = Strata::learn(&past, &today, network_types(&tenant.names));
    let mut search = ChronicSearch::new(&past, &today, &strata, &Earlier::default());
    let (who, days) = search.own.iter().next().map(|(who, days)| (*who, days.clone())).expect("somebody");
    let first_bad = days[days.len() / 2].date;
    let later = days.iter().filter(|day| day.date >= first_bad).count();
    assert!((1..days.len()).contains(&later));
    let one = Chronic {
        kind: ScopeKind::Site,
        scope: 1,
        family: Family::Network,
        first_bad,
        bad_days: 5,
        used_days: 10,
        q: 0.0,
        is_reported: true,
        people: BTreeSet::from([who]),
        affected: BTreeSet::from([who]),
    };
    let before = counted(&search, Family::Network);
    for _ in 0..2 {
        search.explain(&one);
        assert_eq!(counted(&search, Family::Network), before - later as f64, "once");
    }
    assert_eq!(counted(&search, Family::Cpu), before);
}

/// The answer on the last day of a tenant.
fn answered(tenant: &Tenant, kind: ScopeKind, value: &str) -> Option<Chronic> {
    let (past, today) = past_and_today(tenant, tenant.days.len() - 1);
    let strata = Strata::learn(&past, &today, network_types(&tenant.names));
    let search = ChronicSearch::new(&past, &today, &strata, &Earlier::default());
    let scope = tenant.names.number(kind, value).expect("of the tenant");
    let question = search
        .questions()
        .into_iter()
        .find(|one| (one.kind, one.scope, one.family) == (kind, scope, Family::Network))
        .expect("enough bad days");
    search.answer(&question).map(|one| one.found)
}

/// When a chronic problem began.
fn first_bad_day(kind: ScopeKind, value: &str, cause: &Cause, change: &dyn Fn(&mut Session)) -> Option<i32> {
    let mut tenant = tenant(cause);
    tenant.days.iter_mut().flat_map(|day| &mut day.sessions).for_each(change);
    answered(&tenant, kind, value).map(|one| one.first_bad - FIRST)
}

#[test]
fn bad_days_are_looked_for_in_the_last_three_weeks() {
    let mut tenant = tenant_of(30, &|_, person, _, minute| (person == 3 && minute % 2 == 0).then_some(Metric::Jitter));
    for day in &mut tenant.days {
        // The person comes every third day: on 7 days of the last 21, and on the day before those.
        if (day.date - FIRST) % 3 != 2 {
            let (key, date) = ("-03", day.date);
            let is_away = |session: &&mut Session| session.key.ends_with(key);
            day.sessions.iter_mut().filter(is_away).for_each(|session| {
                session.judged_minutes = 0;
                session.minutes = [0; 5];
            });
            *day = Day::sorted(date, std::mem::take(&mut day.sessions), Vec::new());
        }
    }
    let found = answered(&tenant, ScopeKind::Person, "person 3").expect("a problem");
    assert_eq!((found.bad_days, found.used_days), (7, 7));
}

/// Half of the minutes are poor from day 10 on, and before that a smaller number of a smaller whole.
#[test]
fn how_bad_a_day_is_is_a_share() {
    let on_day_9 = |session: &Session| session.first.div_euclid(1440) == FIRST + 9;
    let of_person = |day: i32, person: usize, _: usize, minute: i32| {
        let is_poor = (day >= 10 && minute % 2 == 0) || (day == 9 && minute < 3);
        (person == 3 && is_poor).then_some(Metric::Jitter)
    };
    let shorter = |session: &mut Session| {
        if on_day_9(session) {
            (session.last, session.judged_minutes) = (session.first + 9, 10);
        }
    };
    assert_eq!(first_bad_day(ScopeKind::Person, "person 3", &of_person, &|_| {}), Some(10));
    assert_eq!(first_bad_day(ScopeKind::Person, "person 3", &of_person, &shorter), Some(9));

    // On two days few people are affected, as on the one before: the median counts.
    let of_site = |day: i32, person: usize, _: usize, minute: i32| {
        let is_affected = match day {
            9 | 12 | 13 => person < 2,
            day => day >= 10 && person.is_multiple_of(2),
        };
        (person < 12 && is_affected && minute % 2 == 0).then_some(Metric::Jitter)
    };
    let fewer = |session: &mut Session| {
        let is_one_of_four = (0..4).any(|person| session.key.ends_with(&format!("-{person:02}")));
        if on_day_9(session) && !is_one_of_four {
            session.scopes[ScopeKind::Site as usize] = 0;
        }
    };
    assert_eq!(first_bad_day(ScopeKind::Site, "Harbour House", &of_site, &|_| {}), Some(10));
    assert_eq!(first_bad_day(ScopeKind::Site, "Harbour House", &of_site, &fewer), Some(9));
}

#[test]
fn a_day_whose_trouble_an_acute_incident_explains_is_not_usual() {
    let (_, tenant) = random_tenant(1);
    let (past, today) = past_and_today(&tenant, 0);
    let strata = Strata::learn(&past, &today, network_types(&tenant.names));
    let mut search = ChronicSearch::new(&past, &today, &strata, &Earlier::default());
    // At home, where everybody is compared with the own days before.
    let stratum = 1;
    // By date, whether each of the people affected is in an incident.
    let affected: [&[bool]; 6] = [
        &[],
        &[true],
        &[true, false, false],
        &[true, true, false, false],
        &[true, true, false],
        &[true, true, true, false, false],
    ];
    let mut days: Vec<PersonDay> = Vec::new();
    for (date, affected) in affected.iter().enumerate() {
        let day = |poor: f64, is_in_incident: bool| PersonDay {
            who: days.len() as u32,
            date: date as i32,
            stratum,
            judged: 100.0,
            poor: [poor, 0.0, 0.0],
            sessions: 1.0,
            affected_sessions: [0.0; 3],
            is_in_incident,
        };
        let of_date: Vec<PersonDay> = affected.iter().map(|one| day(50.0, *one)).chain([day(0.0, true)]).collect();
        days.extend(of_date);
    }
    search.total = Default::default();
    days.iter().for_each(|day| add(&mut search.total[Family::Network as usize], day, Family::Network, 1.0));
    let days: Vec<&PersonDay> = days.iter().collect();
    let mut by_date: BTreeMap<i32, Vec<&PersonDay>> = BTreeMap::new();
    days.iter().for_each(|day| by_date.entry(day.date).or_default().push(day));
    let usual = |since: i32| search.outside(Family::Network, &days, &by_date, since)[stratum].days;
    // All but those of the last two dates.
    assert_eq!((usual(6), usual(3)), (12.0, 7.0));
}
