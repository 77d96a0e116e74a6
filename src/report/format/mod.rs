//! The output formats of a report. Each file is one format: a function from an answer to text, or a writer of a file.

mod answer;
mod csv;
mod fold;
mod html;
mod json;
mod layout;
mod markdown;
mod matrix;
mod output;
mod table;
mod xlsx;

pub(crate) use answer::Answer;
pub(crate) use output::{OUTPUT_FORMATS, OutputFormat, TextFormat, TextStream, table};
pub(crate) use xlsx::{WorkbookError, XlsxWriter};

#[cfg(test)]
pub(super) use answer::fixture_report;
