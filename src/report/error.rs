//! What can go wrong with a report.

/// Why a report has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No such report.
    #[error("there is no report {name:?}")]
    Unknown {
        /// The name.
        name: String,
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
        wants: &'static str,
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
    /// The SQL failed.
    #[error("could not run the report {report}")]
    Run {
        /// The report.
        report: String,
        /// Why.
        source: duckdb::Error,
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
