//! The card of an incident.

use super::error::CardError;
use super::facts::{Dates, Row, Source, common, span};
use super::model::{Card, CardIncident, CauseMinutes, Comparison};
use super::strip::{Level, Strip};
use crate::schema::ddl::quoted;
use crate::text::counted;

/// People shown by name.
const PEOPLE: usize = 5;

pub(crate) fn incident_card(source: &Source<'_>, incident_id: &str) -> Result<Card, CardError> {
    let id = quoted(incident_id);
    let sql = format!(
        "select i.*, cast(i.meeting_date as varchar) as date, coalesce(n.scope_name, i.scope) as scope_name,
            cause_label(i.metric, i.direction) as cause
         from incidents as i
         left join incident_scope_names() as n on n.scope_kind = i.scope_kind and n.scope = i.scope
         where i.incident_id = {id}"
    );
    let incident = source.rows("the incident", &sql)?.into_iter().next().unwrap_or_default();
    let people = source.rows(
        "the participants of the incident",
        &format!(
            "select r.*, f.meeting_key from report_incident(incident_id := {id}) as r
             left join participant_facts as f on f.participant_key = r.participant_key and f.meeting_date = r.meeting_date
             order by r.poor_minutes desc, r.join_time_local, r.participant_key"
        ),
    )?;
    let cause = incident.text("cause");
    let (severity, kind, scope_name) = (incident.text("severity"), incident.text("kind"), incident.text("scope_name"));
    let scope_kind = incident.text("scope_kind").replace('_', " ");
    let when = match (incident.time("start_time_local"), incident.time("end_time_local")) {
        (Some(start), Some(end)) => format!("{}, local time", span(start, end)),
        _ => incident.text("date"),
    };
    let comparison = Comparison {
        judged_minutes: incident.number("judged_minutes"),
        poor_minutes: incident.number("poor_minutes"),
        poor_pct: incident.share("poor_pct"),
        usual_poor_pct: incident.share("usual_poor_pct"),
        usual: "the same scope in the 28 days before".to_owned(),
        elsewhere_poor_pct: incident.share("elsewhere_poor_pct"),
        elsewhere: "everybody else at that time".to_owned(),
    };
    let affected = affected_text(&incident);
    let verdict = format!("{severity}, {kind}: {affected}; {}", comparison.minutes_text());
    let names = names(&people);
    let facts = vec![
        ("In common", format!("{scope_kind}: {scope_name}")),
        ("Place", common(&people, "site")),
        ("Device", format!("{}, app {}", common(&people, "device"), common(&people, "version"))),
        ("Network", common(&people, "network")),
        ("Meetings", common(&people, "meeting")),
        ("Who", names.clone()),
    ];
    let ticket = vec![
        ("Problem", incident.text("summary")),
        ("When", format!("{when}; {} to {} UTC", incident.text("start_time_utc"), incident.text("end_time_utc"))),
        ("Cause", cause.clone()),
        ("Affected", format!("{affected}: {names}")),
        ("Compared", comparison.text()),
        ("In common", format!("{scope_kind}: {scope_name}")),
        ("Place", common(&people, "site")),
        ("Device", format!("{}, app {}", common(&people, "device"), common(&people, "version"))),
        ("Network", common(&people, "network")),
        ("Incident", incident_id.to_owned()),
    ];
    Ok(Card {
        kind: "incident",
        title: format!("{scope_name}: {cause}"),
        id: incident_id.to_owned(),
        window: when,
        profile: source.profile().to_owned(),
        incidents: vec![CardIncident {
            incident_id: incident_id.to_owned(),
            severity,
            kind,
            summary: incident.text("summary"),
        }],
        verdict,
        causes: vec![CauseMinutes { cause, minutes: incident.number("poor_minutes") }],
        comparison,
        facts,
        strips: strips(source, &incident, &id)?,
        next: next(&incident, &people),
        ticket,
    })
}

/// `7 people, 3 meetings`.
fn affected_text(incident: &Row) -> String {
    let people = incident.number("participants").max(0) as u64;
    let people = if people == 1 { "1 person".to_owned() } else { format!("{people} people") };
    format!("{people}, {}", counted(incident.number("meetings").max(0) as u64, "meeting"))
}

fn names(people: &[Row]) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in people.iter().map(|row| row.text("who")) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(PEOPLE);
    names.truncate(PEOPLE);
    match (names.is_empty(), more) {
        (true, _) => "unknown".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

fn next(incident: &Row, people: &[Row]) -> Vec<(Vec<String>, &'static str)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let date = format!("--since={}", incident.text("date"));
    let (scope_kind, scope) = (incident.text("scope_kind"), incident.text("scope"));
    let first = match scope_kind.as_str() {
        "meeting" => Some((words(&["report", "meeting", &scope]), "the meeting")),
        "person" => Some((words(&["report", "user", &scope]), "the person")),
        "room" => Some((words(&["report", "user", &scope]), "the room")),
        "app_version" => Some((words(&["report", "run", "app-versions", &date]), "the versions side by side")),
        "device" => Some((words(&["report", "run", "devices", &date]), "the devices side by side")),
        "network_type" => Some((words(&["report", "run", "by-network", &date]), "the networks side by side")),
        "egress" => Some((words(&["report", "run", "by-egress", &date]), "the networks side by side")),
        "location" => Some((words(&["report", "run", "by-location", &date]), "the locations side by side")),
        "site" | "subnet" => Some((words(&["report", "run", "by-site", &date]), "the places side by side")),
        _ => Some((words(&["report", "run", "episodes", &date]), "the episodes of these days")),
    };
    let worst = people.first().filter(|_| scope_kind != "meeting");
    let meeting = worst
        .and_then(|row| row.optional("meeting_key"))
        .map(|key| (words(&["report", "meeting", &key]), "the meeting of the participant with the most poor minutes"));
    first.into_iter().chain(meeting).collect()
}

/// How many of those concerned had minutes of this metric at a time, relative to the most at once.
fn strips(source: &Source<'_>, incident: &Row, id: &str) -> Result<Vec<Strip>, CardError> {
    // An acute incident is of the meetings of one date; a chronic one has no time of day.
    if incident.text("kind") != "acute" {
        return Ok(Vec::new());
    }
    let dates = Dates::of(&incident.text("date"));
    let sql = format!(
        "select c.minute_local, count(distinct c.participant_key) as poor
         from cause_minutes({}) as c
         inner join incident_participants as p on p.participant_key = c.participant_key
         where p.incident_id = {id} and c.metric = {}
         group by c.minute_local order by c.minute_local",
        source.arguments(&dates),
        quoted(&incident.text("metric"))
    );
    let minutes = source.rows("the minutes of the incident", &sql)?;
    let most = minutes.iter().map(|row| row.number("poor")).max().unwrap_or_default();
    let mut levels: Vec<_> = minutes
        .iter()
        .filter_map(|row| Some((row.time("minute_local")?, Level::of(row.number("poor"), most))))
        .collect();
    // Minutes in between are good for this metric.
    if let (Some(first), Some(last)) = (levels.first().map(|(at, _)| *at), levels.last().map(|(at, _)| *at)) {
        let between = first.series(jiff::Span::new().minutes(1)).take_while(|at| *at <= last).take(2160);
        levels.extend(between.map(|at| (at, Level::Good)));
    }
    let label = "people affected".to_owned();
    Ok(Strip::new(label, format!("at most {most} at once"), &levels).into_iter().collect())
}
