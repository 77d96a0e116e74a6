//! rebuild: everything right of `raw/` made again from `raw/`, offline.
//!
//! Promises: asks nobody; a date that was published and whose answers are no longer in `raw/` is kept as it is, never
//! dropped. Trusts neither the Parquet files nor the database: files are compared by their bytes, the database is built anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::definitions::Installed;
use super::publishing::{PublishSetup, Publisher};
use super::store_state::{lost_raw_dates, mark_all_dirty, without_manifest};
use super::{Calls, Now, Summary, SyncError, check_timezone, numbered, run_id};
use crate::error::ExitCode;
use crate::event::Listener;
use crate::extract::{CaughtUp, catch_up, forget_index};
use crate::ledger::USER_ID_TYPE;
use crate::ledger::{DirtyDate, Ledger, LedgerError, RunRecord};
use crate::load::{DatabaseOptions, LoadError, Lock, Manifest, PublishMode, StorePaths};
use crate::raw_log::{RawKind, list_dates};
use crate::schema::{QUALITY_SAMPLES, TenantZone, civil_date_text, utc_text};

/// What a rebuild needs to know.
#[derive(Clone)]
pub(crate) struct RebuildSetup {
    pub store: PathBuf,
    /// The meeting dates to make again, days since 1970-01-01, end exclusive; all where `None`.
    pub days: Option<(i32, i32)>,
    pub zone: TenantZone,
    /// Kind of user ids, where the store does not say.
    pub user_id_type: String,
    /// Limits of the profile `custom` of the reports: metric and value.
    pub custom_limits: Vec<(String, f64)>,
    /// How many dates are made at a time.
    pub threads: usize,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    pub listener: Arc<dyn Listener>,
    pub now_us: Now,
}

/// Runs a rebuild to its end.
///
/// Gives also why some days could not be made again, where that is so; they stay as they were.
///
/// # Errors
/// [`SyncError`] where the store cannot be read or written. What is published stays whole.
pub(crate) async fn rebuild(setup: RebuildSetup) -> Result<(Summary, Option<SyncError>), SyncError> {
    let started = Instant::now();
    let started_us = (setup.now_us)();
    StorePaths::existing(&setup.store)?;
    let paths = StorePaths::open(&setup.store)?;
    let _lock = Lock::take(&paths, "rebuild", started_us)?;
    paths.clean_work()?;
    let installed = Arc::new(Installed::checked(&paths, &setup.custom_limits)?);
    let run_id = run_id(started_us);
    let mut notes = Vec::new();
    let ledger = Arc::new(open_ledger(&paths, &run_id, &mut notes)?);
    check_timezone(&paths, &ledger, setup.database, &setup.zone)?;
    let caught_up = index(&paths, &ledger, &setup)?;

    let old = match Manifest::read(&paths) {
        Ok(manifest) => manifest,
        // Without --since and --until no manifest is needed.
        Err(LoadError::CorruptManifest { .. }) if setup.days.is_none() => {
            notes.push("the manifest was damaged and is made again".to_owned());
            None
        }
        Err(error) => return Err(error.into()),
    };
    let indexed_s = started.elapsed().as_secs_f64();
    let (dates, kept) = choose(&paths, &ledger, &setup, old.as_ref())?;
    if old.is_none() {
        // What these days leave out is still to be published.
        mark_all_dirty(&paths, &ledger)?;
    }
    let mode = if setup.days.is_some() || !kept.is_empty() { PublishMode::Recheck } else { PublishMode::Replace };
    let window_us = window(&setup, &dates, &kept);
    let mut run = RunRecord {
        run_id: run_id.clone(),
        command: "rebuild".to_owned(),
        since_us: Some(window_us.0),
        until_us: Some(window_us.1),
        started_us,
        ..RunRecord::default()
    };
    ledger.record_run(&run)?;
    let publishing = PublishSetup {
        window_us,
        meeting_nos: Vec::new(),
        zone: setup.zone.clone(),
        user_id_type: ledger.setting(USER_ID_TYPE)?.unwrap_or_else(|| setup.user_id_type.clone()),
        database: setup.database,
        threads: setup.threads,
        installed,
        mode,
        lost_raw_dates: kept.clone(),
        listener: Arc::clone(&setup.listener),
        now_us: Arc::clone(&setup.now_us),
    };
    let mut publisher = Publisher::new(publishing, &paths, &run_id, Arc::clone(&ledger));
    run.finished_us = Some((setup.now_us)());
    let (_, mut run) = publisher.round(dates, run, Some(ExitCode::Complete)).await?;
    let not_made = publisher.take_not_made();
    let exit = if not_made.is_some() { ExitCode::Storage } else { ExitCode::Complete };
    run.outcome = Some(exit.name().to_owned());
    run.exit_code = Some(exit.number().into());
    run.finished_us = Some((setup.now_us)());
    ledger.record_run(&run)?;

    notes.extend(told(caught_up, &kept, publisher.torn()));
    notes.extend(fewer_samples(old.as_ref(), Manifest::read(&paths)?.as_ref()));
    let totals = publisher.totals();
    let summary = Summary {
        run_id,
        outcome: exit.name(),
        exit_code: exit.number(),
        since_utc: utc_text(window_us.0),
        until_utc: utc_text(window_us.1),
        meetings: totals.meetings,
        participants: totals.participants,
        by_status: totals.by_status,
        samples: totals.samples,
        rejects: totals.rejects,
        calls: Calls::default(),
        retries: 0,
        throttles: 0,
        waited_s: 0.0,
        elapsed_s: started.elapsed().as_secs_f64(),
        unknown_fields: publisher.unknown_fields(),
        dates_published: publisher.dates_published(),
        generation: publisher.generation(),
        store: paths.root().display().to_string(),
        scope: false,
        left: None,
        notes,
        stage_s: publisher.stage_seconds(("index", indexed_s)),
    };
    Ok((summary, not_made))
}

/// Opens the ledger. One that is damaged is put aside: all but the history of runs is in the raw log as well.
fn open_ledger(paths: &StorePaths, run_id: &str, notes: &mut Vec<String>) -> Result<Ledger, SyncError> {
    let opened = Ledger::open(&paths.ledger()).and_then(|ledger| ledger.check().map(|()| ledger));
    match opened {
        Err(LedgerError::Damaged { .. }) => {}
        other => return Ok(other?),
    }
    let ledger = paths.ledger();
    for ending in ["-wal", "-shm", ""] {
        let named = |middle: &str| ledger.with_file_name(format!("ledger.sqlite{middle}{ending}"));
        let aside = named(&format!(".damaged-{run_id}"));
        match fs::rename(named(""), &aside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(SyncError::PutAside { path: aside, source: error });
            }
            _ => {}
        }
    }
    notes.push(format!(
        "the ledger was damaged and is made again without the history of runs; the old one is state/ledger.sqlite.damaged-{run_id}"
    ));
    Ok(Ledger::open(&ledger)?)
}

/// Makes the ledger's index again: all of it, or what it lacks where only some days are rebuilt.
fn index(paths: &StorePaths, ledger: &Ledger, setup: &RebuildSetup) -> Result<CaughtUp, SyncError> {
    if setup.days.is_none() {
        forget_index(&paths.raw(), ledger)?;
    }
    let caught_up = catch_up(&paths.raw(), ledger, &setup.zone)?;
    ledger.resume_refetch()?;
    Ok(caught_up)
}

/// The dates to make again, and those that are published and cannot be made again.
fn choose(
    paths: &StorePaths,
    ledger: &Ledger,
    setup: &RebuildSetup,
    old: Option<&Manifest>,
) -> Result<(Vec<DirtyDate>, BTreeSet<i32>), SyncError> {
    let raw = paths.raw();
    let is_wanted = |date: i32| setup.days.is_none_or(|(from, to)| (from..to).contains(&date));
    let mut kept = lost_raw_dates(paths, ledger, old)?;
    match old {
        // Without a manifest what is not made again would be removed.
        None => without_manifest(&kept)?,
        // A refetch is published whole, by the sync that ends it.
        Some(_) => kept.extend(ledger.awaiting_refetch_dates(false)?),
    }
    kept.retain(|date| is_wanted(*date));
    let dirty: BTreeMap<i32, i64> =
        ledger.dirty_dates()?.into_iter().map(|date| (date.meeting_date, date.changes)).collect();
    let mut dates: BTreeMap<i32, DirtyDate> = BTreeMap::new();
    for kind in RawKind::ALL {
        for meeting_date in list_dates(&raw, *kind).map_err(super::DateError::Raw)? {
            if is_wanted(meeting_date) && !kept.contains(&meeting_date) {
                // As they are now: an answer that comes while they are made keeps them due.
                let changes = dirty.get(&meeting_date).copied().unwrap_or_default();
                dates.insert(meeting_date, DirtyDate { meeting_date, changes });
            }
        }
    }
    Ok((dates.into_values().collect(), kept))
}

/// The window whose totals the summary has, microseconds UTC.
fn window(setup: &RebuildSetup, dates: &[DirtyDate], kept: &BTreeSet<i32>) -> (i64, i64) {
    let days: BTreeSet<i32> = dates.iter().map(|date| date.meeting_date).chain(kept.iter().copied()).collect();
    let made = || Some((*days.first()?, days.last()? + 1));
    let (from, to) = setup.days.or_else(made).unwrap_or_default();
    (setup.zone.start_of_day(from), setup.zone.start_of_day(to))
}

fn told(caught_up: CaughtUp, kept: &BTreeSet<i32>, torn: u64) -> Vec<String> {
    let mut notes = vec![format!("the ledger took in {} of the raw log", numbered(caught_up.walks, "answer"))];
    if let (Some(first), Some(last)) = (kept.first(), kept.last()) {
        notes.push(format!(
            "{}, {} to {}, whose answers are not all in raw/ or that wait for a refetch, were kept as they are",
            numbered(kept.len() as u64, "published date"),
            civil_date_text(*first),
            civil_date_text(*last)
        ));
    }
    if torn > 0 {
        notes.push(super::torn_note(torn));
    }
    notes
}

/// The raw log is what counts; but where it gives less than was published, that must not pass unnoticed.
fn fewer_samples(old: Option<&Manifest>, new: Option<&Manifest>) -> Option<String> {
    let rows = |manifest: &Manifest| -> BTreeMap<String, u64> {
        let samples = manifest.files.iter().filter(|file| file.table == QUALITY_SAMPLES.name);
        samples.map(|file| (file.meeting_date.clone(), file.rows)).collect()
    };
    let (old, new) = (rows(old?), rows(new?));
    let fewer = old.iter().filter(|(date, rows)| new.get(*date).copied().unwrap_or_default() < **rows);
    let dates: Vec<&str> = fewer.map(|(date, _)| date.as_str()).collect();
    (!dates.is_empty()).then(|| {
        format!(
            "the raw log gives fewer samples than were published on {}: answers are missing from raw/",
            dates.join(", ")
        )
    })
}
