//! An incident in one English sentence.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::Weekday;

use super::data::WhoKind;
use super::incident::{Direction, Incident, Metric, ScopeKind};
use crate::schema::days_of_local;
use crate::text::{counted, people_and_rooms};

/// Those affected, each once.
pub(super) type People = BTreeSet<(u32, WhoKind)>;

/// `Fri 20 Nov 09:40-12:06, Harbour House: jitter both ways, 5 people and 2 rooms, 3 meetings; 62.4 % of minutes poor,
/// usually 0.4 %, elsewhere 0.6 %`.
pub(super) fn acute(incident: &Incident, label: &str, people: &People) -> String {
    let (start, end) = (incident.start_local_us, incident.end_local_us);
    let when = if days_of_local(start) == days_of_local(end) {
        format!("{} {}-{}", date(start), time(start), time(end))
    } else {
        format!("{} {} to {} {}", date(start), time(start), date(end), time(end))
    };
    format!("{when}, {}: {}; {}", scope(incident.scope_kind, label), who(incident, people), compared(incident))
}

/// `Li Lei: loss sent on 7 of the last 10 days, since Mon 9 Nov; 23.0 % of minutes poor, before 0.4 %, others 1.2 %`.
pub(super) fn chronic(incident: &Incident, label: &str, people: &People, bad_days: usize, used_days: usize) -> String {
    let people = match incident.scope_kind {
        ScopeKind::Person | ScopeKind::Room => String::new(),
        _ => format!(", {}", counted_people(people)),
    };
    format!(
        "{}: {} on {bad_days} of the last {used_days} days of use, since {}{people}; {}{}{}",
        scope(incident.scope_kind, label),
        cause(incident),
        date(incident.start_local_us),
        poor(incident),
        share(", before", incident.usual_poor_pct),
        share(", others", incident.elsewhere_poor_pct),
    )
}

fn who(incident: &Incident, people: &People) -> String {
    let meetings = counted(u64::from(incident.meetings), "meeting");
    match incident.scope_kind {
        ScopeKind::Person | ScopeKind::Room => format!("{}, {meetings}", cause(incident)),
        ScopeKind::Meeting => format!("{}, {}", cause(incident), counted_people(people)),
        _ => format!("{}, {}, {meetings}", cause(incident), counted_people(people)),
    }
}

fn counted_people(people: &People) -> String {
    let rooms = people.iter().filter(|(_, kind)| *kind == WhoKind::Room).count();
    people_and_rooms((people.len() - rooms) as u64, rooms as u64)
}

fn compared(incident: &Incident) -> String {
    let usual = share(", usually", incident.usual_poor_pct);
    let elsewhere = share(", elsewhere", incident.elsewhere_poor_pct);
    format!("{}{usual}{elsewhere}", poor(incident))
}

/// The percentage and what it is of: CPU-limited minutes count whether or not they are poor.
fn poor(incident: &Incident) -> String {
    match incident.metric {
        Metric::Cpu => format!("{:.1} % of minutes CPU-limited", incident.poor_pct),
        _ => format!("{:.1} % of minutes poor", incident.poor_pct),
    }
}

fn share(name: &str, pct: Option<f64>) -> String {
    pct.map_or(String::new(), |pct| format!("{name} {pct:.1} %"))
}

fn cause(incident: &Incident) -> String {
    let metric = match incident.metric {
        Metric::Delay => return "high delay".to_owned(),
        Metric::Cpu => return "high CPU load".to_owned(),
        Metric::FrameRate => "low frame rate".to_owned(),
        metric => metric.name().to_owned(),
    };
    match incident.direction {
        Direction::Both => format!("{metric} both ways"),
        direction => format!("{metric} {}", direction.name()),
    }
}

fn scope(kind: ScopeKind, label: &str) -> String {
    match kind {
        ScopeKind::Service => "everywhere".to_owned(),
        ScopeKind::Site | ScopeKind::Person => label.to_owned(),
        ScopeKind::Egress => format!("public network {label}"),
        ScopeKind::Subnet => format!("subnet {label}"),
        ScopeKind::Room => format!("room {label}"),
        ScopeKind::Meeting => format!("meeting {label}"),
        ScopeKind::AppVersion => format!("app version {label}"),
        ScopeKind::Device => format!("device type {label}"),
        ScopeKind::NetworkType => format!("network type {label}"),
        ScopeKind::Location => format!("location {label}"),
    }
}

/// `Fri 20 Nov`.
fn date(local_us: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = SignedDuration::from_hours(24 * i64::from(days_of_local(local_us)));
    let date = jiff::civil::date(1970, 1, 1).saturating_add(days);
    let weekday = match date.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    format!("{weekday} {} {}", date.day(), MONTHS[date.month() as usize - 1])
}

fn time(local_us: i64) -> String {
    let minute = local_us.div_euclid(60_000_000).rem_euclid(1440);
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::incident::tests::incident;

    fn people(persons: u32, rooms: u32) -> People {
        let kind = |who| if who < persons { WhoKind::Person } else { WhoKind::Room };
        (0..persons + rooms).map(|who| (who, kind(who))).collect()
    }

    #[test]
    fn a_sentence_counts_people_and_rooms_apart() {
        let said = |persons, rooms| acute(&incident(), "Harbour House", &people(persons, rooms));
        assert!(said(5, 2).contains(": jitter both ways, 5 people and 2 rooms, 3 meetings; "), "{}", said(5, 2));
        assert!(said(1, 1).contains(", 1 person and 1 room, ") && said(0, 3).contains(", 3 rooms, 3 meetings"));
        let version = Incident { scope_kind: ScopeKind::AppVersion, ..incident() };
        assert!(chronic(&version, "7.2", &people(6, 1), 5, 7).contains(", 6 people and 1 room; "));
        let meeting = Incident { scope_kind: ScopeKind::Meeting, ..incident() };
        assert!(acute(&meeting, "Weekly", &people(7, 0)).contains(": jitter both ways, 7 people; "));
    }

    #[test]
    fn a_sentence_says_what_its_percentage_is_of() {
        let site = Incident { elsewhere_poor_pct: Some(0.6), ..incident() };
        assert_eq!(
            acute(&site, "Harbour House", &people(7, 0)),
            "Thu 1 Jan 00:00-00:00, Harbour House: jitter both ways, 7 people, 3 meetings; 50.0 % of minutes poor, \
             usually 0.4 %, elsewhere 0.6 %"
        );
        let new = Incident { usual_poor_pct: None, elsewhere_poor_pct: None, ..incident() };
        assert!(acute(&new, "Harbour House", &people(7, 0)).ends_with("3 meetings; 50.0 % of minutes poor"));
        // CPU-limited minutes need not be poor.
        let hot = Incident { scope_kind: ScopeKind::Person, metric: Metric::Cpu, ..incident() };
        assert_eq!(
            chronic(&hot, "Ann Lee", &people(1, 0), 5, 7),
            "Ann Lee: high CPU load on 5 of the last 7 days of use, since Thu 1 Jan; 50.0 % of minutes CPU-limited, \
             before 0.4 %"
        );
        assert!(
            acute(&hot, "Ann Lee", &people(1, 0)).ends_with("3 meetings; 50.0 % of minutes CPU-limited, usually 0.4 %")
        );
    }
}
