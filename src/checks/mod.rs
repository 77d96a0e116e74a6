//! Verifies that what is published is complete and consistent.
//!
//! Owns: the checks of the manifest, the Parquet files and the database ([`CHECKS`]), some of them generated from the
//! declared tables, some written in `sql/checks/`. Promises: takes no lock and changes nothing; looks at one
//! generation, and does not report a publication in progress as damage. Leaves out: the raw log, the ledger and the
//! exit code (`commands`).

mod context;
mod coverage;
mod database;
mod definitions;
mod files;
mod findings;
mod manifest;
mod meta;
mod modes;
mod registry;
mod rows;
mod rules;
mod runs;
mod schema;
mod snapshot;
mod sql_checks;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use context::VerifyContext;
pub(crate) use findings::{Check, Finding, Findings, Outcome};
pub(crate) use registry::CHECKS;
pub(crate) use rows::compare_parts;
pub(crate) use verify::{Verified, verify};
