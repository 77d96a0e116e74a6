//! Reports for other engines: the same SQL without macros, as a script for an engine that reads the Parquet dataset.
//!
//! Owns the expansion of views and macros into common table expressions, the rules of spelling of each engine, the
//! scripts and the statements that declare the tables. Promises that the expanded SQL returns in DuckDB what the macro
//! returns. Leaves out running the scripts.

mod definitions;
mod dialect;
mod expand;
mod export;
#[cfg(any(test, fuzzing))]
mod properties;
mod script;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use dialect::{DUCKDB, Engine, SPARK};
pub(crate) use export::{Files, file_name};
#[cfg(any(test, fuzzing))]
pub(crate) use properties::expansion;
pub(crate) use script::{Places, Scripts};
