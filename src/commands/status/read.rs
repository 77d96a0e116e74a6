//! Reads the status of a store, without a lock, an API call or a change.
//!
//! Coverage is that of the published database; what is pending comes from the ledger, which is never behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::setup::StatusSetup;
use super::view::{
    LastComplete, OpenView, Part, PendingView, PersonalView, ProfileView, PublishedView, RunView, Size, StatusView,
    seconds,
};
use super::{calls_used, coverage};
use crate::commands::estimate::CostEstimate;
use crate::commands::identity::{IDENTITY, TOPICS, lists_for_ids};
use crate::commands::incidents::count_problems;
use crate::commands::replace::pruned_before;
use crate::commands::summary::TimeSpan;
use crate::error::causes::with_causes;
use crate::extract::{Estimate, EstimateInput};
use crate::ledger::{Hole, Ledger, LedgerError, OpenUnits, WindowFilter, holes};
use crate::load::{LoadError, Manifest, StorePaths, holder, open_complete, open_published_with, stored_profile};
use crate::personal_data::{Identity, Topics};
use crate::schema::{civil_date_text, utc_text};

/// Returns an error only if there is no store. Whatever cannot be read is reported in its part.
pub(crate) fn status(setup: &StatusSetup) -> Result<StatusView, LoadError> {
    let paths = StorePaths::existing(&setup.store)?;
    // Before the ledger, so that a run that ends in the meantime is not shown as killed.
    let holder = holder(&paths);
    let ledger = Ledger::open_read_only(&paths.ledger()).map_err(|error| match paths.ledger().exists() {
        true => with_causes(&error),
        false => "there is no ledger yet".to_owned(),
    });
    let why = |error: LoadError| match error {
        LoadError::NoDatabase { .. } => "nothing is published yet".to_owned(),
        LoadError::DatabaseOff { .. } => "the store has no vcq.duckdb: the setting database is off".to_owned(),
        error => with_causes(&error),
    };
    let database = open_published_with(&paths, setup.database).map_err(why);
    let complete = open_complete(&paths, setup.database).map_err(why);
    let not_covered = Part::from(&ledger, |ledger| Ok::<_, LedgerError>(holes(&ledger.runs()?, setup.now_us)));
    let pruned_before =
        ledger.as_ref().ok().and_then(|ledger| pruned_before(&ledger.runs().unwrap_or_default(), &setup.zone));
    let known_holes: &[Hole] = if let Part::Read(holes) = &not_covered { holes } else { &[] };
    Ok(StatusView {
        store: paths.root().display().to_string(),
        now_utc: utc_text(setup.now_us),
        published: Part::new(published(&paths)),
        holder,
        runs: Part::from(&ledger, |ledger| {
            let runs = ledger.runs()?;
            Ok::<_, LedgerError>(runs.into_iter().rev().take(setup.runs).map(RunView::new).collect())
        }),
        last_complete: Part::from(&ledger, |ledger| last_complete(ledger, setup.now_us)),
        newest: Part::from(&complete, |database| coverage::newest(database, setup)),
        coverage: Part::from(&complete, |database| coverage::coverage(database, setup, known_holes, pruned_before)),
        incidents: Part::from(&database, |database| count_problems(database)),
        profile: Part::from(&database, |database| {
            Ok::<_, LoadError>(ProfileView { judged_by: stored_profile(database), setting: setup.profile.clone() })
        }),
        pruned_before: pruned_before.map(civil_date_text),
        replacing: Part::from(&ledger, |ledger| {
            Ok::<_, LedgerError>(ledger.replacing()?.iter().map(|date| civil_date_text(date.meeting_date)).collect())
        }),
        personal: Part::from(&ledger, personal),
        not_covered: not_covered.map(|holes| holes.into_iter().map(TimeSpan::from).collect()),
        pending: Part::from(&ledger, |ledger| pending(ledger, setup)),
        reasons: Part::from(&complete, |database| coverage::reasons(database)),
        calls: Part::from(&ledger, |ledger| calls_used::calls_used(ledger, &paths.raw(), setup)),
        size: Part::new(size(&paths)),
    })
}

fn published(paths: &StorePaths) -> Result<Option<PublishedView>, LoadError> {
    Ok(Manifest::read(paths)?.map(|manifest| {
        let dates: BTreeSet<&str> = manifest.files.iter().filter_map(|file| file.date_with_rows()).collect();
        PublishedView {
            dates: dates.len() as u64,
            files: manifest.files.len() as u64,
            generation: manifest.generation,
            schema_version: manifest.schema_version,
            run_id: manifest.run_id,
            published_utc: manifest.created_utc,
        }
    }))
}

fn last_complete(ledger: &Ledger, now_us: i64) -> Result<Option<LastComplete>, LedgerError> {
    Ok(ledger.last_complete_run()?.map(|run| {
        let finished_us = run.finished_us.unwrap_or(run.started_us);
        let age_s = seconds(now_us - finished_us);
        LastComplete {
            run_id: run.run_id,
            finished_utc: utc_text(finished_us),
            age_s,
            since_utc: run.since_us.map(utc_text),
            until_utc: run.until_us.map(utc_text),
        }
    }))
}

/// A store of an earlier version has recorded nothing and replaced nothing.
fn personal(ledger: &Ledger) -> Result<PersonalView, LedgerError> {
    let identity = ledger.setting(IDENTITY)?.and_then(|text| Identity::parse(&text)).unwrap_or_default();
    let topics = ledger.setting(TOPICS)?.and_then(|text| Topics::parse(&text)).unwrap_or_default();
    Ok(PersonalView {
        identity: identity.name(),
        topics: topics.name(),
        replaced_before: ledger.expired_dates()?.last().map(|date| civil_date_text(*date + 1)),
        has_forgotten: !ledger.forgotten()?.is_empty(),
    })
}

fn pending(ledger: &Ledger, setup: &StatusSetup) -> Result<PendingView, LedgerError> {
    let since_us = ledger.oldest_pending_us()?;
    let pending = match since_us {
        None => Estimate::default(),
        Some(since_us) => {
            let window_us = (since_us, setup.now_us.max(since_us.saturating_add(1)));
            let filter = WindowFilter { window_us, meeting_nos: &[], refetch: false, outside: false };
            let (settle, longest_meeting) = (setup.settle.into(), setup.longest_meeting);
            let lists_for_ids = lists_for_ids(ledger)?;
            let input = EstimateInput { filter, now_us: setup.now_us, settle, longest_meeting, lists_for_ids };
            Estimate::new(ledger, &input)?
        }
    };
    let view = |OpenUnits { never_requested, requested_again, refetch, failed }| OpenView {
        not_asked: never_requested,
        requested_again,
        refetch,
        failed,
    };
    Ok(PendingView {
        since_utc: since_us.map(utc_text),
        since_date: since_us.map(|since_us| civil_date_text(setup.zone.day_of(since_us))),
        estimate: CostEstimate::at_rate(&pending, setup.rate),
        participants: view(ledger.open_participants()?),
        lists: view(ledger.open_lists()?),
        unpublished_dates: ledger.dirty_dates()?.iter().map(|date| civil_date_text(date.meeting_date)).collect(),
        refetch_meetings: ledger.refetch_meetings()?,
    })
}

fn size(paths: &StorePaths) -> Result<Size, SizeError> {
    Ok(Size {
        raw_bytes: bytes_below(&paths.raw())?,
        parquet_bytes: bytes_below(&paths.parquet())?,
        duckdb_bytes: bytes_below(&paths.database())?,
        state_bytes: bytes_below(&paths.state())?,
    })
}

#[derive(Debug, thiserror::Error)]
#[error("could not measure {}", path.display())]
struct SizeError {
    path: PathBuf,
    source: std::io::Error,
}

/// Bytes of a file, or of all files below a directory. What does not exist, or disappears meanwhile, counts as zero.
fn bytes_below(path: &Path) -> Result<u64, SizeError> {
    let failed = |source| SizeError { path: path.to_owned(), source };
    let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if gone(&error) => return Ok(0),
        found => found.map_err(failed)?,
    };
    if !found.is_dir() {
        return Ok(found.len());
    }
    let entries = match std::fs::read_dir(path) {
        Err(error) if gone(&error) => return Ok(0),
        entries => entries.map_err(failed)?,
    };
    entries.flatten().map(|entry| bytes_below(&entry.path())).sum()
}
