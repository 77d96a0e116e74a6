//! Is the ledger readable, and which answers does it know of: for `verify`, which only looks.
//!
//! A connection of its own, read-only: opening a [`Ledger`](super::Ledger) makes one where there is none.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::runs::{HISTORY, RunRecord, record};
use super::views::read_only;
use crate::ledger::USER_ID_TYPE;
use crate::raw_log::RawKind;

/// An answer that the ledger knows of, and that must be in the raw log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownAnswer {
    pub kind: RawKind,
    /// The meeting or the participant.
    pub unit: String,
    /// When its walk began, microseconds UTC; `None` where the ledger does not say.
    pub requested_us: Option<i64>,
    /// Whether the ledger takes it for final; `None` where it is being asked again whatever it was.
    pub is_final: Option<bool>,
}

/// What the ledger is and knows.
#[derive(Debug, Default)]
pub(crate) struct LedgerCheck {
    /// True where there is no ledger yet, or one without tables: a run that has just begun makes them.
    pub is_new: bool,
    /// What is wrong with it: what was expected, what was found.
    pub problems: Vec<(String, String)>,
    /// Dates with answers that are not published yet, days since 1970-01-01.
    pub dirty_dates: Vec<i32>,
    /// The answers it knows of, by meeting date, days since 1970-01-01.
    pub answers: BTreeMap<i32, Vec<KnownAnswer>>,
    /// The raw files it was brought after, by their path below `raw/`, and how many bytes of each.
    pub raw_files: Vec<(String, u64)>,
    /// The kind of user ids that the store was made with.
    pub user_id_type: Option<String>,
}

/// Reads the ledger. Whatever keeps SQLite from reading it is a problem, not an error. A run may write to it meanwhile.
pub(crate) fn check_ledger(path: &Path) -> LedgerCheck {
    let mut check = LedgerCheck { is_new: !path.exists(), ..LedgerCheck::default() };
    if check.is_new {
        return check;
    }
    if let Err(error) = read(path, &mut check) {
        check.problems.push(("a ledger that SQLite can read".to_owned(), error.to_string()));
    }
    check
}

/// The dates with answers that are not published yet, days since 1970-01-01; none where the ledger can't be read.
pub(crate) fn unpublished_dates(path: &Path) -> Vec<i32> {
    open(path).and_then(|connection| dirty_dates(&connection)).unwrap_or_default()
}

/// The history of runs, oldest first; `None` where there is none that can be read.
pub(crate) fn runs_of(path: &Path) -> Option<Vec<RunRecord>> {
    let read = |connection: Connection| connection.prepare(HISTORY)?.query_map([], record)?.collect();
    if path.exists() { open(path).and_then(read).ok() } else { None }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = read_only(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

fn dirty_dates(connection: &Connection) -> rusqlite::Result<Vec<i32>> {
    let mut select = connection.prepare("select meeting_date from dirty_dates order by meeting_date")?;
    select.query_map([], |row| row.get(0))?.collect()
}

fn read(path: &Path, check: &mut LedgerCheck) -> rusqlite::Result<()> {
    let mut connection = open(path)?;
    // One transaction: what a run commits meanwhile is not seen by half.
    let connection = connection.transaction()?;
    let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        check.is_new = true;
        return Ok(());
    }
    let health: Vec<String> =
        connection.prepare("pragma quick_check(5)")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if health != ["ok"] {
        check.problems.push(("a ledger that is whole".to_owned(), health.join("; ")));
    }
    check.dirty_dates = dirty_dates(&connection)?;
    let asked = "select m.meeting_date, p.base_key, p.last_us, iif(r.meeting_key is null, p.is_final, null)
                 from participants p join meetings m on m.meeting_key = p.meeting_key
                 left join refetch r on r.meeting_key = p.meeting_key where p.last_us is not null";
    let listed = "select m.meeting_date, m.meeting_key, m.list_us, iif(r.meeting_key is null, m.list_final, null)
                  from meetings m left join refetch r on r.meeting_key = m.meeting_key where m.list_us is not null";
    for (kind, sql) in [(RawKind::Quality, asked), (RawKind::Participants, listed)] {
        let mut select = connection.prepare(sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let answer = KnownAnswer { kind, unit: row.get(1)?, requested_us: row.get(2)?, is_final: row.get(3)? };
            check.answers.entry(row.get(0)?).or_default().push(answer);
        }
    }
    check.raw_files = connection
        .prepare("select path, indexed_bytes from raw_files order by path")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64)))?
        .collect::<Result<_, _>>()?;
    check.user_id_type = connection
        .query_row("select value from settings where name = ?1", [USER_ID_TYPE], |row| row.get(0))
        .optional()?;
    let orphans: i64 = connection.query_row(
        "select count(*) from participants p where not exists (select 1 from meetings m where m.meeting_key = p.meeting_key)",
        [],
        |row| row.get(0),
    )?;
    if orphans > 0 {
        check.problems.push(("participants of known meetings only".to_owned(), format!("{orphans} of unknown ones")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    #[test]
    fn a_new_ledger_is_whole_and_knows_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.sqlite");
        let open = Ledger::open(&path).expect("made");
        // Beside the writer, as while a sync runs.
        let check = check_ledger(&path);
        assert!(!check.is_new && check.problems.is_empty() && check.answers.is_empty(), "{check:?}");
        drop(open);
        assert!(check_ledger(&path).problems.is_empty());
    }

    #[test]
    fn garbage_and_absence_are_problems_and_nothing_is_made() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.sqlite");
        assert!(check_ledger(&path).is_new && !path.exists(), "only looked");
        std::fs::write(&path, "").expect("written");
        assert!(check_ledger(&path).is_new);
        std::fs::write(&path, "no database at all, but longer than a header of SQLite".repeat(100)).expect("written");
        assert_eq!(check_ledger(&path).problems.len(), 1);
    }
}
