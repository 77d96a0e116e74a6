//! The card of an incident.

use super::error::CardError;
use super::facts::{Dates, Row, Source, common, day, moment, span};
use super::model::{Card, CardIncident, CauseMinutes, Comparison, Percentages};
use super::people::{Names, counted_people};
use super::strip::{Level, Strip};
use crate::schema::ddl::quoted;
use crate::text::counted;

/// People shown by name.
const PEOPLE: usize = 5;

/// What the values of the facts are counted in.
const UNIT: &str = "participation";

/// Dates of an acute incident that are shown minute by minute: the latest ones.
const DATES: usize = 5;

/// An acute incident `i` that continues over several dates has a row `o` on each.
const ROWS_OF_PROBLEM: &str = "o.kind = i.kind and o.scope_kind = i.scope_kind and o.scope = i.scope
    and o.metric = i.metric and o.start_time_utc = i.start_time_utc and o.meeting_date <= i.meeting_date";

pub(crate) fn incident_card(source: &Source<'_>, incident_id: &str) -> Result<Card, CardError> {
    let id = quoted(incident_id);
    let sql = format!(
        "select i.*, cast(i.meeting_date as varchar) as date, coalesce(n.scope_name, i.scope) as scope_name,
            cause_label(i.metric, i.direction) as cause,
            cast(case when i.kind = 'acute' then (
                select min(o.meeting_date) from incidents as o where {ROWS_OF_PROBLEM}
            ) else cast(i.start_time_local as date) end as varchar) as first_date
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
        ("Place", common(&people, "site", UNIT)),
        ("Device", format!("{}, app {}", common(&people, "device", UNIT), common(&people, "version", UNIT))),
        ("Network", common(&people, "network", UNIT)),
        ("Meetings", common(&people, "meeting", UNIT)),
        ("Who", names.clone()),
    ];
    let ticket = vec![
        ("Problem", incident.text("summary")),
        ("When", format!("{when}; {when_utc}")),
        ("Cause", cause.clone()),
        ("Affected", format!("{affected}: {names}")),
        ("Compared", comparison.text()),
        ("In common", in_common),
        ("Place", common(&people, "site", UNIT)),
        ("Device", format!("{}, app {}", common(&people, "device", UNIT), common(&people, "version", UNIT))),
        ("Network", common(&people, "network", UNIT)),
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
    let dates = dates(incident);
    // A chronic incident goes on, so the latest days belong to it as well.
    let until = dates.until.filter(|_| incident.text("kind") == "acute");
    let limits = [("--since", dates.since), ("--until", until)];
    let limits: Vec<String> =
        limits.into_iter().filter_map(|(name, date)| date.map(|date| format!("{name}={date}"))).collect();
    let limited = |start: &[&str]| words(start).into_iter().chain(limits.iter().cloned()).collect::<Vec<_>>();
    let (scope_kind, scope) = (incident.text("scope_kind"), incident.text("scope"));
    let first = match scope_kind.as_str() {
        "meeting" => Some((words(&["report", "meeting", &scope]), "the meeting")),
        "person" => Some((limited(&["report", "user", &scope]), "the person")),
        "room" => Some((limited(&["report", "user", &scope]), "the room")),
        "app_version" => Some((limited(&["report", "run", "app-versions"]), "the versions side by side")),
        "device" => Some((limited(&["report", "run", "devices"]), "the devices side by side")),
        "network_type" => Some((limited(&["report", "run", "by-network"]), "the networks side by side")),
        "egress" => Some((limited(&["report", "run", "by-egress"]), "the networks side by side")),
        "location" => Some((limited(&["report", "run", "by-location"]), "the locations side by side")),
        "site" | "subnet" => Some((limited(&["report", "run", "by-site"]), "the places side by side")),
        _ => Some((limited(&["report", "run", "episodes"]), "the episodes of these days")),
    };
    let worst = people.first().filter(|_| scope_kind != "meeting");
    let meeting = worst
        .and_then(|row| row.optional("meeting_key"))
        .map(|key| (words(&["report", "meeting", &key]), "the meeting of the participant with the most poor minutes"));
    first.into_iter().chain(meeting).collect()
}

/// The meeting dates from the first to that of the row.
fn dates(incident: &Row) -> Dates {
    Dates { since: incident.optional("first_date"), until: Dates::of(&incident.text("date")).until }
}

/// How many of those concerned had minutes of this metric at a time, relative to the most at once: a strip for each
/// meeting date.
fn strips(source: &Source<'_>, incident: &Row, id: &str) -> Result<Vec<Strip>, CardError> {
    // A chronic incident has no time of day.
    if incident.text("kind") != "acute" {
        return Ok(Vec::new());
    }
    let arguments = source.arguments(&dates(incident));
    let sql = format!(
        "with concerned as (
            select p.participant_key from incident_participants as p
            inner join incidents as o on o.incident_id = p.incident_id
            inner join incidents as i on {ROWS_OF_PROBLEM}
            where i.incident_id = {id}
         ),
         minutes as (
            select q.meeting_date, q.minute_local, null as affected_key from quality_minutes({arguments}) as q
            where q.is_poor is not null and q.participant_key in (select n.participant_key from concerned as n)
            union all
            select c.meeting_date, c.minute_local, c.participant_key as affected_key from cause_minutes({arguments}) as c
            where c.metric = {} and c.participant_key in (select n.participant_key from concerned as n)
         )
         select cast(m.meeting_date as varchar) as date, m.minute_local, count(distinct m.affected_key) as affected
         from minutes as m group by m.meeting_date, m.minute_local order by m.meeting_date, m.minute_local",
        quoted(&incident.text("metric"))
    );
    let minutes = source.rows("the minutes of the incident", &sql)?;
    let most = minutes.iter().map(|row| row.number("affected")).max().unwrap_or_default();
    // A CPU-limited minute need not be poor.
    let is_cpu = incident.text("metric") == "cpu";
    let level = |affected| if is_cpu && affected > 0 { Level::Cpu } else { Level::of(affected, most) };
    let of_dates: Vec<&[Row]> = minutes.chunk_by(|a, b| a.text("date") == b.text("date")).collect();
    let strip = |rows: &&[Row]| {
        let levels: Vec<_> =
            rows.iter().filter_map(|row| Some((row.time("minute_local")?, level(row.number("affected"))))).collect();
        let most = rows.iter().map(|row| row.number("affected")).max().unwrap_or_default();
        let start = levels.iter().map(|(at, _)| *at).min().map(moment).unwrap_or_default();
        Strip::new(format!("{start}  people affected"), format!("at most {most} at once"), &levels)
    };
    Ok(of_dates.iter().skip(of_dates.len().saturating_sub(DATES)).filter_map(strip).collect())
}
