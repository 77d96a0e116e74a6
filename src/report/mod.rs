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
pub mod page;
mod reference;
mod registry;
mod result;
mod run;
mod sql_text;
mod statements;

use crate::load::Script;
use definition::{Life, definition};

pub use arguments::{Argument, Arguments};
pub use catalogue::{Broken, Catalogue, OWN_AREA, Report};
pub use definition::macro_name;
pub use error::ReportError;
pub use format::{Answer, FORMS, Form, Format, table};
pub use header::{Header, Parameter, ParameterKind, ReportColumn};
pub use reference::reference;
pub use registry::{AREAS, Area, BuiltIn, VIEWS, View, built_in};
pub use result::{Cell, ResultSet};
pub use run::{call, run, why_no_rows, write_parquet};

/// What every published database carries, in the order of installing: the shared definitions, then a macro for each
/// report.
///
/// # Errors
/// Where a report of the program is not one, which the tests exclude.
pub fn scripts() -> Result<Vec<Script>, ReportError> {
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
