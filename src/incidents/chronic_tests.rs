//! The numbers behind chronic incidents in random tenants: a changed formula shows here although no incident changes.

use std::fmt::Write;

use super::super::null_model::STRATA;
use super::super::planted_tests::{past_and_today, random_tenant, short};
use super::super::search::network_types;
use super::super::search_tests::FIRST;
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
