//! The incidents of the period with the people and meetings in them, and the state of sites, rooms and other scopes.

use std::collections::BTreeMap;

use duckdb::Connection;
use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value};

use super::error::PageError;
use super::period::Span;
use super::query::{Window, date_literal, rows, text};
use super::shown::parse_time;
use crate::report::history::{DATES_WITH_DATA, early_days};

pub(super) type Record = Map<String, Value>;

/// Names listed with an incident; the others are counted.
const MAX_PEOPLE: i64 = 12;
const MAX_MEETINGS: i64 = 8;

/// With fewer dates in the store, no chronic incidents are found (docs/INCIDENTS.md).
const LEAST_CHRONIC_DATES: i64 = 5;

#[derive(Debug, Clone)]
pub(super) struct Incident {
    /// Position on the page, from 1.
    pub(super) no: i64,
    pub(super) id: String,
    /// `critical`, `major` or `minor`.
    pub(super) severity: String,
    pub(super) is_chronic: bool,
    pub(super) scope_kind: String,
    pub(super) scope: String,
    pub(super) scope_name: String,
    pub(super) metric: String,
    pub(super) direction: String,
    pub(super) start: DateTime,
    pub(super) end: DateTime,
    pub(super) participants: i64,
    /// Of these.
    pub(super) rooms: i64,
    pub(super) meetings: i64,
    pub(super) poor: i64,
    pub(super) judged: i64,
    pub(super) poor_pct: Option<f64>,
    pub(super) usual_pct: Option<f64>,
    pub(super) elsewhere_pct: Option<f64>,
    /// `wired` or `wifi` if everybody in it was connected that way.
    pub(super) network: Option<String>,
    pub(super) people: Vec<Member>,
    pub(super) in_meetings: Vec<MeetingOf>,
}

/// A person or a room in an incident.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) poor: i64,
}

#[derive(Debug, Clone)]
pub(super) struct MeetingOf {
    pub(super) key: String,
    pub(super) topic: Option<String>,
    pub(super) meeting_no: String,
    pub(super) start: Option<DateTime>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Incidents {
    /// Most severe first.
    pub(super) list: Vec<Incident>,
    /// Distinct people and rooms in all of them on the days of the page, and distinct meetings.
    pub(super) people: i64,
    pub(super) meetings: i64,
    /// Days of the page with too little history before them to find any but severe incidents, ascending.
    pub(super) early_days: Vec<Date>,
    /// Whether the store has too few days to find chronic problems.
    pub(super) is_early_for_chronic: bool,
    /// The first incident that concerns a site and is not one of the site itself, by name of the site.
    sites: BTreeMap<String, usize>,
}

impl Incidents {
    /// The most severe incident of a site as a whole, by the rule of the report `by-site`.
    pub(super) fn of_site(&self, site: &str) -> Option<&Incident> {
        self.list.iter().find(|incident| SITES.contains(&incident.scope_kind.as_str()) && incident.scope == site)
    }

    /// The most severe of the other incidents that concern a site, such as that of a room in it.
    pub(super) fn also_at_site(&self, site: &str) -> Option<&Incident> {
        self.sites.get(site).and_then(|at| self.list.get(*at))
    }

    /// The most severe incident of a scope of another kind.
    pub(super) fn of_scope(&self, kind: &str, scope: &str) -> Option<&Incident> {
        self.list
            .iter()
            .find(|incident| incident.scope_kind == kind && (incident.scope == scope || incident.scope_name == scope))
    }

    /// People and rooms with chronic problems; the other incidents are in the story.
    pub(super) fn chronic(&self) -> impl Iterator<Item = &Incident> {
        self.list.iter().filter(|incident| incident.is_personal())
    }

    pub(super) fn in_story(&self) -> impl Iterator<Item = &Incident> {
        self.list.iter().filter(|incident| !incident.is_personal())
    }
}

impl Incident {
    fn is_personal(&self) -> bool {
        self.is_chronic && matches!(self.scope_kind.as_str(), "person" | "room")
    }

    pub(super) fn began_before(&self, span: &Span) -> bool {
        self.start < span.since.at(0, 0, 0, 0)
    }

    pub(super) fn continued_after(&self, span: &Span) -> bool {
        self.end >= span.until.at(0, 0, 0, 0)
    }
}

/// Kinds of scopes that are a site: without a building, it is a subnet or a public network.
const SITES: &[&str] = &["site", "subnet", "egress"];

/// Kinds of scopes that are a place or contain one: they concern a site.
const PLACES: &str = "'service', 'site', 'egress', 'subnet', 'room', 'location'";

pub(super) fn read(connection: &Connection, window: &Window<'_>) -> Result<Incidents, PageError> {
    let run =
        |sql: String| connection.execute_batch(&sql).map_err(|source| PageError::Query { what: "incidents", source });
    run(format!(
        "create or replace temp table page_incidents as
         select row_number() over () as no, r.* from report_incidents({}) as r",
        window.with_profile()
    ))?;
    // A row of the report stands for all the rows that it continues, as in the report of one incident. A meeting
    // belongs to the day on which it starts, which may be the day before its first poor minute.
    run(format!(
        "create or replace temp table page_members as
         select p.no, i.participant_key, max(i.poor_minutes) as poor,
             max(f.meeting_date) >= cast({} as date) and max(f.meeting_date) < cast({} as date) as is_on_page
         from page_incidents as p
         inner join incidents as n
             on n.kind = p.kind and n.scope_kind = p.scope_kind and n.scope = p.scope and n.metric = p.metric
             and n.meeting_date <= p.meeting_date
             and case when p.kind = 'acute' then n.start_time_utc = p.start_time_utc
                 else n.end_time_utc >= p.start_time_utc end
         inner join incident_participants as i on i.incident_id = n.incident_id and i.meeting_date = n.meeting_date
         inner join participant_facts as f on f.participant_key = i.participant_key
         where f.meeting_date >= cast(p.start_time_local as date) - 1
         group by p.no, i.participant_key",
        date_literal(window.span.since),
        date_literal(window.span.until)
    ))?;
    let mut list: Vec<Incident> = rows(connection, "incidents", "select * from page_incidents order by no")?
        .objects()
        .filter_map(|row| incident(&row))
        .collect();
    let members = "page_members as m inner join participant_facts as f on f.participant_key = m.participant_key";
    let people = format!(
        "select * from (
             select m.no, max(coalesce(f.participant_name, f.who)) as name, cast(sum(m.poor) as bigint) as poor,
                 row_number() over (partition by m.no order by sum(m.poor) desc, f.who) as place,
                 cast(sum(max(case when f.who_kind = 'room' then 1 else 0 end)) over (partition by m.no) as bigint) as rooms,
                 min(min(coalesce(f.network_kind, ''))) over (partition by m.no) as network,
                 max(max(coalesce(f.network_kind, ''))) over (partition by m.no) as other_network
             from {members} group by m.no, f.who
         ) where place <= {MAX_PEOPLE} order by no, place"
    );
    for row in rows(connection, "people of incidents", &people)?.objects() {
        if let Some(incident) = with_no(&mut list, &row) {
            incident.rooms = integer(&row, "rooms").min(incident.participants);
            let network = string(&row, "network");
            let is_one = network == string(&row, "other_network") && matches!(network.as_str(), "wired" | "wifi");
            incident.network = is_one.then_some(network);
            incident.people.push(Member { name: string(&row, "name"), poor: integer(&row, "poor") });
        }
    }
    let meetings = format!(
        "select * from (
             select m.no, k.meeting_topic as topic, k.meeting_no, k.start_time_local as start,
                 row_number() over (partition by m.no order by sum(m.poor) desc, k.meeting_key) as place
             from {members} inner join meetings as k on k.meeting_key = f.meeting_key and k.meeting_date = f.meeting_date
             group by m.no, k.meeting_key, k.meeting_topic, k.meeting_no, k.start_time_local
         ) where place <= {MAX_MEETINGS} order by no, place"
    );
    for row in rows(connection, "meetings of incidents", &meetings)?.objects() {
        if let Some(incident) = with_no(&mut list, &row) {
            incident.in_meetings.push(MeetingOf {
                key: meeting_key(&row),
                topic: optional_text(&row, "topic"),
                meeting_no: string(&row, "meeting_no"),
                start: time(&row, "start"),
            });
        }
    }
    let count = |what: &str| -> Result<i64, PageError> {
        let sql = format!("select count(distinct {what}) from {members} where m.is_on_page");
        let found = text(connection, "incidents", &sql)?;
        Ok(found.and_then(|count| count.parse().ok()).unwrap_or_default())
    };
    let (people, meetings) = (count("f.who")?, count("f.meeting_key")?);
    // A site is concerned if at least three people of the incident were there, or half of them.
    let sites = format!(
        "select site, min(no) as no from (
             select m.no, f.site, p.scope_kind, p.scope, count(distinct f.who) as here,
                 sum(count(distinct f.who)) over (partition by m.no) as people
             from {members} inner join page_incidents as p on p.no = m.no
             where p.scope_kind in ({PLACES}) and m.is_on_page group by m.no, f.site, p.scope_kind, p.scope
         ) where (here >= 3 or 2 * here >= people) and not (scope_kind in ('{}') and scope = site) group by site",
        SITES.join("', '")
    );
    let mut by_site = BTreeMap::new();
    for row in rows(connection, "sites of incidents", &sites)?.objects() {
        let no = integer(&row, "no");
        if let Some(at) = list.iter().position(|incident| incident.no == no) {
            by_site.insert(string(&row, "site"), at);
        }
    }
    let (early_days, is_early_for_chronic) = early(connection, window)?;
    Ok(Incidents { list, people, meetings, early_days, is_early_for_chronic, sites: by_site })
}

/// The days that the search for incidents judges with too little history, and whether that for chronic problems has too
/// few.
fn early(connection: &Connection, window: &Window<'_>) -> Result<(Vec<Date>, bool), PageError> {
    let (since, end) = (window.span.since.to_string(), window.span.until.to_string());
    let days = early_days(connection, Some(&since), Some(&end))
        .map_err(|source| PageError::Query { what: "days with little history", source })?;
    let until = date_literal(window.span.until);
    let used = format!(
        "select count(*) from ({DATES_WITH_DATA})
         where cast(day as date) >= cast({until} as date) - 21 and cast(day as date) < cast({until} as date)"
    );
    let used = text(connection, "days of use", &used)?.and_then(|count| count.parse::<i64>().ok());
    Ok((days, used.is_some_and(|used| used < LEAST_CHRONIC_DATES)))
}

fn with_no<'a>(list: &'a mut [Incident], row: &Record) -> Option<&'a mut Incident> {
    let no = integer(row, "no");
    list.iter_mut().find(|incident| incident.no == no)
}

fn incident(row: &Record) -> Option<Incident> {
    let number = |name: &str| row.get(name).and_then(Value::as_f64);
    let start = time(row, "start_time_local")?;
    Some(Incident {
        no: integer(row, "no"),
        id: string(row, "incident_id"),
        severity: string(row, "severity"),
        is_chronic: string(row, "kind") == "chronic",
        scope_kind: string(row, "scope_kind"),
        scope: string(row, "scope"),
        scope_name: optional_text(row, "scope_name").unwrap_or_else(|| string(row, "scope")),
        metric: string(row, "metric"),
        direction: string(row, "direction"),
        start,
        end: time(row, "end_time_local").unwrap_or(start),
        participants: integer(row, "participants"),
        rooms: 0,
        meetings: integer(row, "meetings"),
        poor: integer(row, "poor_minutes"),
        judged: integer(row, "judged_minutes"),
        poor_pct: number("poor_pct"),
        usual_pct: number("usual_poor_pct"),
        elsewhere_pct: number("elsewhere_poor_pct"),
        network: None,
        people: Vec::new(),
        in_meetings: Vec::new(),
    })
}

/// What a meeting is recognised by: numbers are reused, but not at the same time.
pub(super) fn meeting_key(row: &Record) -> String {
    let start = time(row, "start").map(|start| start.to_string()).unwrap_or_default();
    format!("{} {start}", string(row, "meeting_no"))
}

fn integer(row: &Record, name: &str) -> i64 {
    let value = row.get(name);
    value
        .and_then(Value::as_i64)
        .or_else(|| value.and_then(Value::as_f64).map(|value| value as i64))
        .unwrap_or_default()
}

fn optional_text(row: &Record, name: &str) -> Option<String> {
    row.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

fn string(row: &Record, name: &str) -> String {
    optional_text(row, name).unwrap_or_default()
}

fn time(row: &Record, name: &str) -> Option<DateTime> {
    row.get(name).and_then(Value::as_str).and_then(parse_time)
}
