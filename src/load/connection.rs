//! DuckDB connections, all with the same settings.

use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMicrosecondType};
use duckdb::{AccessMode, Config, Connection};
use sha2::{Digest, Sha256};

use super::{LoadError, StorePaths, durable};
use crate::schema::cell::{self, Row};
use crate::schema::{Table, ddl};
use crate::text::hex;

/// The storage version of our files: every DuckDB from 1.2 to 2.x opens them.
pub(crate) const STORAGE_VERSION: &str = "v1.2.0";

/// What DuckDB may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// Threads. An insert that keeps the order of its rows ran twice as fast with one as with two, for half the CPU.
    pub threads: u32,
    /// DuckDB's `memory_limit`, MiB. A million samples load within 128; the process needs about 100 more.
    pub memory_limit_mib: u32,
}

impl Default for DatabaseOptions {
    fn default() -> DatabaseOptions {
        DatabaseOptions { threads: 1, memory_limit_mib: 128 }
    }
}

impl DatabaseOptions {
    fn config(self, spill_dir: &Path) -> duckdb::Result<Config> {
        // Nothing may be fetched behind the user's back, and nothing may depend on an extension that a build lacks.
        Config::default()
            .with("autoinstall_known_extensions", "false")?
            .with("autoload_known_extensions", "false")?
            // It keeps every minute of a window in memory where two parts of a report read them: a report of a year of twenty
            // million samples takes ten seconds with it, and three without.
            .with("disabled_optimizers", "common_subplan")?
            .with("storage_compatibility_version", STORAGE_VERSION)?
            .with("threads", self.threads.max(1).to_string())?
            .with("memory_limit", format!("{}MiB", self.memory_limit_mib))?
            .with("temp_directory", spill_dir.to_string_lossy())
    }
}

/// Opens a database read-only. Spills below `spill_dir`, which DuckDB makes when it needs it.
pub(crate) fn open_read_only(path: &Path, spill_dir: &Path, options: DatabaseOptions) -> Result<Connection, LoadError> {
    let failed = || LoadError::duckdb("open", path);
    let config =
        options.config(spill_dir).and_then(|config| config.access_mode(AccessMode::ReadOnly)).map_err(failed())?;
    Connection::open_with_flags(path, config).map_err(failed())
}

/// Opens a connection to no database, to read Parquet files with. Spills as [`open_read_only`] does.
pub(crate) fn open_in_memory(spill_dir: &Path, options: DatabaseOptions) -> Result<Connection, LoadError> {
    let failed = || LoadError::duckdb("start", Path::new("DuckDB"));
    Connection::open_in_memory_with_flags(options.config(spill_dir).map_err(failed())?).map_err(failed())
}

/// A database that is being built, in a folder of its own.
pub(crate) struct Draft {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

impl Draft {
    /// Opens or makes `<folder>/vcq.duckdb`. The name is that of the published file, because DuckDB names the catalog
    /// after it.
    pub(crate) fn open(folder: &Path, options: DatabaseOptions) -> Result<Draft, LoadError> {
        let path = folder.join("vcq.duckdb");
        let failed = || LoadError::duckdb("open", &path);
        let config = options.config(&folder.join("spill")).map_err(failed())?;
        let connection = Connection::open_in_memory_with_flags(config).map_err(failed())?;
        // A draft that a crash interrupts is thrown away, so a write-ahead log would be written for nobody.
        let attach = format!(
            "attach {} as vcq (storage_version '{STORAGE_VERSION}', recovery_mode 'no_wal_writes'); use vcq",
            ddl::quoted(&path.to_string_lossy())
        );
        connection.execute_batch(&attach).map_err(failed())?;
        Ok(Draft { connection, path })
    }

    /// Runs statements that give no rows.
    pub(crate) fn execute(&self, doing: &'static str, sql: &str) -> Result<(), LoadError> {
        self.connection.execute_batch(sql).map_err(LoadError::duckdb(doing, &self.path))
    }

    /// Replaces all the rows of a small table.
    pub(crate) fn replace_rows(&self, table: &'static Table, rows: &[Row]) -> Result<(), LoadError> {
        self.execute("empty a table of", &format!("delete from {}", table.name))?;
        self.append_rows(table, rows)
    }

    /// Adds rows to a small table.
    pub(crate) fn append_rows(&self, table: &'static Table, rows: &[Row]) -> Result<(), LoadError> {
        let batch = cell::file_batch(table, rows)
            .and_then(plain_instants)
            .map_err(|source| LoadError::Rows { table: table.name, source })?;
        let failed = || LoadError::duckdb("add rows to a table of", &self.path);
        let mut appender = self.connection.appender(table.name).map_err(failed())?;
        appender.append_record_batch(batch).map_err(failed())?;
        appender.flush().map_err(failed())
    }

    /// Closes the database and gives its path.
    pub(crate) fn close(self) -> Result<PathBuf, LoadError> {
        let path = self.path;
        // Detaching writes what is left; closing alone would pass over an error.
        self.connection.execute_batch("use memory; detach vcq").map_err(LoadError::duckdb("close", &path))?;
        self.connection.close().map_err(|(_, error)| LoadError::duckdb("close", &path)(error))?;
        Ok(path)
    }
}

/// The folder where a draft is built; empty at first, gone with the value.
///
/// It is in `.work/`, unless the store's path has a `?`: DuckDB takes what follows for the parameters of a web address
/// and looks for the write-ahead log in the wrong folder. Then it is a private folder among the system's temporary ones,
/// and the finished file is copied into the store.
pub(crate) struct DraftFolder {
    path: PathBuf,
    final_path: PathBuf,
}

impl DraftFolder {
    /// Makes the folder for the database of one run.
    pub(crate) fn create(paths: &StorePaths, run_id: &str) -> Result<DraftFolder, LoadError> {
        let name = format!("database-{run_id}");
        let final_path = paths.work().join("vcq.duckdb.inprogress");
        let path = match paths.root().to_string_lossy().contains('?') {
            false => paths.work().join(name),
            // One for each store, so that the next publication removes what a dead one left.
            true => {
                let store = hex(&Sha256::digest(paths.root().as_os_str().as_encoded_bytes()));
                std::env::temp_dir().join(format!("vcq-etl-{}", &store[..16]))
            }
        };
        DraftFolder::make(path, final_path)
    }

    /// Makes the folder for a database that a reader compares with: nothing of it is written to the store.
    pub(crate) fn for_reader() -> Result<DraftFolder, LoadError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("vcq-etl-compared-{}-{number}", std::process::id()));
        DraftFolder::make(path.clone(), path)
    }

    fn make(path: PathBuf, final_path: PathBuf) -> Result<DraftFolder, LoadError> {
        durable::remove_dir(&path)?;
        let mut builder = DirBuilder::new();
        // The folder may be outside the store: names and addresses are nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(LoadError::io("create the folder", &path))?;
        Ok(DraftFolder { path, final_path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the finished database to where it can be renamed from, makes it durable, and gives that path.
    pub(crate) fn take(self, database: &Path) -> Result<PathBuf, LoadError> {
        let moved = match self.path.parent() == self.final_path.parent() {
            true => database.to_path_buf(),
            false => {
                let copy = self.final_path.with_extension("copy");
                fs::copy(database, &copy).map_err(LoadError::io("copy the finished database to", &copy))?;
                copy
            }
        };
        fs::rename(moved, &self.final_path)
            .map_err(LoadError::io("move the finished database to", &self.final_path))?;
        durable::sync_file(&self.final_path)?;
        Ok(self.final_path.clone())
    }
}

impl Drop for DraftFolder {
    fn drop(&mut self) {
        // What stays is removed by the next run's cleaning.
        if let Err(error) = durable::remove_dir(&self.path) {
            tracing::debug!(path = %self.path.display(), error = &error as &dyn std::error::Error, "left a draft behind");
        }
    }
}

/// Drops the zone of instants: the database's columns are plain TIMESTAMP, and a cast would ask ICU for a zone.
fn plain_instants(batch: RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| match array.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
                let plain =
                    array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<Arc<str>>);
                let field = field.as_ref().clone().with_data_type(plain.data_type().clone());
                (field, Arc::new(plain) as ArrayRef)
            }
            _ => (field.as_ref().clone(), array.clone()),
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_outside_the_store_that_a_dead_run_left_is_removed_by_the_next() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(&dir.path().join("store?x=1")).expect("open");
        let dead = DraftFolder::create(&paths, "dead").expect("create");
        assert!(!dead.path().starts_with(paths.root()));
        fs::write(dead.path().join("vcq.duckdb"), "half").expect("write");
        // A killed process drops nothing.
        std::mem::forget(dead);
        let next = DraftFolder::create(&paths, "next").expect("create");
        assert_eq!(fs::read_dir(next.path()).expect("list").count(), 0);
        let path = next.path().to_path_buf();
        drop(next);
        assert!(!path.exists());
    }

    #[test]
    fn a_full_quota_is_a_full_disk_in_duckdbs_words_too() {
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
