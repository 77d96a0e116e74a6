//! `sync`: fetches a window, publishes finished dates on the way, and the rest at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::blocking::in_place;
use super::copies::{self, CopyEnd};
use super::error::SyncError;
use super::fetch::counters::Counters;
use super::fetch::extraction::{Fetch, exit_code, extraction};
use super::open_store::{open_and_lock, settle_raw};
use super::publish::definitions::Installed;
use super::publish::publisher::Publisher;
use super::publish::setup::PublishSetup;
use super::setup::{SyncSetup, forward_only};
use super::summary::{BadLine, DaysFetched, EventsRead, Summary, TimeSpan};
use super::{history, identity, notes, plan, replace, run_record, store_settings, store_state};
use crate::error::{ExitCode, failed_copy_exit};
use crate::event::Event;
use crate::extract::{
    CaughtUp, DailyOutcome, EventFile, Extracted, FetchScope, ImportedEvents, Scheduler, Stop, catch_up_to,
};
use crate::ledger::{Ledger, RunRecord, holes};
use crate::load::PublishMode;
use crate::personal_data::Identity;
use crate::schema::TimeWindow;

#[derive(Debug)]
pub(crate) struct Synced {
    pub summary: Summary,
    pub exit: ExitCode,
    pub stop: Option<Stop>,
    /// The run is incomplete only because meetings or participants cannot be read.
    pub only_unreadable: bool,
    /// The run is incomplete only because of lines of the events file.
    pub only_bad_lines: bool,
    /// Participants that this run found to be unreadable.
    pub unreadable_participants: u64,
    /// The data is published, but could not be copied to the object store; `error` says why.
    pub copy_failed: bool,
    /// Why fetched data could not be published, if it could not; it is in the raw log.
    pub error: Option<SyncError>,
}

/// Returns an error if the store cannot be used. Whatever Feishu does is a [`Synced`] with its reason.
pub(crate) async fn sync(setup: SyncSetup) -> Result<Synced, SyncError> {
    let setup = SyncSetup { now_us: forward_only(Arc::clone(&setup.now_us)), ..setup };
    let started = Instant::now();
    let started_us = (setup.now_us)();
    let (paths, _lock, modes_set) = open_and_lock(&setup.store, "sync", started_us)?;
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    let raw_ends = settle_raw(&paths, &ledger)?;
    store_settings::check(&paths, &ledger, &setup)?;
    let identity = identity::open(&paths, &ledger, setup.personal)?;
    let installed = Arc::new(Installed::read_and_check(&paths, &setup.definitions)?);
    let lost_history = history::restore_lost(&paths, &ledger, setup.database)?;
    let mut caught_up = catch_up_to(&paths.raw(), &ledger, &setup.zone, &raw_ends)?;
    if ledger.is_upgraded() {
        // No run was killed: the index has another version.
        caught_up = CaughtUp::default();
    }
    let (since_us, until_us) = setup.window_us;
    let mut run = run_record::begin_with("sync", setup.window_us, started_us, setup.client.effects.random());
    run_record::set_meeting_nos(&mut run, &setup.meeting_nos);
    if !setup.has_window {
        // It covers no time: what the meeting list has there is unknown.
        (run.since_us, run.until_us) = (None, None);
    }
    let run_id = run.run_id.clone();
    let mut publishing = PublishSetup {
        window: TimeWindow::overlapping(setup.window_us),
        has_window: setup.has_window,
        meeting_nos: setup.meeting_nos.clone(),
        zone: setup.zone.clone(),
        user_id_type: setup.user_id_type.as_str().to_owned(),
        database: setup.database,
        threads: setup.threads,
        installed,
        mode: PublishMode::Update,
        lost_raw_dates: BTreeSet::new(),
        may_lose_rows: BTreeSet::new(),
        listener: Arc::clone(&setup.listener),
        now_us: Arc::clone(&setup.now_us),
    };
    let replaced = replace::finish(&paths, &ledger, &publishing, &mut run.clone(), None)?;
    let lost_raw_dates = store_state::reconcile(&paths, &ledger)?;
    paths.remove_orphans()?;
    publishing.lost_raw_dates.clone_from(&lost_raw_dates);

    let fetch = Fetch {
        resumed_since_us: store_state::resumed_since(&ledger.runs()?, started_us),
        scope: FetchScope::Everything,
        lost_raw_dates,
        pseudonyms: identity.pseudonyms.clone(),
        partly: replace::partly(&paths, &ledger, setup.personal, &setup.zone)?,
    };
    ledger.record_run(&run)?;
    let new_key = identity::adopt_new_key(&identity, &paths, &ledger, (&run_id, started_us), &setup.zone)?;
    setup.listener.on_event(&match setup.events.as_ref().filter(|_| !setup.has_window) {
        Some(events) => Event::EventsRead { meetings: events.events.len() as u64 },
        None => Event::Started { since_us, until_us },
    });

    let counters = Arc::new(Counters::new(Arc::clone(&setup.listener), Arc::clone(&setup.client.effects)));
    let extraction = extraction(&setup, &paths, &run_id, &ledger, &counters, fetch)?;
    let expiring = publishing.clone();
    let mut publisher = Publisher::new(publishing, &paths, Arc::clone(&ledger));
    let extraction_began = Instant::now();
    let (mut extracted, failed) = fetch_and_publish(&setup, &extraction, &mut publisher, &run, &counters).await?;
    let extract_s = extraction_began.elapsed().as_secs_f64() - publisher.seconds_during_extraction;

    if failed.is_some() {
        // We interrupted the extraction because publishing failed; that failure is the reason to report.
        extracted.stop = None;
    }
    let events = setup.events.as_ref().map(|file| events_read(file, extracted.events));
    let exit = match exit_code(&extracted, setup.signal.load(Ordering::Relaxed)) {
        ExitCode::Complete if events.as_ref().is_some_and(|events| !events.bad_lines.is_empty()) => {
            ExitCode::Incomplete
        }
        exit => exit,
    };
    let Extracted {
        stop, unreadable_meetings, failed_units, unreadable_participants, meeting_list_pages, daily, ..
    } = extracted;
    run_record::set_finished(&mut run, (setup.now_us)());
    run_record::set_calls(&mut run, &counters);
    let is_whole = stop.is_none();
    let due = publisher.due(is_whole)?;
    let mut publishing_failed = failed.is_some();
    let (mut exit, mut error) = match failed {
        Some(failed) => (ExitCode::Storage, Some(failed)),
        None if !setup.publishes => (exit, None),
        // A run that was refused before the first response leaves what is published as it is.
        None if !is_whole && due.dates.is_empty() => {
            publisher.read_published()?;
            (exit, None)
        }
        None => match publisher.publish_all(&mut run, exit, &due).await {
            Ok(exit) => match publisher.skipped_error() {
                None => (exit, None),
                skipped => (ExitCode::Storage, skipped),
            },
            Err(failed) => {
                publishing_failed = true;
                (ExitCode::Storage, Some(failed))
            }
        },
    };
    let mut expired = None;
    if error.is_none()
        && let Some(days) = setup.identity_days.filter(|_| setup.personal.identity == Identity::Full)
    {
        // Old identities are replaced even if Feishu cannot be reached.
        match in_place(|| replace::expire(&paths, &ledger, days, &expiring, (&mut run, exit))) {
            Ok(done) => expired = done,
            Err(failed) => {
                error = Some(failed);
                exit = ExitCode::Storage;
            }
        }
        if let Some(damaged) = expired.as_mut().and_then(|expired| expired.damaged.take()) {
            (exit, error) = (ExitCode::Storage, Some(damaged.into()));
        }
        if expired.as_ref().is_some_and(|expired| expired.generation.is_some()) {
            publisher.read_published()?;
        }
    }
    if publishing_failed {
        // Only for the summary: what could not be written may still be readable.
        let _ = publisher.read_published();
    }
    run_record::set_exit(&mut run, exit);
    // Publishing took time, too; the published row has the time at which it began.
    run_record::set_finished(&mut run, (setup.now_us)());
    if let Err(failed) = ledger.record_run(&run) {
        // On a full disk this fails, too; report what failed first.
        exit = ExitCode::Storage;
        error.get_or_insert(failed.into());
    }
    // A ledger that cannot be read any more is the error above.
    let holes = ledger.runs().map(|runs| holes(&runs, (setup.now_us)())).unwrap_or_default();
    let mut notes =
        notes::of_sync((unreadable_meetings, unreadable_participants), publisher.truncated(), caught_up, &due);
    notes.extend(notes::of_cut(raw_ends.cut));
    notes.extend(modes_set);
    notes.extend(new_key);
    notes.extend(expired.into_iter().flat_map(|expired| expired.notes));
    notes.extend(notes::of_identity_days(setup.identity_days, setup.personal.identity));
    let pruned = replace::pruned_before(&ledger.runs().unwrap_or_default(), &setup.zone);
    notes
        .extend(pruned.filter(|_| setup.has_window).and_then(|before| notes::of_pruned(before, since_us, &setup.zone)));
    notes.extend(replaced.map(|replaced| notes::of_interrupted(&replaced.dates)));
    notes.extend(notes::of_days(&daily));
    notes.extend(lost_history);
    notes.extend(history::holes_note(&holes, &setup.zone));

    let events_not_listed = match stop.is_none() && setup.has_window && setup.meeting_nos.is_empty() {
        true => ledger.unlisted_events(setup.window_us, settled_us(&setup)).unwrap_or_default(),
        false => Vec::new(),
    };
    let nothing_is_missing = exit == ExitCode::Incomplete
        && is_whole
        && failed_units == 0
        && publisher.failed() == 0
        && daily.gaps.is_empty()
        && due.lost_raw.is_empty();
    let is_readable = unreadable_meetings + unreadable_participants == 0;
    let has_bad_lines = events.as_ref().is_some_and(|events| !events.bad_lines.is_empty());
    let only_unreadable = nothing_is_missing && !is_readable && !has_bad_lines;
    let only_bad_lines = nothing_is_missing && is_readable && has_bad_lines;
    notes.extend(notes::of_events(events.as_ref(), &events_not_listed));
    let mut copy_failed = false;
    let copy = match setup.copy.as_ref().filter(|_| error.is_none() && !setup.cancel.is_cancelled()) {
        None => None,
        Some(copy) => match copies::copy_after_sync(&paths, &ledger, copy, &setup).await {
            CopyEnd::Copied(copied) => copied,
            CopyEnd::Interrupted => {
                exit = ExitCode::of_signal(setup.signal.load(Ordering::Relaxed));
                notes.push("the copy was interrupted; the next run continues it".to_owned());
                None
            }
            CopyEnd::Failed(failed) => {
                (exit, copy_failed) = (failed_copy_exit(&failed), true);
                error = Some(failed);
                None
            }
        },
    };
    let mut summary = Summary {
        calls: counters.calls(),
        retries: counters.retries(),
        throttles: counters.throttles(),
        waited_s: counters.waited_s(),
        // Before the meeting list was read to its end, nobody knows what is left.
        left: stop
            .as_ref()
            .and(meeting_list_pages)
            .and_then(|pages| plan::left(&ledger, &setup, (setup.now_us)(), pages)),
        fetches: true,
        copy,
        also: days_fetched(&daily),
        not_covered: holes.into_iter().map(TimeSpan::from).collect(),
        events,
        events_not_listed,
        notes,
        ..publisher.summary(run_id, exit, started, ("extract", extract_s))
    };
    summary.notes.extend(publisher.take_notes());
    Ok(Synced { summary, exit, stop, only_unreadable, only_bad_lines, unreadable_participants, copy_failed, error })
}

/// Meetings that ended before this have long been listed.
fn settled_us(setup: &SyncSetup) -> i64 {
    (setup.now_us)().saturating_sub(i64::try_from(setup.settle.as_micros()).unwrap_or(i64::MAX))
}

fn events_read(file: &EventFile, imported: ImportedEvents) -> EventsRead {
    let bad_lines = file.bad_lines.iter().map(|(line, problem)| BadLine { line: *line, problem: problem.clone() });
    EventsRead {
        new: imported.new,
        known: imported.known,
        duplicates: file.duplicates,
        skipped: file.skipped,
        bad_lines: bad_lines.collect(),
    }
}

fn days_fetched(daily: &DailyOutcome) -> BTreeMap<&'static str, DaysFetched> {
    let mut kinds: BTreeMap<&'static str, DaysFetched> = BTreeMap::new();
    for (kind, days) in &daily.answered {
        kinds.entry(kind.folder()).or_default().days_fetched = *days;
    }
    for gap in &daily.gaps {
        let kind = kinds.entry(gap.kind.folder()).or_default();
        (kind.days_missing, kind.reason) = (gap.days, Some(gap.reason.clone()));
    }
    kinds
}

/// Fetches the window and publishes finished dates now and then. If publishing fails, the extraction ends and the error
/// is returned together with what was extracted.
async fn fetch_and_publish(
    setup: &SyncSetup,
    extraction: &Arc<Scheduler>,
    publisher: &mut Publisher,
    run: &RunRecord,
    counters: &Counters,
) -> Result<(Extracted, Option<SyncError>), SyncError> {
    let task = Arc::clone(extraction);
    let mut task = tokio::spawn(async move { task.run().await });
    let clock = &setup.client.effects;
    let mut last = clock.instant();
    loop {
        let wait = setup.publish_every.saturating_sub(clock.instant() - last);
        tokio::select! {
            biased;
            extracted = &mut task => return Ok((joined(extracted)?, None)),
            () = clock.sleep(wait) => {
                // While the meeting list is being read, any date may get more meetings.
                if let Some(open) = extraction.open_dates() {
                    let mut under_way = run.clone();
                    run_record::set_calls(&mut under_way, counters);
                    if let Err(error) = publisher.publish_finished(&open, &under_way).await {
                        // Let the extraction end after the pages being fetched: their data is kept.
                        setup.cancel.cancel();
                        return Ok((joined(task.await)?, Some(error)));
                    }
                }
                last = clock.instant();
            }
        }
    }
}

/// A panic of the task continues here.
fn joined(ended: Result<Extracted, tokio::task::JoinError>) -> Result<Extracted, SyncError> {
    ended.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => SyncError::Panicked,
    })
}
