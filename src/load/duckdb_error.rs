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

/// Where the part of a text begins that does not help users of a command: addresses of DuckDB's functions, links to its
/// documentation.
const APPENDICES: &[&str] = &["Stack Trace:", "See also https://"];

/// DuckDB's advice on limits are statements for a session, which the settings of vcq-etl replace.
const OUT_OF_RESOURCES_ADVICE: &[&str] =
    &["Possible solutions:", "Database is launched in", "You can adjust this setting"];

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

/// The message without what DuckDB appends for those who program with it.
pub(crate) fn without_appendix(error: duckdb::Error) -> duckdb::Error {
    match error {
        duckdb::Error::DuckDBFailure(code, Some(text)) => {
            let advice = if contains_any(&text, OUT_OF_RESOURCES_TEXTS) { OUT_OF_RESOURCES_ADVICE } else { &[] };
            let appendices = APPENDICES.iter().chain(advice).filter_map(|start| text.find(start));
            let message = text[..appendices.min().unwrap_or(text.len())].trim_end();
            duckdb::Error::DuckDBFailure(code, Some(message.to_owned()))
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
    fn a_stack_trace_and_advice_are_not_shown() {
        let shown = |text: &str| {
            let error = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
            without_appendix(error).to_string()
        };
        let text = "INTERNAL Error: a bug\nmore\n\nStack Trace:\n\n0  _ZN6duckdb9ExceptionC2\n1  main";
        assert_eq!(shown(text), "INTERNAL Error: a bug\nmore");
        let text = "IO Error: Could not set lock on file. See also https://duckdb.org/docs/stable/connect/concurrency";
        assert_eq!(shown(text), "IO Error: Could not set lock on file.");
        assert_eq!(shown("Binder Error: Possible solutions: a cast"), "Binder Error: Possible solutions: a cast");
    }

    #[test]
    fn out_of_memory_is_shown_without_statements() {
        let connection = duckdb::Connection::open_in_memory().expect("open");
        connection.execute_batch("set memory_limit = '5MB'; set temp_directory = ''").expect("set");
        let sql = "create table t as select range as a, hash(range) as b from range(10000000)";
        let error = connection.execute_batch(sql).expect_err("too large");
        let full = error.to_string();
        let shown = without_appendix(error).to_string();
        assert!(full.contains("SET ") && shown.starts_with("Out of Memory Error: "), "{full}");
        assert!(!shown.contains("SET ") && !shown.contains("https"), "{shown}");
    }
}
