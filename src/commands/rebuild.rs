//! `rebuild`: rebuilds everything derived from `raw/`, offline.
//!
//! Promises: makes no API calls; a published date whose raw data is no longer complete stays as it is. Trusts neither
//! the Parquet files nor the database: files are compared byte by byte, and the database is built from scratch.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use super::error::SyncError;
use super::open_store::{open_and_lock, settle_raw};
use super::publish::date_error::DateError;
use super::publish::definitions::Installed;
use super::publish::publisher::Publisher;
use super::publish::setup::PublishSetup;
use super::setup::forward_only;
use super::store_setup::StoreSetup;
use super::store_state::{check_without_manifest, lost_raw_dates, mark_all_dirty};
use super::summary::{Summary, TimeSpan};
use super::{history, identity, notes, replace, run_record, store_settings};
use crate::error::ExitCode;
use crate::extract::{catch_up_to, forget_index};
use crate::ledger::{DirtyDate, Ledger, LedgerError, holes};
use crate::load::{LoadError, Manifest, PublishMode, StorePaths};
use crate::raw_log::{RawKind, list_dates};
use crate::schema::{QUALITY_SAMPLES, TimeWindow};

#[derive(Clone)]
pub(crate) struct RebuildSetup {
    pub store: StoreSetup,
    /// The meeting dates to rebuild, days since 1970-01-01, end exclusive; all if `None`.
    pub days: Option<(i32, i32)>,
}

/// Also returns why some dates could not be rebuilt, if so; they stay as they were.
pub(crate) async fn rebuild(setup: RebuildSetup) -> Result<(Summary, Option<SyncError>), SyncError> {
    let RebuildSetup { store: setup, days } = setup;
    let setup = StoreSetup { now_us: forward_only(Arc::clone(&setup.now_us)), ..setup };
    let started = Instant::now();
    let started_us = (setup.now_us)();
    StorePaths::existing(&setup.store)?;
    let (paths, _lock, mut notes) = open_and_lock(&setup.store, "rebuild", started_us)?;
    // Before anything is changed.
    let installed = Arc::new(Installed::read_and_check(&paths, &setup.definitions)?);
    // The window is known only when the dates are.
    let mut run = run_record::begin("rebuild", (0, 0), started_us);
    let run_id = run.run_id.clone();
    let ledger = Arc::new(open_ledger(&paths, &run_id, &mut notes)?);
    let raw_ends = settle_raw(&paths, &ledger)?;
    notes.extend(notes::of_cut(raw_ends.cut));
    notes.extend(history::restore_lost(&paths, &ledger, setup.database)?);
    store_settings::check_timezone(&paths, &ledger, setup.database, &setup.zone)?;
    let replaced = replace::finish(&paths, &ledger, &setup.publishing(&paths, &ledger)?, &mut run.clone(), None)?;
    notes.extend(replaced.map(|replaced| notes::of_interrupted(&replaced.dates)));
    let recorded = identity::recorded(&paths, &ledger)?;
    if days.is_some() {
        identity::open(&paths, &ledger, setup.personal)?;
    } else {
        let publishing = setup.publishing(&paths, &ledger)?;
        let settings = (recorded, setup.personal);
        notes.extend(replace::replace_all(&paths, &ledger, settings, &publishing, &mut run.clone())?);
    }
    if days.is_none() {
        forget_index(&paths.raw(), &ledger)?;
    }
    let caught_up = catch_up_to(&paths.raw(), &ledger, &setup.zone, &raw_ends)?;
    ledger.resume_refetch()?;

    let old = match Manifest::read(&paths) {
        // Without --since and --until no manifest is needed.
        Err(LoadError::CorruptManifest { .. }) if days.is_none() => {
            notes.push("the manifest was damaged and has been rebuilt".to_owned());
            None
        }
        manifest => manifest?,
    };
    let index_s = started.elapsed().as_secs_f64();
    let (dates, kept) = choose(&paths, &ledger, days, old.as_ref())?;
    if old.is_none() {
        // Dates outside --since and --until are still to be published.
        mark_all_dirty(&paths, &ledger)?;
    }
    let mode = if days.is_some() || !kept.is_empty() { PublishMode::Recheck } else { PublishMode::Replace };
    // The totals of the summary cover these days.
    let all: BTreeSet<i32> = dates.iter().map(|date| date.meeting_date).chain(kept.iter().copied()).collect();
    let made = || Some((*all.first()?, all.last()? + 1));
    let (from, to) = days.or_else(made).unwrap_or_default();
    let window_us = (setup.zone.start_of_day(from), setup.zone.start_of_day(to));
    (run.since_us, run.until_us) = (Some(window_us.0), Some(window_us.1));
    ledger.record_run(&run)?;
    let publishing = PublishSetup {
        window: TimeWindow::of_starts(window_us),
        has_window: true,
        installed,
        mode,
        lost_raw_dates: kept.clone(),
        ..setup.publishing(&paths, &ledger)?
    };
    let mut publisher = Publisher::new(publishing, &paths, Arc::clone(&ledger));
    run_record::set_finished(&mut run, (setup.now_us)());
    let (_, mut run) = publisher.publish(dates, run, Some(ExitCode::Complete)).await?;
    let skipped = publisher.skipped_error();
    let exit = if skipped.is_some() { ExitCode::Storage } else { ExitCode::Complete };
    run_record::set_exit(&mut run, exit);
    run_record::set_finished(&mut run, (setup.now_us)());
    ledger.record_run(&run)?;

    notes.extend(notes::of_rebuild(caught_up, &kept, publisher.truncated()));
    let holes = holes(&ledger.runs()?, (setup.now_us)());
    notes.extend(history::holes_note(&holes, &setup.zone));
    let not_covered = holes.into_iter().map(TimeSpan::from).collect();
    notes.extend(publisher.take_notes());
    notes.extend(fewer_samples(old.as_ref(), Manifest::read(&paths)?.as_ref()));
    Ok((Summary { notes, not_covered, ..publisher.summary(run_id, exit, started, ("index", index_s)) }, skipped))
}

/// A damaged ledger is moved aside: all of it is in the raw log too, and the history of runs is published.
fn open_ledger(paths: &StorePaths, run_id: &str, notes: &mut Vec<String>) -> Result<Ledger, SyncError> {
    let opened = Ledger::open(&paths.ledger()).and_then(|ledger| ledger.check().map(|()| ledger));
    if !matches!(opened, Err(LedgerError::Damaged { .. })) {
        return Ok(opened?);
    }
    let ledger = paths.ledger();
    let aside = format!("ledger.sqlite.damaged-{run_id}");
    for ending in ["-wal", "-shm", ""] {
        let path = ledger.with_file_name(format!("{aside}{ending}"));
        match fs::rename(ledger.with_file_name(format!("ledger.sqlite{ending}")), &path) {
            Err(source) if source.kind() != ErrorKind::NotFound => return Err(SyncError::PutAside { path, source }),
            _ => {}
        }
    }
    notes.push(format!("the ledger was damaged and has been rebuilt; the old one is state/{aside}"));
    Ok(Ledger::open(&ledger)?)
}

/// The dates to rebuild, and the published dates that stay as they are.
fn choose(
    paths: &StorePaths,
    ledger: &Ledger,
    days: Option<(i32, i32)>,
    old: Option<&Manifest>,
) -> Result<(Vec<DirtyDate>, BTreeSet<i32>), SyncError> {
    let is_wanted = |date: i32| days.is_none_or(|(from, to)| (from..to).contains(&date));
    let mut kept = lost_raw_dates(paths, ledger, old)?;
    match old {
        // Without a manifest, dates that are not rebuilt would be removed.
        None => check_without_manifest(&kept)?,
        // A refetch is published all at once, by the sync that ends it.
        Some(_) => kept.extend(ledger.awaiting_refetch_dates(false)?),
    }
    kept.retain(|date| is_wanted(*date));
    let dirty: BTreeMap<i32, i64> =
        ledger.dirty_dates()?.into_iter().map(|date| (date.meeting_date, date.changes)).collect();
    let mut dates = BTreeSet::new();
    for kind in RawKind::ALL {
        dates.extend(list_dates(&paths.raw(), *kind).map_err(DateError::Raw)?);
    }
    dates.retain(|date| is_wanted(*date) && !kept.contains(date));
    // As of now: a response that arrives while the date is being staged keeps it dirty.
    let changes = |date: &i32| dirty.get(date).copied().unwrap_or_default();
    let dates = dates.iter().map(|date| DirtyDate { meeting_date: *date, changes: changes(date) });
    Ok((dates.collect(), kept))
}

/// The raw log decides, but if it yields less than was published, the user should know.
fn fewer_samples(old: Option<&Manifest>, new: Option<&Manifest>) -> Option<String> {
    let rows = |manifest: &Manifest| -> BTreeMap<String, u64> {
        let samples = manifest.files.iter().filter(|file| file.table == QUALITY_SAMPLES.name);
        samples.filter_map(|file| Some((file.meeting_date.clone()?, file.rows))).collect()
    };
    let (old, new) = (rows(old?), rows(new?));
    let fewer = old.iter().filter(|(date, rows)| new.get(*date).copied().unwrap_or_default() < **rows);
    let dates: Vec<&str> = fewer.map(|(date, _)| date.as_str()).collect();
    (!dates.is_empty())
        .then(|| format!("fewer samples than were published on {}: data is missing from raw/", dates.join(", ")))
}
