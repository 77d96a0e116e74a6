//! `vcq-etl report`: lists, explains and runs reports, prints cards, and writes the report page.

mod card;
mod command;
mod digest;
mod html;
mod list;
mod next;
mod run;
mod show;
mod store;
#[cfg(test)]
mod tests;
mod window;

pub(super) use command::ENTRY;
pub(super) use digest::published_incidents;
pub(super) use store::{open, warn_of_other_definitions};
