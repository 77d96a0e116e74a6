//! Compares what is published with what the raw log still has: published dates that could not be rebuilt are never
//! replaced by less.

use std::collections::BTreeSet;

use super::error::SyncError;
use super::publish::date_error::DateError;
use crate::extract::dates_with_lost_files;
use crate::ledger::{Ledger, RunRecord};
use crate::load::{DatePublication, Manifest, PublishedFile, StorePaths};
use crate::raw_log::{RawKind, list_dates, list_files};
use crate::schema::{
    CENSUS_DAILY, CENSUS_USERS, COVERAGE, MEETINGS, PARTICIPANTS, QUALITY_SAMPLES, REJECTS, RESERVATIONS, ROOM_ALERTS,
    civil_date, civil_date_text,
};

/// The kind of raw file without which a table has no rows.
const SOURCES: &[(&str, RawKind)] = &[
    (MEETINGS.name, RawKind::Meetings),
    (COVERAGE.name, RawKind::Meetings),
    (PARTICIPANTS.name, RawKind::Participants),
    (QUALITY_SAMPLES.name, RawKind::Quality),
    (ROOM_ALERTS.name, RawKind::RoomAlerts),
    (RESERVATIONS.name, RawKind::Reservations),
    (CENSUS_DAILY.name, RawKind::CensusDaily),
    (CENSUS_USERS.name, RawKind::CensusUsers),
];

/// Tables that never get fewer rows on a date: what Feishu no longer lists stays.
const NEVER_FEWER: &[&str] = &[MEETINGS.name, PARTICIPANTS.name];

/// The ledger's setting for the generation published last.
pub(super) const GENERATION: &str = "generation";

/// Published dates whose raw data is incomplete: a kind of file is missing, or a file that the ledger has read is gone
/// or shorter. Without a manifest, whatever is in `parquet/` may have been published.
pub(super) fn lost_raw_dates(
    paths: &StorePaths,
    ledger: &Ledger,
    manifest: Option<&Manifest>,
) -> Result<BTreeSet<i32>, SyncError> {
    let raw = paths.raw();
    let source = |table: &str| SOURCES.iter().find(|(name, _)| *name == table).map(|(_, kind)| *kind);
    let published = |file: &PublishedFile| Some((source(&file.table)?, civil_date(file.date_with_rows()?)?));
    // Three tables have the same source, so each directory is listed only once.
    let needed: BTreeSet<(RawKind, i32)> = match manifest {
        Some(manifest) => manifest.files.iter().filter_map(published).collect(),
        None => paths.partitions()?.into_iter().filter_map(|(table, date)| Some((source(table)?, date))).collect(),
    };
    let lost = dates_with_lost_files(&raw, ledger)?;
    let mut lost_raw = BTreeSet::new();
    // A reject may come from any kind.
    let rejects: BTreeSet<i32> = match manifest {
        Some(manifest) => {
            let of_rejects = manifest.files.iter().filter(|file| file.table == REJECTS.name);
            of_rejects.filter_map(|file| civil_date(file.date_with_rows()?)).collect()
        }
        None => {
            paths.partitions()?.into_iter().filter(|(table, _)| *table == REJECTS.name).map(|(_, date)| date).collect()
        }
    };
    for date in rejects {
        let mut has_files = false;
        for kind in RawKind::ALL {
            has_files |= !list_files(&raw, *kind, date).map_err(DateError::Raw)?.is_empty();
        }
        if !has_files || lost.contains(&date) {
            lost_raw.insert(date);
        }
    }
    for (kind, date) in needed {
        let is_missing = |kind| list_files(&raw, kind, date).map(|files| files.is_empty()).map_err(DateError::Raw);
        // Meetings come from the list or from events.
        let from_events = kind == RawKind::Meetings && !is_missing(RawKind::Events)?;
        if lost.contains(&date) || (is_missing(kind)? && !from_events) {
            lost_raw.insert(date);
        }
    }
    Ok(lost_raw)
}

/// Reconciles the ledger with what is published: if nothing is any more, or an older copy was restored, everything is
/// due. Returns the dates with lost raw data, or [`SyncError::WithoutRaw`] if publishing would drop dates because no
/// manifest names them.
pub(super) fn reconcile(paths: &StorePaths, ledger: &Ledger) -> Result<BTreeSet<i32>, SyncError> {
    let manifest = Manifest::read(paths)?;
    let lost_raw = lost_raw_dates(paths, ledger, manifest.as_ref())?;
    let Some(manifest) = manifest else {
        check_without_manifest(&lost_raw)?;
        mark_all_dirty(paths, ledger)?;
        return Ok(lost_raw);
    };
    let published = ledger.setting(GENERATION)?.and_then(|text| text.parse::<u64>().ok());
    if published.is_some_and(|published| published > manifest.generation) {
        mark_all_dirty(paths, ledger)?;
    }
    Ok(lost_raw)
}

/// Returns an error if there are dates with lost raw data, which only a manifest could keep.
pub(super) fn check_without_manifest(lost_raw: &BTreeSet<i32>) -> Result<(), SyncError> {
    let (Some(first), Some(last)) = (lost_raw.first(), lost_raw.last()) else { return Ok(()) };
    let (first, last) = (civil_date_text(*first), civil_date_text(*last));
    Err(SyncError::WithoutRaw { dates: lost_raw.len(), first, last })
}

pub(super) fn mark_all_dirty(paths: &StorePaths, ledger: &Ledger) -> Result<(), SyncError> {
    let mut dates = BTreeSet::new();
    for kind in RawKind::ALL {
        dates.extend(list_dates(&paths.raw(), *kind).map_err(DateError::Raw)?);
    }
    Ok(ledger.mark_dirty(dates.into_iter())?)
}

/// Whether a date would lose meetings or participants that are published.
pub(super) fn is_short(date: &DatePublication, manifest: &Manifest) -> bool {
    let text = civil_date_text(date.meeting_date);
    NEVER_FEWER.iter().any(|table| {
        let published =
            manifest.files.iter().find(|file| file.table == *table && file.meeting_date.as_ref() == Some(&text));
        let staged = date.parts.iter().find(|part| part.table.name == *table).map_or(0, |part| part.rows);
        published.is_some_and(|file| staged < file.rows)
    })
}

/// Since when syncs have been stopped before their end, microseconds UTC: this run resumes them. Not more than an hour
/// ago, because early data may have changed since.
pub(super) fn resumed_since(runs: &[RunRecord], now_us: i64) -> Option<i64> {
    const MAX_AGE_US: i64 = 3_600_000_000;
    let is_sync = |run: &&RunRecord| run.command == "sync";
    let was_stopped = |run: &&RunRecord| !matches!(run.exit_code, Some(0 | 7));
    let since_us = runs.iter().rev().filter(is_sync).take_while(was_stopped).map(|run| run.started_us).min()?;
    Some(since_us.max(now_us.saturating_sub(MAX_AGE_US)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_resumes_the_stopped_runs_before_it() {
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
