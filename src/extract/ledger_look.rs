//! A look at the ledger that changes nothing, not even the files beside it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::LedgerError;
use super::ledger::VERSION;

/// Whether the ledger can be opened and read.
///
/// Where no run has left a write-ahead log the file is opened as one that nobody changes: a plain reader would make the log
/// and its index beside it.
///
/// # Errors
/// [`LedgerError`].
pub fn look_at_ledger(path: &Path) -> Result<(), LedgerError> {
    let failed = |source| LedgerError::Sqlite { attempt: "open", path: path.to_owned(), source };
    let has_log = std::fs::metadata(beside(path)).is_ok_and(|log| log.len() > 0);
    let mut uri = format!("file:{}?mode=ro", escaped(path));
    if !has_log {
        uri.push_str("&immutable=1");
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags).map_err(failed)?;
    let found: i64 = connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(failed)?;
    if found > VERSION {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    connection.query_row("select count(*) from settings", [], |row| row.get::<_, i64>(0)).map_err(failed)?;
    Ok(())
}

/// The write-ahead log of a database.
fn beside(path: &Path) -> std::path::PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// A path as it may stand in a URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::super::Ledger;
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn looking_leaves_no_file_behind_and_needs_no_writer_to_pause() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("led?ger#1 %.sqlite");
        let ledger = Ledger::open(&path).expect("made");
        ledger.set_setting("a", "b").expect("written");
        look_at_ledger(&path).expect("beside a writer");
        drop(ledger);
        let before = names(folder.path());
        look_at_ledger(&path).expect("alone");
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn what_is_no_ledger_or_a_newer_one_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        assert!(look_at_ledger(&path).is_err());
        std::fs::write(&path, "no database at all, but long enough to look like a page of one").expect("written");
        assert!(look_at_ledger(&path).is_err());
        std::fs::remove_file(&path).expect("removed");
        Connection::open(&path).and_then(|made| made.execute_batch("pragma user_version = 99")).expect("made");
        assert!(matches!(look_at_ledger(&path), Err(LedgerError::Newer { found: 99, .. })));
        assert!(!folder.path().join("ledger.sqlite-wal").exists());
    }
}
