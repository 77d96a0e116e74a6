//! What kind of failure DuckDB reports. It passes the cause on as text only, so the text is searched.

use std::error::Error;

const DISK_FULL_TEXTS: &[&str] = &["No space left on device", "not enough disk space", "Disk quota exceeded"];
const OUT_OF_RESOURCES_TEXTS: &[&str] = &["Out of Memory", "max_temp_directory_size"];
/// Refusals of the operating system: the file itself may be undamaged.
const SYSTEM_TEXTS: &[&str] = &[
    "Permission denied",
    "Read-only file system",
    "Input/output error",
    "Too many open files",
    "Operation not permitted",
    "Conflicting lock is held",
];

const STACK_TRACE: &str = "Stack Trace:";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DuckdbErrorKind {
    /// Out of memory or of disk space.
    OutOfResources,
    /// The operating system refused access to a file.
    System,
    /// The database itself, or the statement.
    Database,
}

impl DuckdbErrorKind {
    pub(crate) fn classify(text: &str) -> DuckdbErrorKind {
        if contains_any(text, OUT_OF_RESOURCES_TEXTS) || is_disk_full(text) {
            DuckdbErrorKind::OutOfResources
        } else if contains_any(text, SYSTEM_TEXTS) {
            DuckdbErrorKind::System
        } else {
            DuckdbErrorKind::Database
        }
    }
}

pub(crate) fn is_disk_full(text: &str) -> bool {
    contains_any(text, DISK_FULL_TEXTS)
}

fn contains_any(text: &str, patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| text.contains(pattern))
}

/// DuckDB appends the addresses of its own functions to internal errors, which do not help users of a command.
pub(crate) fn without_stack_trace(error: duckdb::Error) -> duckdb::Error {
    match error {
        duckdb::Error::DuckDBFailure(code, Some(text)) => {
            let message = text.split(STACK_TRACE).next().unwrap_or_default().trim_end().to_owned();
            duckdb::Error::DuckDBFailure(code, Some(message))
        }
        other => other,
    }
}

/// Whether an error source adds nothing to its parent: DuckDB's errors all have the same number as their source.
pub(crate) fn is_redundant_source(source: &(dyn Error + 'static)) -> bool {
    source.is::<duckdb::ffi::Error>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_trace_is_not_shown() {
        let text = "INTERNAL Error: a bug\nmore\n\nStack Trace:\n\n0  _ZN6duckdb9ExceptionC2\n1  main";
        let error = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
        assert_eq!(without_stack_trace(error).to_string(), "INTERNAL Error: a bug\nmore");
    }
}
