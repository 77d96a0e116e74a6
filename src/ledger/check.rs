//! What `verify` reads: whether the ledger is intact, and which answers it records.
//!
//! Uses a read-only connection of its own: opening a [`Ledger`](super::Ledger) would create a missing one.

use std::collections::BTreeMap;
use std::path::Path;

use super::change::FileProgress;
use super::database::{Ledger, USER_ID_TYPE, connect_read_only, select};
use super::holes::PRUNE_RAW;
use super::runs::RunRecord;
use super::synced::{STOPPED_RUNS, SyncedFiles};
use crate::raw_log::{RawKind, date_in_path};
use crate::schema::civil_date_text;

/// An answer that the ledger records, so that it must be in the raw log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownAnswer {
    pub kind: RawKind,
    pub unit: String,
    /// When its walk started, microseconds UTC; `None` if unknown.
    pub requested_us: Option<i64>,
    /// Whether the ledger considers it final; `None` if it is requested again all the same.
    pub is_final: Option<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct LedgerCheck {
    /// True if there is no ledger, or one without tables: a run that has just started creates them.
    pub is_new: bool,
    /// Expected and found.
    pub problems: Vec<(String, String)>,
    /// Dates with unpublished changes, days since 1970-01-01.
    pub dirty_dates: Vec<i32>,
    /// The answers it records, by meeting date (days since 1970-01-01), without those of `replacing`.
    pub answers: BTreeMap<i32, Vec<KnownAnswer>>,
    /// The indexed raw files, without those of `replacing`.
    pub raw_files: SyncedFiles,
    /// The end of the time whose raw files were removed while the published rows stayed, microseconds UTC.
    pub raw_pruned_us: Option<i64>,
    /// Dates of a replacement that was interrupted.
    pub replacing: Vec<i32>,
    /// The kind of user IDs with which the store was created.
    pub user_id_type: Option<String>,
}

/// Reads the ledger, also while a run writes. An error of SQLite is reported as a problem.
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

/// The dates with unpublished changes, days since 1970-01-01; empty if the ledger cannot be read.
pub(crate) fn unpublished_dates(path: &Path) -> Vec<i32> {
    let dates = Ledger::open_read_only(path).and_then(|ledger| ledger.dirty_dates()).unwrap_or_default();
    dates.into_iter().map(|date| date.meeting_date).collect()
}

/// The run history, oldest first; `None` if it cannot be read.
pub(crate) fn read_runs(path: &Path) -> Option<Vec<RunRecord>> {
    Ledger::open_read_only(path).and_then(|ledger| ledger.runs()).ok()
}

fn read(path: &Path, check: &mut LedgerCheck) -> rusqlite::Result<()> {
    let mut connection = connect_read_only(path)?;
    // One transaction, for a consistent view while a run commits.
    let connection = connection.transaction()?;
    check.is_new = connection.query_row("select not exists (select 1 from sqlite_schema)", [], |row| row.get(0))?;
    if check.is_new {
        return Ok(());
    }
    let health: Vec<String> = select(&connection, "pragma quick_check(5)", [], |row| row.get(0))?;
    if health != ["ok"] {
        check.problems.push(("an intact ledger".to_owned(), health.join("; ")));
    }
    let dirty_dates = "select meeting_date from dirty_dates order by meeting_date";
    check.dirty_dates = select(&connection, dirty_dates, [], |row| row.get(0))?;
    let quality = "select m.meeting_date, p.base_key, p.last_us, iif(r.meeting_key is null, p.is_final, null)
                 from participants p join meetings m on m.meeting_key = p.meeting_key
                 left join refetch r on r.meeting_key = p.meeting_key where p.last_us is not null";
    // A list that was final is pending again if Feishu counts more participants than it has. A ledger of an older
    // version does not have these numbers until the next sync opens it.
    let has_people = "select exists (select 1 from pragma_table_info('meetings') where name = 'people')";
    let has_people: bool = connection.query_row(has_people, [], |row| row.get(0))?;
    let is_short = if has_people { "coalesce(m.number_of_participants > m.people, 0)" } else { "0" };
    let lists = format!(
        "select m.meeting_date, m.meeting_key, m.list_us,
                iif(r.meeting_key is null
                    and not (m.list_final = 0 and m.list_status in ('complete', 'empty') and {is_short}),
                    m.list_final, null)
         from meetings m left join refetch r on r.meeting_key = m.meeting_key where m.list_us is not null"
    );
    for (kind, sql) in [(RawKind::Quality, quality), (RawKind::Participants, lists.as_str())] {
        select(&connection, sql, [], |row| {
            let answer = KnownAnswer { kind, unit: row.get(1)?, requested_us: row.get(2)?, is_final: row.get(3)? };
            check.answers.entry(row.get(0)?).or_default().push(answer);
            Ok(())
        })?;
    }
    // A ledger of an older version has no such table until the next sync opens it.
    let has_days = "select exists (select 1 from sqlite_schema where name = 'days')";
    if connection.query_row(has_days, [], |row| row.get(0))? {
        let sql = "select day, kind, last_us, is_final from days";
        select(&connection, sql, [], |row| {
            let (day, folder): (i32, String) = (row.get(0)?, row.get(1)?);
            if let Some(kind) = RawKind::DAILY.iter().find(|kind| kind.folder() == folder) {
                let (unit, requested_us, is_final) = (civil_date_text(day), row.get(2)?, row.get(3)?);
                let answer = KnownAnswer { kind: *kind, unit, requested_us, is_final };
                check.answers.entry(day).or_default().push(answer);
            }
            Ok(())
        })?;
    }
    let raw_files = "select path, indexed_bytes, seen_bytes from raw_files";
    let files = select(&connection, raw_files, [], |row| {
        Ok((row.get(0)?, FileProgress { indexed_bytes: row.get(1)?, seen_bytes: row.get(2)? }))
    })?;
    let stopped: Vec<String> = select(&connection, STOPPED_RUNS, [], |row| row.get(0))?;
    check.raw_files = SyncedFiles { files: files.into_iter().collect(), stopped: stopped.into_iter().collect() };
    let pruned = "select max(until_us) from runs where command = ?1 and exit_code = 0";
    check.raw_pruned_us = connection.query_row(pruned, [PRUNE_RAW], |row| row.get(0))?;
    let has_journal = "select exists (select 1 from sqlite_schema where name = 'replacing')";
    if connection.query_row(has_journal, [], |row| row.get(0))? {
        let sql = "select meeting_date from replacing order by meeting_date";
        check.replacing = select(&connection, sql, [], |row| row.get(0))?;
    }
    // Their raw files may be replaced or removed already; what ends the replacement reads them again.
    let is_read_again = |date: &i32| check.replacing.contains(date);
    check.answers.retain(|date, _| !is_read_again(date));
    check.raw_files.files.retain(|path, _| !date_in_path(path).is_some_and(|date| is_read_again(&date)));
    let setting = "select value from settings where name = ?1";
    check.user_id_type = select(&connection, setting, [USER_ID_TYPE], |row| row.get(0))?.pop();
    let orphans = "select count(*) from participants where meeting_key not in (select meeting_key from meetings)";
    let orphans: u64 = connection.query_row(orphans, [], |row| row.get(0))?;
    if orphans > 0 {
        let found = format!("{orphans} of unknown meetings");
        check.problems.push(("only participants of known meetings".to_owned(), found));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ledger::{Change, Ledger, Replacing, ReplacingWith};

    #[test]
    fn a_new_ledger_is_intact_and_empty() {
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
    fn what_an_interrupted_replacement_reads_again_is_not_expected() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.sqlite");
        let ledger = Ledger::open(&path).expect("made");
        let known = |date: &str| Change::Indexed {
            path: format!("quality/meeting_date={date}/a-0.jsonl.zst"),
            progress: FileProgress { indexed_bytes: 10, seen_bytes: 10 },
        };
        ledger.apply([known("2024-10-04"), known("2024-10-05")].iter()).expect("written");
        assert_eq!(check_ledger(&path).raw_files.iter().count(), 2);
        let replaced = Replacing { meeting_date: 20_000, removes_raw: false, publishes: true };
        let with = ReplacingWith { settings: &[], forgotten: &BTreeSet::new(), expired: &[] };
        ledger.begin_replacing(&[replaced], &with).expect("begun");
        let check = check_ledger(&path);
        assert_eq!(check.replacing, [20_000]);
        let expected: Vec<_> = check.raw_files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(expected, ["quality/meeting_date=2024-10-05/a-0.jsonl.zst"]);
    }

    #[test]
    fn garbage_is_a_problem_and_nothing_is_created() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.sqlite");
        assert!(check_ledger(&path).is_new && !path.exists(), "only read");
        std::fs::write(&path, "").expect("written");
        assert!(check_ledger(&path).is_new);
        std::fs::write(&path, "no database at all, but longer than a header of SQLite".repeat(100)).expect("written");
        assert_eq!(check_ledger(&path).problems.len(), 1);
    }
}
