//! Failures of local storage. Each names what was attempted and the path; the cause is its source.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::duckdb_error::{is_disk_full, without_appendix};
use super::step::Step;

pub(super) type Result<T = (), E = LoadError> = std::result::Result<T, E>;

/// Why a directory is not a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAStore {
    #[error("it is a file")]
    File,
    #[error("it contains other files")]
    OtherFiles,
    #[error("its path is not valid UTF-8, which DuckDB requires")]
    NotUtf8,
    #[error("the directory does not exist")]
    NoFolder,
    #[error("it contains no vcq.duckdb and no raw log")]
    NoStoreFiles,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the store {} is not writable", path.display())]
    NotWritable { path: PathBuf, source: io::Error },
    #[error("{} is not a vcq-etl store: {why}", path.display())]
    NotAStore { path: PathBuf, why: NotAStore },
    /// A later version of the program wrote this manifest or database.
    #[error("{} has schema version {found}; this vcq-etl supports schema versions up to {known}", path.display())]
    NewerSchema { path: PathBuf, found: u64, known: u32 },
    #[error("the disk is full: cannot {attempt} {}", path.display())]
    DiskFull { attempt: &'static str, path: PathBuf, source: Box<dyn Error + Send + Sync> },
    #[error("cannot {attempt} {}", path.display())]
    Io { attempt: &'static str, path: PathBuf, source: io::Error },
    /// `line` and `column` count from 1.
    #[error("the manifest {} is damaged at line {line}, column {column}", path.display())]
    CorruptManifest { path: PathBuf, line: usize, column: usize, source: serde_json::Error },
    /// The database shows that dates were published.
    #[error("{} is missing", path.display())]
    MissingManifest { path: PathBuf },
    #[error("cannot write the Parquet file {} of table {table}", path.display())]
    Parquet { table: &'static str, path: PathBuf, source: ::parquet::errors::ParquetError },
    /// An internal error, never a fault of the input.
    #[error("rows of table {table} do not match its schema")]
    Rows { table: &'static str, source: arrow::error::ArrowError },
    #[error("cannot {attempt} {}", path.display())]
    Duckdb { attempt: &'static str, path: PathBuf, source: duckdb::Error },
    /// Nothing was published yet.
    #[error("{} does not exist", path.display())]
    NoDatabase { path: PathBuf },
    /// The store is published without one.
    #[error("{} does not exist: the store was published with database = \"off\"", path.display())]
    DatabaseOff { path: PathBuf },
    #[error("{} is a DuckDB database that vcq-etl did not create; move it away, then run again", path.display())]
    ForeignDatabase { path: PathBuf },
    /// An applied migration has another checksum than the one in this program.
    #[error(
        "migration {version} ({name}) in {} differs from the one in this program; delete the database: the next run \
         rebuilds it from parquet/",
        path.display()
    )]
    MigrationDrift { path: PathBuf, version: u32, name: String },
    /// A session of another program wrote into it.
    #[error("{} was changed while it was copied", path.display())]
    ChangedDatabase { path: PathBuf },
    /// DuckDB would read it with the database, and the reader has no directory where it could avoid that.
    #[error("{} is the write-ahead log of another program", path.display())]
    ForeignLog { path: PathBuf },
    /// The database file alone is not complete.
    #[error("{} was closed with changes left in its write-ahead log", path.display())]
    LeftoverWal { path: PathBuf },
    /// `expected` is from the manifest, `found` from the database.
    #[error("{table} on {meeting_date} has {found} rows in the database but {expected} in the manifest")]
    RowCount { table: &'static str, meeting_date: String, expected: u64, found: u64 },
    #[error("cannot compute the rows of the table runs for {}", path.display())]
    Runs { path: PathBuf, source: Box<dyn Error + Send + Sync> },
    #[error("cannot search {} for incidents", path.display())]
    Incidents { path: PathBuf, source: Box<dyn Error + Send + Sync> },
    /// An internal error, or a database that lacks what the view or macro needs.
    #[error("cannot define {script} in {}", path.display())]
    Definition { path: PathBuf, script: String, source: Box<duckdb::Error> },
    /// An internal error of the caller of `publish`.
    #[error("the publication of run {run_id} is inconsistent: {why}")]
    Inconsistent { run_id: String, why: String },
    /// The caller asked to stop before `step`.
    #[error("stopped before the step {step:?}")]
    Stopped { step: Step },
}

impl LoadError {
    /// For `map_err` on a file operation.
    pub(crate) fn io(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LoadError {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                LoadError::DiskFull { attempt, path, source: Box::new(source) }
            }
            _ => LoadError::Io { attempt, path, source },
        }
    }

    /// Names the published file in place of the link by which it was opened.
    pub(super) fn about(self, link: &Path, database: &Path) -> LoadError {
        match self {
            LoadError::Duckdb { attempt, source: duckdb::Error::DuckDBFailure(code, Some(text)), .. } => {
                let text = text.replace(&*link.to_string_lossy(), &database.to_string_lossy());
                let source = duckdb::Error::DuckDBFailure(code, Some(text));
                LoadError::Duckdb { attempt, path: database.to_path_buf(), source }
            }
            other => other,
        }
    }

    /// For `map_err` on a DuckDB statement.
    pub(crate) fn duckdb(attempt: &'static str, path: &Path) -> impl FnOnce(duckdb::Error) -> LoadError {
        let path = path.to_path_buf();
        move |source| match is_disk_full(&source.to_string()) {
            true => LoadError::DiskFull { attempt, path, source: Box::new(source) },
            false => LoadError::Duckdb { attempt, path, source: without_appendix(source) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duckdb_reporting_a_full_quota_is_a_full_disk() {
        let error = |text: &str| {
            let error = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
            LoadError::duckdb("write", Path::new("x"))(error)
        };
        for text in ["IO Error: No space left on device", "IO Error: Could not write: Disk quota exceeded"] {
            assert!(matches!(error(text), LoadError::DiskFull { .. }), "{text}");
        }
        assert!(matches!(error("IO Error: Permission denied"), LoadError::Duckdb { .. }));
    }
}
