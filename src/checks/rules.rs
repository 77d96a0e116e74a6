//! Rules for single rows, generated from the kinds of the columns. One scan of a table checks all of them.

use super::context::{MAX_CLOCK_SKEW_US, Result};
use super::database::{Database, NO_TABLE};
use super::findings::{Check, Findings};
use super::registry::{AVERAGES, FUTURE, KEYS, RANGES, TIMES, WORDS};
use crate::schema::{
    COVERAGE, Column, Kind, MEETINGS, PARTITION_COLUMN, REJECTS, RESERVATIONS, ROOM_ALERTS, Reason, Status, Storage,
    TABLES, Table, ddl, utc_text,
};

/// Columns with the times of our requests.
pub(super) const OWN_CLOCK: &[&str] = &["first_attempt_utc", "last_attempt_utc", "first_seen_utc"];

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) check: &'static Check,
    /// SQL condition of a row that violates the rule.
    pub(super) violation: String,
    pub(super) expected: String,
    /// SQL expression of the text that shows the row's values.
    pub(super) found: String,
}

pub(super) fn check(database: &Database, now_us: i64, findings: &mut Findings) -> Result {
    // A publication time in the future must not allow rows in the future, and one that was read from a clock that had
    // been set back must not forbid what was there before.
    let newest_run = "select max(epoch_us(greatest(started_utc, finished_utc))) from runs";
    let newest_us = database.connection.query_row(newest_run, [], |row| row.get::<_, Option<i64>>(0)).ok().flatten();
    let published_us = database.meta.created_us.max(newest_us).unwrap_or(now_us);
    let latest_us = published_us.min(now_us).saturating_add(MAX_CLOCK_SKEW_US);
    for table in TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb) {
        let rules = table_rules(table, latest_us);
        let is_ruled = |check: &&Check| rules.iter().any(|rule| rule.check == *check);
        let checks = || [&KEYS, &TIMES, &WORDS, &FUTURE, &RANGES, &AVERAGES].into_iter().filter(is_ruled);
        if !database.has(&[table]) {
            checks().for_each(|check| findings.skip(check, NO_TABLE));
            continue;
        }
        let counts: Vec<String> =
            rules.iter().map(|rule| format!("count(*) filter (where {})", rule.violation)).collect();
        let sql = format!("select count(*), {} from {}", counts.join(", "), table.name);
        let Some(counts) = database.counts(&sql, table.name, findings)? else { continue };
        checks().for_each(|check| findings.examined(check, counts[0]));
        for (rule, count) in rules.iter().zip(&counts[1..]).filter(|(_, count)| **count > 0) {
            let sql = format!(
                "select {}, {}, {} from {} where {}",
                row_place(table),
                ddl::quoted(&rule.expected),
                rule.found,
                table.name,
                rule.violation
            );
            database.report_violations(rule.check, *count, &sql, findings)?;
        }
    }
    Ok(())
}

/// SQL expression for table, date and key of a row.
fn row_place(table: &Table) -> String {
    let keys: Vec<String> = table.key().map(|column| format!("cast({} as varchar)", column.name)).collect();
    format!(
        "{} || coalesce(cast({PARTITION_COLUMN} as varchar), 'no date') || ', ' || concat_ws(', ', {})",
        ddl::quoted(&format!("{} of ", table.name)),
        keys.join(", ")
    )
}

/// The rules of a table, from the kinds of its columns, and some for single columns.
pub(super) fn table_rules(table: &'static Table, latest_us: i64) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut rule = |check: &'static Check, violation: String, expected: String, found: String| {
        rules.push(Rule { check, violation, expected, found });
    };
    for column in table.columns {
        let name = column.name;
        if column.required || name == PARTITION_COLUMN {
            rule(&KEYS, format!("{name} is null"), format!("a value in {name}"), "'NULL'".to_owned());
        }
        if let Some((violation, expected)) = range(column) {
            rule(&RANGES, violation, format!("{name} {expected}"), shown(name));
        }
        // Events may be reserved for later.
        let is_planned = table.name == RESERVATIONS.name && name.starts_with("event_");
        // Times of requests are those of our own clock, which may have been set back since.
        if column.kind == Kind::Instant && !is_planned && !OWN_CLOCK.contains(&column.name) {
            // Microseconds, so that no time needs to be parsed.
            let violation = format!("epoch_us({name}) > {latest_us}");
            rule(&FUTURE, violation, format!("{name} not after {}", utc_text(latest_us)), shown(name));
        }
        if let Some(max) = maximum_of(table, name) {
            let found = format!("{} || ', ' || {}", shown(name), shown(max));
            rule(&AVERAGES, format!("{name} > {max}"), format!("{name} not above {max}"), found);
        }
        // Start and end of an incident may have different offsets.
        if column.kind == Kind::WallClock && table.position("utc_offset_min").is_some() {
            let (violation, expected) = wall_clock(table, name);
            let (utc, local) = (shown(&utc_of(name)), shown(name));
            let found = format!("concat_ws(', ', {utc}, {local}, 'offset ' || cast(utc_offset_min as varchar))");
            rule(&TIMES, violation, expected, found);
        }
    }
    for (_, start) in DATED_BY.iter().filter(|(of, _)| *of == table.name) {
        let violation = format!("{start} is null or cast({start} as date) <> {PARTITION_COLUMN}");
        rule(&TIMES, violation, format!("{PARTITION_COLUMN} the day of {start}"), shown(start));
    }
    for (_, name, words) in closed_lists().into_iter().filter(|(of, _, _)| of.name == table.name) {
        let list: Vec<String> = words.iter().map(|word| ddl::quoted(word)).collect();
        let violation = format!("({name} is null or {name} not in ({}))", list.join(", "));
        rule(&WORDS, violation, format!("{name} one of {}", words.join(", ")), shown(name));
    }
    rules
}

/// The tables whose date is the day of one of their columns.
const DATED_BY: &[(&str, &str)] = &[
    (MEETINGS.name, "start_time_local"),
    (ROOM_ALERTS.name, "alert_time_local"),
    (RESERVATIONS.name, "event_start_local"),
];

/// SQL expression for a column's name and value.
fn shown(name: &str) -> String {
    format!("'{name} ' || coalesce(cast({name} as varchar), 'NULL')")
}

/// The condition of an impossible value, and the range. Such values become rejects, so no published row has one.
fn range(column: &Column) -> Option<(String, &'static str)> {
    let name = column.name;
    let finite = format!("isnan({name}) or isinf({name})");
    Some(match column.kind {
        Kind::LossPercent => (format!("({finite} or {name} < 0 or {name} > 100)"), "within 0 and 100"),
        Kind::Millis | Kind::Kbps | Kind::CpuPercent | Kind::FramesPerSecond => {
            (format!("({finite} or {name} < 0)"), "0 or more")
        }
        Kind::Decibel => (format!("({finite})"), "a number"),
        Kind::PictureHeight | Kind::Seconds | Kind::Minutes => (format!("{name} < 0"), "0 or more"),
        Kind::Count if matches!(name, "sample_count" | "attempts") => {
            (format!("({name} is null or {name} < 0)"), "0 or more")
        }
        Kind::OffsetMinutes => (format!("abs({name}) > {}", 24 * 60), "within a day"),
        _ => return None,
    })
}

/// The column with the maximum of an average.
fn maximum_of(table: &Table, name: &str) -> Option<&'static str> {
    let max = name.contains("_avg_").then(|| name.replace("_avg_", "_max_"))?;
    table.columns.iter().map(|column| column.name).find(|name| *name == max)
}

fn utc_of(local: &str) -> String {
    local.replace("_local", "_utc")
}

/// The relation of a local time to its UTC time: exact for the first one of a table, to which the row's offset belongs.
/// A later one, such as the end or the leave time, may have another time zone.
fn wall_clock(table: &Table, local: &str) -> (String, String) {
    let utc = utc_of(local);
    let difference = format!("(epoch_us({local}) - epoch_us({utc}))");
    let one_is_null = format!("({local} is null) <> ({utc} is null)");
    let first = table.columns.iter().find(|column| column.kind == Kind::WallClock).map(|column| column.name);
    if first == Some(local) {
        let violation = format!(
            "({one_is_null} or ({local} is not null and (utc_offset_min is null or {difference} <> utc_offset_min * 60000000)))"
        );
        (violation, format!("{local} = {utc} + utc_offset_min"))
    } else {
        let violation = format!("({one_is_null} or {difference} % 60000000 <> 0 or abs({difference}) > 86400000000)");
        (violation, format!("{local} whole minutes from {utc}, within a day"))
    }
}

/// Columns with a fixed list of values.
fn closed_lists() -> Vec<(&'static Table, &'static str, Vec<&'static str>)> {
    let in_parquet = || TABLES.iter().filter(|table| table.is_in_parquet());
    let mut columns: Vec<&str> = in_parquet()
        .flat_map(|table| table.columns)
        .filter(|column| !column.source.is_empty())
        .map(|column| column.name)
        .chain(["*"])
        .collect();
    columns.sort_unstable();
    columns.dedup();
    vec![
        (&COVERAGE, "status", Status::ALL.iter().map(|status| status.name()).collect()),
        (&REJECTS, "reason", Reason::ALL.iter().map(|reason| reason.name()).collect()),
        (&REJECTS, "table_name", in_parquet().map(|table| table.name).collect()),
        (&REJECTS, "column_name", columns),
    ]
}
