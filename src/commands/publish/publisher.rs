//! Publishes during a run and at its end, and collects what the summary needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::due_dates::{DueDates, due_dates};
use super::missing_fields::{FilledColumns, missing_fields};
use super::round::{RoundInput, Skipped};
use super::setup::PublishSetup;
use super::totals::Totals;
use crate::commands::blocking::blocking;
use crate::commands::error::SyncError;
use crate::commands::incidents::{count_on_dates, no_incidents};
use crate::commands::summary::Summary;
use crate::error::ExitCode;
use crate::event::Event;
use crate::extract::accept_losses;
use crate::ledger::{DirtyDate, Ledger, RunRecord};
use crate::load::{Held, Manifest, StorePaths, open_complete};
use crate::schema::{TimeWindow, civil_date_text, utc_text};
use crate::transform::FieldCounts;

pub(crate) struct Publisher {
    setup: PublishSetup,
    paths: StorePaths,
    ledger: Arc<Ledger>,
    part_number: u32,
    generation: u64,
    totals: Totals,
    fields: BTreeMap<i32, FieldCounts>,
    filled_columns: FilledColumns,
    truncated: BTreeMap<i32, u64>,
    dates_published: BTreeSet<String>,
    staged: BTreeSet<i32>,
    skipped: Skipped,
    notes: Vec<String>,
    transform_s: f64,
    load_s: f64,
    pub seconds_during_extraction: f64,
}

impl Publisher {
    pub(crate) fn new(setup: PublishSetup, paths: &StorePaths, ledger: Arc<Ledger>) -> Publisher {
        let notes = setup.installed.problems();
        Publisher {
            setup,
            paths: paths.clone(),
            ledger,
            part_number: 0,
            generation: 0,
            totals: Totals::default(),
            fields: BTreeMap::new(),
            filled_columns: FilledColumns::new(),
            truncated: BTreeMap::new(),
            dates_published: BTreeSet::new(),
            staged: BTreeSet::new(),
            skipped: Skipped::default(),
            notes,
            transform_s: 0.0,
            load_s: 0.0,
            seconds_during_extraction: 0.0,
        }
    }

    pub(crate) fn due(&self, is_whole: bool) -> Result<DueDates, SyncError> {
        due_dates(&self.ledger, &self.setup, is_whole)
    }

    /// Publishes the dates that have responses and no more work, if there are any.
    pub(crate) async fn publish_finished(&mut self, open: &[i32], run: &RunRecord) -> Result<(), SyncError> {
        let began = Instant::now();
        let mut dates = self.due(false)?.dates;
        dates.retain(|date| !open.contains(&date.meeting_date));
        if !dates.is_empty() {
            self.publish(dates, run.clone(), None).await?;
        }
        self.seconds_during_extraction += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Publishes everything that is due, with the end of the run. Returns the exit code, which is worse than the given
    /// one if the window still has failures.
    pub(crate) async fn publish_all(
        &mut self,
        run: &mut RunRecord,
        exit: ExitCode,
        due: &DueDates,
    ) -> Result<ExitCode, SyncError> {
        let (exit, ended) = self.publish(due.dates.clone(), run.clone(), Some(exit)).await?;
        let replaced: BTreeSet<i32> = self.setup.lost_raw_dates.intersection(&self.staged).copied().collect();
        accept_losses(&self.paths.raw(), &self.ledger, &replaced)?;
        self.ledger.end_refetch(&due.awaiting_refetch)?;
        *run = ended;
        Ok(exit)
    }

    pub(crate) async fn publish(
        &mut self,
        dates: Vec<DirtyDate>,
        run: RunRecord,
        exit: Option<ExitCode>,
    ) -> Result<(ExitCode, RunRecord), SyncError> {
        let listener = Arc::clone(&self.setup.listener);
        listener.on_event(&Event::Publishing { dates: dates.len() as u64 });
        self.part_number += 1;
        let input = RoundInput {
            setup: self.setup.clone(),
            paths: self.paths.clone(),
            ledger: Arc::clone(&self.ledger),
            part_number: self.part_number,
            dates,
            run,
            exit,
        };
        // Staging and DuckDB keep a core busy, so not on the threads that wait for the network.
        let round = blocking(move || input.publish()).await?;
        self.generation = round.generation;
        self.totals = round.totals;
        self.fields.extend(round.fields);
        self.filled_columns.extend(round.filled_columns);
        self.truncated.extend(round.truncated);
        self.staged = round.staged;
        self.skipped = round.skipped;
        // A run that publishes several times finds the same more than once.
        self.notes.extend(round.notes.into_iter().filter(|note| !self.notes.contains(note)).collect::<Vec<_>>());
        self.transform_s += round.transform_s;
        self.load_s += round.load_s;
        let dates = round.dates_changed.len() as u64;
        self.dates_published.extend(round.dates_changed);
        listener.on_event(&Event::Published { generation: round.generation, dates });
        Ok((round.exit, round.run))
    }

    pub(crate) fn skipped_error(&mut self) -> Option<SyncError> {
        let Skipped { short, damaged } = std::mem::take(&mut self.skipped);
        if let Some(damaged) = damaged {
            return Some(damaged.into());
        }
        let (first, last) = (civil_date_text(*short.first()?), civil_date_text(*short.last()?));
        Some(SyncError::Short { dates: short.len(), first, last })
    }

    /// Reads totals and generation of what is published, for the summary of a run that publishes nothing.
    pub(crate) fn read_published(&mut self) -> Result<(), SyncError> {
        let manifest = Manifest::read(&self.paths)?;
        if let Some(manifest) = &manifest {
            self.generation = manifest.generation;
        }
        if self.paths.database().exists() || manifest.is_some_and(|manifest| manifest.database == Held::Nothing) {
            let connection = open_complete(&self.paths, self.setup.database)?;
            self.totals = Totals::count(&connection, &self.setup, i64::MAX).map_err(SyncError::Totals)?;
        }
        Ok(())
    }

    /// What was found while publishing, for the summary.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Participants of the window that failed, as published last.
    pub(crate) fn failed(&self) -> u64 {
        self.totals.failed()
    }

    pub(crate) fn truncated(&self) -> u64 {
        self.truncated.values().sum()
    }

    /// Those of the published dates, by severity. The run has ended: a failure to count must not change its outcome.
    fn incidents(&self) -> Option<BTreeMap<&'static str, u64>> {
        if self.dates_published.is_empty() {
            return None;
        }
        let connection = open_complete(&self.paths, self.setup.database).ok()?;
        count_on_dates(&connection, &self.dates_published).ok()
    }

    /// The summary of a run without requests. `first_stage` is the stage before `transform`, with its seconds.
    pub(crate) fn summary(
        &mut self,
        run_id: String,
        exit: ExitCode,
        started: Instant,
        first_stage: (&'static str, f64),
    ) -> Summary {
        let totals = std::mem::take(&mut self.totals);
        let mut fields = FieldCounts::default();
        self.fields.values().for_each(|of_date| fields.add(of_date));
        // The run has ended: a failure to count must not change its outcome.
        let TimeWindow { since_us, until_us, .. } = self.setup.window;
        let pending_outside_window = self.ledger.count_pending_outside(since_us, until_us).unwrap_or_default();
        Summary {
            run_id,
            outcome: exit.name(),
            exit_code: exit.number(),
            since_utc: utc_text(self.setup.window.since_us),
            until_utc: utc_text(self.setup.window.until_us),
            meetings: totals.meetings,
            participants: totals.participants,
            by_status: totals.by_status,
            lists_by_status: totals.lists_by_status,
            samples: totals.samples,
            rejects: totals.rejects,
            pending_outside_window,
            elapsed_s: started.elapsed().as_secs_f64(),
            missing_fields: missing_fields(&fields.sent, &self.filled_columns),
            unknown_fields: fields.unknown,
            dates_published: self.dates_published.iter().cloned().collect(),
            incidents: self.incidents().unwrap_or_else(no_incidents),
            generation: self.generation,
            store: self.paths.root().display().to_string(),
            stage_s: vec![first_stage, ("transform", self.transform_s), ("load", self.load_s)],
            ..Summary::default()
        }
    }
}
