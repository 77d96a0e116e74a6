//! Reports: questions, each answered by one SQL file that any DuckDB client can run.
//!
//! Owns the shared definitions and the reports, their headers, the macros installed in every published database,
//! running a report or a query, the output formats, and the HTML page. Promises that the database is opened read-only,
//! that parameter values stay values, and that text from outside cannot control a terminal, a spreadsheet or a page.
//! Leaves out where a result is written (`cli`) and when definitions are installed (`load`).
//!
//! A new report is a file `sql/reports/<name>.sql` and one line in `registry.rs`.

mod arguments;
mod arrow_cells;
pub(crate) mod card;
mod catalogue;
mod definition;
pub(crate) mod dictionary;
pub(crate) mod engine;
mod error;
mod format;
mod header;
pub(crate) mod headings;
mod history;
mod identity;
pub(crate) mod incident_text;
mod meanings;
pub(crate) mod next;
pub(crate) mod page;
mod person;
mod presentation;
mod query;
mod reference;
mod registry;
mod result;
mod run;
mod scripts;
pub(crate) mod times;
mod tokenizer;
mod translation;
mod values;
mod views;
mod window;

pub(crate) use arguments::Arguments;
pub use catalogue::{Catalogue, Report};
pub(crate) use definition::macro_name;
pub(crate) use error::ReportError;
pub(crate) use format::{
    Answer, OUTPUT_FORMATS, OutputFormat, TextFormat, TextStream, WorkbookError, XlsxWriter, table,
};
pub(crate) use header::{Header, Parameter, ReportColumn};
pub(crate) use person::with_stored_person;
pub(crate) use query::{OwnTable, Sql, SqlError, column_docs, restrict};
pub use reference::reference;
pub(crate) use registry::PROFILES;
pub(crate) use result::{Cell, ResultSet};
pub(crate) use run::{explain_empty, run, run_where, write_parquet};
pub(crate) use scripts::scripts;
pub(crate) use translation::in_language;
pub(crate) use values::in_words;
pub(crate) use views::ViewFiles;
pub(crate) use window::{HeldDates, ReportWindow};

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod sql_tests;
#[cfg(test)]
mod tests;
