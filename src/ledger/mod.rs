//! The ledger: what was asked, what came back, what is still pending. An index over the raw log, in SQLite.
//!
//! One connection behind a lock: commits are few (one a checkpoint, several grouped), and reads are short. Other processes
//! may write too (`plan` takes no lock), so nothing is read first and written later outside a transaction.

mod change;
mod check;
mod pending;
mod refetch;
mod runs;
mod views;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params};

pub(crate) use change::Change;
pub(crate) use check::{LedgerCheck, check_ledger, runs_of, unpublished_dates};
pub(crate) use pending::{PendingMeeting, PendingParticipant};
pub(crate) use runs::RunRecord;

pub(crate) use views::OpenUnits;
pub(crate) use views::{MeetingState, WindowQuestion};

/// The ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("cannot {attempt} the ledger at {}", path.display())]
    Sqlite {
        /// open, read or write.
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// It is no ledger, or its pages contradict one another.
    #[error("the ledger at {} is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// Written by a newer version.
    #[error("the ledger at {} has version {found}; this program knows {known}", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
}

const VERSION: i64 = 2;

/// The name of the ledger's setting for the kind of user ids.
pub(crate) const USER_ID_TYPE: &str = "user_id_type";

const TABLES: &str = include_str!("ledger.sql");

/// Forgets the index, for it to be made again from the raw log. Settings, runs and what is being asked again stay.
const FORGET_INDEX: &str = "
    drop table if exists meetings;
    drop table if exists participants;
    drop table if exists dirty_dates;
    drop table if exists raw_files;
";

/// A date with answers that are not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirtyDate {
    /// Days since 1970-01-01.
    pub meeting_date: i32,
    /// How many answers, so far: a later one makes it dirty again.
    pub changes: i64,
}

/// How far a raw file is in the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Indexed {
    /// The end of the last checkpoint that is in.
    pub indexed_bytes: u64,
    /// The size of the file when it was looked at.
    pub seen_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Ledger {
    /// Opens the ledger, or makes it. One of an older version forgets its index.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |source| LedgerError::of("open", path, source);
        let mut connection = Connection::open(path).map_err(failed)?;
        // WAL: a reader (status) never stops the writer. FULL: a commit is on disk when it returns.
        connection
            .execute_batch("pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full;")
            .map_err(failed)?;
        let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(failed)?;
        if version > VERSION {
            return Err(LedgerError::Newer { path: path.to_owned(), found: version, known: VERSION });
        }
        if version < VERSION {
            make_tables(&mut connection).map_err(failed)?;
        }
        Ok(Ledger { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// Looks at every page of the file.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where something is wrong with it.
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        let found: String =
            self.connection().query_row("pragma quick_check(1)", [], |row| row.get(0)).map_err(self.failed("read"))?;
        match found.as_str() {
            "ok" => Ok(()),
            _ => {
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
                let source = rusqlite::Error::SqliteFailure(code, Some(found));
                Err(LedgerError::Damaged { path: self.path.clone(), source })
            }
        }
    }

    /// Forgets everything that the raw log holds too.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn forget_index(&self) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| transaction.execute_batch(&format!("{FORGET_INDEX}{TABLES}")))
    }

    pub(crate) fn forget_raw_files<'a>(&self, mut paths: impl Iterator<Item = &'a String>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            paths.try_for_each(|path| {
                transaction.prepare_cached("delete from raw_files where path = ?1")?.execute([path]).map(drop)
            })
        })
    }

    /// Remembers raw files that are not there, so that their dates stay as they are published also after a rebuild.
    pub(crate) fn remember_raw_files(&self, files: &HashMap<String, Indexed>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            files.iter().try_for_each(|(path, indexed)| {
                Change::Indexed { path: path.clone(), indexed: *indexed }.apply(transaction)
            })
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back; the connection itself is whole.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, attempt: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError + '_ {
        move |source| LedgerError::of(attempt, &self.path, source)
    }

    /// Every row of a query.
    fn rows<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        let connection = self.connection();
        let rows =
            || -> rusqlite::Result<Vec<T>> { connection.prepare_cached(sql)?.query_map(parameters, read)?.collect() };
        rows().map_err(self.failed("read"))
    }

    /// Writes in one transaction: all of it or nothing.
    fn in_transaction(&self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<(), LedgerError> {
        let mut connection = self.connection();
        let all = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write(&transaction)?;
            transaction.commit()
        };
        all().map_err(self.failed("write"))
    }

    /// A setting that the store was made with.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn setting(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.connection()
            .query_row("select value from settings where name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(self.failed("read"))
    }

    /// Records a setting of the store.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn set_setting(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.connection()
            .execute("insert or replace into settings values (?1, ?2)", [name, value])
            .map(drop)
            .map_err(self.failed("write"))
    }

    /// Applies changes in one transaction.
    pub(crate) fn apply<'a>(&self, mut changes: impl Iterator<Item = &'a Change>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| changes.try_for_each(|change| change.apply(transaction)))
    }

    /// The digest of a meeting's item as a whole walk last listed it; empty where a walk that is not whole had it otherwise,
    /// or first.
    pub(crate) fn item_digest(&self, meeting_key: &str) -> Result<Option<String>, LedgerError> {
        self.connection()
            .prepare_cached("select item_digest from meetings where meeting_key = ?1")
            .and_then(|mut select| select.query_row([meeting_key], |row| row.get(0)).optional())
            .map_err(self.failed("read"))
    }

    /// True where no meeting was ever listed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn is_empty(&self) -> Result<bool, LedgerError> {
        self.connection()
            .query_row("select not exists (select 1 from meetings)", [], |row| row.get(0))
            .map_err(self.failed("read"))
    }

    /// The dates with unpublished answers, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn dirty_dates(&self) -> Result<Vec<DirtyDate>, LedgerError> {
        let read = |row: &Row<'_>| Ok(DirtyDate { meeting_date: row.get(0)?, changes: row.get(1)? });
        self.rows("select meeting_date, changes from dirty_dates order by meeting_date", [], read)
    }

    /// The dates of which no whole walk has listed a meeting as it is now known: a walk over the meeting list broke off, and
    /// nothing that it brought can be published yet. Without those whose meetings all start in `read_us` (microseconds UTC,
    /// end exclusive), of which the list was read to its end since: what is not in it any more has nothing to wait for.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn half_listed_dates(&self, read_us: (i64, i64)) -> Result<BTreeSet<i32>, LedgerError> {
        let sql = "select meeting_date from meetings group by meeting_date
                   having max(item_digest) = '' and not (min(start_us) >= ?1 and max(start_us) < ?2)";
        Ok(self.rows(sql, [read_us.0, read_us.1], |row| row.get(0))?.into_iter().collect())
    }

    /// Forgets that these dates have unpublished answers, but for those that came since the dates were read.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn published(&self, dates: &[DirtyDate]) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            for date in dates {
                let sql = "delete from dirty_dates where meeting_date = ?1 and changes <= ?2";
                transaction.prepare_cached(sql)?.execute(params![date.meeting_date, date.changes])?;
            }
            Ok(())
        })
    }

    /// Marks dates as having answers that are not published.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn mark_dirty(&self, dates: impl Iterator<Item = i32>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            dates.into_iter().try_for_each(|meeting_date| Change::Dirty { meeting_date }.apply(transaction))
        })
    }

    /// How far each raw file is in here, by its path below `raw/`.
    pub(crate) fn raw_files(&self) -> Result<HashMap<String, Indexed>, LedgerError> {
        let read = |row: &Row<'_>| {
            let indexed =
                Indexed { indexed_bytes: row.get::<_, i64>(1)? as u64, seen_bytes: row.get::<_, i64>(2)? as u64 };
            Ok((row.get(0)?, indexed))
        };
        Ok(self.rows("select path, indexed_bytes, seen_bytes from raw_files", [], read)?.into_iter().collect())
    }
}

/// Makes the tables. Another process may be at it at the same time: the version is looked at again once it is our turn.
fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("pragma user_version", [], |row| row.get(0))?;
    if version < VERSION {
        transaction.execute_batch(&format!("{FORGET_INDEX}{TABLES}pragma user_version = {VERSION};"))?;
    }
    transaction.commit()
}

impl LedgerError {
    fn of(attempt: &'static str, path: &Path, source: rusqlite::Error) -> LedgerError {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => LedgerError::Damaged { path, source },
            _ => LedgerError::Sqlite { attempt, path, source },
        }
    }
}
