//! The card of an incident.

use super::error::CardError;
use super::facts::{Dates, Row, Source, common, day, span};
use super::model::{Card, CardIncident, CauseMinutes, Comparison, Percentages};
use super::people::{Names, counted_people};
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
            "select r.* exclude (who), r.who as name, r.who_id as who, f.meeting_key, f.who_kind, f.department, p.email
             from report_incident(incident_id := {id}) as r
             left join participant_facts as f on f.participant_key = r.participant_key and f.meeting_date = r.meeting_date
             left join participants as p on p.participant_key = r.participant_key and p.meeting_date = r.meeting_date
             order by r.poor_minutes desc, r.join_time_local, r.participant_key"
        ),
    )?;
    let cause = incident.text("cause");
    let (severity, kind, scope_name) = (incident.text("severity"), incident.text("kind"), incident.text("scope_name"));
    let in_common = in_common(&incident, &scope_name);
    let (when, when_utc) = when(&incident);
    let poor = |column: &str| Percentages { poor: incident.share(column), cpu: None };
    let comparison = Comparison {
        judged_minutes: incident.number("judged_minutes"),
        poor_minutes: incident.number("poor_minutes"),
        here: poor("poor_pct"),
        usual: poor("usual_poor_pct"),
        usual_of: "the same scope in the 28 days before",
        elsewhere: poor("elsewhere_poor_pct"),
        elsewhere_of: "everybody else at that time",
        is_of_cpu: incident.text("metric") == "cpu",
        ..Comparison::default()
    };
    let meetings = counted(incident.number("meetings").max(0) as u64, "meeting");
    let minutes = comparison.poor_minutes;
    let affected = format!("{}, {meetings}", counted_people(incident.number("participants"), &people));
    let verdict = format!("{severity}, {kind}: {affected}; {}", comparison.minutes_text());
    let names = names(&people);
    let facts = vec![
        ("In common", in_common.clone()),
        ("Place", common(&people, "site")),
        ("Device", format!("{}, app {}", common(&people, "device"), common(&people, "version"))),
        ("Network", common(&people, "network")),
        ("Meetings", common(&people, "meeting")),
        ("Who", names.clone()),
    ];
    let ticket = vec![
        ("Problem", incident.text("summary")),
        ("When", format!("{when}; {when_utc}")),
        ("Cause", cause.clone()),
        ("Affected", format!("{affected}: {names}")),
        ("Compared", comparison.text()),
        ("In common", in_common),
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
        main_causes: format!("{cause} {minutes} min"),
        causes: vec![CauseMinutes { poor: (!comparison.is_of_cpu).then_some(minutes), cause, minutes }],
        comparison,
        facts,
        strips: strips(source, &incident, &id)?,
        next: next(&incident, &people),
        ticket,
        ..Card::default()
    })
}

/// When in local time, and in UTC. A chronic incident has no end: its row has the last minute known on its date.
fn when(incident: &Row) -> (String, String) {
    let (start, end) = (incident.time("start_time_local"), incident.time("end_time_local"));
    let (start_utc, end_utc) = (incident.text("start_time_utc"), incident.text("end_time_utc"));
    match (start, end) {
        (Some(start), Some(end)) if incident.text("kind") == "acute" => {
            (format!("{}, local time", span(start, end)), format!("{start_utc} to {end_utc} UTC"))
        }
        (Some(start), _) => {
            let date = incident.text("date").parse::<jiff::civil::Date>();
            let as_of = date.map_or_else(|_| String::new(), |date| format!(" (as of {})", day(date.at(0, 0, 0, 0))));
            (format!("since {}{as_of}", day(start)), format!("since {start_utc} UTC"))
        }
        _ => (incident.text("date"), String::new()),
    }
}

/// `site: Harbour House`; people, rooms and meetings with their ID, because names repeat.
fn in_common(incident: &Row, scope_name: &str) -> String {
    let (kind, scope) = (incident.text("scope_kind"), incident.text("scope"));
    let id = match kind.as_str() {
        "person" | "room" | "meeting" if scope != scope_name => format!(" ({scope})"),
        _ => String::new(),
    };
    format!("{}: {scope_name}{id}", kind.replace('_', " "))
}

fn names(people: &[Row]) -> String {
    let mut names = Names::of(people).distinct(people);
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
    // A CPU-limited minute need not be poor.
    let level = |affected| if incident.text("metric") == "cpu" { Level::Cpu } else { Level::of(affected, most) };
    let mut levels: Vec<_> =
        minutes.iter().filter_map(|row| Some((row.time("minute_local")?, level(row.number("poor"))))).collect();
    // Minutes in between are good for this metric.
    if let (Some(first), Some(last)) = (levels.first().map(|(at, _)| *at), levels.last().map(|(at, _)| *at)) {
        let between = first.series(jiff::Span::new().minutes(1)).take_while(|at| *at <= last).take(2160);
        levels.extend(between.map(|at| (at, Level::Good)));
    }
    let label = "people affected".to_owned();
    Ok(Strip::new(label, format!("at most {most} at once"), &levels).into_iter().collect())
}
