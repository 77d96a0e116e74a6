//! `plan`: what a sync of a window would fetch, found out with as few calls as possible.
//!
//! Fetches the meeting list and the participant lists that were never read, and records them as a sync would, so that
//! no response is wasted. Takes no lock: raw files are named by run, and the ledger allows several writers. Publishes
//! nothing; dates with new responses wait for the next sync.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::SyncError;
use super::estimate::{CostEstimate, local_text, tenths};
use super::fetch::counters::Counters;
use super::fetch::extraction::{Fetch, exit_code, extraction};
use super::setup::{SyncSetup, forward_only};
use super::summary::Calls;
use super::{history, identity, replace, run_record, store_settings, store_state};
use crate::error::ExitCode;
use crate::event::Event;
use crate::extract::{
    DailyEstimate, Estimate, EstimateInput, FetchScope, Limits, Stop, catch_up_to, estimate_days, paced,
    settle_raw_ends,
};
use crate::ledger::{Ledger, WindowFilter};
use crate::load::{Manifest, StorePaths, share_raw_files};
use crate::schema::{civil_date_text, utc_text};

/// The meetings that a sync would finish within `--max-calls` and `--finish-by`, newest meetings first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PlannedReach {
    pub max_calls: Option<u64>,
    pub finish_by_utc: Option<String>,
    pub is_whole: bool,
    pub meetings: u64,
    pub calls: u64,
    /// The oldest date that would be finished, `YYYY-MM-DD`; null if not even the newest would be.
    pub back_to: Option<String>,
}

/// The object that `plan --json` prints. Times are RFC 3339 UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Plan {
    pub run_id: String,
    pub outcome: &'static str,
    pub exit_code: u8,
    /// Whether the meeting list was read to its end and every participant list that was needed was fetched.
    pub is_whole: bool,
    pub since_utc: String,
    pub until_utc: String,
    pub refetch: bool,
    pub meetings: u64,
    /// Their known participants; duplicates count once.
    pub participants: u64,
    pub pending: CostEstimate,
    /// When a sync that begins now would finish, and the same in the tenant's zone, with its offset.
    pub finish_utc: String,
    pub finish_local: String,
    /// Dates that it would publish, `YYYY-MM-DD`: those with pending participants, those with unpublished responses,
    /// and the days that `--also` would request, except those of rooms.
    pub dates: Vec<String>,
    pub reach: Option<PlannedReach>,
    /// Calls to the optional endpoints that a sync would make, estimated; only with `--also`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<&'static str, u64>,
    pub used: Calls,
    pub elapsed_s: f64,
    pub store: String,
}

#[derive(Debug)]
pub(crate) struct Planned {
    pub plan: Plan,
    pub exit: ExitCode,
    pub stop: Option<Stop>,
}

/// The limits in `setup` do not limit the plan; [`Plan::reach`] is how far a sync would get within them. Returns an
/// error if the store cannot be used. Whatever Feishu does is a [`Planned`] with its reason.
pub(crate) async fn plan(setup: SyncSetup) -> Result<Planned, SyncError> {
    let setup = SyncSetup { now_us: forward_only(Arc::clone(&setup.now_us)), ..setup };
    let began = Instant::now();
    let started_us = (setup.now_us)();
    let paths = StorePaths::open(&setup.store)?;
    let _raw = share_raw_files(&paths);
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    // A sync may be running.
    let raw_ends = settle_raw_ends(&paths.raw(), &ledger, false)?;
    if !ledger.replacing()?.is_empty() {
        return Err(SyncError::Replacing { store: setup.store.clone() });
    }
    store_settings::check(&paths, &ledger, &setup)?;
    let identity = identity::open(&paths, &ledger, setup.personal)?;
    history::restore_lost(&paths, &ledger, setup.database)?;
    catch_up_to(&paths.raw(), &ledger, &setup.zone, &raw_ends)?;
    let manifest = Manifest::read(&paths)?;
    let fetch = Fetch {
        scope: FetchScope::Lists,
        lost_raw_dates: store_state::lost_raw_dates(&paths, &ledger, manifest.as_ref())?,
        resumed_since_us: None,
        pseudonyms: identity.pseudonyms.clone(),
        partly: replace::partly(&paths, &ledger, setup.personal, &setup.zone)?,
    };

    let (since_us, until_us) = setup.window_us;
    let mut run = run_record::begin("plan", setup.window_us, started_us);
    run_record::set_meeting_nos(&mut run, &setup.meeting_nos);
    let run_id = run.run_id.clone();
    ledger.record_run(&run)?;
    identity::adopt_new_key(&identity, &paths, &ledger, (&run_id, started_us), &setup.zone)?;
    setup.listener.on_event(&Event::Started { since_us, until_us });

    let counters = Arc::new(Counters::new(Arc::clone(&setup.listener), Arc::clone(&setup.client.effects)));
    let unlimited = SyncSetup { max_calls: None, finish_by_us: None, refetch: false, ..setup.clone() };
    let extracted = {
        // Dropped at once, so that everything is recorded before it is counted.
        let extraction = extraction(&unlimited, &paths, &run_id, &ledger, &counters, fetch)?;
        extraction.run().await
    };
    let exit = exit_code(&extracted, setup.signal.load(Ordering::Relaxed));
    let now_us = (setup.now_us)();
    run_record::set_finished(&mut run, now_us);
    run_record::set_calls(&mut run, &counters);
    run_record::set_exit(&mut run, exit);
    ledger.record_run(&run)?;

    let mut pending = pending(&ledger, &setup, setup.refetch, now_us)?;
    if let Some(pages) = extracted.meeting_list_pages {
        pending = pending.with_meeting_list(pages);
    }
    let also = also(&ledger, &setup, now_us)?;
    let mut dates = pending.dates.clone();
    dates.extend(&also.days);
    dates.extend(ledger.dirty_dates()?.iter().map(|date| date.meeting_date));
    let rate = setup.client.rate;
    let finish_us = now_us.saturating_add(i64::try_from(pending.time(rate).as_micros()).unwrap_or(i64::MAX));
    let plan = Plan {
        run_id,
        outcome: exit.name(),
        exit_code: exit.number(),
        is_whole: extracted.stop.is_none() && extracted.failed_units == 0,
        since_utc: utc_text(since_us),
        until_utc: utc_text(until_us),
        refetch: setup.refetch,
        meetings: pending.meetings,
        participants: pending.participants,
        pending: CostEstimate::at_rate(&pending, rate),
        finish_utc: utc_text(finish_us),
        finish_local: local_text(finish_us, &setup.zone),
        dates: dates.into_iter().map(civil_date_text).collect(),
        reach: reach(&pending, &setup, now_us),
        also: also.calls.into_iter().map(|(endpoint, calls)| (endpoint.name(), calls)).collect(),
        used: counters.calls(),
        elapsed_s: tenths(began.elapsed()),
        store: paths.root().display().to_string(),
    };
    Ok(Planned { plan, exit, stop: extracted.stop })
}

fn also(ledger: &Ledger, setup: &SyncSetup, now_us: i64) -> Result<DailyEstimate, SyncError> {
    let SyncSetup { also, window_us, refetch, zone, settle, .. } = setup;
    Ok(estimate_days(ledger, also, *window_us, *refetch, zone, (*settle).into(), now_us)?)
}

fn pending(ledger: &Ledger, setup: &SyncSetup, refetch: bool, now_us: i64) -> Result<Estimate, SyncError> {
    let (window_us, outside) = (setup.window_us, !setup.window_only);
    let filter = WindowFilter { window_us, meeting_nos: &setup.meeting_nos, refetch, outside };
    let (settle, longest_meeting) = (setup.settle.into(), setup.longest_meeting);
    let input =
        EstimateInput { filter, now_us, settle, longest_meeting, lists_for_ids: identity::lists_for_ids(ledger)? };
    Ok(Estimate::new(ledger, &input)?)
}

/// What is left of a sync's window when it stops early. The ledger knows of a refetch that was begun, so what has
/// become final stays final. `None` if nothing is known to be left, or if the ledger cannot be read: the run has ended,
/// and that must not spoil its end.
pub(super) fn left(ledger: &Ledger, setup: &SyncSetup, now_us: i64, meeting_list_pages: u64) -> Option<CostEstimate> {
    match pending(ledger, setup, false, now_us) {
        Ok(pending) if pending.meetings_pending > 0 => {
            Some(CostEstimate::at_rate(&pending.with_meeting_list(meeting_list_pages), setup.client.rate))
        }
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not estimate what is left");
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
        // The first call is sent at once, so one more fits than the rate alone would allow.
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
