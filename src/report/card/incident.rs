//! The card of an incident.

use super::error::CardError;
use super::facts::{Dates, Row, Source, common};
use super::model::{Card, CardIncident, CauseMinutes, Comparison, Percentages};
use super::people::{Names, counted_people};
use super::strip::{Level, Strip};
use super::words::{PARTICIPATION, Words};
use crate::report::times::{date_with_year, span_with_year};
use crate::schema::ddl::quoted;
use crate::text::Language;

/// People shown by name.
const PEOPLE: usize = 5;

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
    let words = source.words();
    let (cause, cause_text) = (incident.text("cause"), words.cause(&incident.text("cause")));
    let (kind, scope_name) = (incident.text("kind"), incident.text("scope_name"));
    let in_common = in_common(&incident, &scope_name, words);
    let (when, when_utc) = when(&incident, words);
    let poor = |column: &str| Percentages { poor: incident.share(column), cpu: None };
    let comparison = Comparison {
        judged_minutes: incident.number("judged_minutes"),
        poor_minutes: incident.number("poor_minutes"),
        here: poor("poor_pct"),
        usual: poor("usual_poor_pct"),
        usual_of: "card.of.scope",
        elsewhere: poor("elsewhere_poor_pct"),
        elsewhere_of: "card.of.then",
        is_of_cpu: incident.text("metric") == "cpu",
        ..Comparison::default()
    };
    let meetings = words.counted(incident.number("meetings"), "meeting");
    let minutes = comparison.poor_minutes;
    let reached = counted_people(incident.number("participants"), &people, words);
    let reach = words.fill("card.reach", &[("people", &reached), ("meetings", &meetings)]);
    let verdict = words.fill(
        "card.incident.of",
        &[
            ("severity", &words.value("severity", &incident.text("severity"))),
            ("kind", &words.say(if kind == "chronic" { "card.chronic" } else { "card.acute" })),
            ("reach", &reach),
            ("minutes", &comparison.minutes_text(words)),
        ],
    );
    let names = names(&people, words);
    let of = |column: &str| common(&people, column, PARTICIPATION, words);
    let device = words.fill("card.device_and_app", &[("device", &of("device")), ("version", &of("version"))]);
    let said = incident.incident(words);
    let scope_place = words.place(&incident.text("scope_kind"), &scope_name);
    let facts = vec![
        ("in_common", in_common.clone()),
        ("place", of("site")),
        ("device", device.clone()),
        ("network", of("network")),
        ("meetings", of("meeting")),
        ("who", names.clone()),
    ];
    let ticket = vec![
        ("problem", said.summary.clone()),
        ("when", words.clauses(&[when.clone(), when_utc])),
        ("cause", cause_text.clone()),
        ("affected", words.fill("card.reach_and_names", &[("reach", &reach), ("names", &names)])),
        ("compared", comparison.text(words)),
        ("in_common", in_common),
        ("place", of("site")),
        ("device", device),
        ("network", of("network")),
        ("incident", incident_id.to_owned()),
    ];
    Ok(Card {
        words,
        kind: "incident",
        title: words.fill("card.with_cause", &[("name", &scope_place), ("cause", &cause_text)]),
        id: incident_id.to_owned(),
        window: when,
        profile: source.profile().to_owned(),
        incidents: vec![CardIncident { incident_id: incident_id.to_owned(), ..said }],
        verdict,
        main_causes: words.fill("card.cause_minutes", &[("cause", &cause_text), ("n", &minutes.to_string())]),
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
fn when(incident: &Row, words: Words) -> (String, String) {
    let (start, end) = (incident.time("start_time_local"), incident.time("end_time_local"));
    let (start_utc, end_utc) = (incident.text("start_time_utc"), incident.text("end_time_utc"));
    match (start, end) {
        (Some(start), Some(end)) if incident.text("kind") == "acute" => {
            let local = words.fill("card.local", &[("when", &span_with_year(start, end, words.0))]);
            (local, words.fill("card.to_utc", &[("start", &start_utc), ("end", &end_utc)]))
        }
        (Some(start), _) => {
            let since = words.fill("card.since", &[("date", &date_with_year(start, words.0))]);
            let date = incident.text("date").parse::<jiff::civil::Date>();
            let since = date.map_or(since.clone(), |date| {
                let date = date_with_year(date.at(0, 0, 0, 0), words.0);
                words.fill("card.as_of", &[("text", &since), ("date", &date)])
            });
            (since, words.fill("card.since_utc", &[("start", &start_utc)]))
        }
        _ => (incident.text("date"), String::new()),
    }
}

/// `site: Harbour House`; people, rooms and meetings with their ID, because names repeat.
fn in_common(incident: &Row, scope_name: &str, words: Words) -> String {
    let (kind, scope) = (incident.text("scope_kind"), incident.text("scope"));
    let name = words.value(if kind == "network_type" { "network" } else { "scope_name" }, scope_name);
    let name = match kind.as_str() {
        "person" | "room" | "meeting" if scope != scope_name => {
            words.fill("card.in_brackets", &[("text", &name), ("more", &scope)])
        }
        _ => name,
    };
    let shown = words.say(&format!("card.kind.{kind}"));
    match (words.0, kind.as_str()) {
        // Its name says the same.
        (Language::Chinese, "service") => shown,
        _ => words.fill("card.kind_and_name", &[("kind", &shown), ("name", &name)]),
    }
}

fn names(people: &[Row], words: Words) -> String {
    let mut names = Names::of(people, words).distinct(people);
    let more = names.len().saturating_sub(PEOPLE);
    names.truncate(PEOPLE);
    match names.is_empty() {
        true => words.say("card.unknown"),
        false => words.list_and_more("card.and_more_people", &names, more),
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
        "meeting" => Some((words(&["report", "meeting", &scope]), "card.next.meeting")),
        "person" => Some((limited(&["report", "user", &scope]), "card.next.person")),
        "room" => Some((limited(&["report", "user", &scope]), "card.next.room")),
        "app_version" => Some((limited(&["report", "run", "app-versions"]), "card.next.versions")),
        "device" => Some((limited(&["report", "run", "devices"]), "card.next.devices")),
        "network_type" => Some((limited(&["report", "run", "by-network"]), "card.next.networks")),
        "egress" => Some((limited(&["report", "run", "by-egress"]), "card.next.networks")),
        "location" => Some((limited(&["report", "run", "by-location"]), "card.next.locations")),
        "site" | "subnet" => Some((limited(&["report", "run", "by-site"]), "card.next.places")),
        _ => Some((limited(&["report", "run", "episodes"]), "card.next.episodes")),
    };
    let worst = people.first().filter(|_| scope_kind != "meeting");
    let meeting = worst
        .and_then(|row| row.optional("meeting_key"))
        .map(|key| (words(&["report", "meeting", &key]), "card.next.meeting_of_worst"));
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
    let (words, is_cpu) = (source.words(), incident.text("metric") == "cpu");
    let level = |affected| if is_cpu && affected > 0 { Level::Cpu } else { Level::of(affected, most) };
    let of_dates: Vec<&[Row]> = minutes.chunk_by(|a, b| a.text("date") == b.text("date")).collect();
    let strip = |rows: &&[Row]| {
        let levels: Vec<_> =
            rows.iter().filter_map(|row| Some((row.time("minute_local")?, level(row.number("affected"))))).collect();
        let most = rows.iter().map(|row| row.number("affected")).max().unwrap_or_default();
        let start = source.moment(levels.iter().map(|(at, _)| *at).min());
        let label = words.fill("card.strip.affected", &[("start", &start)]);
        Strip::new(label, words.fill("card.strip.most", &[("n", &most.to_string())]), &levels)
    };
    Ok(of_dates.iter().skip(of_dates.len().saturating_sub(DATES)).filter_map(strip).collect())
}
