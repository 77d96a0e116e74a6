//! What can go wrong with a report.

use std::path::PathBuf;

/// Why a report has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No such report.
    #[error("there is no report {name:?}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// No such parameter.
    #[error("the report {report} has no parameter {name:?}")]
    UnknownParameter {
        /// The report.
        report: String,
        /// The name.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// A parameter without a value.
    #[error("--param {text:?} is not of the form name=value")]
    NotAssigned {
        /// What was given.
        text: String,
    },
    /// A parameter with two values.
    #[error("the parameter {name} of the report {report} is given twice")]
    GivenTwice {
        /// The report.
        report: String,
        /// The parameter.
        name: String,
    },
    /// A parameter without which there is no answer.
    #[error("the report {report} needs the parameter {name}")]
    Needed {
        /// The report.
        report: String,
        /// The parameter.
        name: String,
        /// What it is.
        doc: String,
    },
    /// A value that is not what the parameter wants.
    #[error("the parameter {name} of the report {report}: {text:?} is not {wants}")]
    BadParameter {
        /// The report.
        report: String,
        /// The parameter.
        name: String,
        /// What was given.
        text: String,
        /// What is wanted.
        wants: String,
    },
    /// No such set of limits in the store.
    #[error("there is no profile {profile:?} in the store")]
    UnknownProfile {
        /// The name.
        profile: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A header that can't be read.
    #[error("the header of the report {report}, line {line}: {problem}")]
    Header {
        /// The report.
        report: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// SQL that can't be a report.
    #[error("the SQL of the report {report}, line {line}: {problem}")]
    Sql {
        /// The report.
        report: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
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
    Read {
        /// The report.
        report: String,
        /// The system's refusal.
        source: std::io::Error,
    },
    /// A file of somebody's folder that is no report.
    #[error("{} is no report", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<ReportError>,
    },
    /// The folder of reports can't be listed.
    #[error("could not list the folder of reports {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's refusal.
        source: std::io::Error,
    },
    /// The store was published by a program that did not have this report, or not with these parameters.
    #[error("the published database does not have the report {report} as this program knows it")]
    NotInstalled {
        /// The report.
        report: String,
    },
    /// The SQL of somebody's own report failed.
    #[error("could not run the report in {}", path.display())]
    Own {
        /// The file.
        path: PathBuf,
        /// Why; boxed, because it is large and errors travel through everything.
        source: Box<duckdb::Error>,
    },
    /// Somebody's own report gives other columns than its header says.
    #[error("the report in {} says the columns {documented}, and gives {found}", path.display())]
    OtherColumns {
        /// The file.
        path: PathBuf,
        /// By its header.
        documented: String,
        /// By its result.
        found: String,
    },
    /// The SQL failed.
    #[error("could not run the report {report}")]
    Run {
        /// The report.
        report: String,
        /// Why; boxed, because it is large and errors travel through everything.
        source: Box<duckdb::Error>,
    },
    /// The result could not be written as Parquet.
    #[error("could not write the result of the report {report} to {}", path.display())]
    Parquet {
        /// The report.
        report: String,
        /// The file.
        path: PathBuf,
        /// Why; boxed, because it is large and errors travel through everything.
        source: Box<duckdb::Error>,
    },
    /// A value of a type that has no place in a report.
    #[error("the report {report} returned a value of type {found} in the column {column}")]
    NotScalar {
        /// The report.
        report: String,
        /// The column.
        column: String,
        /// The type.
        found: String,
    },
}
