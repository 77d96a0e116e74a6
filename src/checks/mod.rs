//! Holds what is published against what it claims to be.
//!
//! Owns: the checks of everything right of `raw/` ([`CHECKS`]): the manifest, the Parquet files, the database, the keys,
//! the ranges and the arithmetic of coverage. Promises: takes no lock and changes nothing; looks at one generation, and a
//! publication that goes on meanwhile is never reported as damage. Leaves out: the raw log and the ledger (`extract`),
//! and what it all means for the exit code (`pipeline`).

mod checks;
mod database;
mod definitions;
mod files;
mod findings;
mod manifest;
mod objects;
mod relations;
mod rows;
mod rules;
mod runs;
mod snapshot;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::time::Duration;

use crate::load::{DatabaseOptions, Definitions, LoadError, Manifest, StorePaths};
use crate::schema::Status;
use crate::schema::cell::Row;

pub(crate) use checks::CHECKS;
pub(crate) use findings::{Check, Finding, Findings, Outcome};
pub(crate) use rows::compare_parts;

/// How far clocks may be apart before a time counts as being in the future, microseconds.
const CLOCK_SLACK_US: i64 = 15 * 60 * 1_000_000;

/// What the checks need to know from outside.
pub(crate) struct Surroundings<'a> {
    /// Now, microseconds UTC.
    pub now_us: i64,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    /// How long to wait for a publication that is under way.
    pub patience: Duration,
    /// The kind of user ids in the store, as far as that is known beside the database.
    pub user_id_type: Option<String>,
    /// What this program would install beside the rows.
    pub definitions: Definitions<'a>,
    /// The ledger's history of runs, as rows of `runs`, read anew; `None` where it can't be read.
    pub runs: &'a dyn Fn() -> Option<Vec<Row>>,
    /// Whether the vendor's list of a meeting's participants came back empty, from date (`YYYY-MM-DD`) and meeting key.
    pub list_was_empty: &'a dyn Fn(&str, &str) -> bool,
    /// Whether a coverage status goes together with the vendor's code in the last answer.
    pub code_agrees: &'a dyn Fn(Status, Option<i64>) -> bool,
}

/// What was looked at.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// The manifest; `None` where nothing is published or it can't be read.
    pub manifest: Option<Manifest>,
    /// The tenant's zone that the rows were made with, from the database.
    pub timezone: Option<String>,
    /// The paths of the Parquet files that are as published, relative to `parquet/`.
    pub usable: HashSet<String>,
}

/// Checks what is published. What is found stands in `findings` then.
///
/// # Errors
/// Where the store can't be read at all: [`LoadError::NewerSchema`], [`LoadError::Io`], and [`LoadError::Duckdb`] or
/// [`LoadError::DiskFull`] where DuckDB has too little memory or room. Damage is a finding, not an error.
pub(crate) fn verify(
    paths: &StorePaths,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<Verified, LoadError> {
    let snapshot = snapshot::take(paths, surroundings, findings)?;
    let mut verified = Verified::default();
    if let Some(manifest) = &snapshot.manifest {
        manifest::check(manifest, surroundings.now_us, findings);
    }
    let usable = files::check(paths, snapshot.manifest.as_ref(), findings)?;
    if !snapshot.is_readable {
        files::skip_orphans(findings);
    } else {
        files::orphans(paths, snapshot.manifest.as_ref(), snapshot.is_behind, findings)?;
    }
    if let Some(database) = &snapshot.database {
        let shape = database::shape(database, findings)?;
        database::check(database, &snapshot, surroundings, findings)?;
        runs::check(database, &shape, surroundings, findings)?;
        if let Some(manifest) = &snapshot.manifest {
            rows::check(paths, manifest, &usable, database, &shape, snapshot.incomparable(), findings)?;
        }
        rules::check(database, &shape, surroundings.now_us, findings)?;
        relations::check(database, &shape, surroundings, findings)?;
        definitions::check(database, &shape, surroundings, findings)?;
        verified.timezone = database.meta.timezone.clone();
    } else {
        let why = if snapshot.manifest.is_some() { "there is no database to read" } else { "nothing is published" };
        checks::OF_DATABASE.iter().for_each(|check| findings.skip(check, why));
    }
    verified.manifest = snapshot.manifest;
    verified.usable = usable;
    Ok(verified)
}
