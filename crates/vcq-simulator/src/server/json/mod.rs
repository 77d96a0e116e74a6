//! Feishu's JSON: field names and notation as documented, and the variations that a test can switch on.

mod lists;
mod quality;
mod style;
mod text;

pub(crate) use lists::ListWriter;
pub(crate) use quality::push_items;
pub use quality::{MALFORMATIONS, Malformation, count_malformed};
pub use style::{JsonStyle, TimeFormat};
pub(crate) use text::push_json_text;
#[cfg(test)]
pub(crate) use text::push_wall_clock;
