//! What can go wrong with a report.

use std::path::PathBuf;

/// Why a report has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("there is no report {name:?}")]
    Unknown {
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    #[error("the report {report} has no parameter {name:?}")]
    UnknownParameter {
        report: String,
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// A parameter without a value.
    #[error("--param {text:?} is not of the form name=value")]
    NotAssigned { text: String },
    /// A parameter with two values.
    #[error("the parameter {name} of the report {report} is given twice")]
    GivenTwice { report: String, name: String },
    /// A parameter without which there is no answer.
    #[error("the report {report} needs the parameter {name}")]
    Needed { report: String, name: String, doc: String },
    /// A value that is not what the parameter wants.
    #[error("the parameter {name} of the report {report}: {text:?} is not {wants}")]
    BadParameter { report: String, name: String, text: String, wants: String },
    /// No such set of limits in the store.
    #[error("there is no profile {profile:?} in the store")]
    UnknownProfile {
        profile: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A header that can't be read.
    #[error("the header of the report {report}, line {line}: {problem}")]
    Header {
        report: String,
        /// The line, from 1.
        line: usize,
        problem: String,
    },
    /// SQL that can't be a report.
    #[error("the SQL of the report {report}, line {line}: {problem}")]
    Sql {
        report: String,
        /// The line, from 1.
        line: usize,
        problem: String,
    },
    /// A file's name that is no report's.
    #[error("{name:?} is no name for a report: small letters, digits and single hyphens between them")]
    Name {
        /// The file's name without its ending.
        name: String,
    },
    /// A file that can't be read.
    #[error("could not read the report {report}")]
    Read { report: String, source: std::io::Error },
    /// A file of somebody's folder that is no report.
    #[error("{} is no report", path.display())]
    File {
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ReportError>,
    },
    /// The folder of reports can't be listed.
    #[error("could not list the folder of reports {}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    /// The store was published by a program that did not have this report, or not with these parameters.
    #[error("the published database does not have the report {report} as this program knows it")]
    NotInstalled { report: String },
    /// The SQL of somebody's own report failed.
    #[error("could not run the report in {}", path.display())]
    Own {
        path: PathBuf,
        /// Why; boxed, because it is large and errors travel through everything.
        source: Box<duckdb::Error>,
    },
    /// Somebody's own report gives other columns than its header says.
    #[error("the report in {} says the columns {documented}, and gives {found}", path.display())]
    OtherColumns { path: PathBuf, documented: String, found: String },
    #[error("could not run the report {report}")]
    Run {
        report: String,
        /// Why; boxed, because it is large and errors travel through everything.
        source: Box<duckdb::Error>,
    },
    /// The result could not be written as Parquet.
    #[error("could not write the result of the report {report} to {}", path.display())]
    Parquet {
        report: String,
        path: PathBuf,
        /// Why; boxed, because it is large and errors travel through everything.
        source: Box<duckdb::Error>,
    },
    /// A value of a type that has no place in a report.
    #[error("the report {report} returned a value of type {found} in the column {column}")]
    NotScalar { report: String, column: String, found: String },
}
