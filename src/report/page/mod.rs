//! The HTML page of a period: a single file that works offline, with its data, style and script embedded.
//!
//! Owns the content of the page, its texts in both languages, and the file. Promises that everything that matters is in
//! the document itself and readable without scripts, that every number comes from the published database,
//! that text from the store is never interpreted as markup, and that the page makes no request, which its content
//! security policy enforces. Leaves out definitions and limits (`sql/`) and where the file is written (`cli`).

mod build;
mod census;
mod error;
mod figures;
mod frame;
mod incidents;
mod markup;
mod meetings;
mod period;
mod query;
mod render;
mod sections;
mod sentence;
mod shown;
mod story;
mod table;
mod trend;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use build::{Page, PageRequest, build, span};
pub(crate) use error::PageError;
pub(crate) use period::Period;
pub(crate) use render::Language;
pub(crate) use words::{chinese, find};
