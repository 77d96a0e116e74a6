//! Publishing during a run and at its end: which dates, and what is remembered for the summary.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::dates::{DateContext, DateError, StagedDate, add_unknown, stage_date};
use super::definitions::Installed;
use super::store_state::{is_short, remember_generation};
use super::totals::{Totals, run_row};
use super::{Now, SyncError};
use crate::error::ExitCode;
use crate::event::{Event, Listener};
use crate::extract::accept_losses;
use crate::ledger::{DirtyDate, Ledger, RunRecord};
use crate::load::{
    DatabaseOptions, LoadError, Manifest, Publication, PublishMode, StorePaths, open_published_with, publish,
};
use crate::schema::{TenantZone, civil_date_text};
use crate::transform::UnknownFields;

/// What publishing needs to know.
#[derive(Clone)]
pub(crate) struct PublishSetup {
    /// Whose totals are counted: meetings that start in here, microseconds UTC.
    pub window_us: (i64, i64),
    /// Only these meetings; all where empty.
    pub meeting_nos: Vec<String>,
    pub zone: TenantZone,
    /// Kind of user ids.
    pub user_id_type: String,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    /// How many dates are made at a time.
    pub threads: usize,
    /// What is installed beside the rows.
    pub installed: Arc<Installed>,
    /// What is taken on trust.
    pub mode: PublishMode,
    /// Dates that stay as they are published.
    pub lost_raw_dates: BTreeSet<i32>,
    pub listener: Arc<dyn Listener>,
    pub now_us: Now,
}

/// Publishes the dates of one run.
pub(crate) struct Publisher {
    setup: PublishSetup,
    paths: StorePaths,
    run_id: String,
    ledger: Arc<Ledger>,
    part_number: u32,
    generation: u64,
    totals: Totals,
    unknown: BTreeMap<i32, UnknownFields>,
    torn: BTreeMap<i32, u64>,
    published: BTreeSet<String>,
    /// The dates that the last round made.
    made: BTreeSet<i32>,
    not_made: NotMade,
    transform_s: f64,
    load_s: f64,
    in_between_s: f64,
}

/// What is to be published, and what is not.
pub(crate) struct Due {
    /// Dates with answers that are not published.
    pub dates: Vec<DirtyDate>,
    /// Dates that wait for a refetch to be done.
    pub held: BTreeSet<i32>,
    /// Dates with new answers, but without the files of older ones: publishing them would drop what is published.
    pub without_raw: BTreeSet<i32>,
}

/// What one round of publishing brings back from its thread.
struct Round {
    generation: u64,
    dates_changed: Vec<String>,
    /// The dates that were made; the others that were due stay as they were.
    made: BTreeSet<i32>,
    totals: Totals,
    exit: ExitCode,
    run: RunRecord,
    unknown: Vec<(i32, UnknownFields)>,
    torn: Vec<(i32, u64)>,
    not_made: NotMade,
    transform_s: f64,
    load_s: f64,
}

/// Dates that were due and stay as they were.
#[derive(Default)]
pub(crate) struct NotMade {
    /// They would have lost meetings or participants that are published.
    pub short: BTreeSet<i32>,
    /// Why the first of those whose answers cannot be read was not made.
    pub damaged: Option<DateError>,
}

impl Publisher {
    pub(super) fn new(setup: PublishSetup, paths: &StorePaths, run_id: &str, ledger: Arc<Ledger>) -> Publisher {
        Publisher {
            setup,
            paths: paths.clone(),
            run_id: run_id.to_owned(),
            ledger,
            part_number: 0,
            generation: 0,
            totals: Totals::default(),
            unknown: BTreeMap::new(),
            torn: BTreeMap::new(),
            published: BTreeSet::new(),
            made: BTreeSet::new(),
            not_made: NotMade::default(),
            transform_s: 0.0,
            load_s: 0.0,
            in_between_s: 0.0,
        }
    }

    /// What is to be published now, and what is not. `is_whole` where the run came to its end.
    pub(super) fn due(&self, is_whole: bool) -> Result<Due, SyncError> {
        let held = self.ledger.awaiting_refetch_dates(is_whole)?;
        let mut dates = self.ledger.dirty_dates()?;
        let is_dirty = |day: &i32| dates.iter().any(|date| date.meeting_date == *day);
        // A date that is asked for again may be replaced; that it is not replaced by less is seen when it is made.
        let requested_again = self.ledger.refetch_dates()?;
        let frozen = self.setup.lost_raw_dates.difference(&requested_again).copied();
        let without_raw: BTreeSet<i32> = frozen.filter(is_dirty).collect();
        // By number only some of the window's meetings are listed.
        let is_read = is_whole && self.setup.meeting_nos.is_empty();
        let half_listed = self.ledger.partially_listed_dates(if is_read { self.setup.window_us } else { (0, 0) })?;
        let stays = [&held, &without_raw, &half_listed];
        dates.retain(|date| !stays.iter().any(|stays| stays.contains(&date.meeting_date)));
        Ok(Due { dates, held, without_raw })
    }

    /// Publishes the dates that have answers and no more work; none where there are none.
    pub(super) async fn publish_finished(&mut self, open: &[i32], run: &RunRecord) -> Result<(), SyncError> {
        let began = Instant::now();
        let due = self.due(false)?;
        let finished: Vec<DirtyDate> =
            due.dates.into_iter().filter(|date| !open.contains(&date.meeting_date)).collect();
        if !finished.is_empty() {
            self.round(finished, run.clone(), None).await?;
        }
        self.in_between_s += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Publishes everything that is not published yet, with the run's end. Gives the exit code, which is worse than
    /// the one given where the window still has failures.
    pub(super) async fn publish_all(
        &mut self,
        run: &mut RunRecord,
        exit: ExitCode,
        due: &Due,
    ) -> Result<ExitCode, SyncError> {
        let (exit, ended) = self.round(due.dates.clone(), run.clone(), Some(exit)).await?;
        let replaced: BTreeSet<i32> = self.setup.lost_raw_dates.intersection(&self.made).copied().collect();
        accept_losses(&self.paths.raw(), &self.ledger, &replaced)?;
        self.ledger.end_refetch(&due.held)?;
        *run = ended;
        Ok(exit)
    }

    pub(super) async fn round(
        &mut self,
        dates: Vec<DirtyDate>,
        run: RunRecord,
        exit: Option<ExitCode>,
    ) -> Result<(ExitCode, RunRecord), SyncError> {
        self.setup.listener.on_event(&Event::Publishing { dates: dates.len() as u64 });
        self.part_number += 1;
        let work = Work {
            setup: self.setup.clone(),
            paths: self.paths.clone(),
            run_id: self.run_id.clone(),
            ledger: Arc::clone(&self.ledger),
            part_number: self.part_number,
        };
        // DuckDB and the transform keep a core busy: not on the threads that wait for the vendor.
        let round = tokio::task::spawn_blocking(move || work.round(&dates, run, exit)).await;
        let round = round.map_err(|_| SyncError::Panicked)??;
        self.generation = round.generation;
        self.totals = round.totals;
        self.unknown.extend(round.unknown);
        self.torn.extend(round.torn);
        self.made = round.made;
        self.not_made = round.not_made;
        self.transform_s += round.transform_s;
        self.load_s += round.load_s;
        let dates = round.dates_changed.len() as u64;
        self.published.extend(round.dates_changed);
        self.setup.listener.on_event(&Event::Published { generation: round.generation, dates });
        Ok((round.exit, round.run))
    }

    /// What the last round could not publish, as an error.
    pub(super) fn take_not_made(&mut self) -> Option<SyncError> {
        let NotMade { short, damaged } = std::mem::take(&mut self.not_made);
        if let Some(damaged) = damaged {
            return Some(damaged.into());
        }
        let (first, last) = (civil_date_text(*short.first()?), civil_date_text(*short.last()?));
        Some(SyncError::Short { dates: short.len(), first, last })
    }

    /// Reads totals and generation off what is published, for the summary of a run that adds nothing to it.
    pub(super) fn read_published(&mut self) -> Result<(), SyncError> {
        if let Some(manifest) = Manifest::read(&self.paths)? {
            self.generation = manifest.generation;
        }
        if self.paths.database().exists() {
            let connection = open_published_with(&self.paths, self.setup.database)?;
            self.totals = Totals::of(&connection, &self.setup, i64::MAX).map_err(SyncError::Totals)?;
        }
        Ok(())
    }

    /// The window's totals in what was published last.
    pub(super) fn totals(&mut self) -> Totals {
        std::mem::take(&mut self.totals)
    }

    /// Fields of this run's answers that the tables have not.
    pub(super) fn unknown_fields(&self) -> UnknownFields {
        let mut all = UnknownFields::new();
        for fields in self.unknown.values() {
            add_unknown(&mut all, fields.clone());
        }
        all
    }

    /// Records of the raw log that were passed over.
    pub(super) fn torn(&self) -> u64 {
        self.torn.values().sum()
    }

    /// The dates that this run changed.
    pub(super) fn dates_published(&self) -> Vec<String> {
        self.published.iter().cloned().collect()
    }

    /// The generation that was published last.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Seconds of the asking that went into publishing.
    pub(super) fn seconds_in_between(&self) -> f64 {
        self.in_between_s
    }

    /// Seconds of each stage.
    pub(super) fn stage_seconds(&self, first: (&'static str, f64)) -> Vec<(&'static str, f64)> {
        vec![first, ("transform", self.transform_s), ("load", self.load_s)]
    }
}

/// Makes dates side by side; their results come in the dates' order, and after a failure that ends the round perhaps not all.
fn stage_dates(
    context: DateContext<'_>,
    dates: &[DirtyDate],
    threads: usize,
) -> impl Iterator<Item = Result<StagedDate, DateError>> {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut made = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(date) = dates.get(index) else { break };
            let staged = stage_date(context, date.meeting_date);
            is_over.fetch_or(staged.as_ref().is_err_and(|error| !is_damage(error)), Ordering::Relaxed);
            made.push((index, staged));
        }
        made
    };
    let mut made: Vec<(usize, Result<StagedDate, DateError>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(dates.len())).map(|_| scope.spawn(work)).collect();
        let mut made = work();
        for other in others {
            made.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        made
    });
    made.sort_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, staged)| staged)
}

/// One damaged file must not keep the other days from being published.
fn is_damage(error: &DateError) -> bool {
    matches!(error, DateError::Raw(_) | DateError::Page { .. })
}

/// One round, on a thread of its own.
struct Work {
    setup: PublishSetup,
    paths: StorePaths,
    run_id: String,
    ledger: Arc<Ledger>,
    part_number: u32,
}

impl Work {
    fn round(&self, dates: &[DirtyDate], mut run: RunRecord, exit: Option<ExitCode>) -> Result<Round, SyncError> {
        let began = Instant::now();
        let (raw_dir, work_dir) = (self.paths.raw(), self.paths.work());
        let context = DateContext {
            raw_dir: &raw_dir,
            work_dir: &work_dir,
            zone: &self.setup.zone,
            run_id: &self.run_id,
            counts_all_fields: !matches!(self.setup.mode, PublishMode::Update),
            part_number: self.part_number,
        };
        let manifest = match Manifest::read(&self.paths) {
            Ok(manifest) => manifest,
            Err(LoadError::CorruptManifest { .. }) if self.setup.mode == PublishMode::Replace => None,
            Err(error) => return Err(error.into()),
        };
        let mut unknown = Vec::new();
        let mut torn = Vec::new();
        let mut publications = Vec::new();
        let mut made = Vec::new();
        let mut not_made = NotMade::default();
        for (date, staged) in dates.iter().zip(stage_dates(context, dates, self.setup.threads)) {
            let staged: StagedDate = match staged {
                Ok(staged) => staged,
                Err(error) if is_damage(&error) => {
                    not_made.damaged.get_or_insert(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if manifest.as_ref().is_some_and(|manifest| is_short(&staged.publication, manifest)) {
                not_made.short.insert(date.meeting_date);
                continue;
            }
            unknown.push((date.meeting_date, staged.unknown_fields));
            torn.push((date.meeting_date, staged.torn));
            publications.push(staged.publication);
            made.push(*date);
        }
        let transform_s = began.elapsed().as_secs_f64();
        let is_all = not_made.short.is_empty() && not_made.damaged.is_none();
        // What was not made stays as it is published.
        let mode = if is_all { self.setup.mode } else { self.setup.mode.keeping_other_dates() };
        let publication = Publication {
            run_id: &self.run_id,
            now_us: (self.setup.now_us)(),
            dates: publications,
            mode,
            timezone: self.setup.zone.name(),
            user_id_type: &self.setup.user_id_type,
            definitions: self.setup.installed.definitions(),
            database: self.setup.database,
        };
        let mut totals = Totals::default();
        let mut ended = exit;
        let published = publish(
            &self.paths,
            &publication,
            &mut |connection| {
                totals = Totals::of(connection, &self.setup, run.started_us)?;
                // What earlier runs could not get is pending as much as what this one could not.
                if exit == Some(ExitCode::Complete) && totals.failed() > 0 {
                    ended = Some(ExitCode::Incomplete);
                }
                run.totals = Some(totals.as_row());
                run.outcome = ended.map(|exit| exit.name().to_owned());
                run.exit_code = ended.map(|exit| exit.number().into());
                self.ledger.record_run(&run)?;
                Ok(self.ledger.runs()?.iter().map(run_row).collect())
            },
            &mut |_| ControlFlow::Continue(()),
        )?;
        self.ledger.mark_published(&made)?;
        remember_generation(&self.ledger, published.generation)?;
        Ok(Round {
            generation: published.generation,
            dates_changed: published.dates_changed,
            made: made.iter().map(|date| date.meeting_date).collect(),
            totals,
            exit: ended.unwrap_or(ExitCode::Complete),
            run,
            unknown,
            torn,
            not_made,
            transform_s,
            load_s: published.load_s,
        })
    }
}
