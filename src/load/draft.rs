//! A database that is being built, in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMicrosecondType};
use duckdb::Connection;

use super::connection::{DatabaseOptions, STORAGE_VERSION};
use super::error::{LoadError, Result};
use super::paths::StorePaths;
use super::{checksum, durable};
use crate::files::{self, Access};
use crate::schema::cell::{self, Row};
use crate::schema::{Table, ddl};

pub(crate) struct Draft {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

impl Draft {
    /// Opens or creates `<directory>/vcq.duckdb`. The name is that of the published file, because DuckDB names the
    /// catalog after it.
    pub(crate) fn open(folder: &Path, options: DatabaseOptions) -> Result<Draft> {
        let path = folder.join("vcq.duckdb");
        // A draft that a crash interrupts is discarded, so a write-ahead log would be of no use.
        let attach = format!(
            "attach {} as vcq (storage_version '{STORAGE_VERSION}', recovery_mode 'no_wal_writes'); use vcq",
            ddl::quoted(&path.to_string_lossy())
        );
        let connection = options
            .config(&folder.join("spill"))
            .and_then(Connection::open_in_memory_with_flags)
            .and_then(|connection| connection.execute_batch(&attach).map(|()| connection))
            .map_err(LoadError::duckdb("open", &path))?;
        Ok(Draft { connection, path })
    }

    fn another_connection(&self) -> Result<Connection> {
        self.connection
            .try_clone()
            .and_then(|connection| connection.execute_batch("use vcq").map(|()| connection))
            .map_err(LoadError::duckdb("open", &self.path))
    }

    /// Runs statements that return no rows.
    pub(crate) fn execute(&self, attempt: &'static str, sql: &str) -> Result {
        self.connection.execute_batch(sql).map_err(LoadError::duckdb(attempt, &self.path))
    }

    /// Runs each list of statements in a connection of its own, all at once, and commits in the order of the lists.
    ///
    /// First commits the draft's transaction, and begins a new one at the end. Only for a new database: nobody reads it
    /// yet, so several transactions lose nothing.
    pub(crate) fn execute_at_once(&self, attempt: &'static str, lists: Vec<Vec<String>>) -> Result {
        self.execute("commit to", "commit")?;
        let failed = || LoadError::duckdb(attempt, &self.path);
        let begun = lists.into_iter().map(|statements| {
            let connection = self.another_connection()?;
            connection.execute_batch("begin transaction").map_err(failed())?;
            Ok((connection, statements))
        });
        let begun: Vec<(Connection, Vec<String>)> = begun.collect::<Result<_>>()?;
        let executed: Vec<duckdb::Result<Connection>> = std::thread::scope(|scope| {
            let execute = |(connection, statements): (Connection, Vec<String>)| {
                statements.iter().try_for_each(|sql| connection.execute_batch(sql)).map(|()| connection)
            };
            let threads: Vec<_> = begun.into_iter().map(|one| scope.spawn(move || execute(one))).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect()
        });
        for connection in executed {
            connection.and_then(|connection| connection.execute_batch("commit")).map_err(failed())?;
        }
        self.execute("begin a transaction in", "begin transaction")
    }

    pub(crate) fn replace_rows(&self, table: &'static Table, rows: &[Row]) -> Result {
        self.execute("delete rows from", &format!("delete from {}", table.name))?;
        self.append_rows(table, rows)
    }

    /// Adds rows to a small table.
    pub(crate) fn append_rows(&self, table: &'static Table, rows: &[Row]) -> Result {
        let batch = cell::table_batch(table, rows)
            .and_then(without_time_zones)
            .map_err(|source| LoadError::Rows { table: table.name, source })?;
        self.connection
            .appender(table.name)
            .and_then(|mut appender| {
                appender.append_record_batch(batch)?;
                appender.flush()
            })
            .map_err(LoadError::duckdb("add rows to", &self.path))
    }

    pub(crate) fn close(self) -> Result<PathBuf> {
        let path = self.path;
        // Detaching writes the remaining changes; closing alone would hide an error.
        self.connection.execute_batch("use memory; detach vcq").map_err(LoadError::duckdb("close", &path))?;
        self.connection.close().map_err(|(_, error)| LoadError::duckdb("close", &path)(error))?;
        Ok(path)
    }
}

/// The directory where a draft is built; empty at first, removed on drop.
///
/// It is in `.work/`, unless the store's path contains a `?`: DuckDB takes the text after it for URL parameters and
/// looks for the write-ahead log in the wrong directory. Then it is a private directory in the system's temporary
/// directory, and the finished file is copied into the store.
pub(crate) struct DraftFolder {
    pub(crate) path: PathBuf,
    final_path: PathBuf,
}

impl DraftFolder {
    pub(crate) fn create(paths: &StorePaths, run_id: &str) -> Result<DraftFolder> {
        let path = match paths.root().to_string_lossy().contains('?') {
            false => paths.work().join(format!("database-{run_id}")),
            // One for each store, so that the next publication removes what a crashed one left.
            true => {
                let store = checksum::sha256(paths.root().as_os_str().as_encoded_bytes());
                std::env::temp_dir().join(format!("vcq-etl-{}", &store[..16]))
            }
        };
        DraftFolder::create_at(path, paths.work().join("vcq.duckdb.inprogress"))
    }

    /// Creates a directory outside the store, for a database that is only compared with.
    pub(crate) fn temporary() -> Result<DraftFolder> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("vcq-etl-compared-{}-{number}", std::process::id()));
        DraftFolder::create_at(path.clone(), path)
    }

    /// Creates a directory in `.work/`, for a copy that is only read.
    pub(crate) fn temporary_in(work_dir: &Path) -> Result<DraftFolder> {
        let path = work_dir.join("inspected");
        DraftFolder::create_at(path.clone(), path)
    }

    fn create_at(path: PathBuf, final_path: PathBuf) -> Result<DraftFolder> {
        durable::remove_dir(&path)?;
        // The directory may be outside the store, and the database holds names and addresses.
        files::create_folder(&path, Access::Private).map_err(LoadError::io("create the directory", &path))?;
        Ok(DraftFolder { path, final_path })
    }

    /// Moves the finished database to a path in `.work/`, flushes it to disk, and returns that path.
    pub(crate) fn take(self, database: &Path) -> Result<PathBuf> {
        let mut moved = database.to_path_buf();
        if self.path.parent() != self.final_path.parent() {
            moved = self.final_path.with_extension("copy");
            files::copy(database, &moved).map_err(LoadError::io("copy the finished database to", &moved))?;
        }
        fs::rename(moved, &self.final_path)
            .map_err(LoadError::io("move the finished database to", &self.final_path))?;
        durable::sync(&self.final_path)?;
        Ok(self.final_path.clone())
    }
}

impl Drop for DraftFolder {
    fn drop(&mut self) {
        // The next run removes it if this fails.
        if let Err(error) = durable::remove_dir(&self.path) {
            tracing::debug!(path = %self.path.display(), error = &error as &dyn std::error::Error, "cannot remove a draft database");
        }
    }
}

/// Drops the time zone of instants: the database's columns are plain TIMESTAMP, and a cast would need ICU for a zone.
fn without_time_zones(batch: RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
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
    fn the_next_run_removes_a_draft_outside_the_store_that_a_crashed_run_left() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(&dir.path().join("store?x=1")).expect("open");
        let crashed = DraftFolder::create(&paths, "crashed").expect("create");
        assert!(!crashed.path.starts_with(paths.root()));
        fs::write(crashed.path.join("vcq.duckdb"), "half").expect("write");
        // A killed process drops nothing.
        std::mem::forget(crashed);
        let next = DraftFolder::create(&paths, "next").expect("create");
        assert_eq!(fs::read_dir(&next.path).expect("list").count(), 0);
        let path = next.path.clone();
        drop(next);
        assert!(!path.exists());
    }
}
