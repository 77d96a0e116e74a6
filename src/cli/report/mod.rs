//! `vcq-etl report`: lists, explains and runs reports, prints cards, writes the report page, and scripts for
//! other engines.

mod card;
mod command;
mod digest;
mod export;
mod html;
mod list;
mod next;
mod run;
mod script;
mod show;
mod store;
#[cfg(test)]
mod tests;
mod window;

pub(super) use command::ENTRY;
pub(super) use digest::published_incidents;
pub(super) use store::{open, warn_of_other_definitions};
