//! `vcq-etl report`: lists, explains and runs reports, and writes the report page.

mod command;
mod html;
mod list;
mod run;
mod show;
mod store;
#[cfg(test)]
mod tests;

pub(super) use command::ENTRY;
pub(super) use run::first_report;
pub(super) use store::{open, warn_of_other_definitions};
