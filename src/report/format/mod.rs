//! The output formats of a report. Each file is one format: a function from an answer to text.

mod answer;
mod csv;
mod html;
mod json;
mod layout;
mod markdown;
mod output;
mod table;

pub(crate) use answer::Answer;
pub(crate) use output::{OUTPUT_FORMATS, OutputFormat, TextFormat, table};

#[cfg(test)]
pub(super) use answer::fixture_report;
