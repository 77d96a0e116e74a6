//! One round of publishing: stages dates in parallel, counts the window, and publishes a generation. Blocking.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::date_error::DateError;
use super::missing_fields::{FilledColumns, filled_columns};
use super::setup::PublishSetup;
use super::stage_date::{DateContext, StagedDate, stage_date};
use super::stage_optional::OptionalLists;
use super::totals::Totals;
use crate::commands::error::SyncError;
use crate::commands::run_record::{run_row, set_exit};
use crate::commands::store_state::{GENERATION, is_short};
use crate::error::ExitCode;
use crate::ledger::{DirtyDate, Ledger, RunRecord};
use crate::load::{LoadError, Manifest, Publication, PublishMode, StorePaths, publish};
use crate::schema::cell::Row;
use crate::schema::{ROOMS, Table};
use crate::transform::FieldCounts;

/// Dates that were due and stay as they are.
#[derive(Default)]
pub(in crate::commands) struct Skipped {
    /// They would have lost meetings or participants that are published.
    pub short: BTreeSet<i32>,
    /// Why the first of those with damaged raw data could not be staged.
    pub damaged: Option<DateError>,
}

pub(in crate::commands) struct RoundInput {
    pub setup: PublishSetup,
    pub paths: StorePaths,
    pub ledger: Arc<Ledger>,
    pub part_number: u32,
    pub dates: Vec<DirtyDate>,
    pub run: RunRecord,
    /// `None` while the run is under way.
    pub exit: Option<ExitCode>,
}

pub(in crate::commands) struct RoundOutput {
    pub generation: u64,
    pub dates_changed: Vec<String>,
    pub staged: BTreeSet<i32>,
    pub totals: Totals,
    /// Worse than that of the input if the window still has failures.
    pub exit: ExitCode,
    pub run: RunRecord,
    pub fields: BTreeMap<i32, FieldCounts>,
    /// As published before this round.
    pub filled_columns: FilledColumns,
    pub truncated: BTreeMap<i32, u64>,
    pub skipped: Skipped,
    pub notes: Vec<String>,
    pub transform_s: f64,
    pub load_s: f64,
}

impl RoundInput {
    pub(in crate::commands) fn publish(self) -> Result<RoundOutput, SyncError> {
        let RoundInput { setup, paths, ledger, part_number, dates, mut run, exit } = self;
        let began = Instant::now();
        let (raw_dir, work_dir, run_id) = (paths.raw(), paths.work(), run.run_id.clone());
        let context = DateContext {
            raw_dir: &raw_dir,
            work_dir: &work_dir,
            zone: &setup.zone,
            run_id: &run_id,
            counts_all_fields: !matches!(setup.mode, PublishMode::Update),
            part_number,
        };
        let manifest = match Manifest::read(&paths) {
            Err(LoadError::CorruptManifest { .. }) if setup.mode == PublishMode::Replace => None,
            manifest => manifest?,
        };
        let (mut fields, mut truncated) = (BTreeMap::new(), BTreeMap::new());
        let (mut publications, mut staged_dates) = (Vec::new(), Vec::new());
        let mut skipped = Skipped::default();
        for (date, staged) in dates.iter().zip(stage_dates(context, &dates, setup.threads)) {
            let staged = match staged {
                Ok(staged) => staged,
                Err(error) if is_damage(&error) => {
                    skipped.damaged.get_or_insert(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let is_short = manifest.as_ref().is_some_and(|manifest| is_short(&staged.publication, manifest));
            if is_short && !setup.may_lose_rows.contains(&date.meeting_date) {
                skipped.short.insert(date.meeting_date);
                continue;
            }
            fields.insert(date.meeting_date, staged.fields);
            truncated.insert(date.meeting_date, staged.truncated);
            publications.push(staged.publication);
            staged_dates.push(*date);
        }
        let rooms = match (OptionalLists { raw_dir: &raw_dir, zone: &setup.zone }).rooms() {
            Err(error) if is_damage(&error) => {
                skipped.damaged.get_or_insert(error);
                None
            }
            rooms => rooms?,
        };
        let reference_rows: Vec<(&Table, Vec<Row>)> = rooms.into_iter().map(|rows| (&ROOMS, rows)).collect();
        let filled_columns = match setup.mode {
            PublishMode::Update => filled_columns(&paths, setup.database, fields.values()),
            // All responses are read: there is nothing earlier.
            _ => FilledColumns::new(),
        };
        let transform_s = began.elapsed().as_secs_f64();
        let is_all = skipped.short.is_empty() && skipped.damaged.is_none();
        let publication = Publication {
            run_id: &run_id,
            now_us: (setup.now_us)(),
            dates: publications,
            // Skipped dates stay as they are published.
            mode: if is_all { setup.mode } else { setup.mode.keeping_other_dates() },
            timezone: setup.zone.name(),
            user_id_type: &setup.user_id_type,
            definitions: setup.installed.definitions(),
            reference_rows: &reference_rows,
            database: setup.database,
        };
        let mut totals = Totals::default();
        let mut final_exit = exit;
        let published = publish(
            &paths,
            &publication,
            &mut |connection| {
                totals = Totals::count(connection, &setup, run.started_us)?;
                // Failures of earlier runs are pending as much as those of this one.
                if exit == Some(ExitCode::Complete) && totals.failed() > 0 {
                    final_exit = Some(ExitCode::Incomplete);
                }
                run.totals = Some(totals.as_row());
                if let Some(exit) = final_exit {
                    set_exit(&mut run, exit);
                }
                ledger.record_run(&run)?;
                Ok(ledger.runs()?.iter().map(run_row).collect())
            },
            &mut |_| ControlFlow::Continue(()),
        )?;
        ledger.mark_published(&staged_dates)?;
        ledger.set_setting(GENERATION, &published.generation.to_string())?;
        Ok(RoundOutput {
            generation: published.generation,
            dates_changed: published.dates_changed,
            staged: staged_dates.iter().map(|date| date.meeting_date).collect(),
            totals,
            exit: final_exit.unwrap_or(ExitCode::Complete),
            run,
            fields,
            filled_columns,
            truncated,
            skipped,
            notes: published.notes,
            transform_s,
            load_s: published.load_s,
        })
    }
}

/// Stages dates in parallel. The results are in the order of the dates; after an error that ends the round, some may be
/// missing.
fn stage_dates(
    context: DateContext<'_>,
    dates: &[DirtyDate],
    threads: usize,
) -> impl Iterator<Item = Result<StagedDate, DateError>> {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut results = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(date) = dates.get(index) else { break };
            let staged = stage_date(context, date.meeting_date);
            is_over.fetch_or(staged.as_ref().is_err_and(|error| !is_damage(error)), Ordering::Relaxed);
            results.push((index, staged));
        }
        results
    };
    let mut results: Vec<(usize, Result<StagedDate, DateError>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(dates.len())).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, staged)| staged)
}

/// One damaged file must not keep the other dates from being published.
fn is_damage(error: &DateError) -> bool {
    matches!(error, DateError::Raw(_) | DateError::Page { .. })
}
