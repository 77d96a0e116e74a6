//! The run history, and what stays replaced, when they are not in the ledger; and what the history says about the time
//! that was fetched.

use std::path::Path;

use duckdb::Connection;

use super::error::SyncError;
use super::estimate::local_minute;
use crate::ledger::{Hole, Ledger, RunRecord, covered_until, holes, read_runs};
use crate::load::connection::open_in_memory;
use crate::load::{DatabaseOptions, LoadError, Manifest, StorePaths, open_complete};
use crate::schema::ddl::quoted;
use crate::schema::{TenantZone, utc_text};

const DAY_US: i64 = 86_400_000_000;
/// The window of `--since last` in a store without a complete run.
const FIRST_WINDOW_US: i64 = 7 * DAY_US;

/// Adds what a lost ledger knew: which dates expired, who is forgotten, and the published runs. Returns what to say if
/// the runs are lost.
pub(super) fn restore_lost(
    paths: &StorePaths,
    ledger: &Ledger,
    database: DatabaseOptions,
) -> Result<Option<String>, SyncError> {
    ledger.restore_replaced(&paths.expired_dates()?, &paths.lines(&paths.forgotten_file())?)?;
    // A damaged manifest is reported by the caller.
    let Ok(Some(manifest)) = Manifest::read(paths) else { return Ok(None) };
    let known = ledger.runs()?;
    let knows = |run_id: &str| known.iter().any(|run| run.run_id == run_id);
    if knows(&manifest.run_id) {
        return Ok(None);
    }
    let published = published_runs(paths, database);
    for run in published.iter().filter(|run| !knows(&run.run_id)) {
        ledger.record_run(run)?;
    }
    Ok(published.is_empty().then(|| {
        let since = &manifest.created_utc;
        format!("the run history is lost: time before {since} may not be fully covered")
    }))
}

/// The runs in a published part of the table `runs`.
pub(super) fn runs_in(part: &Path, spill: &Path, database: DatabaseOptions) -> Result<Vec<RunRecord>, LoadError> {
    let failed = || LoadError::duckdb("read", part);
    let connection = open_in_memory(spill, database)?;
    let sql = format!("create view runs as select * from read_parquet({})", quoted(&part.to_string_lossy()));
    connection.execute_batch(&sql).map_err(failed())?;
    read_published(&connection, "meeting_nos").map_err(failed())
}

/// The runs in the published database; none if it cannot be read.
fn published_runs(paths: &StorePaths, database: DatabaseOptions) -> Vec<RunRecord> {
    let Ok(connection) = open_complete(paths, database) else { return Vec::new() };
    read_published(&connection, "meeting_nos")
        // Published by an older version.
        .or_else(|_| read_published(&connection, "cast(null as varchar)"))
        .unwrap_or_default()
}

fn read_published(connection: &Connection, meeting_nos: &str) -> duckdb::Result<Vec<RunRecord>> {
    let sql = format!(
        "select run_id, command, epoch_us(since_utc), epoch_us(until_utc), epoch_us(started_utc),
                epoch_us(finished_utc), outcome, exit_code, meetings, participants, samples, rejects,
                calls_meeting_list, calls_participant_list, calls_quality_list, throttles, waited_s, {meeting_nos}
         from runs
         where started_utc is not null"
    );
    let mut select = connection.prepare(&sql)?;
    let rows = select.query_map([], |row| {
        let count = |index: usize| Ok::<i64, duckdb::Error>(row.get::<_, Option<i64>>(index)?.unwrap_or_default());
        let totals: [Option<i64>; 4] = [row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?];
        Ok(RunRecord {
            run_id: row.get(0)?,
            command: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            since_us: row.get(2)?,
            until_us: row.get(3)?,
            started_us: row.get(4)?,
            finished_us: row.get(5)?,
            outcome: row.get(6)?,
            exit_code: row.get(7)?,
            totals: if let [Some(a), Some(b), Some(c), Some(d)] = totals { Some([a, b, c, d]) } else { None },
            calls: [count(12)?, count(13)?, count(14)?],
            throttles: count(15)?,
            waited_s: row.get::<_, Option<f64>>(16)?.unwrap_or_default(),
            meeting_nos: row.get(17)?,
        })
    })?;
    rows.collect()
}

/// Where `--since last` begins, and why there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastStart {
    pub since_us: i64,
    /// For people: a clause.
    pub why: String,
}

/// Reads the run history of a store, which need not exist. Takes no lock.
pub(crate) fn last_start(store: &Path, database: DatabaseOptions, settle_us: i64, now_us: i64) -> LastStart {
    let runs = StorePaths::existing(store).map(|paths| {
        let known = read_runs(&paths.ledger()).filter(|runs| !runs.is_empty());
        known.unwrap_or_else(|| published_runs(&paths, database))
    });
    start_of(&runs.unwrap_or_default(), settle_us, now_us)
}

/// From where the newest complete run ended, less the settle time and a day, and from the oldest hole.
fn start_of(runs: &[RunRecord], settle_us: i64, now_us: i64) -> LastStart {
    // A clock that was ahead must not put it into the future.
    let Some(covered_until_us) = covered_until(runs).map(|until_us| until_us.min(now_us)) else {
        let since_us = now_us.saturating_sub(FIRST_WINDOW_US);
        return LastStart { since_us, why: "no run has completed yet, so the last 7 days are fetched".to_owned() };
    };
    let overlap_us = covered_until_us.saturating_sub(settle_us).saturating_sub(DAY_US);
    match holes(runs, now_us).first() {
        Some(hole) if hole.since_us < overlap_us => {
            let why = format!("no complete run covers {} to {}", utc_text(hole.since_us), utc_text(hole.until_us));
            LastStart { since_us: hole.since_us, why }
        }
        _ => {
            let why = format!("the newest complete run covers the time until {}", utc_text(covered_until_us));
            LastStart { since_us: overlap_us, why }
        }
    }
}

/// For the summary: the first holes in the tenant's time, with what closes them.
pub(super) fn holes_note(found: &[Hole], zone: &TenantZone) -> Option<String> {
    const MOST: usize = 3;
    let texts: Vec<String> = found
        .iter()
        .take(MOST)
        .map(|hole| format!("{} to {}", local_minute(hole.since_us, zone), local_minute(hole.until_us, zone)))
        .collect();
    let more = found.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!texts.is_empty()).then(|| {
        format!(
            "not covered by any complete run: {}{more} ({}); meetings may be missing: run vcq-etl sync --since last to \
             fetch them",
            texts.join(", "),
            zone.name()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;

    fn sync(since_day: i64, until_day: i64) -> RunRecord {
        RunRecord {
            command: "sync".to_owned(),
            since_us: Some(since_day * DAY_US),
            until_us: Some(until_day * DAY_US),
            started_us: until_day * DAY_US,
            exit_code: Some(0),
            ..RunRecord::default()
        }
    }

    #[test]
    fn last_goes_back_to_the_newest_complete_run_or_the_oldest_hole() {
        let since = |runs: &[RunRecord], now_day: i64| start_of(runs, 24 * HOUR_US, now_day * DAY_US).since_us / DAY_US;
        assert_eq!(since(&[], 20), 13, "a week");
        assert_eq!(since(&[sync(0, 10)], 11), 8, "the settle time and a day");
        assert_eq!(since(&[sync(0, 10)], 16), 8, "the open end lies behind that");
        assert_eq!(since(&[sync(0, 10), sync(14, 16)], 16), 10, "the hole");
        assert_eq!(since(&[sync(0, 10), sync(14, 16), sync(9, 17)], 17), 15, "closed");
        let failed = RunRecord { exit_code: Some(8), ..sync(0, 15) };
        assert_eq!(since(&[sync(0, 10), failed], 16), 8);
    }

    #[test]
    fn a_note_names_the_holes_and_what_closes_them() {
        let hole = |day: i64| Hole { since_us: day * DAY_US, until_us: (day + 1) * DAY_US };
        let zone = TenantZone::parse("+08:00").expect("a zone");
        assert_eq!(holes_note(&[], &zone), None);
        let note = holes_note(&[hole(0), hole(2), hole(4), hole(6), hole(8)], &zone).expect("a note");
        assert!(note.contains("1970-01-01 08:00 to 1970-01-02 08:00, 1970-01-03"), "{note}");
        assert!(note.contains(" and 2 more (+08:00); ") && note.contains("sync --since last"), "{note}");
    }
}
