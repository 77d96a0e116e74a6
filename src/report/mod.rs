//! Reports: questions, each one SQL file that any DuckDB client can run.
//!
//! Owns the registry ([`REPORTS`]), the header that each file begins with, running one on a published database, and the
//! forms in which a result is shown. Promises: the database is opened for reading only; text that came from outside
//! can't steer a terminal, a spreadsheet or a page. Leaves out: where a result is written (`cli`).

mod error;
mod format;
mod header;
pub mod page;
mod result;
mod run;

pub use error::ReportError;
pub use format::{FORMATS, Format};
pub use header::{Header, Parameter, ParameterKind};
pub use result::{Cell, ResultSet};
pub use run::{Arguments, arguments, run};

/// One report.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// The name: that of its file in `sql/reports/`.
    pub name: &'static str,
    /// The file's text.
    pub sql: &'static str,
}

/// Every report, in the order in which they are listed.
pub const REPORTS: &[Report] = &[
    Report { name: "worst-meetings", sql: include_str!("../../sql/reports/worst-meetings.sql") },
    Report { name: "coverage", sql: include_str!("../../sql/reports/coverage.sql") },
    Report { name: "unread-values", sql: include_str!("../../sql/reports/unread-values.sql") },
];

impl Report {
    /// The report of that name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn find(name: &str) -> Result<&'static Report, ReportError> {
        REPORTS.iter().find(|report| report.name == name).ok_or_else(|| ReportError::Unknown { name: name.to_owned() })
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// Where its header can't be read.
    pub fn header(&self) -> Result<Header, ReportError> {
        Header::parse(self.name, self.sql)
    }
}

#[cfg(test)]
mod tests;
