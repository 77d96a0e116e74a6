//! `prune`: removes dates, or only their raw files.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use super::listed_items::EarlierItems;
use super::operation::{Dates, finish, raw_dates, replace, stage};
use crate::commands::copies::note_of_copy;
use crate::commands::error::SyncError;
use crate::commands::history;
use crate::commands::open_store::open_and_lock;
use crate::commands::publish::date_error::DateError;
use crate::commands::run_record;
use crate::commands::store_settings;
use crate::commands::store_setup::StoreSetup;
use crate::error::ExitCode;
use crate::extract::{catch_up, settle_raw_ends};
use crate::ledger::{Ledger, PRUNE, PRUNE_RAW, Replacing, ReplacingWith, RunRecord};
use crate::load::{Manifest, StorePaths};
use crate::raw_log::{RawKind, list_files};
use crate::schema::{MEETINGS, PARTICIPANTS, QUALITY_SAMPLES, TenantZone, civil_date, civil_date_text};

#[derive(Clone)]
pub(crate) struct PruneSetup {
    pub store: StoreSetup,
    /// The first date that stays, days since 1970-01-01.
    pub before: i32,
    /// Keep what is published.
    pub raw_only: bool,
}

/// What would be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PrunePreview {
    /// `YYYY-MM-DD`, in order.
    pub dates: Vec<String>,
    pub raw_bytes: u64,
    /// Rows of the published tables; 0 if they stay.
    pub meetings: u64,
    pub participants: u64,
    pub samples: u64,
    /// Dates that keep their raw files, because not all of them is published.
    pub unpublished: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Pruned {
    pub run_id: String,
    pub removed: PrunePreview,
    pub generation: Option<u64>,
    pub notes: Vec<String>,
}

/// What [`prune`] would remove now. Takes no lock.
pub(crate) fn prune_preview(setup: &PruneSetup) -> Result<PrunePreview, SyncError> {
    let paths = StorePaths::existing(&setup.store.store)?;
    let dirty: BTreeSet<i32> = crate::ledger::unpublished_dates(&paths.ledger()).into_iter().collect();
    preview(&paths, setup, &dirty)
}

fn preview(paths: &StorePaths, setup: &PruneSetup, dirty: &BTreeSet<i32>) -> Result<PrunePreview, SyncError> {
    let manifest = Manifest::read(paths)?;
    let files = || manifest.iter().flat_map(|manifest| &manifest.files);
    let published: BTreeSet<i32> = files().filter_map(|file| civil_date(file.date_with_rows()?)).collect();
    let mut dates = raw_dates(paths)?;
    let mut preview = PrunePreview::default();
    dates.retain(|date| *date < setup.before);
    if setup.raw_only {
        // Their responses are nowhere else.
        let keeps: BTreeSet<i32> =
            dates.iter().copied().filter(|date| dirty.contains(date) || !published.contains(date)).collect();
        dates.retain(|date| !keeps.contains(date));
        preview.unpublished = keeps.iter().map(|date| civil_date_text(*date)).collect();
    } else {
        dates.extend(published.iter().filter(|date| **date < setup.before));
    }
    for (date, kind) in dates.iter().flat_map(|date| RawKind::ALL.iter().map(move |kind| (*date, *kind))) {
        for path in list_files(&paths.raw(), kind, date).map_err(DateError::Raw)? {
            preview.raw_bytes += fs::metadata(&path).map_or(0, |metadata| metadata.len());
        }
    }
    preview.dates = dates.iter().map(|date| civil_date_text(*date)).collect();
    if !setup.raw_only {
        let of_dates = |table: &str| {
            let of_table = files().filter(|file| file.table == table);
            let is_removed = |date: &str| preview.dates.iter().any(|removed| removed == date);
            of_table.filter(|file| file.date_with_rows().is_some_and(is_removed)).map(|file| file.rows).sum()
        };
        let [meetings, participants, samples] = [&MEETINGS, &PARTICIPANTS, &QUALITY_SAMPLES].map(|t| of_dates(t.name));
        (preview.meetings, preview.participants, preview.samples) = (meetings, participants, samples);
    }
    Ok(preview)
}

pub(crate) fn prune(setup: &PruneSetup) -> Result<Pruned, SyncError> {
    let store = &setup.store;
    let started_us = (store.now_us)();
    StorePaths::existing(&store.store)?;
    let (paths, _lock, mut notes) = open_and_lock(&store.store, PRUNE, started_us)?;
    let _raw = crate::load::lock_raw_files(&paths)?;
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    settle_raw_ends(&paths.raw(), &ledger, true)?;
    notes.extend(history::restore_lost(&paths, &ledger, store.database)?);
    store_settings::check_timezone(&paths, &ledger, store.database, &store.zone)?;
    let publishing = store.publishing(&paths, &ledger)?;
    let mut run = run_record::begin(if setup.raw_only { PRUNE_RAW } else { PRUNE }, (0, 0), started_us);
    (run.since_us, run.until_us) = (None, Some(store.zone.start_of_day(setup.before)));
    let earlier = finish(&paths, &ledger, &publishing, &mut run.clone(), None)?;
    notes.extend(earlier.into_iter().flat_map(|earlier| earlier.notes));
    catch_up(&paths.raw(), &ledger, &store.zone)?;

    let dirty: BTreeSet<i32> = ledger.dirty_dates()?.into_iter().map(|date| date.meeting_date).collect();
    let removed = preview(&paths, setup, &dirty)?;
    run_record::set_exit(&mut run, ExitCode::Complete);
    run_record::set_finished(&mut run, (store.now_us)());
    let run_id = run.run_id.clone();
    if removed.dates.is_empty() {
        return Ok(Pruned { run_id, removed, generation: None, notes });
    }
    let later = Dates::read(&paths, &ledger)?.whole.split_off(&setup.before);
    let rewrite = EarlierItems { before: setup.before, zone: &store.zone, replace: &|_| None };
    let staged = stage(&paths, &[RawKind::Meetings], &later, &rewrite, store.threads)?;
    let removes = removed.dates.iter().filter_map(|date| civil_date(date));
    let publishes = !setup.raw_only;
    let mut dates: Vec<Replacing> =
        removes.map(|meeting_date| Replacing { meeting_date, removes_raw: true, publishes }).collect();
    dates.extend(staged.dates.iter().map(Replacing::rewritten));
    ledger.record_run(&run)?;
    let finished =
        replace(&paths, &ledger, &dates, &ReplacingWith::default(), (&publishing, &mut run, Some(ExitCode::Complete)))?;
    run_record::set_finished(&mut run, (store.now_us)());
    ledger.record_run(&run)?;
    notes.extend(finished.notes);
    if publishes {
        notes.extend(note_of_copy(&ledger)?);
    }
    if let Some(damaged) = finished.damaged {
        return Err(damaged.into());
    }
    Ok(Pruned { run_id, removed, generation: finished.generation, notes })
}

/// The date before which the dates of a store were removed; `None` if none were.
pub(crate) fn pruned_before(runs: &[RunRecord], zone: &TenantZone) -> Option<i32> {
    let prunes = runs.iter().filter(|run| run.command == PRUNE && run.exit_code == Some(0));
    prunes.filter_map(|run| run.until_us).max().map(|until_us| zone.day_of(until_us))
}
