//! Finds incidents: what went wrong, for whom, since when, and what the poor minutes have in common.
//!
//! Owns the statistics and the sentences; docs/INCIDENTS.md describes the method. Promises that the incidents of a date
//! depend only on the data of that date and the 28 days before, as stored, never on the order of rows or on chance.
//! Leaves out where they are stored (`load`) and how they are shown (`report`).

mod acute;
mod candidate;
mod chronic;
mod constants;
mod data;
mod describe;
mod earlier;
mod evidence;
mod explained;
mod explanation;
mod find;
mod history;
mod incident;
mod known;
mod measured;
mod null_model;
mod person_day;
mod read;
mod runs;
mod search;
mod severity;
mod statistics;
mod summary;
mod suspects;
mod tally;
mod today;
mod window;

pub(crate) use find::find;
pub(crate) use history::{History, TokenOf};
pub(crate) use incident::{Incident, Severity};
pub use measured::count_incidents;

#[cfg(test)]
mod nightly_tests;
#[cfg(test)]
mod planted_tests;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod statistics_tests;
