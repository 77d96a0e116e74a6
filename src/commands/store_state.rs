//! What is published, held against what the raw log still has: published days that could not be made again are never
//! replaced by less.

use std::collections::BTreeSet;

use super::{DateError, SyncError};
use crate::extract::dates_with_lost_files;
use crate::ledger::{Ledger, RunRecord};
use crate::load::{DatePublication, Manifest, PublishedFile, StorePaths};
use crate::raw_log::{RawKind, list_dates, list_files};
use crate::schema::{COVERAGE, MEETINGS, PARTICIPANTS, QUALITY_SAMPLES, REJECTS, civil_date, civil_date_text};

/// The kind of raw file without which a table has no rows.
const SOURCES: &[(&str, RawKind)] = &[
    (MEETINGS.name, RawKind::Meetings),
    (COVERAGE.name, RawKind::Meetings),
    (REJECTS.name, RawKind::Meetings),
    (PARTICIPANTS.name, RawKind::Participants),
    (QUALITY_SAMPLES.name, RawKind::Quality),
];

/// Tables that never get fewer rows on a date: what the vendor no longer lists stays.
const NEVER_FEWER: &[&str] = &[MEETINGS.name, PARTICIPANTS.name];

/// The ledger's setting with the generation that was published last.
const GENERATION: &str = "generation";

/// Published dates whose answers are not all in the raw log: a kind of file is missing, or a file that the ledger has read
/// is gone or shorter. Without a manifest, whatever lies in `parquet/` may have been published.
pub(crate) fn lost_raw_dates(
    paths: &StorePaths,
    ledger: &Ledger,
    manifest: Option<&Manifest>,
) -> Result<BTreeSet<i32>, SyncError> {
    let raw = paths.raw();
    let of_file = |file: &PublishedFile| {
        let (table, _) = SOURCES.iter().find(|(table, _)| *table == file.table)?;
        Some((*table, civil_date(&file.meeting_date)?))
    };
    let partitions: Vec<(&str, i32)> = match manifest {
        Some(manifest) => manifest.files.iter().filter_map(of_file).collect(),
        None => paths.partitions()?,
    };
    let lost = dates_with_lost_files(&raw, ledger)?;
    let mut frozen = BTreeSet::new();
    // Three tables come from one kind: each folder is looked at once.
    let source = |partition: &str| SOURCES.iter().find(|(table, _)| *table == partition).map(|(_, kind)| *kind);
    let needed: BTreeSet<(RawKind, i32)> =
        partitions.iter().filter_map(|(partition, date)| Some((source(partition)?, *date))).collect();
    for (kind, date) in needed {
        if lost.contains(&date) || list_files(&raw, kind, date).map_err(DateError::Raw)?.is_empty() {
            frozen.insert(date);
        }
    }
    Ok(frozen)
}

/// Brings the ledger's view of what is published after what is there: where nothing is published any more, or an older
/// copy was put back, everything is to be published. Gives the frozen dates.
///
/// # Errors
/// [`SyncError::WithoutRaw`] where the next publication would drop days because no manifest names them.
pub(crate) fn before_asking(paths: &StorePaths, ledger: &Ledger) -> Result<BTreeSet<i32>, SyncError> {
    let manifest = Manifest::read(paths)?;
    let frozen = lost_raw_dates(paths, ledger, manifest.as_ref())?;
    let Some(manifest) = manifest else {
        without_manifest(&frozen)?;
        mark_all_dirty(paths, ledger)?;
        return Ok(frozen);
    };
    let published = ledger.setting(GENERATION)?.and_then(|text| text.parse::<u64>().ok());
    if published.is_some_and(|published| published > manifest.generation) {
        mark_all_dirty(paths, ledger)?;
    }
    Ok(frozen)
}

/// Refuses to go on where dates that are on disk cannot be made again and no manifest keeps them.
pub(crate) fn without_manifest(frozen: &BTreeSet<i32>) -> Result<(), SyncError> {
    match (frozen.first(), frozen.last()) {
        (Some(first), Some(last)) => Err(SyncError::WithoutRaw {
            dates: frozen.len(),
            first: civil_date_text(*first),
            last: civil_date_text(*last),
        }),
        _ => Ok(()),
    }
}

/// Every date of the raw log is to be published.
pub(crate) fn mark_all_dirty(paths: &StorePaths, ledger: &Ledger) -> Result<(), SyncError> {
    let mut dates = BTreeSet::new();
    for kind in RawKind::ALL {
        dates.extend(list_dates(&paths.raw(), *kind).map_err(DateError::Raw)?);
    }
    Ok(ledger.mark_dirty(dates.into_iter())?)
}

/// Remembers which generation was published.
pub(crate) fn remember_generation(ledger: &Ledger, generation: u64) -> Result<(), SyncError> {
    Ok(ledger.set_setting(GENERATION, &generation.to_string())?)
}

/// Whether a date would lose meetings or participants that are published.
pub(crate) fn is_short(date: &DatePublication, manifest: &Manifest) -> bool {
    let text = civil_date_text(date.meeting_date);
    NEVER_FEWER.iter().any(|table| {
        let published = manifest.files.iter().find(|file| file.table == *table && file.meeting_date == text);
        let staged = date.parts.iter().find(|part| part.table.name == *table).map_or(0, |part| part.rows);
        published.is_some_and(|file| staged < file.rows)
    })
}

/// Since when runs have been asking without one coming to its end, microseconds UTC: this run goes on with them. Not
/// longer ago than an hour, when early answers may have changed.
pub(crate) fn resumed_since(runs: &[RunRecord], now_us: i64) -> Option<i64> {
    const LONGEST_US: i64 = 3_600_000_000;
    let asks = |run: &&RunRecord| run.command == "sync";
    let ended = |run: &&RunRecord| !matches!(run.exit_code, Some(0 | 7));
    let since_us = runs.iter().rev().filter(asks).take_while(ended).map(|run| run.started_us).min()?;
    Some(since_us.max(now_us.saturating_sub(LONGEST_US)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_with_those_before_it_that_did_not_end() {
        const MINUTE: i64 = 60_000_000;
        let run = |command: &str, minute: i64, exit_code: Option<i64>| RunRecord {
            command: command.to_owned(),
            started_us: minute * MINUTE,
            exit_code,
            ..RunRecord::default()
        };
        let now = 100 * MINUTE;
        assert_eq!(resumed_since(&[], now), None);
        assert_eq!(resumed_since(&[run("sync", 90, Some(0))], now), None);
        assert_eq!(resumed_since(&[run("sync", 90, Some(7))], now), None);
        assert_eq!(resumed_since(&[run("sync", 80, Some(0)), run("sync", 90, None)], now), Some(90 * MINUTE));
        let killed =
            [run("sync", 70, Some(0)), run("sync", 80, None), run("plan", 85, Some(0)), run("sync", 90, Some(130))];
        assert_eq!(resumed_since(&killed, now), Some(80 * MINUTE));
        assert_eq!(resumed_since(&[run("sync", 10, None)], now), Some(40 * MINUTE), "an hour at most");
    }
}
