//! The checks that are written in SQL: the files of `sql/checks/`.
//!
//! A file begins with header lines `-- key: value`; a line that begins with `--` and three spaces continues the one
//! before. `check` names the check, `requirement` is the sentence that must be true, `tables` lists the tables it needs
//! (the rows of the first count as examined), `note` is a comment. The query returns one row per violation: `place`,
//! `expected` and `found`, all text. `$tables` stands for the names of the declared tables. A query with
//! `$meeting_date` runs for each date of its first table.

use std::collections::HashSet;

use super::context::Result;
use super::database::{Database, NO_TABLE};
use super::findings::{Check, Findings};
use super::registry::{CHECKS, KEYS};
use crate::schema::{PARTITION_COLUMN, TABLES, Table, ddl};

macro_rules! sql_checks {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../sql/checks/", $name, ".sql")))),*]
    };
}

/// Name and text of every file, in the order in which they run.
pub(super) const FILES: &[(&str, &str)] = sql_checks![
    "database-schema-objects",
    "runs-start",
    "runs-end",
    "runs-window",
    "runs-outcome",
    "runs-counts",
    "runs-keys",
    "keys-meetings",
    "keys-participants",
    "keys-coverage",
    "keys-quality-samples",
    "keys-rooms",
    "keys-room-alerts",
    "keys-reservations",
    "keys-census",
    "keys-incidents",
    "keys-incident-participants",
    "references-participants",
    "references-quality-samples",
    "references-coverage",
    "references-incident-participants",
    "coverage-rows-participants",
    "coverage-counts-participants",
    "coverage-counts-total",
    "coverage-status-samples",
    "coverage-status-expected-minutes",
    "coverage-status-attempts",
    "incidents-words",
    "incidents-times",
    "incidents-dates",
    "incidents-participants",
    "incidents-minutes",
];

pub(super) struct Header {
    pub(super) check: &'static Check,
    pub(super) tables: Vec<&'static Table>,
}

/// The header of a file; `None` if it is not valid, which a test excludes.
pub(super) fn header(sql: &str) -> Option<Header> {
    let check = header_value(sql, "check")?;
    header_value(sql, "requirement")?;
    let tables = header_value(sql, "tables").unwrap_or_default();
    let declared = |name| TABLES.iter().find(|table| table.name == name);
    let tables = tables.split(", ").filter(|name| !name.is_empty()).map(declared).collect::<Option<_>>()?;
    Some(Header { check: CHECKS.iter().find(|known| known.name == check)?, tables })
}

pub(super) fn header_value(sql: &str, key: &str) -> Option<String> {
    let lines: Vec<&str> = sql.lines().map_while(|line| line.strip_prefix("--")).collect();
    let joined = lines.join("\n").replace("\n   ", " ");
    joined.lines().find_map(|line| line.strip_prefix(&format!(" {key}: ")).map(str::to_owned))
}

/// Runs the SQL files of one check.
pub(super) fn run(check: &'static Check, database: &Database, findings: &mut Findings) -> Result {
    let mut examined = HashSet::new();
    for (_, sql) in FILES {
        let Some(Header { tables, .. }) = header(sql).filter(|header| header.check == check) else { continue };
        if !database.has(&tables) {
            findings.skip(check, NO_TABLE);
            continue;
        }
        // The rules that are generated from the schema have counted the rows for the keys.
        if let Some(table) = tables.first()
            && *check != KEYS
            && examined.insert(table.name)
        {
            let counts = database.counts(&format!("select count(*) from {}", table.name), table.name, findings)?;
            findings.examined(check, counts.map_or(0, |counts| counts[0]));
        }
        for sql in queries(sql, &tables, database, findings)? {
            // Counted first, because a store with many violations must not be held in memory.
            let counts = database.counts(&format!("select count(*) from (\n{sql})"), check.name, findings)?;
            if let Some(count) = counts.map(|counts| counts[0]).filter(|count| *count > 0) {
                database.report_violations(check, count, &sql, findings)?;
            }
        }
    }
    Ok(())
}

/// The queries of a file, with the placeholders replaced.
fn queries(sql: &str, tables: &[&Table], database: &Database, findings: &mut Findings) -> Result<Vec<String>> {
    let names: Vec<String> = TABLES.iter().map(|table| ddl::quoted(table.name)).collect();
    let sql = sql.replace("$tables", &names.join(", "));
    let Some(table) = tables.first().filter(|_| sql.contains("$meeting_date")) else { return Ok(vec![sql]) };
    let dates = format!(
        "select distinct cast({PARTITION_COLUMN} as varchar) from {} where {PARTITION_COLUMN} is not null order by 1",
        table.name
    );
    let dates = database.rows(&dates, table.name, findings)?;
    Ok(dates.into_iter().flatten().flatten().map(|date| sql.replace("$meeting_date", &ddl::quoted(&date))).collect())
}
