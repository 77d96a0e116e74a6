//! The history of runs: by itself, and against the ledger's.

use std::collections::HashMap;

use super::checks::RUNS as CHECK;
use super::database::{NO_TABLE, Shape, answered, numbers, texts};
use super::snapshot::Database;
use super::{Findings, Surroundings};
use crate::load::LoadError;
use crate::schema::cell::{Cell, Row};
use crate::schema::{Kind, RUNS};

/// A run that ended so shortly before the publication may have been recorded after it, microseconds: `plan` takes no lock.
const PLAN_SLACK_US: i64 = 60 * 1_000_000;
/// What a run is from its first moment on.
const FROM_THE_BEGINNING: &[&str] = &["run_id", "command", "since_utc", "until_utc", "started_utc"];
/// What a run that publishes learns only afterwards.
const AFTER_PUBLISHING: &str = "finished_utc";

/// Looks at the runs.
pub(crate) fn check(
    database: &Database,
    shape: &Shape,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    if !shape.has(&[&RUNS]) {
        findings.skip(&CHECK, NO_TABLE);
        return Ok(());
    }
    by_themselves(database, findings)?;
    against_the_ledger(database, surroundings, findings)
}

/// What is odd about a run: predicate, what should hold, what is there.
const RUN_RULES: &[(&str, &str, &str)] = &[
    ("started_utc is null", "a start", "'none'"),
    (
        "finished_utc < started_utc",
        "an end after the start",
        "cast(started_utc as varchar) || ' to ' || cast(finished_utc as varchar)",
    ),
    (
        "until_utc < since_utc",
        "a window that ends after it begins",
        "cast(since_utc as varchar) || ' to ' || cast(until_utc as varchar)",
    ),
    (
        "(finished_utc is null) <> (outcome is null) or (outcome is null) <> (exit_code is null)",
        "end, outcome and exit code all there or none",
        "concat_ws(', ', coalesce(cast(finished_utc as varchar), 'no end'), coalesce(outcome, 'no outcome'), \
         coalesce(cast(exit_code as varchar), 'no exit code'))",
    ),
    (
        "least(meetings, participants, samples, rejects, calls_meeting_list, calls_participant_list, \
         calls_quality_list, throttles, waited_s) < 0",
        "counts of 0 or more",
        "'a negative count'",
    ),
    ("run_id in (select run_id from runs group by run_id having count(*) > 1)", "every run once", "'twice'"),
];

fn by_themselves(database: &Database, findings: &mut Findings) -> Result<(), LoadError> {
    let count = answered(numbers(&database.connection, "select count(*) from runs"), "runs", findings)?;
    findings.examined(&CHECK, count.map_or(0, |count| count[0]));
    for (predicate, expected, found) in RUN_RULES {
        let sql = format!("select run_id, {found} from runs where {predicate}");
        for row in answered(texts(&database.connection, &sql, &[]), "runs", findings)?.unwrap_or_default() {
            let text = |n: usize| row.get(n).cloned().flatten().unwrap_or_default();
            findings.found(&CHECK, place(&text(0)), *expected, text(1));
        }
    }
    Ok(())
}

fn place(run_id: &str) -> String {
    format!("vcq.duckdb, runs, {run_id}")
}

/// A run as texts, in the order of the columns; instants are microseconds.
type Texts = Vec<Option<String>>;

/// Every run that had ended when this was published stands here as the ledger has it, and no other.
///
/// The publication was made from the ledger's history. The run that published goes on afterwards, and runs that came later
/// are in the ledger only. A ledger that does not know the run that published was lost and begun anew since.
fn against_the_ledger(
    database: &Database,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let columns: Vec<String> = RUNS
        .columns
        .iter()
        .map(|column| match column.kind {
            Kind::Instant => format!("cast(epoch_us({}) as varchar)", column.name),
            _ => format!("cast({} as varchar)", column.name),
        })
        .collect();
    let sql = format!("select {} from runs", columns.join(", "));
    let Some(published) = answered(texts(&database.connection, &sql, &[]), "runs", findings)? else { return Ok(()) };
    let (Some(publishing), Some(published_us)) = (database.meta.run_id.as_deref(), database.meta.created_us) else {
        findings.skip(&CHECK, "meta does not say when and by which run it was published: see generation");
        return Ok(());
    };
    // After the database was opened: what it holds is in the ledger by then.
    let Some(known) = (surroundings.runs)() else {
        findings.skip(&CHECK, "the ledger, which has the history of runs, can't be read");
        return Ok(());
    };
    let known: Vec<Texts> = known.iter().map(texts_of).collect();
    if !known.iter().any(|run| text(run, "run_id") == Some(publishing)) {
        findings.skip(&CHECK, "the ledger was begun anew after this was published: its history of runs is younger");
        return Ok(());
    }
    let mut left: HashMap<String, Texts> =
        published.into_iter().filter_map(|run| Some((run.first()?.clone()?, run))).collect();
    for run in &known {
        let Some(run_id) = text(run, "run_id") else { continue };
        match left.remove(run_id) {
            Some(found) => {
                let is_publishing = run_id == publishing;
                for (n, column) in RUNS.columns.iter().enumerate() {
                    let is_fixed = match (is_publishing, FROM_THE_BEGINNING.contains(&column.name)) {
                        (_, true) => true,
                        (true, false) => column.name != AFTER_PUBLISHING && has_ended_alike(run, &found),
                        // Ended later, it was told of while it was under way.
                        (false, false) => has_ended_before(run, published_us),
                    };
                    if is_fixed && !same(column.kind, &run[n], &found[n]) {
                        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
                        let expected = format!("{} {}, as in the ledger", column.name, shown(&run[n]));
                        findings.found(&CHECK, place(run_id), expected, shown(&found[n]));
                    }
                }
            }
            None => {
                let slack_us = if text(run, "command") == Some("plan") { PLAN_SLACK_US } else { 0 };
                if run_id == publishing || has_ended_before(run, published_us.saturating_sub(slack_us)) {
                    findings.found(&CHECK, place(run_id), "a run that the ledger knows of", "no such row");
                }
            }
        }
    }
    for run_id in left.keys() {
        findings.found(&CHECK, place(run_id), "only runs that the ledger knows of", "a run that it does not know");
    }
    Ok(())
}

fn text<'a>(run: &'a Texts, name: &str) -> Option<&'a str> {
    run.get(RUNS.position(name)?)?.as_deref()
}

fn has_ended_before(run: &Texts, at_us: i64) -> bool {
    text(run, "finished_utc").and_then(|us| us.parse::<i64>().ok()).is_some_and(|us| us < at_us)
}

/// Whether the publication told of the run's end, and the run ended as it was told. Else it went on, or failed in the
/// middle of its publication.
fn has_ended_alike(run: &Texts, found: &Texts) -> bool {
    text(found, "outcome").is_some() && text(found, "outcome") == text(run, "outcome")
}

fn same(kind: Kind, one: &Option<String>, other: &Option<String>) -> bool {
    match (kind, one, other) {
        // DuckDB and we write the same number differently.
        (Kind::FractionalSeconds, Some(one), Some(other)) => one.parse::<f64>().ok() == other.parse::<f64>().ok(),
        _ => one == other,
    }
}

fn texts_of(run: &Row) -> Texts {
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
