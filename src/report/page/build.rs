//! Builds the page: which macro fills which table.

use duckdb::Connection;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::error::PageError;
use super::meetings;
use super::period::{Period, Span};
use super::query::{MIN_N, Window, date_literal, rows, text};
use super::render::{self, generator};
use super::words::{Word, words};
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

/// The initial language of a page; readers can switch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// The language of the browser.
    Auto,
    English,
    Chinese,
}

impl Language {
    fn code(self) -> &'static str {
        match self {
            Language::Auto => "auto",
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }
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

/// The newest view that the page needs: a store without it was published by an older version.
const NEWEST_VIEW: &str = "not_covered";

/// Builds the page. The session of the connection keeps temporary tables and macros, so it must not be used otherwise.
pub(crate) fn build(connection: &Connection, request: &PageRequest) -> Result<Page, PageError> {
    check_definitions(connection, &request.profile)?;
    let day = match request.date {
        Some(day) => day,
        None => default_day(connection, request)?.ok_or(PageError::EmptyStore)?,
    };
    let span = request
        .period
        .containing(day)
        .ok_or_else(|| PageError::OutOfCalendar { period: request.period.name(), date: day.to_string() })?;
    let window = Window { span: &span, profile: &request.profile };

    cache_macros(connection, &window)?;
    let mut tables = Map::new();
    for (name, sql) in table_queries(&window, request.meetings) {
        tables.insert(name.to_owned(), rows(connection, name, &sql)?.into_json());
    }
    let days_with_minutes = count_days_since(&tables["days"], span.since);
    let empty_reason = match days_with_minutes {
        0 => text(connection, "why", &format!("select sentence from why_no_rows({})", window.with_profile()))?,
        _ => None,
    };
    let timelines = meetings::read(connection, &window, request.meetings)?;
    let limits = rows(
        connection,
        "limits",
        &format!("select target_overall_pct, coverage_gate_pct from limits(profile := {})", quoted(&request.profile)),
    )?;
    let published = text(connection, "published", "select created_utc from meta")?;
    let mut meta = json!({
        "period": request.period.name(),
        "since": span.since.to_string(),
        "until": span.until.to_string(),
        "trend_since": span.trend_since.to_string(),
        "profile": request.profile,
        "min_n": MIN_N,
        "language": request.language.code(),
        "published_utc": published,
        "generator": generator(),
    });
    if let Some(limits) = limits.objects().next() {
        meta.as_object_mut().expect("created as an object above").extend(limits);
    }
    let data = json!({
        "meta": meta,
        "words": texts_by_language(),
        "tables": tables,
        "causes": timelines.causes,
        "meetings": timelines.meetings,
        "why": empty_reason,
    });
    let (html, meetings) = (render::html(&data), timelines.meetings.len());
    Ok(Page { html, span, days_with_minutes, meetings, empty_reason })
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
        ("heatmap", format!("report_heatmap({min_n})")),
        ("meetings", format!("report_worst_meetings({min_n}, top := {top})")),
        ("causes", format!("report_diagnosis({profile})")),
        ("sites", format!("report_by_site({min_n})")),
        ("rooms", format!("report_room_health({min_n})")),
        ("networks", format!("report_by_network({min_n})")),
        ("versions", format!("report_app_versions({min_n})")),
        ("coverage", format!("report_coverage({dates})")),
        ("reasons", format!("coverage_reasons({dates})")),
        ("freshness", format!("report_freshness({dates})")),
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
    queries.chain([("not_covered", not_covered), ("limits", limits)]).collect()
}

/// Macros used by many reports, with small results: one row per poor minute, participant or stream. Each uses the ones
/// before it.
const CACHED_MACROS: &[&str] = &[
    "marked_minutes",
    "caused_minutes",
    "poor_minutes",
    "verdict_causes",
    "participant_verdicts",
    "audio_stream_verdicts",
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
    let installed = format!("select 1 from duckdb_views() where view_name = {}", quoted(NEWEST_VIEW));
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

fn count_days_since(days: &Value, since: Date) -> usize {
    let rows = days["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter()
        .filter(|row| row[0].as_str().and_then(|day| day.parse::<Date>().ok()).is_some_and(|day| day >= since))
        .count()
}

fn texts_by_language() -> Value {
    let texts = |text: fn(Word) -> &'static str| -> Map<String, Value> {
        words().map(|word| (word.0.to_owned(), Value::from(text(word)))).collect()
    };
    json!({ "en": texts(|word| word.1), "zh": texts(|word| word.2) })
}
