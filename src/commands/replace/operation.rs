//! The steps of a replacement.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::commands::error::SyncError;
use crate::commands::publish::date_error::DateError;
use crate::commands::publish::round::RoundInput;
use crate::commands::publish::setup::PublishSetup;
use crate::commands::store_state::lost_raw_dates;
use crate::error::ExitCode;
use crate::extract::catch_up;
use crate::ledger::{DirtyDate, Ledger, LedgerError, Replacing, ReplacingWith, RunRecord};
use crate::load::{Manifest, PublishMode, StorePaths};
use crate::raw_log::{
    RawError, RawKind, Rewrite, RewrittenFile, date_in_path, list_dates, list_files, remove_date, rewrite_file,
};
use crate::schema::civil_date_text;

/// What was staged in `.work/`.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// The dates with a new raw file.
    pub dates: BTreeSet<i32>,
    /// Why the raw files of some dates cannot be rewritten; these dates stay as they are.
    pub damaged: BTreeMap<i32, RawError>,
}

/// The dates that have a raw file of any kind.
pub(super) fn raw_dates(paths: &StorePaths) -> Result<BTreeSet<i32>, SyncError> {
    let mut dates = BTreeSet::new();
    for kind in RawKind::ALL {
        dates.extend(list_dates(&paths.raw(), *kind).map_err(DateError::Raw)?);
    }
    Ok(dates)
}

/// The dates of a store, by whether all of their raw files are there.
pub(super) struct Dates {
    /// With all of them: these dates can be rewritten and published again.
    pub whole: BTreeSet<i32>,
    /// Published, but raw files are missing: these dates stay as they are, because they would lose rows.
    pub lost: BTreeSet<i32>,
}

impl Dates {
    pub(super) fn read(paths: &StorePaths, ledger: &Ledger) -> Result<Self, SyncError> {
        let lost = lost_raw_dates(paths, ledger, Manifest::read(paths)?.as_ref())?;
        Ok(Self { whole: raw_dates(paths)?.difference(&lost).copied().collect(), lost })
    }
}

/// Rewrites the raw files of these kinds and dates into `.work/`. The originals are not touched.
pub(super) fn stage(
    paths: &StorePaths,
    kinds: &[RawKind],
    dates: &BTreeSet<i32>,
    rewrite: &dyn Rewrite,
    threads: usize,
) -> Result<Staged, SyncError> {
    let (raw, new) = (paths.raw(), paths.new_raw());
    let mut files: Vec<(i32, PathBuf, PathBuf)> = Vec::new();
    for (kind, date) in kinds.iter().flat_map(|kind| dates.iter().map(move |date| (*kind, *date))) {
        for from in list_files(&raw, kind, date).map_err(DateError::Raw)? {
            let to = new.join(from.strip_prefix(&raw).unwrap_or(&from));
            files.push((date, from, to));
        }
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Vec::new();
        while let Some((meeting_date, from, to)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let file = RewrittenFile { from, to, meeting_date: *meeting_date };
            results.push((*meeting_date, rewrite_file(&file, rewrite)));
        }
        results
    };
    let results: Vec<(i32, Result<bool, RawError>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(files.len())).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    let mut staged = Staged::default();
    for (date, result) in results {
        match result {
            Ok(false) => {}
            Ok(true) => drop(staged.dates.insert(date)),
            Err(error @ RawError::Damaged { .. }) => drop(staged.damaged.insert(date, error)),
            Err(error) => return Err(DateError::Raw(error).into()),
        }
    }
    for date in staged.damaged.keys() {
        staged.dates.remove(date);
        for kind in kinds {
            remove_date(&new, *kind, *date).map_err(DateError::Raw)?;
        }
    }
    Ok(staged)
}

/// Begins and finishes a replacement whose new raw files are staged. Only for the holder of the lock.
pub(super) fn replace(
    paths: &StorePaths,
    ledger: &Arc<Ledger>,
    dates: &[Replacing],
    with: &ReplacingWith<'_>,
    (setup, run, exit): (&PublishSetup, &mut RunRecord, Option<ExitCode>),
) -> Result<Finished, SyncError> {
    paths.sync_new_raw()?;
    ledger.begin_replacing(dates, with)?;
    put_in_place(paths)?;
    Ok(finish(paths, ledger, setup, run, exit)?.unwrap_or_default())
}

/// Puts the raw files of a replacement in place that has begun; does nothing if there is none. Before `.work/` is
/// cleaned, and only for the holder of the lock.
pub(in crate::commands) fn put_in_place(paths: &StorePaths) -> Result<(), SyncError> {
    let replacing = match Ledger::open_read_only(&paths.ledger()).and_then(|ledger| ledger.replacing()) {
        Ok(replacing) => replacing,
        // Reported by the command itself.
        Err(LedgerError::Newer { .. } | LedgerError::Damaged { .. }) => return Ok(()),
        // No ledger yet, or one without tables. But new raw files must not be discarded.
        Err(_) if !paths.new_raw().exists() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for (date, kind) in replacing.iter().flat_map(|date| RawKind::ALL.iter().map(move |kind| (date, *kind))) {
        match date.removes_raw {
            true => remove_date(&paths.raw(), kind, date.meeting_date),
            false => crate::raw_log::put_in_place(&paths.new_raw(), &paths.raw(), kind, date.meeting_date),
        }
        .map_err(DateError::Raw)?;
    }
    Ok(())
}

/// Writes what stays replaced to files beside the ledger, which may be lost. Only for the holder of the lock.
pub(super) fn keep_outside_ledger(paths: &StorePaths, ledger: &Ledger) -> Result<(), SyncError> {
    let expired = ledger.dates_expired_before()?.into_iter().map(civil_date_text).collect();
    paths.write_lines(&paths.expired_file(), &expired)?;
    Ok(paths.write_lines(&paths.forgotten_file(), &ledger.forgotten()?)?)
}

/// What the end of a replacement has to say.
#[derive(Debug, Default)]
pub(in crate::commands) struct Finished {
    /// The replaced dates, `YYYY-MM-DD`.
    pub dates: Vec<String>,
    /// Null if nothing is published yet.
    pub generation: Option<u64>,
    pub notes: Vec<String>,
    /// Why a date could not be published again; its raw files are replaced.
    pub damaged: Option<DateError>,
}

/// Finishes the replacement that the journal names, after its raw files are in place: indexes them, publishes the
/// dates, and removes what is left of the old rows. Does nothing if there is none. Blocking.
pub(in crate::commands) fn finish(
    paths: &StorePaths,
    ledger: &Arc<Ledger>,
    setup: &PublishSetup,
    run: &mut RunRecord,
    exit: Option<ExitCode>,
) -> Result<Option<Finished>, SyncError> {
    keep_outside_ledger(paths, ledger)?;
    let replacing = ledger.replacing()?;
    if replacing.is_empty() {
        return Ok(None);
    }
    put_in_place(paths)?;
    let all: BTreeSet<i32> = replacing.iter().map(|date| date.meeting_date).collect();
    let removed: BTreeSet<i32> =
        replacing.iter().filter(|date| date.removes_raw).map(|date| date.meeting_date).collect();
    let mut forgotten = BTreeSet::new();
    for path in ledger.raw_files()?.into_keys() {
        let Some(date) = date_in_path(&path).filter(|date| all.contains(date)) else { continue };
        // The record of a file that was lost before stays: its date keeps what is published.
        if removed.contains(&date) || paths.raw().join(&path).exists() {
            forgotten.insert(path);
        }
    }
    ledger.forget_dates(&all, &forgotten)?;
    catch_up(&paths.raw(), ledger, &setup.zone)?;
    ledger.resume_refetch()?;
    let mut finished =
        Finished { dates: all.iter().map(|date| civil_date_text(*date)).collect(), ..Finished::default() };
    // Otherwise all of it is still to be published.
    if Manifest::read(paths)?.is_some() {
        let changes: BTreeMap<i32, i64> =
            ledger.dirty_dates()?.into_iter().map(|date| (date.meeting_date, date.changes)).collect();
        let published: BTreeSet<i32> =
            replacing.iter().filter(|date| date.publishes).map(|date| date.meeting_date).collect();
        let dirty =
            |date: &i32| DirtyDate { meeting_date: *date, changes: changes.get(date).copied().unwrap_or_default() };
        let round = RoundInput {
            // The database is built from the files, because a copy would keep the old rows in unused blocks.
            setup: PublishSetup { mode: PublishMode::Recheck, may_lose_rows: published.clone(), ..setup.clone() },
            paths: paths.clone(),
            ledger: Arc::clone(ledger),
            part_number: 1,
            dates: published.iter().map(dirty).collect(),
            run: run.clone(),
            exit,
        }
        .publish()?;
        paths.remove_orphans()?;
        *run = round.run;
        finished.generation = Some(round.generation);
        finished.notes = round.notes;
        finished.damaged = round.skipped.damaged;
    }
    paths.sync_dates(&all)?;
    paths.remove_new_raw()?;
    ledger.compact()?;
    ledger.end_replacing()?;
    Ok(Some(finished))
}
