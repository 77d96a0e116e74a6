//! The command line: turns arguments into a command, runs it, and turns its end into an exit code.
//!
//! Owns the commands with their help, the flags derived from the settings, and what a command gets to work with
//! ([`command::Context`]). Promises: results go to stdout, everything else to stderr; a reader that closes stdout early
//! is not an error. Leaves out what a command does beyond reading its arguments and printing its result.

mod alert;
mod buildings;
mod command;
mod completions;
mod confirm;
pub(crate) mod console;
mod copy_settings;
mod demo;
mod doctor;
mod failed_summary;
mod forget;
mod help;
mod init;
mod man;
mod output;
pub(crate) mod panic_hook;
mod plan;
mod process;
mod program;
mod prune;
mod publish;
mod query;
mod rebuild;
mod report;
mod result_args;
mod roff;
mod runtime;
mod schema;
mod settings;
mod simulate;
mod status;
mod sync;
mod tenants;
mod verify;
pub(crate) mod window;

#[cfg(test)]
mod completions_tests;
#[cfg(test)]
mod docs_tests;
#[cfg(test)]
mod help_tests;
#[cfg(test)]
mod man_tests;
#[cfg(test)]
mod messages_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../../tests/year/mod.rs"]
mod year;

pub use process::{Process, run};
