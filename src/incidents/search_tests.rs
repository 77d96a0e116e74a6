//! Small tenants made by hand: twenty working days, two sites, three meetings a day.

use std::fmt::Write;

use proptest::prelude::*;

use super::acute::Acute;
use super::chronic::Chronic;
use super::data::{CauseMinute, Day, Family, KINDS, Names, Session, WhoKind};
use super::earlier::Earlier;
use super::explained::Explained;
use super::incident::{Direction, Metric, ScopeKind};
use super::null_model::{Past, Rates, Strata};
use super::search::{Verdict, judge};

pub(super) const FIRST: i32 = 20_000;
const DAYS: i32 = 20;
const PEOPLE: usize = 24;
/// 09:00, 11:00 and 14:00 UTC.
const STARTS: [i32; 3] = [540, 660, 840];
const LENGTH: i32 = 40;

/// The cause of a minute: day, person, meeting of the day and minute of the meeting.
pub(super) type Cause = dyn Fn(i32, usize, usize, i32) -> Option<Metric>;

pub(super) struct Tenant {
    pub(super) names: Names,
    pub(super) days: Vec<Day>,
}

/// People 0 to 11 are at Harbour House, on two floors, the others at Hill Street; every third is on Wi-Fi. Six people
/// of both sites meet at a time.
pub(super) fn tenant(cause: &Cause) -> Tenant {
    tenant_of(DAYS, cause)
}

pub(super) fn tenant_of(days: i32, cause: &Cause) -> Tenant {
    let last = FIRST + days;
    let mut names = Names::default();
    let mut days = Vec::new();
    for date in FIRST..last {
        let (mut sessions, mut minutes) = (Vec::new(), Vec::new());
        for (slot, start) in STARTS.into_iter().enumerate() {
            for person in 0..PEOPLE {
                let (site, floor) = (person / 12, person % 12 / 6);
                let meeting = format!("{date}-{slot}-{}", (person + slot) % 4);
                let version = if person % 5 == 1 { "7.26" } else { "7.24" };
                let mut scopes = [0; KINDS];
                for (kind, value) in [
                    (ScopeKind::Service, "service".to_owned()),
                    (ScopeKind::Site, ["Harbour House", "Hill Street"][site].to_owned()),
                    (ScopeKind::Egress, format!("192.0.{site}.0/24")),
                    (ScopeKind::Subnet, format!("10.{site}.{floor}.0/24")),
                    (ScopeKind::Meeting, meeting),
                    (ScopeKind::Person, format!("person {person}")),
                    (ScopeKind::AppVersion, version.to_owned()),
                    (ScopeKind::NetworkType, if person % 3 == 0 { "wifi" } else { "wired" }.to_owned()),
                ] {
                    scopes[kind as usize] = names.scope(kind, Some(&value));
                }
                let first = date * 1440 + start;
                let mut session = Session {
                    key: format!("{date}-{slot}-{person:02}"),
                    who: names.who(&format!("person {person}")),
                    who_kind: WhoKind::Person,
                    scopes,
                    is_home_like: false,
                    judged_minutes: LENGTH as u32,
                    minutes: [0; 5],
                    first,
                    last: first + LENGTH - 1,
                    offset_minutes: 0,
                    is_in_incident: false,
                    is_in_general_incident: false,
                };
                for minute in 0..LENGTH {
                    if let Some(metric) = cause(date - FIRST, person, slot, minute) {
                        session.minutes[metric as usize] += 1;
                        minutes.push(CauseMinute {
                            session: sessions.len() as u32,
                            minute: first + minute,
                            metric,
                            direction: Direction::Both,
                        });
                    }
                }
                sessions.push(session);
            }
        }
        days.push(Day::sorted(date, sessions, minutes));
    }
    names.sort(days.iter_mut().flat_map(|day| &mut day.sessions));
    Tenant { names, days }
}

/// The days with names that were read in the opposite order.
fn read_backwards(tenant: &Tenant) -> Vec<Day> {
    let (mut names, mut days) = (Names::default(), tenant.days.clone());
    for session in days.iter_mut().flat_map(|day| &mut day.sessions).rev() {
        session.who = names.who(tenant.names.value(ScopeKind::Person, session.scope(ScopeKind::Person)));
        for (kind, number) in ScopeKind::ALL.iter().zip(&mut session.scopes) {
            *number = names.scope(*kind, Some(tenant.names.value(*kind, *number)));
        }
    }
    assert_ne!(days[0].sessions[0].who, tenant.days[0].sessions[0].who);
    names.sort(days.iter_mut().flat_map(|day| &mut day.sessions));
    days
}

/// A few poor minutes that anybody has now and then.
pub(super) fn noise(day: i32, person: usize, slot: usize, minute: i32) -> Option<Metric> {
    let from = (day * 7 + person as i32 * 5 + slot as i32 * 11) % 97;
    (from < 3 && (8..13).contains(&minute)).then_some(Metric::Jitter)
}

/// As the search over dates does: with what the dates before found.
fn judged(tenant: &Tenant) -> Vec<(i32, Verdict)> {
    let mut past = Past::default();
    let mut verdicts: Vec<(i32, Verdict)> = Vec::new();
    for day in &tenant.days {
        let mut earlier = Earlier::default();
        for (date, verdict) in &verdicts {
            earlier.chronic.extend(
                verdict
                    .chronic
                    .iter()
                    .filter(|one| one.is_reported)
                    .map(|one| ((one.kind, one.scope, one.family), one.first_bad)),
            );
            if *date >= day.date - 4 {
                earlier.acute.extend(verdict.acute.iter().map(|one| (one.kind, one.scope, one.family)));
            }
        }
        let verdict = judge(&past, day, &tenant.names, &earlier);
        let mut day = day.clone();
        mark(&mut day, &verdict);
        verdicts.push((day.date, verdict));
        past.days.push_back(day);
    }
    verdicts
}

fn mark(day: &mut Day, verdict: &Verdict) {
    for at in verdict.acute.iter().flat_map(|one| &one.minutes) {
        day.sessions[day.minutes[*at].session as usize].is_in_incident = true;
    }
}

/// The acute incidents of a day of the tenant.
fn acute(tenant: &Tenant, day: i32) -> Vec<Acute> {
    judged(tenant).into_iter().filter(|(date, _)| *date == FIRST + day).flat_map(|(_, verdict)| verdict.acute).collect()
}

/// One line an incident.
fn lines(tenant: &Tenant) -> String {
    let mut text = String::new();
    for (date, verdict) in judged(tenant) {
        for one in &verdict.acute {
            let time = |minute: i32| format!("{:02}:{:02}", minute % 1440 / 60, minute % 60);
            let _ = writeln!(
                text,
                "day {}: {} {} {:?}, {} to {}, people {}, minutes {}",
                date - FIRST,
                one.kind.name(),
                tenant.names.value(one.kind, one.scope),
                one.family,
                time(one.window.0),
                time(one.window.1),
                one.people.len(),
                one.minutes.len(),
            );
        }
        for one in verdict.chronic.iter().filter(|one| one.is_reported) {
            let _ = writeln!(
                text,
                "day {}: chronic {} {} {:?}, since day {}, {} of {} days, people {}",
                date - FIRST,
                one.kind.name(),
                tenant.names.value(one.kind, one.scope),
                one.family,
                one.first_bad - FIRST,
                one.bad_days,
                one.used_days,
                one.affected.len(),
            );
        }
    }
    text
}

#[test]
fn ordinary_days_have_no_incident() {
    assert_eq!(lines(&tenant(&noise)), "");
}

#[test]
fn an_outage_of_a_building_is_one_incident() {
    let tenant = tenant(&|day, person, slot, minute| {
        let out = day == 15 && person < 12 && slot < 2 && (slot == 1 || minute >= 20) && minute % 4 != 0;
        if out { Some(Metric::Loss) } else { noise(day, person, slot, minute) }
    });
    insta::assert_snapshot!(lines(&tenant));
}

#[test]
fn a_floor_a_version_and_everybody_are_separate() {
    let tenant = tenant(&|day, person, slot, minute| {
        let floor = day == 12 && (6..12).contains(&person) && slot == 1;
        let version = day == 14 && person % 5 == 1 && slot != 1;
        let all = day == 17 && slot == 0 && person % 8 != 0;
        if (floor || version || all) && minute % 3 != 0 {
            Some(Metric::Jitter)
        } else {
            noise(day, person, slot, minute)
        }
    });
    insta::assert_snapshot!(lines(&tenant));
}

#[test]
fn a_hot_laptop_is_chronic_and_a_meeting_alone_is_a_meeting() {
    let tenant = tenant(&|day, person, slot, minute| {
        let hot = day >= 8 && person == 17 && minute >= 10;
        let meeting = day == 13 && slot == 2 && (person + slot) % 4 == 1;
        match (hot, meeting && minute > 5) {
            (true, _) => Some(Metric::Cpu),
            (_, true) => Some(Metric::Delay),
            _ => noise(day, person, slot, minute),
        }
    });
    insta::assert_snapshot!(lines(&tenant));
}

#[test]
fn a_connection_that_is_bad_for_good_explains_itself() {
    let tenant = tenant(&|day, person, slot, minute| {
        let bad = person.is_multiple_of(6) && (minute + day) % 3 == 0;
        if bad { Some(Metric::Jitter) } else { noise(day, person, slot, minute) }
    });
    let acute: usize = judged(&tenant).iter().skip(5).map(|(_, verdict)| verdict.acute.len()).sum();
    assert_eq!(acute, 0, "{}", lines(&tenant));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn the_order_of_rows_has_no_influence_and_a_minute_is_explained_once(seed in 1_u64..1_000_000) {
        let random = move |day: i32, person: usize, slot: usize, minute: i32| {
            let key = seed ^ (day as u64 * 31 + person as u64 * 1009 + slot as u64 * 77);
            let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let bad = hash.is_multiple_of(11) || (day == 16 && person < 9 && slot == 1);
            (bad && (hash as i32 + minute) % 3 == 0).then_some(Metric::Loss)
        };
        let tenant = tenant(&random);
        let last = tenant.days.len() - 4;
        let mut past = Past::default();
        past.days.extend(tenant.days[..last].iter().cloned());
        let day = &tenant.days[last];
        let verdict = judge(&past, day, &tenant.names, &Earlier::default());
        let mut explained: Vec<usize> = verdict.acute.iter().flat_map(|one| one.minutes.clone()).collect();
        let count = explained.len();
        explained.sort_unstable();
        explained.dedup();
        prop_assert_eq!(explained.len(), count);

        let reversed = |day: &Day| {
            let count = day.sessions.len() as u32;
            let minutes = day.minutes.iter().rev().map(|one| CauseMinute { session: count - 1 - one.session, ..*one });
            Day::sorted(day.date, day.sessions.iter().rev().cloned().collect(), minutes.collect())
        };
        let mut past = Past::default();
        let days = read_backwards(&tenant);
        past.days.extend(days[..last].iter().map(&reversed));
        let again = judge(&past, &reversed(&days[last]), &tenant.names, &Earlier::default());
        prop_assert_eq!(format!("{verdict:?}"), format!("{again:?}"));
    }
}

#[test]
fn the_document_has_the_constants() {
    use super::constants::*;
    let document = include_str!("../../docs/INCIDENTS.md");
    for (name, value) in [
        ("HISTORY_DAYS", f64::from(HISTORY_DAYS)),
        ("LEAST_HISTORY_DAYS", LEAST_HISTORY_DAYS as f64),
        ("LEAST_AFFECTED", LEAST_AFFECTED as f64),
        ("LEAST_SHARE", LEAST_SHARE),
        ("LEAST_RATIO", LEAST_RATIO),
        ("LEAST_WINDOW_MINUTES", f64::from(LEAST_WINDOW_MINUTES)),
        ("FALSE_DISCOVERY_RATE", FALSE_DISCOVERY_RATE),
        ("DATES_READ", DATES_READ),
        ("PRIOR_SESSIONS", PRIOR_SESSIONS),
        ("MERGE_MINUTES", f64::from(MERGE_MINUTES)),
        ("LEAST_SESSION_COVER", LEAST_SESSION_COVER),
        ("LEAST_METRIC_SHARE", LEAST_METRIC_SHARE),
        ("CONTINUED_SCORE", CONTINUED_SCORE),
        ("CONTINUED_SHARE", CONTINUED_SHARE),
        ("CONTINUED_TESTS", CONTINUED_TESTS),
        ("RIVAL_SCORE", RIVAL_SCORE),
        ("TIE_SCORE", TIE_SCORE),
        ("OUTSIDE_RATIO", OUTSIDE_RATIO),
        ("KEPT_SCORE", KEPT_SCORE),
        ("KEPT_PEOPLE", KEPT_PEOPLE),
        ("RUN_SHARE", RUN_SHARE),
        ("OVERNIGHT_SHARE", OVERNIGHT_SHARE),
        ("LEAST_NATURAL_EXCESS", LEAST_NATURAL_EXCESS),
        ("NARROWER_COVER", NARROWER_COVER),
        ("NARROWER_RATIO", NARROWER_RATIO),
        ("CHRONIC_BAD_DAYS", CHRONIC_BAD_DAYS as f64),
        ("CHRONIC_USED_DAYS", CHRONIC_USED_DAYS as f64),
        ("CHRONIC_LOOK_BACK_DAYS", f64::from(CHRONIC_LOOK_BACK_DAYS)),
        ("BAD_DAY_SHARE", BAD_DAY_SHARE),
        ("BAD_DAY_EXCESS", BAD_DAY_EXCESS),
        ("BAD_DAY_RATIO", BAD_DAY_RATIO),
    ] {
        assert!(document.contains(&format!("| {name} | {value} |")), "{name} is {value}");
    }
}

#[test]
fn another_metric_of_people_with_a_chronic_problem_is_found() {
    let tenant = tenant(&|day, person, slot, minute| match person < 12 {
        true if day == 18 && slot == 1 && minute % 2 == 0 => Some(Metric::Loss),
        true if day >= 6 && minute % 2 == 1 => Some(Metric::Jitter),
        _ => noise(day, person, slot, minute),
    });
    let found = acute(&tenant, 18);
    assert_eq!(found.len(), 1, "{}", lines(&tenant));
    assert_eq!((found[0].kind, found[0].people.len()), (ScopeKind::Site, 12));
    let day = &tenant.days[18];
    assert!(found[0].minutes.iter().all(|at| day.minutes[*at].metric == Metric::Loss));
}

#[test]
fn people_of_a_chronic_problem_do_not_raise_what_is_expected() {
    let tenant =
        tenant(&|day, person, _, minute| (day >= 6 && person < 12 && minute % 2 == 1).then_some(Metric::Jitter));
    let mut past = Past::default();
    past.days.extend(tenant.days[..18].iter().cloned());
    let (day, session) = (&tenant.days[18], &tenant.days[18].sessions[0]);
    let strata = Strata::learn(&past, day, vec![3, 0, 1]);
    let mut rates = Rates::learn(&past, &strata, day.date, day.date);
    let usual = rates.expected(&strata, session)[0].session[0];
    let mut metrics = [false; 5];
    metrics[Metric::Jitter as usize] = true;
    let cause = super::explained::Cause {
        kind: ScopeKind::Site,
        scope: session.scope(ScopeKind::Site),
        since: FIRST + 6,
        metrics,
    };
    let mut explained = Explained::default();
    let affected = day.sessions.iter().filter(|one| one.scope(ScopeKind::Site) == cause.scope).map(|one| one.who);
    explained.add(cause, true, &affected.collect());
    rates.leave_out(&explained, &past, &strata, day.date, day.date);
    let without = rates.expected(&strata, session)[0].session[0];
    assert!(usual > 0.4 && without < 0.05, "{usual} and {without}");
}

#[test]
fn what_was_an_incident_is_not_usual() {
    let tenant = tenant(&|day, person, slot, minute| match day {
        10 if minute > 5 => Some(Metric::Loss),
        _ => noise(day, person, slot, minute),
    });
    let mut past = Past::default();
    past.days.extend(tenant.days[..15].iter().cloned());
    let day = &tenant.days[15];
    let strata = Strata::learn(&past, day, vec![3, 0, 1]);
    let expected = |past: &Past| {
        let rates = Rates::learn(past, &strata, day.date, day.date);
        rates.expected(&strata, &day.sessions[0])[0].session[3]
    };
    let with = expected(&past);
    past.days[10].sessions.iter_mut().for_each(|session| session.is_in_incident = true);
    let without = expected(&past);
    assert!(with > 2.0 * without, "{with} and {without}");
}

#[test]
fn a_problem_keeps_the_scope_of_the_days_before() {
    let acute_tenant = tenant(&|day, person, slot, minute| match day == 15 && person < 12 && minute % 3 != 0 {
        true => Some(Metric::Loss),
        false => noise(day, person, slot, minute),
    });
    let chronic_tenant = tenant(&|day, person, slot, minute| match day >= 8 && person < 12 && minute % 3 != 0 {
        true => Some(Metric::Loss),
        false => noise(day, person, slot, minute),
    });
    for (tenant, day, is_acute) in [(&acute_tenant, 15, true), (&chronic_tenant, 14, false)] {
        let mut past = Past::default();
        past.days.extend(tenant.days[..day].iter().cloned());
        let egress = tenant.names.number(ScopeKind::Egress, "192.0.0.0/24").expect("a network");
        let known = (ScopeKind::Egress, egress, Family::Network);
        let earlier = match is_acute {
            true => Earlier { acute: vec![known], chronic: Vec::new() },
            false => Earlier { acute: Vec::new(), chronic: vec![(known, FIRST + 8)] },
        };
        let kinds = |earlier: &Earlier| {
            let verdict = judge(&past, &tenant.days[day], &tenant.names, earlier);
            let chronic: Vec<ScopeKind> = verdict.chronic.iter().map(|one| one.kind).collect();
            if is_acute { verdict.acute.iter().map(|one| one.kind).collect() } else { chronic }
        };
        assert_eq!(kinds(&Earlier::default()), [ScopeKind::Site]);
        assert_eq!(kinds(&earlier), [ScopeKind::Egress]);
    }
}

#[test]
fn a_problem_that_continues_needs_less_evidence() {
    let tenant = tenant(&|day, person, slot, minute| {
        let light = day == 15 && matches!(person, 1 | 6 | 11 | 16) && slot == 1 && [8, 18, 28, 38].contains(&minute);
        if light { Some(Metric::Loss) } else { noise(day, person, slot, minute) }
    });
    let mut past = Past::default();
    past.days.extend(tenant.days[..15].iter().cloned());
    let version = tenant.names.number(ScopeKind::AppVersion, "7.26").expect("a version");
    let earlier = Earlier { acute: vec![(ScopeKind::AppVersion, version, Family::Network)], chronic: Vec::new() };
    let found = |earlier: &Earlier| judge(&past, &tenant.days[15], &tenant.names, earlier).acute.len();
    assert_eq!((found(&Earlier::default()), found(&earlier)), (0, 1));
}

#[test]
fn a_chronic_problem_begins_when_it_is_half_as_bad_as_later() {
    let tenant = tenant(&|day, person, slot, minute| {
        let bad = (day >= 10 && person < 12) || (day >= 6 && person < 4);
        if bad && minute % 2 == 0 { Some(Metric::Jitter) } else { noise(day, person, slot, minute) }
    });
    let verdicts = judged(&tenant);
    let of_site = |one: &&Chronic| one.kind == ScopeKind::Site && one.is_reported;
    let site = verdicts.last().and_then(|(_, verdict)| verdict.chronic.iter().find(of_site));
    assert_eq!(site.map(|one| one.first_bad), Some(FIRST + 10), "{}", lines(&tenant));
}

#[test]
fn a_computer_among_others_with_a_low_frame_rate_is_not_a_problem_of_its_own() {
    let tenant = tenant(&|day, person, slot, minute| match day >= 6 && person % 5 == 1 {
        true if person == 1 && minute % 2 == 0 => Some(Metric::Cpu),
        true => Some(Metric::FrameRate),
        false => noise(day, person, slot, minute),
    });
    let verdicts = judged(&tenant);
    let reported: Vec<ScopeKind> = verdicts
        .iter()
        .flat_map(|(_, verdict)| verdict.chronic.iter().filter(|one| one.is_reported).map(|one| one.kind))
        .collect();
    assert!(reported.contains(&ScopeKind::AppVersion), "{}", lines(&tenant));
    assert!(!reported.contains(&ScopeKind::Person), "{}", lines(&tenant));
}

#[test]
fn a_problem_goes_on_overnight_if_the_use_between_is_bad_too() {
    let tenant = tenant(&|day, person, slot, minute| {
        let out = match day {
            10 => slot == 0,
            11 => slot == 2,
            12 => true,
            13 => true,
            _ => false,
        };
        (out && person < 12 && minute % 2 == 0).then_some(Metric::Loss)
    });
    let site = tenant.names.number(ScopeKind::Site, "Harbour House").expect("a site");
    let at = |day: i32, minute: i32| (FIRST + day) * 1440 + minute;
    let goes_on = |before: (i32, i32), after: (i32, i32)| {
        let day = |day: i32| &tenant.days[day as usize];
        super::runs::goes_on(
            ScopeKind::Site,
            site,
            Family::Network,
            (day(before.0), at(before.0, before.1)),
            (day(after.0), at(after.0, after.1)),
        )
    };
    assert!(!goes_on((10, 579), (11, 840)), "good meetings lie between");
    assert!(goes_on((12, 579), (13, 840)), "the meetings between are as bad");
    assert!(goes_on((12, 879), (13, 540)), "nothing lies between");
}
