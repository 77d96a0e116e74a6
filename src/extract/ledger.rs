//! The ledger: what was asked, what came back, what is still owed. An index over the raw log, in SQLite.
//!
//! One connection behind a lock: commits are few (one a checkpoint, several grouped), and reads are short.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::schema::Status;
use crate::schema::identity::{MeetingIdentity, ParticipantId, ParticipantIdentity};

/// The ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite said no.
    #[error("cannot {attempt} the ledger at {}", path.display())]
    Sqlite {
        /// open, read or write.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// Written by a newer version.
    #[error("the ledger at {} has version {found}; this program knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
}

pub(super) const VERSION: i64 = 1;

const TABLES: &str = include_str!("ledger.sql");

/// One run's history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunRecord {
    /// The run.
    pub run_id: String,
    /// sync or rebuild.
    pub command: String,
    /// The window, microseconds UTC.
    pub since_us: Option<i64>,
    /// The window, microseconds UTC.
    pub until_us: Option<i64>,
    /// Begin, microseconds UTC.
    pub started_us: i64,
    /// End; `None` while under way.
    pub finished_us: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// The exit code.
    pub exit_code: Option<i64>,
    /// meetings, participants, samples, rejects of the window.
    pub totals: Option<[i64; 4]>,
    /// Calls to meeting_list, participant_list, participant_quality_list.
    pub calls: [i64; 3],
    /// Requests refused for their rate.
    pub throttles: i64,
    /// Seconds waited for the vendor.
    pub waited_s: f64,
}

/// A meeting with something left to ask.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OwedMeeting {
    pub meeting_key: String,
    pub meeting_no: String,
    pub start_us: i64,
    pub offset_min: i32,
    pub end_us: Option<i64>,
    pub meeting_date: i32,
    pub is_webinar: bool,
    pub devices: i64,
    pub list_final: bool,
    pub list_digest: Option<String>,
}

/// A participant to ask for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OwedParticipant {
    pub base_key: String,
    pub id: ParticipantId,
    pub join_s: i64,
    pub expected_minutes: Option<i64>,
    pub digest: Option<String>,
}

/// A change to the ledger, applied once its answer is on disk.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Meeting { key: String, identity: MeetingIdentity, devices: i64, item_digest: String },
    Listed { meeting_key: String, status: Status, is_final: bool, digest: Option<String> },
    Participant { meeting_key: String, identity: ParticipantIdentity },
    Answered { base_key: String, status: Status, is_final: bool, digest: Option<String>, items: u64, asked_us: i64 },
    Dirty { meeting_date: i32 },
}

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Ledger {
    /// Opens the ledger, or makes it.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn open(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |source| LedgerError::Sqlite { attempt: "open", path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(failed)?;
        // WAL: a reader (status) never stops the writer. FULL: a commit is on disk when it returns.
        connection
            .execute_batch("pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 10000;")
            .map_err(failed)?;
        let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(failed)?;
        match version {
            0 => connection
                .execute_batch(&format!("begin;\n{TABLES}\npragma user_version = {VERSION};commit;"))
                .map_err(failed)?,
            VERSION => {}
            found => return Err(LedgerError::Newer { path: path.to_owned(), found, known: VERSION }),
        }
        Ok(Ledger { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back; the connection itself is whole.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, attempt: &'static str) -> impl Fn(rusqlite::Error) -> LedgerError + '_ {
        move |source| LedgerError::Sqlite { attempt, path: self.path.clone(), source }
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
            let transaction = connection.transaction()?;
            write(&transaction)?;
            transaction.commit()
        };
        all().map_err(self.failed("write"))
    }

    /// A setting that the store was made with.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn setting(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.connection()
            .query_row("select value from settings where name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(self.failed("read"))
    }

    /// Records a setting of the store.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn set_setting(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.connection()
            .execute("insert or replace into settings values (?1, ?2)", [name, value])
            .map(drop)
            .map_err(self.failed("write"))
    }

    /// Applies changes in one transaction.
    pub(super) fn apply<'a>(&self, mut changes: impl Iterator<Item = &'a Change>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| changes.try_for_each(|change| change.apply(transaction)))
    }

    /// The digest of a meeting's item as it was last listed.
    pub(super) fn item_digest(&self, meeting_key: &str) -> Result<Option<String>, LedgerError> {
        self.connection()
            .prepare_cached("select item_digest from meetings where meeting_key = ?1")
            .and_then(|mut select| select.query_row([meeting_key], |row| row.get(0)).optional())
            .map_err(self.failed("read"))
    }

    /// Makes everything of these meetings owed again. What was answered stays published until a new answer is there.
    pub(super) fn forget_finality<'a>(&self, meetings: impl Iterator<Item = &'a String>) -> Result<(), LedgerError> {
        let list = "update meetings set list_final = 0 where meeting_key = ?1";
        let quality = "update participants set is_final = 0
                       where meeting_key = ?1 and id is not null and join_s is not null";
        self.in_transaction(|transaction| {
            for meeting_key in meetings {
                transaction.prepare_cached(list)?.execute([meeting_key])?;
                transaction.prepare_cached(quality)?.execute([meeting_key])?;
            }
            Ok(())
        })
    }

    /// True where no meeting was ever listed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn is_empty(&self) -> Result<bool, LedgerError> {
        self.connection()
            .query_row("select not exists (select 1 from meetings)", [], |row| row.get(0))
            .map_err(self.failed("read"))
    }

    /// The meetings that start in a window and have something left to ask, newest first.
    pub(super) fn owed_meetings(&self, since_us: i64, until_us: i64) -> Result<Vec<OwedMeeting>, LedgerError> {
        let sql = "select meeting_key, meeting_no, start_us, offset_min, end_us, meeting_date, is_webinar, devices,
                          list_final, list_digest
                   from meetings m
                   where start_us >= ?1 and start_us < ?2
                     and (list_final = 0 or exists (
                            select 1 from participants p where p.meeting_key = m.meeting_key and p.is_final = 0))
                   order by start_us desc, meeting_key";
        let read = |row: &Row<'_>| {
            Ok(OwedMeeting {
                meeting_key: row.get(0)?,
                meeting_no: row.get(1)?,
                start_us: row.get(2)?,
                offset_min: row.get(3)?,
                end_us: row.get(4)?,
                meeting_date: row.get(5)?,
                is_webinar: row.get(6)?,
                devices: row.get(7)?,
                list_final: row.get(8)?,
                list_digest: row.get(9)?,
            })
        };
        self.rows(sql, params![since_us, until_us], read)
    }

    /// The participants of a meeting that are still to be asked for.
    pub(super) fn owed_participants(&self, meeting_key: &str) -> Result<Vec<OwedParticipant>, LedgerError> {
        let sql = "select base_key, id_kind, id, join_s, expected_minutes, digest
                   from participants
                   where meeting_key = ?1 and is_final = 0 and id is not null and join_s is not null
                   order by base_key";
        let read = |row: &Row<'_>| {
            let (kind, id): (String, String) = (row.get(1)?, row.get(2)?);
            Ok(OwedParticipant {
                base_key: row.get(0)?,
                id: if kind == ROOM { ParticipantId::Room(id) } else { ParticipantId::User(id) },
                join_s: row.get(3)?,
                expected_minutes: row.get(4)?,
                digest: row.get(5)?,
            })
        };
        self.rows(sql, params![meeting_key], read)
    }

    /// The dates with unpublished answers, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn dirty_dates(&self) -> Result<Vec<i32>, LedgerError> {
        self.rows("select meeting_date from dirty_dates order by meeting_date", [], |row| row.get(0))
    }

    /// Forgets that these dates have unpublished answers: they are published.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn published(&self, dates: &[i32]) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            for date in dates {
                transaction.execute("delete from dirty_dates where meeting_date = ?1", [date])?;
            }
            Ok(())
        })
    }

    /// Records a run, at its beginning and at its end.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn record_run(&self, run: &RunRecord) -> Result<(), LedgerError> {
        let totals = |index: usize| run.totals.map(|totals| totals[index]);
        self.connection()
            .execute(
                "insert or replace into runs values (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
                params![
                    run.run_id,
                    run.command,
                    run.since_us,
                    run.until_us,
                    run.started_us,
                    run.finished_us,
                    run.outcome,
                    run.exit_code,
                    totals(0),
                    totals(1),
                    totals(2),
                    totals(3),
                    run.calls[0],
                    run.calls[1],
                    run.calls[2],
                    run.throttles,
                    run.waited_s,
                ],
            )
            .map(drop)
            .map_err(self.failed("write"))
    }

    /// Every run, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        let read = |row: &Row<'_>| {
            let totals: [Option<i64>; 4] = [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?];
            Ok(RunRecord {
                run_id: row.get(0)?,
                command: row.get(1)?,
                since_us: row.get(2)?,
                until_us: row.get(3)?,
                started_us: row.get(4)?,
                finished_us: row.get(5)?,
                outcome: row.get(6)?,
                exit_code: row.get(7)?,
                totals: match totals {
                    [Some(meetings), Some(participants), Some(samples), Some(rejects)] => {
                        Some([meetings, participants, samples, rejects])
                    }
                    _ => None,
                },
                calls: [row.get(12)?, row.get(13)?, row.get(14)?],
                throttles: row.get(15)?,
                waited_s: row.get(16)?,
            })
        };
        self.rows("select * from runs order by started_us, run_id", [], read)
    }
}

const ROOM: &str = "room";
const USER: &str = "user";

impl Change {
    fn apply(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Change::Meeting { key, identity, devices, item_digest } => {
                let sql = "insert into meetings (meeting_key, meeting_no, start_us, offset_min, end_us, meeting_date,
                                                 is_webinar, devices, item_digest)
                           values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                           on conflict (meeting_key) do update set
                               end_us = excluded.end_us, is_webinar = excluded.is_webinar,
                               devices = excluded.devices, item_digest = excluded.item_digest";
                transaction.prepare_cached(sql)?.execute(params![
                    key,
                    identity.meeting_no,
                    identity.start.utc_us,
                    identity.start.offset_min,
                    identity.end.map(|end| end.utc_us),
                    identity.start.local_day(),
                    identity.is_webinar,
                    devices,
                    item_digest,
                ])?;
            }
            Change::Listed { meeting_key, status, is_final, digest } => {
                let sql = "update meetings set list_status = ?2, list_final = ?3,
                               list_digest = coalesce(?4, list_digest) where meeting_key = ?1";
                transaction.prepare_cached(sql)?.execute(params![meeting_key, status.name(), is_final, digest])?;
            }
            Change::Participant { meeting_key, identity } => {
                let (kind, id) = match &identity.id {
                    Some(ParticipantId::User(id)) => (Some(USER), Some(id)),
                    Some(ParticipantId::Room(id)) => (Some(ROOM), Some(id)),
                    None => (None, None),
                };
                let join_s = identity.join.map(|join| join.unix_s());
                // Who cannot be asked for is an answer in itself.
                let (status, is_final) = match (id, join_s) {
                    (None, _) => (Status::Unaddressable, true),
                    (_, None) => (Status::Unsupported, true),
                    _ => (Status::Pending, false),
                };
                let sql = "insert into participants (base_key, meeting_key, id_kind, id, join_s, expected_minutes,
                                                     status, is_final)
                           values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                           on conflict (base_key) do update set expected_minutes = excluded.expected_minutes";
                transaction.prepare_cached(sql)?.execute(params![
                    identity.base_key,
                    meeting_key,
                    kind,
                    id,
                    join_s,
                    identity.expected_minutes,
                    status.name(),
                    is_final,
                ])?;
            }
            Change::Answered { base_key, status, is_final, digest, items, asked_us } => {
                let sql = "update participants set status = ?2, is_final = ?3, digest = coalesce(?4, digest),
                               items = ?5, last_us = ?6, attempts = attempts + 1 where base_key = ?1";
                transaction.prepare_cached(sql)?.execute(params![
                    base_key,
                    status.name(),
                    is_final,
                    digest,
                    *items as i64,
                    asked_us,
                ])?;
            }
            Change::Dirty { meeting_date } => {
                transaction.prepare_cached("insert or ignore into dirty_dates values (?1)")?.execute([meeting_date])?;
            }
        }
        Ok(())
    }
}
