//! Errors of reports.

use std::path::PathBuf;

/// Why a report has no result. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("there is no report {name:?}")]
    Unknown { name: String, known: Vec<String> },
    #[error("the report {report} has no parameter {name:?}")]
    UnknownParameter { report: String, name: String, known: Vec<String> },
    #[error("--param {text:?} does not have the form name=value")]
    InvalidAssignment { text: String },
    #[error("the parameter {name} of the report {report} is given twice")]
    DuplicateParameter { report: String, name: String },
    #[error("the report {report} requires the parameter {name}")]
    MissingParameter { report: String, name: String, doc: String },
    #[error("the parameter {name} of the report {report}: {text:?} is not {expected}")]
    InvalidParameter { report: String, name: String, text: String, expected: String },
    #[error("there is no profile {profile:?}")]
    UnknownProfile { profile: String, known: Vec<String> },
    #[error("the header of the report {report}, line {line}: {problem}")]
    Header { report: String, line: usize, problem: String },
    #[error("the SQL of the report {report}, line {line}: {problem}")]
    Sql { report: String, line: usize, problem: String },
    /// `name` is the file name without its extension.
    #[error("{name:?} is not a valid report name: use lower-case letters, digits and single hyphens between them")]
    InvalidName { name: String },
    #[error("could not read the report {report}")]
    Read { report: String, source: std::io::Error },
    /// A file in the folder of custom reports.
    #[error("{} is not a valid report", path.display())]
    InvalidFile { path: PathBuf, source: Box<ReportError> },
    #[error("could not list the reports directory {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    /// The store was published by a version without this report, or with other parameters.
    #[error("the published database does not have the report {report} of this version")]
    NotInstalled { report: String },
    #[error("could not run the report in {}", path.display())]
    RunCustom { path: PathBuf, source: Box<duckdb::Error> },
    /// A custom report whose result does not match its header.
    #[error("the report in {} declares the columns {documented} but returns {found}", path.display())]
    ColumnMismatch { path: PathBuf, documented: String, found: String },
    #[error("could not run the report {report}")]
    Run { report: String, source: Box<duckdb::Error> },
    #[error("could not write the result of the report {report} to {}", path.display())]
    Parquet { report: String, path: PathBuf, source: Box<duckdb::Error> },
    #[error("the report {report} cannot be written for {engine}: {problem}")]
    Expand { report: String, engine: &'static str, problem: String },
    /// An internal error: the definitions do not fit each other.
    #[error("could not define the views and reports")]
    Define { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the rows of the report {report} cannot be selected: the condition is a {found}, not true or false")]
    NotACondition { report: String, found: String },
    /// A value that is not a scalar.
    #[error("the report {report} returned a value of type {found} in the column {column}")]
    NotScalar { report: String, column: String, found: String },
}
