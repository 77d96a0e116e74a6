//! What is on the page: which macro is asked for which table.

use duckdb::Connection;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::query::{MIN_N, Window, date, rows, text};
use super::{PageError, PageRequest, Span, WORDS, meetings};
use crate::schema::ddl::quoted;

/// What the page is made of.
pub(super) struct Contents {
    /// Everything that the page's program reads.
    pub(super) data: Value,
    pub(super) span: Span,
    pub(super) days_with_minutes: usize,
    pub(super) meetings: usize,
    pub(super) why_empty: Option<String>,
}

/// The newest macro that the page needs: a store that lacks it was published by an older program.
const NEWEST_MACRO: &str = "verdict_causes";

/// FetchScope the database. The session keeps temporary tables and macros: it is the page's own.
pub(super) fn read(connection: &Connection, request: &PageRequest) -> Result<Contents, PageError> {
    check_definitions(connection, &request.profile)?;
    let day = match request.date {
        Some(day) => day,
        None => last_finished(connection, request)?.ok_or(PageError::EmptyStore)?,
    };
    let span = request
        .period
        .holding(day)
        .ok_or_else(|| PageError::OffCalendar { period: request.period.name(), date: day.to_string() })?;
    let window = Window { span: &span, profile: &request.profile };

    remember(connection, &window)?;
    let mut tables = Map::new();
    for (name, sql) in tables_of(&window, request.meetings) {
        tables.insert(name.to_owned(), rows(connection, name, &sql)?.into_json());
    }
    let days_with_minutes = days_since(&tables["days"], span.since);
    let why_empty = match days_with_minutes {
        0 => text(connection, "why", &format!("select sentence from why_no_rows({})", window.judged()))?,
        _ => None,
    };
    let detail = meetings::read(connection, &window, request.meetings)?;
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
        meta.as_object_mut().expect("made as an object above").extend(limits);
    }
    Ok(Contents {
        meetings: detail.meetings.len(),
        data: json!({
            "meta": meta,
            "words": words(),
            "tables": tables,
            "causes": detail.causes,
            "meetings": detail.meetings,
            "why": why_empty,
        }),
        span,
        days_with_minutes,
        why_empty,
    })
}

pub(super) fn generator() -> String {
    format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// Each table of the page with the call that fills it.
fn tables_of(window: &Window<'_>, top: u32) -> Vec<(&'static str, String)> {
    let (days, judged, shares) = (window.days(), window.judged(), window.shares());
    let span = window.span;
    let compared = format!("before_since := {}, before_until := {}", date(span.before_since), date(span.before_until));
    let trend = format!(
        "since := {}, until := {}, profile := {}, min_n := {MIN_N}",
        date(span.trend_since),
        date(span.until),
        quoted(window.profile)
    );
    [
        ("scorecard", format!("report_scorecard({shares}, {compared})")),
        ("days", format!("report_daily_summary({trend})")),
        ("heatmap", format!("report_heatmap({shares})")),
        ("meetings", format!("report_worst_meetings({shares}, top := {top})")),
        ("causes", format!("report_diagnosis({judged})")),
        ("sites", format!("report_by_site({shares})")),
        ("rooms", format!("report_room_health({shares})")),
        ("networks", format!("report_by_network({shares})")),
        ("versions", format!("report_app_versions({shares})")),
        ("coverage", format!("report_coverage({days})")),
        ("reasons", format!("coverage_reasons({days})")),
        ("freshness", format!("report_freshness({days})")),
    ]
    .into_iter()
    .map(|(name, call)| (name, format!("select * from {call}")))
    .chain(std::iter::once((
        "limits",
        format!(
            "select metric, poor_when, value, unit, source from thresholds where profile = {} order by rowid",
            quoted(window.profile)
        ),
    )))
    .collect()
}

/// Macros whose answers many reports ask for, and which are small: a row for each poor minute, participant or stream. Each
/// builds on those before it.
const REMEMBERED: &[&str] = &[
    "marked_minutes",
    "caused_minutes",
    "poor_minutes",
    "verdict_causes",
    "participant_verdicts",
    "audio_stream_verdicts",
];

/// FetchScope these macros once for all days of the page, and lets the session answer from that: a third of the time. The
/// session's macros come before the database's of the same name; what a date's rows are does not depend on the window.
fn remember(connection: &Connection, window: &Window<'_>) -> Result<(), PageError> {
    let run = |sql: String| {
        connection.execute_batch(&sql).map_err(|source| PageError::Query { what: "shared definitions", source })
    };
    let since = window.span.trend_since.min(window.span.before_since);
    for name in REMEMBERED {
        run(format!("drop macro table if exists temp.{name}"))?;
    }
    for name in REMEMBERED {
        let asked = format!(
            "{name}(since := {}, until := {}, profile := {})",
            date(since),
            date(window.span.until),
            quoted(window.profile)
        );
        run(format!("create or replace temp table page_{name} as select * from {asked}"))?;
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
    let installed = format!("select 1 from duckdb_functions() where function_name = {}", quoted(NEWEST_MACRO));
    if text(connection, "definitions", &installed)?.is_none() {
        return Err(PageError::NoDefinitions);
    }
    let known = rows(connection, "profiles", "select distinct profile from thresholds order by profile")?;
    let known: Vec<String> = known.rows.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect();
    match known.iter().any(|name| name == profile) {
        true => Ok(()),
        false => Err(PageError::UnknownProfile { profile: profile.to_owned(), known }),
    }
}

/// A day of the last period that is over, where the store has one: half a week looks better than any whole one.
fn last_finished(connection: &Connection, request: &PageRequest) -> Result<Option<Date>, PageError> {
    let Some(last) = last_day(connection, None)? else { return Ok(None) };
    let under_way = request.period.holding(last).filter(|span| request.today.is_some_and(|today| span.until > today));
    let Some(under_way) = under_way else { return Ok(Some(last)) };
    Ok(last_day(connection, Some(under_way.since))?.or(Some(last)))
}

/// The last day, before another, that the store has meetings of.
fn last_day(connection: &Connection, before: Option<Date>) -> Result<Option<Date>, PageError> {
    let before = before.map_or("null".to_owned(), |date| quoted(&date.to_string()));
    let day = text(connection, "last day", &format!("select max(date) from report_freshness(until := {before})"))?;
    Ok(day.and_then(|day| day.parse().ok()))
}

fn days_since(days: &Value, since: Date) -> usize {
    let rows = days["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter()
        .filter(|row| row[0].as_str().and_then(|day| day.parse::<Date>().ok()).is_some_and(|day| day >= since))
        .count()
}

fn words() -> Value {
    let in_language = |text: fn(&super::Word) -> &'static str| -> Map<String, Value> {
        WORDS.iter().map(|word| (word.0.to_owned(), Value::from(text(word)))).collect()
    };
    json!({ "en": in_language(|word| word.1), "zh": in_language(|word| word.2) })
}
