//! Reports: questions, each one SQL file that any DuckDB client can run.
//!
//! Owns the shared definitions and the reports ([`VIEWS`], [`AREAS`]), the header that each report begins with, the macros
//! that every published database carries ([`scripts`]), running one on such a database, and the forms in which a result
//! is shown. Promises: the database is opened for reading only; a value that somebody types stays a value; text that came
//! from outside can't steer a terminal, a spreadsheet or a page. Leaves out: where a result is written (`cli`), and when
//! definitions are installed (`load`).

mod arguments;
mod catalogue;
mod definition;
mod error;
mod format;
mod header;
pub(crate) mod page;
mod reference;
mod registry;
mod result;
mod run;
mod sql_text;
mod statements;

use crate::load::Script;
use definition::{Life, definition};

pub(crate) use arguments::Arguments;
pub use catalogue::{Catalogue, Report};
pub(crate) use definition::macro_name;
pub(crate) use error::ReportError;
pub(crate) use format::{Answer, FORMS, Form, Format, table};
pub(crate) use header::{Header, Parameter, ParameterKind, ReportColumn};
pub use reference::reference;
pub(crate) use registry::{VIEWS, built_in};
pub(crate) use result::{Cell, ResultSet};
pub(crate) use run::{run, why_no_rows, write_parquet};

/// What every published database carries, in the order of installing: the shared definitions, then a macro for each
/// report.
///
/// # Errors
/// Where a report of the program is not one, which the tests exclude.
pub(crate) fn scripts() -> Result<Vec<Script>, ReportError> {
    let mut scripts = Vec::new();
    for view in VIEWS {
        scripts.extend(statements::statements(view.name, view.sql)?);
    }
    for report in built_in() {
        let header = Header::parse(report.name, report.sql)?;
        let sql = definition(Life::Published, report.name, &header, report.sql)? + ";\n";
        scripts.push(Script { name: macro_name(report.name), sql, relation: None });
    }
    Ok(scripts)
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod sql_tests;
#[cfg(test)]
mod tests;
