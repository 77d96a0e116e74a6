//! The SQLite database of the ledger: opening it, its tables, and transactions.
//!
//! One connection behind a lock: commits are few (several checkpoints share one) and reads are short.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row, Transaction, TransactionBehavior};

use super::change::{Change, FileProgress};
use super::error::LedgerError;
use crate::files;
use crate::schema::meeting_keys::{KnownMeeting, KnownMeetings};

const VERSION: i64 = 6;
/// Since this version, the index is the same.
const INDEX_VERSION: i64 = 3;

pub(crate) const USER_ID_TYPE: &str = "user_id_type";

const TABLES: &str = include_str!("ledger.sql");
const ALERT_TABLES: &str = include_str!("alerts.sql");
const REPLACED_TABLES: &str = include_str!("replaced.sql");

/// Reads a row into a struct whose fields have the names of its columns.
macro_rules! read_fields {
    ($type:ident { $($field:ident)* }) => {
        |row: &rusqlite::Row<'_>| Ok($type { $($field: row.get(stringify!($field))?),* })
    };
}
pub(super) use read_fields;

/// Drops the index, to be rebuilt from the raw log. Settings, runs, open refetches, alerts and replacements stay.
const DROP_INDEX: &str = "
    drop table if exists meetings;
    drop table if exists participants;
    drop table if exists days;
    drop table if exists dirty_dates;
    drop table if exists raw_files;
";

#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    connection: Mutex<Connection>,
    is_upgraded: bool,
}

impl Ledger {
    /// Opens or creates the ledger. A ledger whose index is of an older version drops it.
    pub(crate) fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |source| LedgerError::from_sqlite("open", path, source);
        if !path.exists() {
            // SQLite gives its log the mode of the file. If the file cannot be created, it reports why.
            let _ = files::create_new(path);
        }
        let mut connection = Connection::open(path).map_err(failed)?;
        // WAL: a reader (status) never blocks the writer. FULL: a commit is on disk when it returns. Deleted rows are
        // overwritten, because they hold IDs of people.
        connection
            .execute_batch(
                "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; \
                 pragma secure_delete = on;",
            )
            .map_err(failed)?;
        let version = read_version(&connection, path)?;
        if version < VERSION {
            create_tables(&mut connection).map_err(failed)?;
        }
        let is_upgraded = (1..INDEX_VERSION).contains(&version);
        Ok(Ledger { path: path.to_owned(), connection: Mutex::new(connection), is_upgraded })
    }

    /// Whether opening it dropped the index of an older version.
    pub(crate) fn is_upgraded(&self) -> bool {
        self.is_upgraded
    }

    /// Opens an existing ledger for reading, also while a run writes. Creates and migrates nothing.
    pub(crate) fn open_read_only(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |source| LedgerError::from_sqlite("open", path, source);
        let connection = connect_read_only(path).map_err(failed)?;
        read_version(&connection, path)?;
        connection.query_row("select count(*) from settings", [], |_| Ok(())).map_err(failed)?;
        Ok(Ledger { path: path.to_owned(), connection: Mutex::new(connection), is_upgraded: false })
    }

    /// Checks every page of the file; [`LedgerError::Damaged`] if the check finds something.
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        let found: String = self.one("pragma quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" {
            return Ok(());
        }
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(self.failed("read")(rusqlite::Error::SqliteFailure(code, Some(found))))
    }

    /// Forgets everything that the raw log holds too.
    pub(crate) fn forget_index(&self) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| transaction.execute_batch(&format!("{DROP_INDEX}{TABLES}")))
    }

    /// How much of each raw file is indexed, by path below `raw/`.
    pub(crate) fn raw_files(&self) -> Result<HashMap<String, FileProgress>, LedgerError> {
        let read =
            |row: &Row<'_>| Ok((row.get(0)?, FileProgress { indexed_bytes: row.get(1)?, seen_bytes: row.get(2)? }));
        Ok(self.rows("select path, indexed_bytes, seen_bytes from raw_files", [], read)?.into_iter().collect())
    }

    pub(crate) fn forget_raw_files<'a>(&self, mut paths: impl Iterator<Item = &'a String>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            let mut delete = transaction.prepare_cached("delete from raw_files where path = ?1")?;
            paths.try_for_each(|path| delete.execute([path]).map(drop))
        })
    }

    /// Records lost raw files, so that their dates keep what is published also after a rebuild.
    pub(crate) fn remember_raw_files(&self, files: &HashMap<String, FileProgress>) -> Result<(), LedgerError> {
        self.apply(files.iter().map(|(path, progress)| Change::Indexed { path: path.clone(), progress: *progress }))
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back; the connection is still valid.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failed(&self, attempt: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError + '_ {
        move |source| LedgerError::from_sqlite(attempt, &self.path, source)
    }

    pub(super) fn rows<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        select(&self.connection(), sql, parameters, read).map_err(self.failed("read"))
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        self.connection().query_row(sql, parameters, read).map_err(self.failed("read"))
    }

    /// Writes everything or nothing.
    pub(super) fn in_transaction(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), LedgerError> {
        let mut connection = self.connection();
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write(&transaction)?;
            transaction.commit()
        };
        run().map_err(self.failed("write"))
    }

    /// Until the guard is dropped, more pages stay in memory and the log is written back into the file less often:
    /// indexing many dates changes the same pages again and again.
    pub(crate) fn for_many_changes(&self) -> Result<ManyChanges<'_>, LedgerError> {
        // A cache of 32 MiB, and 64 MiB of log: 16,384 pages.
        let sql = "pragma cache_size = -32768; pragma wal_autocheckpoint = 16384;";
        self.connection().execute_batch(sql).map_err(self.failed("write"))?;
        Ok(ManyChanges(self))
    }

    pub(crate) fn apply<C: Borrow<Change>>(&self, mut changes: impl Iterator<Item = C>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| changes.try_for_each(|change| change.borrow().apply(transaction)))
    }

    /// A setting with which the store was created.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.rows("select value from settings where name = ?1", [name], |row| row.get(0))?.pop())
    }

    pub(crate) fn set_setting(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        let sql = "insert or replace into settings values (?1, ?2)";
        self.in_transaction(|transaction| transaction.execute(sql, [name, value]).map(drop))
    }

    /// True if no meeting was ever listed.
    pub(crate) fn is_empty(&self) -> Result<bool, LedgerError> {
        self.one("select not exists (select 1 from meetings)", [], |row| row.get(0))
    }

    /// The digest of a meeting's item as a complete walk last listed it; empty if an incomplete walk listed it first or
    /// with other values. `None` if the meeting is unknown.
    pub(crate) fn item_digest(&self, meeting_key: &str) -> Result<Option<String>, LedgerError> {
        let sql = "select item_digest from meetings where meeting_key = ?1";
        Ok(self.rows(sql, [meeting_key], |row| row.get(0))?.pop())
    }
}

/// See [`Ledger::for_many_changes`].
pub(crate) struct ManyChanges<'a>(&'a Ledger);

impl Drop for ManyChanges<'_> {
    fn drop(&mut self) {
        // The defaults of SQLite. If they cannot be set, the ledger only takes more memory.
        let sql = "pragma cache_size = -2000; pragma wal_autocheckpoint = 1000; pragma shrink_memory;";
        let _ = self.0.connection().execute_batch(sql);
    }
}

impl KnownMeetings for Ledger {
    type Error = LedgerError;

    fn with_instance(&self, instance_id: &str) -> Result<Vec<KnownMeeting>, LedgerError> {
        let sql = "select instance_id, meeting_key, meeting_no, start_us, offset_min, end_us
                   from meetings where instance_id = ?1 order by start_us, meeting_key";
        let read = read_fields!(KnownMeeting { instance_id meeting_key meeting_no start_us offset_min end_us });
        self.rows(sql, [instance_id], read)
    }

    fn instance_of(&self, meeting_key: &str) -> Result<Option<String>, LedgerError> {
        let sql = "select instance_id from meetings where meeting_key = ?1";
        Ok(self.rows(sql, [meeting_key], |row| row.get(0))?.pop().flatten())
    }
}

pub(super) fn select<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(parameters, read)?.collect()
}

fn read_version(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let found = connection
        .query_row("pragma user_version", [], |row| row.get(0))
        .map_err(|source| LedgerError::from_sqlite("open", path, source))?;
    if found > VERSION {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    Ok(found)
}

/// Another process may create them at the same time, so the version is read again inside the transaction.
fn create_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("pragma user_version", [], |row| row.get(0))?;
    if version < VERSION {
        if version < INDEX_VERSION {
            transaction.execute_batch(&format!("{DROP_INDEX}{TABLES}"))?;
        }
        if version == 4 {
            // Its keys were those of single dates.
            transaction.execute_batch("drop table alert_rows")?;
        }
        transaction.execute_batch(&format!("{ALERT_TABLES}{REPLACED_TABLES}pragma user_version = {VERSION};"))?;
        let has_numbers = "select exists (select 1 from pragma_table_info('runs') where name = 'meeting_nos')";
        if !transaction.query_row(has_numbers, [], |row| row.get(0))? {
            transaction.execute_batch("alter table runs add column meeting_nos text")?;
        }
    }
    transaction.commit()
}

/// If the write-ahead log is empty, the file alone is complete and is opened as immutable: that creates no files beside
/// it and works in a read-only directory.
pub(super) fn connect_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let has_log = fs::metadata(wal_path(path)).is_ok_and(|log| log.len() > 0);
    // The characters that have a meaning in a URI.
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let uri = format!("file:{name}?mode=ro{}", if has_log { "" } else { "&immutable=1" });
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_opens_read_only_whatever_characters_its_path_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let odd = folder.path().join("a ?b#c%41 \u{e9}");
        std::fs::create_dir(&odd).expect("made");
        let path = odd.join("ledger.sqlite");
        drop(Ledger::open(&path).expect("a ledger"));
        assert!(!wal_path(&path).exists(), "the last writer removes it");
        let reader = Ledger::open_read_only(&path).expect("opened");
        assert_eq!(reader.one("pragma user_version", [], |row| row.get::<_, i64>(0)).expect("read"), VERSION);
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn reading_leaves_no_file_behind_and_works_beside_a_writer() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("led?ger#1 %.sqlite");
        let ledger = Ledger::open(&path).expect("made");
        ledger.set_setting("a", "b").expect("written");
        drop(Ledger::open_read_only(&path).expect("beside a writer"));
        drop(ledger);
        let before = names(folder.path());
        drop(Ledger::open_read_only(&path).expect("alone"));
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn a_ledger_of_version_0_1_keeps_its_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        let made = Connection::open(&path).expect("a file");
        let runs = "create table settings (name text primary key, value text not null) without rowid;
                    create table runs (
                        run_id text primary key, command text not null, since_us integer, until_us integer,
                        started_us integer not null, finished_us integer, outcome text, exit_code integer,
                        meetings integer, participants integer, samples integer, rejects integer,
                        calls_meeting_list integer, calls_participant_list integer, calls_quality_list integer,
                        throttles integer, waited_s real
                    ) without rowid;
                    insert into runs values ('r', 'sync', 1, 9, 9, 5, 'complete', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
                    pragma user_version = 2;";
        made.execute_batch(runs).expect("made");
        drop(made);
        let read = Ledger::open_read_only(&path).and_then(|ledger| ledger.runs()).expect("read");
        assert_eq!(read[0].finished_us, Some(9), "not before the start, whatever the clock did");
        let ledger = Ledger::open(&path).expect("opened");
        assert!(ledger.is_upgraded() && !Ledger::open(&path).expect("again").is_upgraded());
        let runs = ledger.runs().expect("read");
        assert_eq!(runs, read);
        let limited = crate::ledger::RunRecord { meeting_nos: Some("705605196".to_owned()), ..runs[0].clone() };
        ledger.record_run(&limited).expect("recorded");
        assert_eq!(ledger.runs().expect("read"), [limited]);
    }

    #[test]
    fn a_file_that_is_not_a_ledger_or_a_newer_one_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.sqlite");
        assert!(Ledger::open_read_only(&path).is_err());
        std::fs::write(&path, "no database at all, but long enough to look like a page of one").expect("written");
        assert!(Ledger::open_read_only(&path).is_err());
        std::fs::remove_file(&path).expect("removed");
        Connection::open(&path).and_then(|made| made.execute_batch("pragma user_version = 99")).expect("made");
        assert!(matches!(Ledger::open_read_only(&path), Err(LedgerError::Newer { found: 99, .. })));
        assert!(!folder.path().join("ledger.sqlite-wal").exists());
    }
}
