//! plan: what a sync of a window would ask, found out with as few calls as can be.
//!
//! It asks the meeting list, and the participants of meetings whose list was never answered, and writes down what it is
//! told as a sync would, so that no answer is wasted. It takes no lock: raw files are named by run, and the ledger takes
//! several writers. It publishes nothing; dates with new answers wait for the next sync.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::price::{Price, local_text, tenths};
use super::{Asking, Calls, SyncError, SyncSetup, check_settings, counted, extraction, run_id, store_state};
use crate::commands::wire::Counters;
use crate::error::{ExitCode, StopReason};
use crate::event::Event;
use crate::extract::{Estimate, EstimateInput, Extracted, FetchScope, Limits, Stop, catch_up, paced};
use crate::ledger::{Ledger, RunRecord};
use crate::load::{Manifest, StorePaths};
use crate::schema::{civil_date_text, utc_text};

/// How far a sync would get within `--max-calls` and `--finish-by`, newest meetings first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PlannedReach {
    /// The bound on calls, if there is one.
    pub max_calls: Option<u64>,
    /// The bound on time, RFC 3339 UTC, if there is one.
    pub finish_by_utc: Option<String>,
    /// True where everything fits.
    pub is_whole: bool,
    /// Meetings that are finished.
    pub meetings: u64,
    /// Calls that these take.
    pub calls: u64,
    /// The oldest date of which everything is asked, `YYYY-MM-DD`; null where not even the newest is finished.
    pub back_to: Option<String>,
}

/// The plan: the object that `plan --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Plan {
    /// The run that asked.
    pub run_id: String,
    /// The exit code's word.
    pub outcome: &'static str,
    pub exit_code: u8,
    /// True where the meeting list was read to its end and every list that had to be asked was answered.
    pub is_whole: bool,
    /// Start of the window, RFC 3339 UTC.
    pub since_utc: String,
    /// End of the window, RFC 3339 UTC.
    pub until_utc: String,
    /// True where everything is priced, also what is final.
    pub refetch: bool,
    /// Meetings known of the window.
    pub meetings: u64,
    /// Participants known of them; duplicates are one.
    pub participants: u64,
    /// What a sync would ask.
    pub pending: Price,
    /// When it would be done if it began now, RFC 3339 UTC.
    pub finish_utc: String,
    /// The same on the tenant's clock, with its offset.
    pub finish_local: String,
    /// Dates that it would publish anew, `YYYY-MM-DD`: those with answers to come, and those with answers that wait.
    pub dates: Vec<String>,
    /// How far it would get within the bounds that were given; null without bounds.
    pub reach: Option<PlannedReach>,
    /// Requests that the plan itself made.
    pub used: Calls,
    /// Seconds that the plan took.
    pub elapsed_s: f64,
    pub store: String,
}

/// How a plan ended.
#[derive(Debug)]
pub(crate) struct Planned {
    pub plan: Plan,
    /// How the program ends.
    pub exit: ExitCode,
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
}

/// Plans a sync. The bounds in `setup` do not bound the plan; they are what the plan is held against.
///
/// # Errors
/// [`SyncError`] where the store can't be used. Whatever the vendor does is a [`Planned`] with its reason.
pub(crate) async fn plan(setup: SyncSetup) -> Result<Planned, SyncError> {
    let began = Instant::now();
    let started_us = (setup.now_us)();
    let paths = StorePaths::open(&setup.store)?;
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    check_settings(&paths, &ledger, &setup)?;
    catch_up(&paths.raw(), &ledger, &setup.zone)?;
    let manifest = Manifest::read(&paths)?;
    let asks = Asking {
        scope: FetchScope::Lists,
        lost_raw_dates: store_state::lost_raw_dates(&paths, &ledger, manifest.as_ref())?,
        resumed_since_us: None,
    };

    let run_id = run_id(started_us);
    let (since_us, until_us) = setup.window_us;
    let mut run = RunRecord {
        run_id: run_id.clone(),
        command: "plan".to_owned(),
        since_us: Some(since_us),
        until_us: Some(until_us),
        started_us,
        ..RunRecord::default()
    };
    ledger.record_run(&run)?;
    setup.listener.on_event(&Event::Started { since_us, until_us });

    let counters = Arc::new(Counters::new(Arc::clone(&setup.listener)));
    let asking = SyncSetup { max_calls: None, finish_by_us: None, refetch: false, ..setup.clone() };
    let Extracted { stop, meeting_list_pages, unreadable_meetings, failed_units } = {
        // Dropped at once, so that everything is written down before it is counted.
        let extraction = extraction(&asking, &paths, &run_id, &ledger, &counters, asks)?;
        extraction.run().await
    };
    let exit = match &stop {
        Some(stop) => StopReason::of(stop, setup.signal.load(Ordering::Relaxed)).exit,
        None if failed_units > 0 || unreadable_meetings > 0 => ExitCode::Incomplete,
        None => ExitCode::Complete,
    };
    let now_us = (setup.now_us)();
    run.finished_us = Some(now_us);
    counted(&mut run, &counters);
    run.outcome = Some(exit.name().to_owned());
    run.exit_code = Some(exit.number().into());
    ledger.record_run(&run)?;

    let mut pending = pending(&ledger, &setup, setup.window_us, now_us)?;
    if let Some(pages) = meeting_list_pages {
        pending = pending.with_meeting_list(pages);
    }
    let mut dates = pending.dates.clone();
    dates.extend(ledger.dirty_dates()?.iter().map(|date| date.meeting_date));
    let rate = setup.client.rate;
    let finish_us = now_us.saturating_add(i64::try_from(pending.time(rate).as_micros()).unwrap_or(i64::MAX));
    let plan = Plan {
        run_id,
        outcome: exit.name(),
        exit_code: exit.number(),
        is_whole: stop.is_none() && failed_units == 0,
        since_utc: utc_text(since_us),
        until_utc: utc_text(until_us),
        refetch: setup.refetch,
        meetings: pending.meetings,
        participants: pending.participants,
        pending: Price::of(&pending, rate),
        finish_utc: utc_text(finish_us),
        finish_local: local_text(finish_us, &setup.zone),
        dates: dates.into_iter().map(civil_date_text).collect(),
        reach: reach(&pending, &setup, now_us),
        used: counters.calls(),
        elapsed_s: tenths(began.elapsed()),
        store: paths.root().display().to_string(),
    };
    Ok(Planned { plan, exit, stop })
}

/// What a window owes by the ledger, for a setup.
pub(crate) fn pending(
    ledger: &Ledger,
    setup: &SyncSetup,
    window_us: (i64, i64),
    now_us: i64,
) -> Result<Estimate, SyncError> {
    let question = EstimateInput {
        window_us,
        meeting_nos: &setup.meeting_nos,
        refetch: setup.refetch,
        now_us,
        settle: setup.settle.into(),
    };
    Ok(Estimate::new(ledger, &question)?)
}

/// What is left of a sync's window when it stops early. A refetch was begun in the ledger, so what is final by now stays
/// so. `None` where nothing is known to be left, or the ledger can't be asked: the run has ended, and its end is not
/// spoilt by that.
pub(crate) fn left(ledger: &Ledger, setup: &SyncSetup, now_us: i64, meeting_list_pages: u64) -> Option<Price> {
    let setup = SyncSetup { refetch: false, ..setup.clone() };
    match pending(ledger, &setup, setup.window_us, now_us) {
        Ok(pending) if pending.meetings_pending > 0 => {
            Some(Price::of(&pending.with_meeting_list(meeting_list_pages), setup.client.rate))
        }
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not price what is left");
            None
        }
    }
}

fn reach(pending: &Estimate, setup: &SyncSetup, now_us: i64) -> Option<PlannedReach> {
    if setup.max_calls.is_none() && setup.finish_by_us.is_none() {
        return None;
    }
    let rate = setup.client.rate;
    let time = setup.finish_by_us.map(|by_us| {
        // The first call goes out at once, so one more fits than the pace alone would let through.
        Duration::from_micros(u64::try_from(by_us - now_us).unwrap_or_default()) + paced(1, rate)
    });
    let reach = pending.reach(Limits { calls: setup.max_calls, time }, rate);
    Some(PlannedReach {
        max_calls: setup.max_calls,
        finish_by_utc: setup.finish_by_us.map(utc_text),
        is_whole: reach.is_whole,
        meetings: reach.meetings,
        calls: reach.calls,
        back_to: reach.back_to.map(civil_date_text),
    })
}
