//! Keeps a client's read-write session from leaving a write-ahead log beside `vcq.duckdb`.
//!
//! A session that is open while a new file is renamed into place would write its log beside the new file, and every
//! reader would follow it. The file's mode stops all but root and sessions that were opened before. For those, the
//! names of the log are symbolic links into a directory that does not exist: DuckDB 1.2 to 2.0 finds no log to read
//! there, and cannot create one. A directory with the name of the log would keep 1.2 and 1.4 from reading.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::durable;
use super::error::Result;
use super::paths::StorePaths;
use crate::files::{self, Access};

/// What DuckDB appends to the name of the database for its log, and for the log during a checkpoint.
const LOG_SUFFIXES: [&str; 2] = [".wal", ".wal.checkpoint"];
/// Where the links point: shown by `ls -l` and to whoever follows the error message.
const NOWHERE: &str = "vcq.duckdb-is-read-only/open-it-with-read_only";

/// The logs beside a database.
pub(super) fn logs(database: &Path) -> impl Iterator<Item = PathBuf> {
    LOG_SUFFIXES.into_iter().map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// Removes logs beside the database and puts the links there. Returns whether there was a log. Only for the holder of
/// the store's lock.
pub(super) fn set(paths: &StorePaths) -> Result<bool> {
    let mut had_log = false;
    for log in logs(&paths.database()) {
        let is_link = fs::symlink_metadata(&log).is_ok_and(|metadata| metadata.is_symlink());
        if is_link && fs::read_link(&log).is_ok_and(|target| target == Path::new(NOWHERE)) {
            continue;
        }
        had_log |= log.is_file();
        durable::remove_file(&log)?;
        match symlink(NOWHERE, &log) {
            // A file system without symbolic links: the mode of the file and the next publication must be enough.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                tracing::debug!(path = %log.display(), %error, "cannot create a symbolic link");
            }
            _ => {}
        }
    }
    Ok(had_log)
}

/// Removes what may be beside a database.
pub(super) fn remove(paths: &StorePaths) -> Result {
    logs(&paths.database()).try_for_each(|log| durable::remove_file(&log))
}

/// Makes the next database read-only for everybody. A file system without modes does not keep it from being published.
pub(super) fn make_read_only(next: &Path) {
    if let Err(error) = files::set_mode(next, Access::current().read_only_mode()) {
        tracing::debug!(path = %next.display(), %error, "cannot make the database read-only");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_replaced_by_a_link_through_which_none_can_be_created() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        let wal = paths.database_wal();
        fs::write(&wal, "of a session").expect("write");
        assert!(set(&paths).expect("set"));
        assert!(!set(&paths).expect("set again"), "the log is gone");
        assert!(!wal.exists());
        assert_eq!(fs::write(&wal, "x").expect_err("no log").kind(), ErrorKind::NotFound);
    }
}
