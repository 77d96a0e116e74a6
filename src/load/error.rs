//! What can go wrong while publishing or opening a store.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::publish::Step;

/// What speaks against a folder as a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAStore {
    /// A file is in its place.
    #[error("it is a file")]
    File,
    /// Somebody keeps other things there.
    #[error("it is not empty and holds other files")]
    OtherFiles,
    /// DuckDB takes paths as text.
    #[error("its path is not UTF-8, which DuckDB needs")]
    NotUtf8,
    /// There is nothing to read.
    #[error("there is no such folder")]
    NoFolder,
    /// The folder is there, and nothing of a store in it.
    #[error("it holds no vcq.duckdb and no raw answers")]
    NothingOfOurs,
}

/// A failure of local storage. Each says what was attempted and on which path; the cause is its source.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store's folder, or a folder in it, can't be made or written to.
    #[error("the store {} is not writable", path.display())]
    NotWritable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The folder holds something else.
    #[error("{} is not a vcq-etl store: {why}", path.display())]
    NotAStore {
        path: PathBuf,
        /// What speaks against it.
        why: NotAStore,
    },
    /// A later version of the program wrote this.
    #[error("{} has schema version {found}, this program knows versions up to {known}; use the newer program", path.display())]
    NewerSchema {
        /// The manifest or the database.
        path: PathBuf,
        found: u64,
        known: u32,
    },
    /// The disk is full.
    #[error("the disk is full: could not {doing} {}", path.display())]
    DiskFull {
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Reading, writing or renaming failed.
    #[error("could not {doing} {}", path.display())]
    Io {
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The manifest can't be read.
    #[error(
        "the manifest {} is damaged at line {line}, column {column}",
        path.display()
    )]
    CorruptManifest {
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest is gone while the database shows that dates were published.
    #[error("{} is missing", path.display())]
    MissingManifest {
        /// Where it should be.
        path: PathBuf,
    },
    /// The rows can't be written as Parquet.
    #[error("could not write the Parquet part {} of {table}", path.display())]
    Parquet {
        table: &'static str,
        path: PathBuf,
        #[source]
        source: ::parquet::errors::ParquetError,
    },
    /// The rows are not of the table's form: a defect of ours, never of the input.
    #[error("rows of {table} are not as the table is declared")]
    Rows {
        table: &'static str,
        #[source]
        source: arrow::error::ArrowError,
    },
    #[error("could not {doing} {}", path.display())]
    Duckdb {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: duckdb::Error,
    },
    /// There is no database to read yet.
    #[error("{} does not exist", path.display())]
    NoDatabase {
        /// Where it would be.
        path: PathBuf,
    },
    /// `vcq.duckdb` is somebody else's database.
    #[error("{} is a DuckDB database that vcq-etl did not make; move it away, then run again", path.display())]
    ForeignDatabase { path: PathBuf },
    /// A migration that was applied is not the one that this program knows.
    #[error(
        "migration {version} ({name}) in {} differs from this program's; remove the database, the next run builds it again from parquet/",
        path.display()
    )]
    MigrationDrift { path: PathBuf, version: u32, name: String },
    /// DuckDB left a write-ahead log beside a closed database, so the file alone is not whole.
    #[error("{} was closed with changes outside the file", path.display())]
    LeftoverWal { path: PathBuf },
    /// The database does not hold the rows that the manifest counts.
    #[error("{table} on {meeting_date} has {found} rows in the database, {expected} in the manifest")]
    RowCount {
        table: &'static str,
        /// `YYYY-MM-DD`.
        meeting_date: String,
        /// Rows by the manifest.
        expected: u64,
        /// Rows in the database.
        found: u64,
    },
    /// The rows of `runs` could not be worked out.
    #[error("could not work out the rows of runs for {}", path.display())]
    Runs {
        path: PathBuf,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A view or a macro could not be made: a defect of ours, or a database that lacks what it needs.
    #[error("could not define {script} in {}", path.display())]
    Definition {
        path: PathBuf,
        script: String,
        #[source]
        source: Box<duckdb::Error>,
    },
    /// What was handed to `publish` is not consistent: a defect of ours.
    #[error("the publication of run {run_id} is not consistent: {why}")]
    Inconsistent { run_id: String, why: String },
    /// The caller asked to stop.
    #[error("stopped before: {}", step.doing())]
    Stopped {
        /// The step that was not begun.
        step: Step,
    },
}

/// A full disk, or a full quota, as DuckDB says it: it passes the system's error on as text only.
const FULL_IN_WORDS: &[&str] = &["No space left on device", "not enough disk space", "Disk quota exceeded"];
/// Too little memory, or too little of the disk left to DuckDB, in its words.
const LACKING_IN_WORDS: &[&str] = &["Out of Memory", "max_temp_directory_size"];
/// The system's refusals, in DuckDB's words: the file may be whole.
const REFUSED_IN_WORDS: &[&str] = &[
    "Permission denied",
    "Read-only file system",
    "Input/output error",
    "Too many open files",
    "Operation not permitted",
    "Conflicting lock is held",
];

/// What a refusal of DuckDB comes from. It says so in words only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DuckdbErrorKind {
    /// It ran out of memory or of room.
    Lack,
    /// The system refused it a file.
    System,
    /// The database itself, or what was asked of it.
    Database,
}

impl DuckdbErrorKind {
    /// By what DuckDB says.
    pub(crate) fn of(text: &str) -> DuckdbErrorKind {
        let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
        match () {
            () if has(LACKING_IN_WORDS) || has(FULL_IN_WORDS) => DuckdbErrorKind::Lack,
            () if has(REFUSED_IN_WORDS) => DuckdbErrorKind::System,
            () => DuckdbErrorKind::Database,
        }
    }
}

/// Whether a cause adds nothing to what it caused: DuckDB's errors have a number for their source that is always the same.
pub(crate) fn is_noise(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<duckdb::ffi::Error>()
}

impl LoadError {
    /// For `map_err` on a file operation.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LoadError {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                LoadError::DiskFull { doing, path, source: Box::new(source) }
            }
            _ => LoadError::Io { doing, path, source },
        }
    }

    /// For `map_err` on a DuckDB statement.
    pub(crate) fn duckdb(doing: &'static str, path: &Path) -> impl FnOnce(duckdb::Error) -> LoadError {
        let path = path.to_path_buf();
        move |source| {
            let text = source.to_string();
            match FULL_IN_WORDS.iter().any(|words| text.contains(words)) {
                true => LoadError::DiskFull { doing, path, source: Box::new(source) },
                false => LoadError::Duckdb { doing, path, source },
            }
        }
    }
}
