//! Publishing during a run and at its end: which dates, and what is remembered for the summary.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::dates::{DateContext, DateError, StagedDate, add_unknown, stage_date};
use super::totals::{Totals, run_row};
use super::{Event, ExitCode, SyncError, SyncSetup};
use crate::extract::{Ledger, RunRecord};
use crate::load::{Manifest, Publication, Start, StorePaths, open_published_with, publish};
use crate::transform::UnknownFields;

/// Publishes the dates of one run.
pub(super) struct Publisher {
    setup: SyncSetup,
    paths: StorePaths,
    run_id: String,
    ledger: Arc<Ledger>,
    part_number: u32,
    generation: u64,
    totals: Totals,
    unknown: BTreeMap<i32, UnknownFields>,
    torn: BTreeMap<i32, u64>,
    published: BTreeSet<String>,
    transform_s: f64,
    load_s: f64,
    in_between_s: f64,
}

/// What one round of publishing brings back from its thread.
struct Round {
    generation: u64,
    dates_changed: Vec<String>,
    totals: Totals,
    exit: ExitCode,
    run: RunRecord,
    unknown: Vec<(i32, UnknownFields)>,
    torn: Vec<(i32, u64)>,
    transform_s: f64,
    load_s: f64,
}

impl Publisher {
    pub fn new(setup: &SyncSetup, paths: &StorePaths, run_id: &str, ledger: Arc<Ledger>) -> Publisher {
        Publisher {
            setup: setup.clone(),
            paths: paths.clone(),
            run_id: run_id.to_owned(),
            ledger,
            part_number: 0,
            generation: 0,
            totals: Totals::default(),
            unknown: BTreeMap::new(),
            torn: BTreeMap::new(),
            published: BTreeSet::new(),
            transform_s: 0.0,
            load_s: 0.0,
            in_between_s: 0.0,
        }
    }

    /// The dates with answers that are not published.
    pub fn dirty_dates(&self) -> Result<Vec<i32>, SyncError> {
        Ok(self.ledger.dirty_dates()?)
    }

    /// Publishes the dates that have answers and no more work; none where there are none.
    pub async fn publish_finished(&mut self, open: &[i32], run: &RunRecord) -> Result<(), SyncError> {
        let began = Instant::now();
        let finished: Vec<i32> = self.dirty_dates()?.into_iter().filter(|date| !open.contains(date)).collect();
        if !finished.is_empty() {
            self.round(finished, run.clone(), None).await?;
        }
        self.in_between_s += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Publishes everything that is not published yet, with the run's end. Gives the exit code, which is worse than
    /// the one given where the window still has failures.
    pub async fn publish_all(&mut self, run: &mut RunRecord, exit: ExitCode) -> Result<ExitCode, SyncError> {
        let dates = self.dirty_dates()?;
        let (exit, ended) = self.round(dates, run.clone(), Some(exit)).await?;
        *run = ended;
        Ok(exit)
    }

    async fn round(
        &mut self,
        dates: Vec<i32>,
        run: RunRecord,
        exit: Option<ExitCode>,
    ) -> Result<(ExitCode, RunRecord), SyncError> {
        self.setup.events.event(&Event::Publishing { dates: dates.len() as u64 });
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
        self.transform_s += round.transform_s;
        self.load_s += round.load_s;
        let dates = round.dates_changed.len() as u64;
        self.published.extend(round.dates_changed);
        self.setup.events.event(&Event::Published { generation: round.generation, dates });
        Ok((round.exit, round.run))
    }

    /// Reads totals and generation off what is published, for the summary of a run that adds nothing to it.
    pub fn read_published(&mut self) -> Result<(), SyncError> {
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
    pub fn totals(&mut self) -> Totals {
        std::mem::take(&mut self.totals)
    }

    /// Fields of this run's answers that the tables have not.
    pub fn unknown_fields(&self) -> UnknownFields {
        let mut all = UnknownFields::new();
        for fields in self.unknown.values() {
            add_unknown(&mut all, fields.clone());
        }
        all
    }

    /// Records of the raw log that were passed over.
    pub fn torn(&self) -> u64 {
        self.torn.values().sum()
    }

    /// The dates that this run changed.
    pub fn dates_published(&self) -> Vec<String> {
        self.published.iter().cloned().collect()
    }

    /// The generation that was published last.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Seconds of the asking that went into publishing.
    pub fn seconds_in_between(&self) -> f64 {
        self.in_between_s
    }

    /// Seconds of each stage.
    pub fn stage_seconds(&self, asking_s: f64) -> Vec<(&'static str, f64)> {
        vec![("extract", asking_s), ("transform", self.transform_s), ("load", self.load_s)]
    }
}

/// One round, on a thread of its own.
struct Work {
    setup: SyncSetup,
    paths: StorePaths,
    run_id: String,
    ledger: Arc<Ledger>,
    part_number: u32,
}

impl Work {
    fn round(&self, dates: &[i32], mut run: RunRecord, exit: Option<ExitCode>) -> Result<Round, SyncError> {
        let began = Instant::now();
        let (raw_dir, work_dir) = (self.paths.raw(), self.paths.work());
        let context = DateContext {
            raw_dir: &raw_dir,
            work_dir: &work_dir,
            zone: &self.setup.zone,
            run_id: &self.run_id,
            part_number: self.part_number,
        };
        let staged: Vec<StagedDate> =
            dates.iter().map(|date| stage_date(context, *date)).collect::<Result<_, DateError>>()?;
        let transform_s = began.elapsed().as_secs_f64();
        let mut unknown = Vec::new();
        let mut torn = Vec::new();
        let mut publications = Vec::new();
        for date in staged {
            let meeting_date = date.publication.meeting_date;
            unknown.push((meeting_date, date.unknown_fields));
            torn.push((meeting_date, date.torn));
            publications.push(date.publication);
        }
        let publication = Publication {
            run_id: &self.run_id,
            now_us: (self.setup.now_us)(),
            dates: publications,
            start: Start::OverPublished,
            timezone: self.setup.zone.name(),
            user_id_type: self.setup.user_id_type.as_str(),
            database: self.setup.database,
        };
        let mut totals = Totals::default();
        let mut ended = exit;
        let published = publish(
            &self.paths,
            &publication,
            &mut |connection| {
                totals = Totals::of(connection, &self.setup, run.started_us)?;
                // What earlier runs could not get is owed as much as what this one could not.
                if exit == Some(ExitCode::Complete) && totals.failed() > 0 {
                    ended = Some(ExitCode::Owed);
                }
                run.totals = Some(totals.as_row());
                run.outcome = ended.map(|exit| exit.exit().name.to_owned());
                run.exit_code = ended.map(|exit| exit.number().into());
                self.ledger.record_run(&run)?;
                Ok(self.ledger.runs()?.iter().map(run_row).collect())
            },
            &mut |_| ControlFlow::Continue(()),
        )?;
        self.ledger.published(dates)?;
        Ok(Round {
            generation: published.generation,
            dates_changed: published.dates_changed,
            totals,
            exit: ended.unwrap_or(ExitCode::Complete),
            run,
            unknown,
            torn,
            transform_s,
            load_s: published.load_s,
        })
    }
}
