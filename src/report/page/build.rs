//! Builds the page: which macro fills which table.

use std::collections::{HashMap, HashSet};

use duckdb::Connection;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::census::{self, Census};
use super::error::PageError;
use super::frame::{self, Heading};
use super::incidents::{self, Incidents, Record};
use super::markup::Markup;
use super::period::{Period, Span};
use super::query::{MIN_N, Window, date_literal, rows, text};
use super::render::{self, Document, Language};
use super::story::{self, Scene};
use super::{figures, meetings, sections, shown, trend};
use crate::report::window::HeldDates;
use crate::schema::ddl::quoted;

#[derive(Debug, Clone)]
pub(crate) struct PageRequest {
    pub period: Period,
    /// A day in the period; `None`: the last complete period with meetings in the store.
    pub date: Option<Date>,
    /// Today in the tenant's time zone.
    pub today: Option<Date>,
    pub profile: String,
    pub language: Language,
    /// Number of worst meetings shown minute by minute.
    pub meetings: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub html: String,
    pub span: Span,
    /// Days of the period with quality data.
    pub days_with_minutes: usize,
    /// Meetings shown minute by minute.
    pub meetings: usize,
    /// Why the page is empty; `None` if it is not.
    pub empty_reason: Option<String>,
}

/// The newest table that the page needs: a store without it was published by an older version.
const NEWEST_TABLE: &str = "incidents";

/// The days of the page.
pub(crate) fn span(connection: &Connection, request: &PageRequest) -> Result<Span, PageError> {
    check_definitions(connection, &request.profile)?;
    let day = match request.date {
        Some(day) => day,
        None => default_day(connection, request)?.ok_or(PageError::EmptyStore)?,
    };
    request
        .period
        .containing(day)
        .ok_or_else(|| PageError::OutOfCalendar { period: request.period.name(), date: day.to_string() })
}

/// Builds the page. The session of the connection keeps temporary tables and macros, so it must not be used otherwise.
pub(crate) fn build(connection: &Connection, request: &PageRequest) -> Result<Page, PageError> {
    let span = span(connection, request)?;
    let window = Window { span: &span, profile: &request.profile };

    cache_macros(connection, &window)?;
    let mut tables: HashMap<&str, Vec<Record>> = HashMap::new();
    for (name, sql) in table_queries(&window, request.meetings) {
        tables.insert(name, rows(connection, name, &sql)?.objects().collect());
    }
    let days_with_minutes = days_since(&tables["days"], span.since);
    let empty_reason = match days_with_minutes {
        0 => text(connection, "why", &format!("select sentence from why_no_rows({})", window.with_profile()))?,
        _ => None,
    };
    let timelines = meetings::read(connection, &window, request.meetings)?;
    let incidents = incidents::read(connection, &window)?;
    let census = census::read(connection, &window)?;
    let gate = format!("select coverage_gate_pct from limits(profile := {})", quoted(&request.profile));
    let gate = text(connection, "limits", &gate)?.and_then(|gate| gate.parse().ok()).unwrap_or_default();
    let published = text(connection, "published", "select created_utc from meta")?;
    let not_held = not_held(connection, &span)?;
    let heading = Heading {
        period: request.period,
        span: &span,
        profile: &request.profile,
        days_with_meetings: days_with_minutes,
        published: published.as_deref(),
    };
    let content = Content {
        tables: &tables,
        incidents: &incidents,
        census,
        heading: &heading,
        gate,
        why: empty_reason.as_deref(),
        not_held: not_held.as_ref(),
    };
    let data = json!({
        "meta": { "language": request.language.code(), "title": both(&frame::title(request.period, span.since)) },
        "words": render::words_of_scripts(),
        "causes": timelines.causes,
        "rows": tables["meetings"],
        "meetings": timelines.meetings,
    });
    let document = Document {
        language: request.language,
        title: frame::title(request.period, span.since),
        skip: frame::skip(),
        header: frame::header(&heading),
        main: content.html(),
        data: &data,
    };
    let (html, meetings) = (render::html(&document), timelines.meetings.len());
    Ok(Page { html, span, days_with_minutes, meetings, empty_reason })
}

/// That the database does not hold all dates of the page, if so, with the first date that it holds.
fn not_held(connection: &Connection, span: &Span) -> Result<Option<Markup>, PageError> {
    let held = HeldDates::read(connection).map_err(|source| PageError::Query { what: "held dates", source })?;
    let first_shown = span.since.min(span.before_since).min(span.trend_since);
    let not_held = held.filter(|held| held.missing(Some(first_shown)).is_some());
    Ok(not_held.map(|held| Markup::fill("banner.not_held.text", &[("date", shown::long_date(held.first))])))
}

fn both(markup: &Markup) -> Value {
    json!({ "en": markup.en, "zh": markup.zh })
}

/// What is shown, in the order of the page.
struct Content<'a> {
    tables: &'a HashMap<&'static str, Vec<Record>>,
    incidents: &'a Incidents,
    census: Census,
    heading: &'a Heading<'a>,
    gate: f64,
    /// Why the period has no data, if it has none.
    why: Option<&'a str>,
    /// That the database does not hold all dates of the page.
    not_held: Option<&'a Markup>,
}

impl Content<'_> {
    fn rows(&self, name: &str) -> Vec<Record> {
        self.tables.get(name).cloned().unwrap_or_default()
    }

    fn html(&self) -> String {
        let (span, period) = (self.heading.span, self.heading.period);
        let days = coverage_days(&self.rows("coverage"));
        let mut holes = holes(&days, span, self.heading.published);
        holes.extend(self.census.short_days());
        holes.sort();
        holes.dedup();
        let keys: Vec<String> = self.rows("meetings").iter().map(incidents::meeting_key).collect();
        let scene = Scene {
            period,
            span,
            holes: &holes,
            missing_meetings: self.census.missing(),
            meeting_keys: &keys,
            not_held: self.not_held,
        };
        let (not_covered, reasons, scorecard) =
            (self.rows("not_covered"), self.rows("reasons"), self.rows("scorecard"));
        let banners = figures::banners(&figures::Coverage {
            scorecard: &scorecard,
            days: &days,
            not_covered: &not_covered,
            reasons: &reasons,
            gate: self.gate,
        });
        let tokens = figures::tokens(&self.rows("tokens"));
        let not_held = self.not_held.map(|text| figures::banner("bad", "banner.not_held", text)).unwrap_or_default();
        let banners = format!("{not_held}{banners}{}{tokens}", self.census.banners(span));
        let rows: &dyn Fn(&str) -> Vec<Record> = &|name| self.rows(name);
        let coverage = sections::coverage(rows, &days, &banners, &self.census.line(span));
        let method = sections::method(rows, self.heading.profile, MIN_N);
        if let Some(why) = self.why {
            let empty = figures::banner("bad", "banner.empty", &Markup::outside(why));
            return format!(
                "{}<div class=\"wrap\">{empty}{coverage}{method}</div>",
                frame::sections(&["coverage", "method"])
            );
        }
        let story = format!("{}{}", story::verdict(self.incidents, &scene), story::strip(self.incidents, &scene));
        let chronic_note = story::chronic_note(self.incidents, &scene);
        let chronic = sections::card("chronic", Some(chronic_note), &story::chronic(self.incidents));
        let trend = self.trend(&holes);
        let sections = [
            sections::card("story", None, &story),
            chronic,
            figures::tiles(&scorecard, sections::cpu_limited(&self.rows("causes")), period, self.gate),
            trend,
            sections::meetings(rows),
            sections::causes(rows),
            sections::sites(rows, self.incidents),
            sections::rooms(rows, self.incidents),
            sections::networks(rows, self.incidents),
            sections::versions(rows, self.incidents),
            sections::cpu(rows),
            coverage,
            method,
        ];
        format!("{}<div class=\"wrap\">{}</div>", frame::sections(SECTIONS), sections.concat())
    }

    fn trend(&self, holes: &[Date]) -> String {
        let bars = trend::trend(&self.rows("days"), holes, self.incidents, self.heading.span);
        sections::card("trend", Some(Markup::word("s.trend.note")), &bars)
    }
}

const SECTIONS: &[&str] = &[
    "story", "chronic", "trend", "meetings", "causes", "sites", "rooms", "networks", "versions", "cpu", "coverage",
    "method",
];

/// One row a day: that of all participants, or of a day without meetings that no run covers.
fn coverage_days(coverage: &[Record]) -> Vec<Record> {
    let is_whole = |row: &&Record| text_in(row, "status") == "all";
    let whole: HashSet<String> = coverage.iter().filter(is_whole).map(|row| text_in(row, "date")).collect();
    let is_day = |row: &&Record| {
        is_whole(row) || (text_in(row, "status") == "not_covered" && !whole.contains(&text_in(row, "date")))
    };
    coverage.iter().filter(is_day).cloned().collect()
}

/// Days whose data is missing or incomplete: below the coverage target, not covered by a run, or later than the store.
fn holes(coverage_days: &[Record], span: &Span, published: Option<&str>) -> Vec<Date> {
    let published = published.and_then(|time| time.get(..10)?.parse::<Date>().ok());
    let by_day: HashMap<String, &Record> = coverage_days.iter().map(|row| (text_in(row, "date"), row)).collect();
    let is_hole = |day: &Date| match by_day.get(&day.to_string()) {
        Some(row) => text_in(row, "status") == "not_covered" || text_in(row, "gate") == "gap",
        None => published.is_some_and(|published| *day > published),
    };
    story::days(span).into_iter().filter(is_hole).collect()
}

fn text_in(row: &Record, key: &str) -> String {
    row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The tables of the page with their queries.
fn table_queries(window: &Window<'_>, top: u32) -> Vec<(&'static str, String)> {
    let (dates, profile, min_n) = (window.since_until(), window.with_profile(), window.with_min_n());
    let span = window.span;
    let before = format!(
        "before_since := {}, before_until := {}",
        date_literal(span.before_since),
        date_literal(span.before_until)
    );
    let trend = Window { span: &Span { since: span.trend_since, ..*span }, profile: window.profile }.with_min_n();
    let calls = [
        ("scorecard", format!("report_scorecard({min_n}, {before})")),
        ("days", format!("report_daily_summary({trend})")),
        ("meetings", format!("report_worst_meetings({min_n}, top := {top})")),
        ("causes", format!("report_diagnosis({profile})")),
        ("sites", format!("report_by_site({min_n})")),
        ("rooms", format!("report_room_health({min_n})")),
        ("networks", format!("report_by_network({min_n})")),
        ("versions", format!("report_app_versions({min_n})")),
        ("cpu", format!("report_cpu_hogs({min_n})")),
        ("coverage", format!("report_coverage({dates})")),
        ("reasons", format!("coverage_reasons({dates})")),
    ];
    let not_covered = format!(
        "select since_local, until_local from not_covered
         where since_local < cast({} as timestamp) and until_local > cast({} as timestamp) order by since_local",
        date_literal(span.until),
        date_literal(span.since)
    );
    let limits = format!(
        "select metric, poor_when, value, unit, source from thresholds where profile = {} order by rowid",
        quoted(window.profile)
    );
    let queries = calls.into_iter().map(|(name, call)| (name, format!("select * from {call}")));
    let tokens = format!(
        "select user_id from participants where regexp_full_match(user_id, 'p-[0-9a-f]{{16}}')
         and meeting_date >= {} and meeting_date < {} limit 1",
        date_literal(span.since),
        date_literal(span.until)
    );
    queries.chain([("not_covered", not_covered), ("limits", limits), ("tokens", tokens)]).collect()
}

/// Macros used by many reports, with small results: one row per poor minute, participant or stream. Each uses the ones
/// before it.
const CACHED_MACROS: &[&str] = &[
    "marked_minutes",
    "caused_minutes",
    "poor_minutes",
    "cpu_minutes",
    "verdict_causes",
    "participant_verdicts",
    "audio_streams",
];

/// Runs these macros once for all days of the page and replaces them in the session by their results, which takes a
/// third of the time. Session macros shadow those of the database; the rows of a date do not depend on the window.
fn cache_macros(connection: &Connection, window: &Window<'_>) -> Result<(), PageError> {
    let run = |sql: String| {
        connection.execute_batch(&sql).map_err(|source| PageError::Query { what: "shared definitions", source })
    };
    let since = window.span.trend_since.min(window.span.before_since);
    let arguments = Window { span: &Span { since, ..*window.span }, profile: window.profile }.with_profile();
    for name in CACHED_MACROS {
        run(format!("drop macro table if exists temp.{name}"))?;
    }
    for name in CACHED_MACROS {
        run(format!("create or replace temp table page_{name} as select * from {name}({arguments})"))?;
        run(format!(
            "create temp macro {name}(since := null, until := null, profile := null) as table \
             select * from temp.page_{name} as m \
             where m.meeting_date >= coalesce(cast(since as date), date '1900-01-01') \
             and m.meeting_date < coalesce(cast(until as date), date '9999-12-31')"
        ))?;
    }
    Ok(())
}

fn check_definitions(connection: &Connection, profile: &str) -> Result<(), PageError> {
    let installed = format!("select 1 from duckdb_tables() where table_name = {}", quoted(NEWEST_TABLE));
    if text(connection, "definitions", &installed)?.is_none() {
        return Err(PageError::OutdatedStore);
    }
    let known = rows(connection, "profiles", "select distinct profile from thresholds order by profile")?;
    let known: Vec<String> = known.rows.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect();
    match known.iter().any(|name| name == profile) {
        true => Ok(()),
        false => Err(PageError::UnknownProfile { profile: profile.to_owned(), known }),
    }
}

/// A day of the last complete period in the store, or its last day if no period is complete: an incomplete week would
/// look better than it is.
fn default_day(connection: &Connection, request: &PageRequest) -> Result<Option<Date>, PageError> {
    let Some(last) = last_day(connection, None)? else { return Ok(None) };
    let current = request.period.containing(last).filter(|span| request.today.is_some_and(|today| span.until > today));
    let Some(current) = current else { return Ok(Some(last)) };
    Ok(last_day(connection, Some(current.since))?.or(Some(last)))
}

/// The last day with meetings in the store, optionally before another day.
fn last_day(connection: &Connection, before: Option<Date>) -> Result<Option<Date>, PageError> {
    let before = before.map_or("null".to_owned(), date_literal);
    let day = text(connection, "last day", &format!("select max(date) from report_freshness(until := {before})"))?;
    Ok(day.and_then(|day| day.parse().ok()))
}

fn days_since(days: &[Record], since: Date) -> usize {
    days.iter().filter(|row| text_in(row, "date").parse::<Date>().is_ok_and(|day| day >= since)).count()
}
