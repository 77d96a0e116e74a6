//! Everything that is found in random tenants with planted faults, as text: a changed rule or limit shows here.
//!
//! Beside each tenant stands what was planted. The search need not find all of it: some faults are short or of few
//! people.

use std::fmt::Write;

use super::data::{CauseMinute, Day, KINDS, Names, Session, WhoKind};
use super::incident::{Direction, Incident, Metric, ScopeKind};
use super::nightly_tests::Store;
use super::null_model::Past;
use super::search_tests::{FIRST, Tenant};
use crate::schema::civil_date_text;

/// Six weeks: the history is full in the last two.
const DAYS: i32 = 42;
const PEOPLE: u64 = 33;
const MEETINGS_A_DAY: u64 = 10;
const FAULTS: usize = 7;

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// Who takes part: 0 to 3 are rooms, the last three guests. Two sites with two floors each, and people at home.
fn scopes_of(person: u64, random: &mut Random) -> (WhoKind, bool, Vec<(ScopeKind, String)>) {
    let place = person % 3;
    let mut scopes = vec![
        (ScopeKind::Service, "service".to_owned()),
        (ScopeKind::AppVersion, ["7.24", "7.25", "7.26", "7.24"][person as usize % 4].to_owned()),
        (ScopeKind::Device, ["laptop A", "laptop B", "phone C"][person as usize % 7 % 3].to_owned()),
        (ScopeKind::NetworkType, if random.percent(60) { "wifi" } else { "wired" }.to_owned()),
        (ScopeKind::Location, ["Suzhou", "Dalian", "Qingdao"][place as usize].to_owned()),
    ];
    let is_home = place == 2 && person > 3;
    if is_home {
        scopes.push((ScopeKind::Egress, format!("198.51.{person}.0/24")));
        // The default of many home routers, or one of its own.
        match person / 3 % 3 {
            1 => scopes.push((ScopeKind::Subnet, "192.168.1.0/24".to_owned())),
            2 => scopes.push((ScopeKind::Subnet, format!("192.168.{person}.0/24"))),
            _ => {}
        }
    } else {
        let place = place % 2;
        scopes.push((ScopeKind::Site, ["Harbour House", "Hill Street"][place as usize].to_owned()));
        scopes.push((ScopeKind::Egress, format!("192.0.{place}.0/24")));
        scopes.push((ScopeKind::Subnet, format!("10.{place}.{}.0/24", person / 3 % 2)));
    }
    let kind = match person {
        0..4 => WhoKind::Room,
        _ if person + 3 >= PEOPLE => WhoKind::Guest,
        _ => WhoKind::Person,
    };
    match kind {
        WhoKind::Room => scopes.push((ScopeKind::Room, format!("room {person}"))),
        WhoKind::Person => scopes.push((ScopeKind::Person, format!("person {person}"))),
        WhoKind::Guest => {}
    }
    (kind, is_home && (person / 3).is_multiple_of(3), scopes)
}

/// A cause of poor minutes that members of a scope have.
pub(super) struct Fault {
    scope: (ScopeKind, String),
    metric: Metric,
    direction: Direction,
    /// Days since the first, and minutes of each of them.
    days: std::ops::Range<i32>,
    minutes: std::ops::Range<i32>,
    /// Percent of the members, and of their minutes.
    members: u64,
    intensity: u64,
}

impl Fault {
    fn random(random: &mut Random) -> Fault {
        let of = random.below(PEOPLE - 3);
        let scopes = scopes_of(of, random).2;
        // The last one is the person or room.
        let at = if random.percent(35) { scopes.len() - 1 } else { random.below(scopes.len() as u64) as usize };
        let scope = scopes[at].clone();
        let days = if random.percent(50) { 1 } else { 2 + random.below(16) as i32 };
        let from = 8 + random.below(DAYS as u64 - 9) as i32;
        let start = if random.percent(50) { 540 } else { 540 + random.below(480) as i32 };
        let length = if random.percent(50) { 600 } else { 20 + random.below(240) as i32 };
        Fault {
            scope,
            metric: Metric::ALL[random.below(5) as usize],
            direction: Direction::ALL[random.below(3) as usize],
            days: from..(from + days).min(DAYS),
            minutes: start..(start + length).min(1140),
            members: 40 + random.below(61),
            intensity: 15 + random.below(80),
        }
    }

    fn affects(&self, day: i32, person: u64, session: &[(ScopeKind, String)]) -> bool {
        self.days.contains(&day) && session.contains(&self.scope) && Random(person).below(100) < self.members
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(
            f,
            "{} of {} {}, days {} to {}, {} to {}, {} % of the minutes of {} %",
            self.metric.name(),
            self.scope.0.name(),
            self.scope.1,
            self.days.start,
            self.days.end - 1,
            time(self.minutes.start),
            time(self.minutes.end),
            self.intensity,
            self.members,
        )
    }
}

pub(super) fn random_tenant(seed: u64) -> (Vec<Fault>, Tenant) {
    let mut random = Random(seed);
    let faults: Vec<Fault> = (0..FAULTS).map(|_| Fault::random(&mut random)).collect();
    // Percent of the sessions with some poor minutes.
    let usual: Vec<u64> = (0..PEOPLE).map(|_| [2, 2, 4, 8, 30][random.below(5) as usize]).collect();
    let mut names = Names::default();
    let mut days: Vec<Day> = Vec::new();
    for day in 0..DAYS {
        let date = FIRST + day;
        let (mut sessions, mut minutes) = (Vec::new(), Vec::new());
        // The first day is a Friday.
        let meetings = if (day + 4) % 7 < 5 { MEETINGS_A_DAY } else { 1 };
        for meeting in 0..meetings {
            let start = 540 + random.below(17) as i32 * 30;
            let length = 15 + random.below(5) as i32 * 15;
            for person in 0..PEOPLE {
                if !random.percent(30) {
                    continue;
                }
                let (who_kind, is_home_like, mut scopes) = scopes_of(person, &mut random);
                scopes.push((ScopeKind::Meeting, format!("meeting {date}-{meeting}")));
                let first = start + random.below(4) as i32;
                let last = start + length - 1;
                let mut session = Session {
                    key: format!("{date}-{meeting:02}-{person:02}"),
                    who: names.who(&format!("{person} {}", if who_kind == WhoKind::Guest { meeting } else { 0 })),
                    who_kind,
                    scopes: [0; KINDS],
                    is_home_like,
                    judged_minutes: (last - first + 1) as u32,
                    minutes: [0; 5],
                    first: date * 1440 + first,
                    last: date * 1440 + last,
                    offset_minutes: 0,
                    is_in_incident: false,
                    is_in_general_incident: false,
                };
                for (kind, value) in &scopes {
                    session.scopes[*kind as usize] = names.scope(*kind, Some(value));
                }
                let burst = random.percent(usual[person as usize]).then(|| {
                    let from = first + random.below(length as u64) as i32;
                    (Metric::ALL[random.below(5) as usize], from..from + 2 + random.below(10) as i32)
                });
                let of: Vec<&Fault> = faults.iter().filter(|one| one.affects(day, person, &scopes)).collect();
                for minute in first..=last {
                    let fault = of.iter().find(|one| one.minutes.contains(&minute) && random.percent(one.intensity));
                    let cause = fault.map(|one| (one.metric, one.direction)).or_else(|| {
                        let (metric, minutes) = burst.as_ref()?;
                        minutes.contains(&minute).then_some((*metric, Direction::Received))
                    });
                    let Some((metric, direction)) = cause else { continue };
                    session.minutes[metric as usize] += 1;
                    let (session, minute) = (sessions.len() as u32, date * 1440 + minute);
                    minutes.push(CauseMinute { session, minute, metric, direction });
                }
                // Not every minute has values to judge.
                let judged = session.judged_minutes * [10, 10, 10, 8, 4][random.below(5) as usize] / 10;
                session.judged_minutes = judged.max(session.all_minutes());
                sessions.push(session);
            }
        }
        days.push(Day::sorted(date, sessions, minutes));
    }
    names.sort(days.iter_mut().flat_map(|day| &mut day.sessions));
    (faults, Tenant { names, days })
}

/// A day of a tenant and the days before it. Some sessions of these were in incidents.
pub(super) fn past_and_today(tenant: &Tenant, day: usize) -> (Past, Day) {
    let mut past = Past::default();
    past.days.extend(tenant.days[..day].iter().cloned());
    for (at, session) in past.days.iter_mut().flat_map(|day| &mut day.sessions).enumerate() {
        session.is_in_incident = at % 17 == 0;
        session.is_in_general_incident = at % 34 == 0;
    }
    (past, tenant.days[day].clone())
}

/// Four digits.
pub(super) fn short(number: f64) -> String {
    if number == 0.0 || (0.01..1000.0).contains(&number.abs()) {
        format!("{number:.4}")
    } else {
        format!("{number:.3e}")
    }
}

fn line(one: &Incident) -> String {
    let percent = |part: Option<f64>| part.map_or("unknown".to_owned(), |part| format!("{part:.3} %"));
    format!(
        "day {} {} {} {} {} {}, {} people, {} meetings, {} of {} min, usual {}, elsewhere {}, q {:.3e}, {}\n      {}",
        one.meeting_date - FIRST,
        one.kind.name(),
        one.scope_kind.name(),
        one.scope,
        one.metric.name(),
        one.direction.name(),
        one.participants,
        one.meetings,
        one.poor_minutes,
        one.judged_minutes,
        percent(one.usual_poor_pct),
        percent(one.elsewhere_poor_pct),
        one.q_value,
        one.severity.name(),
        one.summary,
    )
}

fn found(seed: u64) -> String {
    let (faults, tenant) = random_tenant(seed);
    let mut store = Store::new();
    tenant.days.iter().for_each(|day| store.publish(&tenant, day));
    store.search(&tenant.days.iter().map(|day| day.date).collect::<Vec<_>>());
    let mut text = format!("tenant {seed}, day 0 is {}\n", civil_date_text(FIRST));
    for one in &faults {
        let _ = writeln!(text, "    planted: {one}");
    }
    for one in store.found.values().flatten() {
        let _ = writeln!(text, "  {}", line(one));
    }
    text
}

#[test]
fn what_is_found_in_random_tenants() {
    insta::assert_snapshot!((1..=10).map(found).collect::<Vec<_>>().join("\n"));
}
