//! The history of runs, compared with the ledger's.

use std::collections::HashMap;

use super::context::{Result, VerifyContext};
use super::database::{Database, TextRow, or_null, text_rows, unless_damaged};
use super::findings::Findings;
use super::registry::RUNS as CHECK;
use super::sql_checks;
use crate::schema::cell::{Cell, Row};
use crate::schema::{Kind, RUNS};

/// A `plan` that ended this long before the publication may have been recorded after it, because it takes no lock.
const PLAN_DELAY_US: i64 = 60 * 1_000_000;
/// Columns that are known when a run starts.
const KNOWN_AT_START: &[&str] = &["run_id", "command", "since_utc", "until_utc", "started_utc"];

pub(super) fn check(database: &Database, context: &VerifyContext<'_>, findings: &mut Findings) -> Result {
    sql_checks::run(&CHECK, database, findings)?;
    if database.has(&[&RUNS]) { compare_with_ledger(database, context, findings) } else { Ok(()) }
}

/// Every run that had ended before the publication is recorded as in the ledger, and no other.
///
/// The rows were published from the ledger's history. The publishing run continues afterwards, and later runs are in
/// the ledger only. A ledger without the publishing run was lost and created again since.
fn compare_with_ledger(database: &Database, context: &VerifyContext<'_>, findings: &mut Findings) -> Result {
    let columns: Vec<String> = RUNS
        .columns
        .iter()
        .map(|column| match column.kind {
            Kind::Instant => format!("cast(epoch_us({}) as varchar)", column.name),
            _ => format!("cast({} as varchar)", column.name),
        })
        .collect();
    let sql = format!("select {} from runs", columns.join(", "));
    let Some(published) = unless_damaged(text_rows(&database.connection, &sql, &[]), "runs", findings)? else {
        return Ok(());
    };
    let (Some(publishing), Some(published_us)) = (database.meta.run_id.as_deref(), database.meta.created_us) else {
        findings.skip(&CHECK, "meta has no publishing run or time: see generation");
        return Ok(());
    };
    // Read after the database was opened, so that the ledger has every run of the database.
    let Some(known) = (context.runs)() else {
        findings.skip(&CHECK, "the ledger, which has the history of runs, cannot be read");
        return Ok(());
    };
    let known: Vec<TextRow> = known.iter().map(to_text).collect();
    if !known.iter().any(|run| text(run, "run_id") == Some(publishing)) {
        findings.skip(&CHECK, "the ledger was created again after the publication: it has a later history of runs");
        return Ok(());
    }
    let mut unmatched: HashMap<String, TextRow> =
        published.into_iter().filter_map(|run| Some((run.first()?.clone()?, run))).collect();
    for run in &known {
        let Some(run_id) = text(run, "run_id") else { continue };
        match unmatched.remove(run_id) {
            Some(found) => {
                // Otherwise the publishing run continued, or failed while publishing.
                let outcome = text(&found, "outcome");
                let has_published_outcome = outcome.is_some() && outcome == text(run, "outcome");
                for (n, column) in RUNS.columns.iter().enumerate() {
                    let must_equal = match (run_id == publishing, KNOWN_AT_START.contains(&column.name)) {
                        (_, true) => true,
                        // A publishing run ends afterwards.
                        (true, false) => column.name != "finished_utc" && has_published_outcome,
                        // A run that ended later was published while in progress.
                        (false, false) => has_ended_before(run, published_us),
                    };
                    if must_equal && !same(column.kind, &run[n], &found[n]) {
                        let expected = format!("{} {}, as in the ledger", column.name, or_null(run[n].as_ref()));
                        findings.found(&CHECK, place(run_id), expected, or_null(found[n].as_ref()));
                    }
                }
            }
            None => {
                let delay_us = if text(run, "command") == Some("plan") { PLAN_DELAY_US } else { 0 };
                if run_id == publishing || has_ended_before(run, published_us.saturating_sub(delay_us)) {
                    findings.found(&CHECK, place(run_id), "a run that is in the ledger", "no such row");
                }
            }
        }
    }
    for run_id in unmatched.keys() {
        findings.found(&CHECK, place(run_id), "only runs that are in the ledger", "a run that is not");
    }
    Ok(())
}

fn text<'a>(run: &'a TextRow, name: &str) -> Option<&'a str> {
    run.get(RUNS.position(name)?)?.as_deref()
}

fn has_ended_before(run: &TextRow, at_us: i64) -> bool {
    text(run, "finished_utc").and_then(|us| us.parse::<i64>().ok()).is_some_and(|us| us < at_us)
}

fn place(run_id: &str) -> String {
    format!("vcq.duckdb, runs, {run_id}")
}

fn same(kind: Kind, one: &Option<String>, other: &Option<String>) -> bool {
    match (kind, one, other) {
        // DuckDB and Rust format the same number differently.
        (Kind::FractionalSeconds, Some(one), Some(other)) => one.parse::<f64>().ok() == other.parse::<f64>().ok(),
        _ => one == other,
    }
}

/// In the order of the columns; instants as microseconds.
fn to_text(run: &Row) -> TextRow {
    run.iter()
        .map(|cell| match cell {
            Cell::Null => None,
            Cell::Whole(number) | Cell::Micros(number) => Some(number.to_string()),
            Cell::Real(number) => Some(format!("{number:?}")),
            Cell::Flag(flag) => Some(flag.to_string()),
            Cell::Text(text) => Some(text.clone()),
            Cell::Day(day) => Some(day.to_string()),
        })
        .collect()
}
