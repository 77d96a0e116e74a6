//! Feishu's JSON: field names and notation as documented, and the variations that a test can switch on.

mod lists;
mod optional;
mod quality;
mod style;

pub(crate) use lists::ListWriter;
pub(crate) use optional::meeting_report;
pub(crate) use quality::push_items;
pub use quality::{MALFORMATIONS, Malformation, count_malformed};
#[cfg(test)]
pub(crate) use style::wall_clock;
pub use style::{JsonStyle, TimeFormat};
