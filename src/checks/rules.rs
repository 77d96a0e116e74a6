//! What holds for every row by itself. The rules follow from the kinds of the columns; one scan a table asks them all.

use super::checks::{AVERAGES, FUTURE, KEYS, RANGES, TIMES, WORDS};
use super::database::{NO_TABLE, Shape, answered, numbers, texts};
use super::findings::Check;
use super::snapshot::Database;
use super::{CLOCK_SLACK_US, Findings};
use crate::load::LoadError;
use crate::schema::{
    COVERAGE, Column, Kind, MEETINGS, PARTICIPANTS, PARTITION_COLUMN, QUALITY_SAMPLES, REJECTS, Reason, Status,
    Storage, TABLES, Table, ddl, utc_text,
};

/// Every check that is made of rules.
const OF_RULES: &[&Check] = &[&KEYS, &TIMES, &WORDS, &FUTURE, &RANGES, &AVERAGES];

/// One rule of one table.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) check: &'static Check,
    pub(crate) table: &'static Table,
    /// SQL that is true of a row that breaks the rule.
    pub(crate) broken: String,
    /// What should hold, in words.
    pub(crate) expected: String,
    /// SQL for what is there, as text.
    pub(crate) found: String,
}

/// Checks every row of every table.
pub(crate) fn check(database: &Database, shape: &Shape, now_us: i64, findings: &mut Findings) -> Result<(), LoadError> {
    // A publication that says it comes from the future must not excuse its rows.
    let latest_us = database.meta.created_us.unwrap_or(now_us).min(now_us).saturating_add(CLOCK_SLACK_US);
    for table in TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb) {
        let rules = rules_of(table, latest_us);
        let checks = || OF_RULES.iter().filter(|check| rules.iter().any(|rule| rule.check == **check));
        if !shape.has(&[table]) {
            checks().for_each(|check| findings.skip(check, NO_TABLE));
            continue;
        }
        let counts: Vec<String> = rules.iter().map(|rule| format!("count(*) filter (where {})", rule.broken)).collect();
        let sql = format!("select count(*), {} from {}", counts.join(", "), table.name);
        let Some(counts) = answered(numbers(&database.connection, &sql), table.name, findings)? else { continue };
        checks().for_each(|check| findings.examined(check, counts[0]));
        for (rule, count) in rules.iter().zip(&counts[1..]).filter(|(_, count)| **count > 0) {
            tell(database, rule, *count, findings)?;
        }
    }
    Ok(())
}

fn tell(database: &Database, rule: &Rule, count: u64, findings: &mut Findings) -> Result<(), LoadError> {
    let sql = format!(
        "select {}, {} from {} where {} limit {}",
        row_place(rule.table),
        rule.found,
        rule.table.name,
        rule.broken,
        findings.room(rule.check)
    );
    let rows = answered(texts(&database.connection, &sql, &[]), rule.table.name, findings)?.unwrap_or_default();
    findings.found_more(rule.check, count.saturating_sub(rows.len() as u64));
    for row in rows {
        let text = |n: usize| row.get(n).cloned().flatten().unwrap_or_else(|| "NULL".to_owned());
        findings.found(rule.check, text(0), rule.expected.clone(), text(1));
    }
    Ok(())
}

/// SQL for where a row is: table, date and key.
pub(crate) fn row_place(table: &Table) -> String {
    let keys: Vec<String> = table.key().map(|column| format!("cast({} as varchar)", column.name)).collect();
    format!(
        "{} || coalesce(cast({PARTITION_COLUMN} as varchar), 'no date') || ', ' || concat_ws(', ', {})",
        ddl::quoted(&format!("{} of ", table.name)),
        keys.join(", ")
    )
}

/// The rules of a table, from the kinds of its columns and from what the contract says of some.
pub(crate) fn rules_of(table: &'static Table, latest_us: i64) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut rule = |check: &'static Check, broken: String, expected: String, found: String| {
        rules.push(Rule { check, table, broken, expected, found });
    };
    for column in table.columns {
        let name = column.name;
        if column.required || name == PARTITION_COLUMN {
            rule(&KEYS, format!("{name} is null"), format!("a value in {name}"), "'NULL'".to_owned());
        }
        if let Some((broken, expected)) = range(column) {
            rule(&RANGES, broken, format!("{name} {expected}"), shown(name));
        }
        if column.kind == Kind::Instant {
            // Written as a literal of its microseconds: no text of a time needs to be parsed.
            let broken = format!("epoch_us({name}) > {latest_us}");
            rule(&FUTURE, broken, format!("{name} not after {}", utc_text(latest_us)), shown(name));
        }
        if let Some(max) = maximum_of(table, name) {
            let found = format!("{} || ', ' || {}", shown(name), shown(max));
            rule(&AVERAGES, format!("{name} > {max}"), format!("{name} not above {max}"), found);
        }
        if column.kind == Kind::WallClock {
            let (broken, expected) = wall_clock(table, name);
            let utc = utc_of(name);
            let found = format!(
                "concat_ws(', ', {}, {}, 'offset ' || cast(utc_offset_min as varchar))",
                shown(&utc),
                shown(name)
            );
            rule(&TIMES, broken, expected, found);
        }
    }
    if table.name == MEETINGS.name {
        let broken = format!("start_time_local is null or cast(start_time_local as date) <> {PARTITION_COLUMN}");
        let expected = format!("{PARTITION_COLUMN} the day of start_time_local");
        rule(&TIMES, broken, expected, shown("start_time_local"));
    }
    for (of, name, words) in closed_lists().into_iter().filter(|(of, _, _)| of.name == table.name) {
        let list: Vec<String> = words.iter().map(|word| ddl::quoted(word)).collect();
        let broken = format!("({name} is null or {name} not in ({}))", list.join(", "));
        debug_assert_eq!(of.name, table.name);
        rule(&WORDS, broken, format!("{name} one of {}", words.join(", ")), shown(name));
    }
    rules
}

/// SQL for a column's name and value.
fn shown(name: &str) -> String {
    format!("'{name} ' || coalesce(cast({name} as varchar), 'NULL')")
}

/// What a value of this kind can't be. Contract 2 makes rejects of such values, so no published row has one.
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

/// The column that holds the maximum of an average.
fn maximum_of(table: &Table, name: &str) -> Option<&'static str> {
    let duplicate = name.contains("_avg_").then(|| name.replace("_avg_", "_max_"))?;
    table.columns.iter().map(|column| column.name).find(|name| *name == duplicate)
}

fn utc_of(local: &str) -> String {
    local.replace("_local", "_utc")
}

/// How a wall clock and its instant go together. Where the row's offset is that of the column it is exact; an end or a
/// leave may have been printed with a zone of its own.
fn wall_clock(table: &Table, local: &str) -> (String, String) {
    let utc = utc_of(local);
    let apart = format!("(epoch_us({local}) - epoch_us({utc}))");
    let alone = format!("({local} is null) <> ({utc} is null)");
    let first = table.columns.iter().find(|column| column.kind == Kind::WallClock).map(|column| column.name);
    if first == Some(local) {
        let broken = format!(
            "({alone} or ({local} is not null and (utc_offset_min is null or {apart} <> utc_offset_min * 60000000)))"
        );
        (broken, format!("{local} = {utc} + utc_offset_min"))
    } else {
        let day_us = 86_400_000_000_i64;
        let broken = format!("({alone} or {apart} % 60000000 <> 0 or abs({apart}) > {day_us})");
        (broken, format!("{local} whole minutes from {utc}, within a day"))
    }
}

/// Columns that take words of a closed list only.
fn closed_lists() -> Vec<(&'static Table, &'static str, Vec<&'static str>)> {
    let in_parquet = || TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb);
    let mut columns: Vec<&str> = [MEETINGS, PARTICIPANTS, QUALITY_SAMPLES]
        .iter()
        .flat_map(|table| table.columns)
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
