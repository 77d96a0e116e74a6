//! The published database, open for reading.
//!
//! It is opened through a link in a directory of the reader, so that DuckDB follows no write-ahead log that another
//! program left beside the file. Queries spill in that directory: in `.work/`, or in the system's temporary directory
//! if the store is not writable.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use duckdb::Connection;

use super::connection::{self, DatabaseOptions};
use super::error::{LoadError, Result};
use super::paths::StorePaths;
use crate::files::{self, Access};

/// A connection to the published database. It keeps showing the generation that was published when it was opened.
#[derive(Debug)]
pub(crate) struct Reader {
    // Dropped before the folder where it spills.
    connection: Connection,
    _folder: Option<ReaderFolder>,
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Reader {
    pub(crate) fn open(paths: &StorePaths, options: DatabaseOptions) -> Result<Reader> {
        Reader::open_file(paths, &paths.database(), options)
    }

    /// Opens a database in memory, with a directory to spill in.
    pub(super) fn open_in_memory(paths: &StorePaths, options: DatabaseOptions) -> Result<Reader> {
        let folder = ReaderFolder::create(paths);
        let spill = folder.as_ref().map_or_else(std::env::temp_dir, |folder| folder.path.join("spill"));
        let connection = connection::open_in_memory(&spill, options)?;
        Ok(Reader { connection, _folder: folder })
    }

    /// Opens the published file or a copy of it.
    pub(super) fn open_file(paths: &StorePaths, database: &Path, options: DatabaseOptions) -> Result<Reader> {
        let Some(folder) = ReaderFolder::create(paths) else {
            // Nowhere to write: without a link, a log must not be there.
            if paths.database_wal().is_file() {
                return Err(LoadError::ForeignLog { path: paths.database_wal() });
            }
            let connection = connection::open_read_only(database, &std::env::temp_dir(), options)?;
            return Ok(Reader { connection, _folder: None });
        };
        // DuckDB names the catalog after the file.
        let link = folder.path.join("vcq.duckdb");
        symlink(database, &link).map_err(LoadError::io("create a link to the database at", &link))?;
        let opened = connection::open_read_only(&link, &folder.path.join("spill"), options);
        // The connection has the file; the name is needed no more.
        fs::remove_file(&link).map_err(LoadError::io("remove", &link))?;
        let connection = opened.map_err(|error| error.about(&link, database))?;
        Ok(Reader { connection, _folder: Some(folder) })
    }
}

/// A private directory, removed on drop.
#[derive(Debug)]
struct ReaderFolder {
    path: PathBuf,
}

impl ReaderFolder {
    /// `None` if no directory can be created.
    fn create(paths: &StorePaths) -> Option<ReaderFolder> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let process_id = std::process::id();
        let own = paths.query_work(process_id);
        let temporary = std::env::temp_dir().join(format!("vcq-etl-query-{process_id}-{number}"));
        let create = |path: &Path| files::create_folder(path, Access::Private);
        let in_store = || {
            if !own.exists() {
                create(&own)?;
            }
            let path = own.join(number.to_string());
            create(&path).map(|()| path)
        };
        let path = in_store().or_else(|_| create(&temporary).map(|()| temporary)).ok()?;
        Some(ReaderFolder { path })
    }
}

impl Drop for ReaderFolder {
    fn drop(&mut self) {
        // A run that starts later removes what is left of them.
        let _ = fs::remove_dir_all(&self.path);
        // The directory of this process, if nothing else is in it.
        let is_own = self.path.parent().is_some_and(|parent| parent != std::env::temp_dir());
        let _ = is_own.then(|| self.path.parent().map(fs::remove_dir));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::fixture::Store;

    #[test]
    fn a_reader_of_a_store_without_write_permission_spills_to_the_temporary_directory() {
        let store = Store::new();
        store.publish("r1", Vec::new());
        let spill = |reader: &Reader| -> PathBuf {
            let sql = "select current_setting('temp_directory')";
            reader.query_row(sql, [], |row| row.get::<_, String>(0)).expect("a setting").into()
        };
        let reader = Reader::open(&store.paths, DatabaseOptions::default()).expect("open");
        assert!(spill(&reader).starts_with(store.paths.work()));
        drop(reader);
        // A file in place of the directory: an error for every user, including root.
        fs::remove_dir(store.paths.work()).expect("empty");
        fs::write(store.paths.work(), "").expect("a file");
        let reader = Reader::open(&store.paths, DatabaseOptions::default()).expect("open");
        let folder = spill(&reader).parent().expect("a directory").to_owned();
        assert!(folder.starts_with(std::env::temp_dir()) && folder.is_dir(), "{}", folder.display());
        reader.execute_batch("create temp table t as select range as a from range(100000)").expect("a temporary table");
        drop(reader);
        assert!(!folder.exists(), "nothing is left");
    }
}
