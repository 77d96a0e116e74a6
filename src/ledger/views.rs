//! What the ledger tells to those who only look: the state of a window's meetings, and what a store owes.
//!
//! Everything here reads; nothing waits for a writer, and no writer waits for it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, params};

use super::{Ledger, LedgerError, Mutex, RunRecord, VERSION};

/// Which meetings are meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowQuestion<'a> {
    /// Meetings that start in here, microseconds UTC, end exclusive.
    pub window_us: (i64, i64),
    /// Only these meetings; all where empty.
    pub meeting_nos: &'a [String],
    /// Also what is final counts as pending.
    pub refetch: bool,
}

/// A meeting with something left to ask, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MeetingState {
    pub start_us: i64,
    pub end_us: Option<i64>,
    pub meeting_date: i32,
    pub is_webinar: bool,
    pub devices: i64,
    pub list_final: bool,
    /// True where its list was answered before, finally or not.
    pub was_listed: bool,
    pub known: u64,
    /// Of those, participants to ask for.
    pub pending: u64,
    /// Quality calls that these take, if their answers are as long as expected.
    pub quality_calls: u64,
    /// Of the participants to ask for, those whose minutes are not known.
    pub lengthless: u64,
}

/// Units of a kind that are not final, over the whole store, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OpenUnits {
    pub never_asked: u64,
    /// Asked too early, or cut off: asked again.
    pub requested_again: u64,
    /// Of a refetch that is not published yet: to be asked again.
    pub refetch: u64,
    pub failed: u64,
}

impl Ledger {
    /// Opens a ledger that is there, to read it: makes nothing, migrates nothing. It can be read while a run writes.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn open_read_only(path: &Path) -> Result<Ledger, LedgerError> {
        let failed = |source| LedgerError::of("open", path, source);
        let connection = read_only(path).map_err(failed)?;
        let found = connection.query_row("pragma user_version", [], |row| row.get(0)).map_err(failed)?;
        if found > VERSION {
            return Err(LedgerError::Newer { path: path.to_owned(), found, known: VERSION });
        }
        connection.query_row("select count(*) from settings", [], |_| Ok(())).map_err(failed)?;
        Ok(Ledger { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// The version of the ledger's tables.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn version(&self) -> Result<i64, LedgerError> {
        self.one("pragma user_version", [], |row| row.get(0))
    }

    fn one<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        self.connection().query_row(sql, parameters, read).map_err(self.failed("read"))
    }

    /// Meetings and participants that the ledger knows of a window.
    pub(crate) fn known(&self, question: WindowQuestion<'_>) -> Result<(u64, u64), LedgerError> {
        let (since_us, until_us) = question.window_us;
        let numbers = listed(question.meeting_nos);
        let meetings = format!("select count(*) from meetings m where {IN_WINDOW}");
        let participants =
            format!("select count(*) from meetings m join participants p using (meeting_key) where {IN_WINDOW}");
        let count = |sql: &str| self.one(sql, params![since_us, until_us, numbers], |row| count(row, 0));
        Ok((count(&meetings)?, count(&participants)?))
    }

    /// The meetings of a window with something left to ask, newest first.
    pub(crate) fn meeting_states(&self, question: WindowQuestion<'_>) -> Result<Vec<MeetingState>, LedgerError> {
        let (since_us, until_us) = question.window_us;
        let is_pending = "(?4 or p.is_final = 0) and p.id is not null and p.join_s is not null";
        let sql = format!(
            "select m.start_us, m.end_us, m.meeting_date, m.is_webinar, m.devices, m.list_final,
                    m.list_final = 1 or m.list_digest is not null,
                    count(p.base_key),
                    count(case when {is_pending} then 1 end),
                    coalesce(sum(case when {is_pending} then max(1, (coalesce(p.expected_minutes, 1) + 99) / 100) end), 0),
                    count(case when {is_pending} and p.expected_minutes is null then 1 end)
             from meetings m
             left join participants p on p.meeting_key = m.meeting_key
             where {IN_WINDOW}
               and (?4 or m.list_final = 0 or exists (
                      select 1 from participants o where o.meeting_key = m.meeting_key and o.is_final = 0))
             group by m.meeting_key
             order by m.start_us desc, m.meeting_key"
        );
        let read = |row: &Row<'_>| {
            Ok(MeetingState {
                start_us: row.get(0)?,
                end_us: row.get(1)?,
                meeting_date: row.get(2)?,
                is_webinar: row.get(3)?,
                devices: row.get(4)?,
                list_final: row.get(5)?,
                was_listed: row.get(6)?,
                known: count(row, 7)?,
                pending: count(row, 8)?,
                quality_calls: count(row, 9)?,
                lengthless: count(row, 10)?,
            })
        };
        self.rows(&sql, params![since_us, until_us, listed(question.meeting_nos), question.refetch], read)
    }

    /// The start of the oldest meeting with something left to ask, microseconds UTC.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn oldest_pending_us(&self) -> Result<Option<i64>, LedgerError> {
        let sql = "select min(start_us) from meetings m
                   where list_final = 0 or exists (
                          select 1 from participants p where p.meeting_key = m.meeting_key and p.is_final = 0)";
        self.one(sql, [], |row| row.get(0))
    }

    /// The participants that are not final.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn open_participants(&self) -> Result<OpenUnits, LedgerError> {
        self.open_units("participants", "status", "last_us", "is_final")
    }

    /// The lists of participants that are not final.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn open_lists(&self) -> Result<OpenUnits, LedgerError> {
        self.open_units("meetings", "list_status", "list_us", "list_final")
    }

    fn open_units(&self, table: &str, status: &str, us: &str, is_final: &str) -> Result<OpenUnits, LedgerError> {
        // A meeting's status is null until its list is asked for, a participant's is pending from the beginning.
        let has_not_failed = format!("{status} is distinct from 'failed'");
        let sql = format!(
            "select count(case when {has_not_failed} and {us} is null then 1 end),
                    count(case when {has_not_failed} and {us} >= coalesce(r.began_us, {us}) then 1 end),
                    count(case when {has_not_failed} and {us} < r.began_us then 1 end),
                    count(case when {status} = 'failed' then 1 end)
             from {table} left join refetch r using (meeting_key) where {is_final} = 0"
        );
        let read = |row: &Row<'_>| {
            Ok(OpenUnits {
                never_asked: count(row, 0)?,
                requested_again: count(row, 1)?,
                refetch: count(row, 2)?,
                failed: count(row, 3)?,
            })
        };
        self.one(&sql, [], read)
    }

    /// Meetings whose earlier answers are held until a refetch has replaced them; 0 in a ledger that knows no such thing.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn refetch_meetings(&self) -> Result<u64, LedgerError> {
        self.one("select count(*) from refetch", [], |row| count(row, 0))
    }

    /// The last run of sync that was complete for its window.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn last_complete(&self) -> Result<Option<RunRecord>, LedgerError> {
        let complete = |run: &RunRecord| run.command == "sync" && run.exit_code == Some(0);
        Ok(self.runs()?.into_iter().rev().find(complete))
    }
}

/// The meetings of a [`WindowQuestion`]: its window is ?1 and ?2, its numbers are ?3.
const IN_WINDOW: &str =
    "m.start_us >= ?1 and m.start_us < ?2 and (?3 = '' or instr(?3, ',' || m.meeting_no || ',') > 0)";

/// Numbers as one text that SQL can look into: `,705605196,123456789,`; empty for all meetings.
fn listed(meeting_nos: &[String]) -> String {
    if meeting_nos.is_empty() { String::new() } else { format!(",{},", meeting_nos.join(",")) }
}

fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(|count| u64::try_from(count).unwrap_or_default())
}

/// Opens the file to look at it. Where nothing is in the write-ahead log the file alone is whole: opened as one that nobody
/// changes, it leaves no files beside it, and can be read in a folder where nothing may be made.
pub(crate) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    Connection::open_with_flags(address(path, !has_log), flags)
}

/// The name of a file that SQLite keeps beside its database.
fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The file as an address, which may say that nobody writes to it.
fn address(path: &Path, is_immutable: bool) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri + "?mode=ro" + if is_immutable { "&immutable=1" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nobody_writes_is_found_whatever_its_path_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let odd = folder.path().join("a ?b#c%41 \u{e9}");
        std::fs::create_dir(&odd).expect("made");
        let path = odd.join("ledger.sqlite");
        drop(Ledger::open(&path).expect("a ledger"));
        assert!(!beside(&path, "-wal").exists(), "the last writer tidies up");
        assert_eq!(Ledger::open_read_only(&path).expect("opened").version().expect("read"), VERSION);
    }

    #[test]
    fn numbers_are_found_whole() {
        assert_eq!(listed(&[]), "");
        assert_eq!(listed(&["705605196".to_owned(), "123456789".to_owned()]), ",705605196,123456789,");
    }

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
        drop(Ledger::open_read_only(&path).expect("beside a writer"));
        drop(ledger);
        let before = names(folder.path());
        drop(Ledger::open_read_only(&path).expect("alone"));
        assert_eq!(names(folder.path()), before);
    }

    #[test]
    fn what_is_no_ledger_or_a_newer_one_is_an_error() {
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
