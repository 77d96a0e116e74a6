//! A tenant is consistent, reproducible and plausible.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::generators::quality::SampleGenerator;
use crate::model::places::{DEGRADED_BUILDING, FAR_BUILDING, FAULTY_APP_VERSION, LOSSY_ROOM};
use crate::model::quality::Sample;
use crate::model::{HomeNetwork, Identity, Meeting, NetworkAccess, QualityAvailability, Session, Tenant, TenantSpec};

fn tenant(seed: u64) -> Tenant {
    Tenant::generate(&TenantSpec { seed, ..TenantSpec::default() })
}

/// All samples of a tenant with their sessions.
fn samples(tenant: &Tenant) -> impl Iterator<Item = (&Meeting, &Session, Sample)> {
    tenant.meetings.iter().flat_map(move |meeting| {
        meeting.sessions.clone().flat_map(move |row| {
            let generator = SampleGenerator::new(tenant, meeting, row);
            let session = &tenant.sessions[row];
            (0..meeting.sample_count(session)).map(move |index| (meeting, session, generator.sample(index)))
        })
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    assert!(count > 0, "nothing to average");
    sum / f64::from(count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_tenant_is_consistent(
        seed in any::<u64>(),
        days in 1_u32..9,
        people in 1_u32..90,
        meetings_per_day in 0_u32..50,
    ) {
        let spec = TenantSpec { seed, days, people, meetings_per_day, ..TenantSpec::default() };
        let tenant = Tenant::generate(&spec);
        let mut next = 0;
        for meeting in &tenant.meetings {
            prop_assert_eq!(meeting.sessions.start, next, "sessions are sorted by meeting");
            next = meeting.sessions.end;
            prop_assert!(meeting.start >= spec.start() - 3600 && meeting.end <= spec.end());
            prop_assert!(meeting.start < meeting.end);
            prop_assert!(!meeting.sessions.is_empty());
            let mut names = HashSet::new();
            for session in &tenant.sessions[meeting.sessions.clone()] {
                prop_assert!(meeting.start <= session.join && session.join <= session.leave);
                // Making joins unique may move one by a second or two.
                prop_assert!(session.leave <= meeting.end + 3);
                let unique = names.insert((format!("{:?}", session.identity), session.join));
                prop_assert_eq!(unique, !session.duplicate, "only duplicates share id and join");
                if let Some((from, until)) = session.away {
                    prop_assert!(session.join < from && from + 120 < until && until < session.leave);
                }
                let expected = (session.stay_s() + 59) / 60;
                let count = session.minute_count() as i64;
                // Each of two stays may include a partial minute at either end.
                prop_assert!(count == 0 && session.stay_s() < 30 || (expected..=expected + 3).contains(&count));
                let starts: Vec<i64> = (0..session.minute_count()).map(|index| session.minute_start(index)).collect();
                prop_assert!(starts.windows(2).all(|pair| pair[0] < pair[1]), "no minute twice");
                prop_assert!(starts.iter().all(|at| at % 60 == 0 && *at > session.join - 60 && *at < session.leave));
            }
        }
        prop_assert_eq!(next, tenant.sessions.len());
    }
}

#[test]
fn the_same_spec_gives_the_same_tenant() {
    let listed = |tenant: &Tenant| samples(tenant).map(|(_, _, minute)| minute).take(3000).collect::<Vec<_>>();
    assert_eq!(tenant(1).totals(), tenant(1).totals());
    assert_eq!(listed(&tenant(1)), listed(&tenant(1)));
    assert_ne!(listed(&tenant(1)), listed(&tenant(2)));
}

#[test]
fn any_sample_can_be_generated_on_its_own() {
    let tenant = tenant(3);
    let meeting = tenant.meetings.iter().find(|meeting| meeting.end - meeting.start > 86_400).expect("the unusual one");
    let row = meeting.sessions.start;
    let generator = SampleGenerator::new(&tenant, meeting, row);
    let count = tenant.sessions[row].minute_count();
    assert!(count > 1440);
    let forwards: Vec<Sample> = (0..count).map(|index| generator.sample(index)).collect();
    let backwards: Vec<Sample> = (0..count).rev().map(|index| generator.sample(index)).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
}

#[test]
fn every_unusual_case_occurs() {
    let tenant = tenant(7);
    let sessions = &tenant.sessions;
    let offset = i64::from(tenant.spec.utc_offset_s);
    let day = |at: i64| (at + offset).div_euclid(86_400);
    let meeting = |what: &str, test: &dyn Fn(&Meeting) -> bool| assert!(tenant.meetings.iter().any(test), "no {what}");
    let session = |what: &str, test: &dyn Fn(&Session) -> bool| assert!(sessions.iter().any(test), "no {what}");
    meeting("meeting over midnight", &|m| day(m.start) != day(m.end) && m.end - m.start < 86_400);
    meeting("meeting over a day", &|m| m.end - m.start > 86_400);
    meeting("meeting under a minute", &|m| m.end - m.start < 60);
    meeting("webinar", &Meeting::is_webinar);
    meeting("screen cast", &Meeting::is_screen_cast);
    meeting("Chinese topic", &|m| m.topic.chars().any(|c| c > '\u{4e00}'));
    meeting("external meeting", &|m| m.external);
    meeting("telephone", &|m| m.telephone);
    let same_day = tenant.meetings.iter().any(|m| {
        let held = tenant.meetings_with_number(m.number);
        held.iter().filter(|at| day(tenant.meetings[**at].start) == day(m.start)).count() > 1
    });
    assert!(same_day, "no number used twice on one day");
    session("room", &|s| matches!(s.identity, Identity::Room(_)));
    session("guest", &|s| matches!(s.identity, Identity::Guest(_)));
    session("person of another tenant", &|s| matches!(s.identity, Identity::External(_)));
    session("telephone caller", &|s| matches!(s.identity, Identity::Telephone(_)));
    session("rejoin", &|s| s.away.is_some());
    session("duplicate", &|s| s.duplicate);
    session("audience", &|s| s.audience);
    session("stay without a minute", &|s| s.minute_count() == 0);
    let two_devices = tenant.meetings.iter().any(|m| {
        let people: Vec<Identity> =
            sessions[m.sessions.clone()].iter().filter(|s| !s.duplicate).map(|s| s.identity).collect();
        people.iter().collect::<HashSet<_>>().len() < people.len()
    });
    assert!(two_devices, "nobody with two devices");
}

#[test]
fn totals_add_up() {
    let tenant = tenant(5);
    let totals = tenant.totals();
    assert_eq!(totals.meetings, tenant.meetings.len() as u64);
    assert_eq!(totals.participants, tenant.sessions.len() as u64);
    assert_eq!(
        totals.participants,
        totals.participants_with_samples
            + totals.participants_empty
            + totals.participants_without_id
            + totals.participants_foreign
            + totals.participants_unsupported
    );
    assert_eq!(totals.samples, samples(&tenant).count() as u64);
    let duplicates: u64 = samples(&tenant).filter(|(_, session, _)| session.duplicate).count() as u64;
    assert_eq!(totals.samples_answered + duplicates, totals.samples);
    assert!(totals.duplicates > 0 && duplicates > 0);
    let asked = tenant
        .meetings
        .iter()
        .flat_map(|meeting| tenant.sessions[meeting.sessions.clone()].iter().map(move |session| (meeting, session)));
    let asked = asked
        .filter(|(meeting, session)| {
            !session.duplicate && meeting.quality_availability(session) != QualityAvailability::NoId
        })
        .count() as u64;
    assert!(totals.fewest_calls.participant_quality_list >= asked);
    assert_eq!(totals.fewest_calls.meeting_list, totals.meetings.div_ceil(100));
}

#[test]
fn numbers_are_those_of_a_company() {
    let tenant = Tenant::generate(&TenantSpec { people: 300, meetings_per_day: 120, days: 7, ..TenantSpec::default() });
    let totals = tenant.totals();
    let rows_a_meeting = totals.participants as f64 / totals.meetings as f64;
    assert!((3.5..9.0).contains(&rows_a_meeting), "{rows_a_meeting} rows a meeting");
    let minutes_a_row = totals.samples as f64 / totals.participants_with_samples as f64;
    assert!((20.0..50.0).contains(&minutes_a_row), "{minutes_a_row} minutes a row");
    let delay = |test: &dyn Fn(&Session) -> bool| {
        mean(samples(&tenant).filter(|(_, s, _)| test(s)).map(|(_, _, m)| f64::from(m.delay_ms)))
    };
    let loss = |test: &dyn Fn(&Session, &Sample) -> bool| {
        mean(
            samples(&tenant)
                .filter(|(_, s, m)| test(s, m))
                .map(|(_, _, m)| f64::from(m.received.loss_avg_tenths) / 10.0),
        )
    };
    let degraded = |minute: &Sample| tenant.problems.degraded.contains(&minute.at);
    let office = |s: &Session| {
        s.building == Some(0) && matches!(s.access, NetworkAccess::OfficeCable | NetworkAccess::OfficeWifi)
    };
    let at_desk = delay(&|s| office(s) && matches!(s.identity, Identity::Person(_)));
    assert!((12.0..45.0).contains(&at_desk), "{at_desk} ms at a desk nearby");
    let far = delay(&|s| s.building == Some(FAR_BUILDING));
    assert!((190.0..260.0).contains(&far), "{far} ms in the far office");
    let vpn = delay(&|s| s.vpn) - delay(&|s| !s.vpn && matches!(s.access, NetworkAccess::Home(_)));
    assert!(vpn > 25.0, "the VPN adds {vpn} ms");
    let bad_home = loss(&|s, _| s.access == NetworkAccess::Home(HomeNetwork::BadWifi));
    let cable = loss(&|s, _| s.access == NetworkAccess::Home(HomeNetwork::Cable));
    assert!((1.5..8.0).contains(&bad_home) && cable < 0.4, "loss {bad_home} on bad Wi-Fi, {cable} on a cable");
    let bad_hours = loss(&|s, m| s.building == Some(DEGRADED_BUILDING) && degraded(m));
    let other_hours = loss(&|s, m| s.building == Some(DEGRADED_BUILDING) && !degraded(m));
    assert!(bad_hours > 3.0 && other_hours < 0.6, "loss {bad_hours} in the bad hours, {other_hours} else");
    let lossy = loss(&|s, _| s.identity == Identity::Room(LOSSY_ROOM));
    let rooms = loss(&|s, _| matches!(s.identity, Identity::Room(room) if room < LOSSY_ROOM));
    assert!(lossy > 2.0 && rooms < 0.3, "loss {lossy} in the lossy room, {rooms} next door");
}

#[test]
fn metrics_are_correlated_and_change_slowly() {
    let tenant = Tenant::generate(&TenantSpec { people: 200, meetings_per_day: 80, ..TenantSpec::default() });
    let sent = |test: &dyn Fn(&Session, &Sample) -> bool, pick: fn(&Sample) -> Option<f64>| {
        mean(samples(&tenant).filter(|(_, s, m)| test(s, m)).filter_map(|(_, _, m)| pick(&m)))
    };
    let height: fn(&Sample) -> Option<f64> = |m| m.video.and_then(|v| v.sent).map(|flow| f64::from(flow.height_px));
    let frames: fn(&Sample) -> Option<f64> = |m| m.video.and_then(|v| v.sent).map(|flow| f64::from(flow.framerate_fps));
    let jitter: fn(&Sample) -> Option<f64> = |m| m.audio.received.map(|flow| f64::from(flow.jitter_ms));
    let system: fn(&Sample) -> Option<f64> = |m| m.cpu.map(|cpu| f64::from(cpu.system_avg_tenths) / 10.0);
    let client: fn(&Sample) -> Option<f64> = |m| m.cpu.map(|cpu| f64::from(cpu.client_avg_tenths) / 10.0);
    let lossy = |_: &Session, m: &Sample| m.sent.loss_avg_tenths > 60;
    let clean = |_: &Session, m: &Sample| m.sent.loss_avg_tenths < 5;
    assert!(sent(&lossy, height) < sent(&clean, height) * 0.75, "loss costs resolution");
    assert!(sent(&lossy, jitter) > sent(&clean, jitter) * 2.0, "loss comes with jitter");
    let overloaded = |s: &Session, _: &Sample| s.overloaded && s.device != "ios";
    let idle = |s: &Session, _: &Sample| !s.overloaded && s.device != "ios";
    assert!(sent(&overloaded, system) > 85.0 && sent(&idle, system) < 60.0);
    assert!(sent(&overloaded, frames) < sent(&idle, frames) * 0.6, "an overloaded laptop sends fewer frames");
    let worse = |s: &Session, _: &Sample| s.app_version == FAULTY_APP_VERSION && !s.overloaded;
    let better = |s: &Session, _: &Sample| s.app_version != FAULTY_APP_VERSION && !s.overloaded;
    assert!(sent(&worse, client) > 1.6 * sent(&better, client), "the worse version costs CPU");
    for (_, _, minute) in samples(&tenant).filter(|(_, _, m)| tenant.problems.limited.contains(&m.at)) {
        let heights =
            [minute.video, minute.sharing].map(|p| p.map_or(0, |p| p.sent.or(p.received).map_or(0, |f| f.height_px)));
        assert!(heights[0] <= 360 && heights[1] <= 720, "{heights:?} under the limit");
    }
    // Neighbouring minutes resemble each other more than minutes far apart.
    let delays: Vec<Vec<f64>> = tenant
        .meetings
        .iter()
        .filter(|m| m.end - m.start > 2400)
        .map(|meeting| {
            let generator = SampleGenerator::new(&tenant, meeting, meeting.sessions.start);
            let count = tenant.sessions[meeting.sessions.start].minute_count();
            (0..count).map(|index| f64::from(generator.sample(index).delay_ms)).collect()
        })
        .collect();
    let step = |apart: usize| {
        mean(delays.iter().flat_map(|row| row.iter().zip(&row[apart.min(row.len())..]).map(|(a, b)| (a - b).abs())))
    };
    assert!(step(1) < 0.75 * step(12), "{} a minute apart, {} twelve", step(1), step(12));
}

#[test]
fn a_large_tenant_keeps_no_samples() {
    let spec = TenantSpec { people: 2000, days: 30, meetings_per_day: 1000, ..TenantSpec::default() };
    let tenant = Tenant::generate(&spec);
    let totals = tenant.totals();
    assert!(totals.samples > 3_000_000, "{totals:?}");
    let kept = tenant.sessions.len() * size_of::<Session>() + tenant.meetings.len() * size_of::<Meeting>();
    assert!(kept < 64 << 20, "{kept} bytes are kept");
}
