//! The scripts installed in every published database.

use super::ReportError;
use super::definition::{MacroScope, definition, macro_name};
use super::header::Header;
use super::registry::{VIEWS, built_in};
use super::statements::split_statements;
use crate::load::Script;

/// The shared definitions, then one macro per report, in the order of installation.
///
/// # Errors
/// Returns an error if a built-in file is invalid, which the tests exclude.
pub(crate) fn scripts() -> Result<Vec<Script>, ReportError> {
    let mut scripts = Vec::new();
    for view in VIEWS {
        scripts.extend(split_statements(view.name, view.sql)?);
    }
    for report in built_in() {
        let header = Header::parse(report.name, report.sql)?;
        let sql = definition(MacroScope::Database, report.name, &header, report.sql)? + ";\n";
        scripts.push(Script { name: macro_name(report.name), sql, relation: None });
    }
    Ok(scripts)
}
