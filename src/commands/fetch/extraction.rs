//! Puts an extraction together, for a sync and for a plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use feishu_vc::{Client, EventListener, ExchangeFilter};

use super::budget::Budget;
use super::counters::Counters;
use super::pruned_meetings::PrunedMeetings;
use crate::commands::error::SyncError;
use crate::commands::replace::{Identities as Replaced, pruned_before};
use crate::commands::setup::SyncSetup;
use crate::error::{ExitCode, StopReason};
use crate::extract::{
    ChangedLists, CheckpointWriter, ExtractSettings, Extracted, FetchScope, Identities, Partly, Scheduler,
};
use crate::ledger::Ledger;
use crate::load::StorePaths;
use crate::personal_data::Pseudonyms;
use crate::raw_log::Rewrite;

/// What a run fetches, given what the store holds.
pub(crate) struct Fetch {
    pub scope: FetchScope,
    pub lost_raw_dates: BTreeSet<i32>,
    pub resumed_since_us: Option<i64>,
    /// What replaces personal values; `None` if nothing is replaced.
    pub pseudonyms: Option<Arc<Pseudonyms>>,
    /// What replaces those of old dates and of people who are forgotten, where nothing else is replaced.
    pub partly: Option<(Arc<Pseudonyms>, Partly)>,
}

pub(crate) fn extraction(
    setup: &SyncSetup,
    paths: &StorePaths,
    run_id: &str,
    ledger: &Arc<Ledger>,
    counters: &Arc<Counters>,
    fetch: Fetch,
) -> Result<Arc<Scheduler>, SyncError> {
    let mut config = setup.client.clone();
    config.cancel = setup.cancel.clone();
    config.call_budget = Arc::new(Budget::new(setup.max_calls, setup.finish_by_us, Arc::clone(&setup.now_us)));
    let changed_lists = fetch.partly.as_ref().map(|(pseudonyms, partly)| changed_lists(pseudonyms, &partly.dates));
    let identities = match (fetch.pseudonyms, fetch.partly) {
        (_, Some((pseudonyms, partly))) => Some(Arc::new(Identities::partly(pseudonyms, partly))),
        (pseudonyms, None) => pseudonyms.map(|pseudonyms| Arc::new(Identities::new(pseudonyms))),
    };
    config.filter = identities.clone().map(|identities| identities as Arc<dyn ExchangeFilter>);
    let pruned = pruned_before(&ledger.runs()?, &setup.zone);
    if let Some(before) = pruned.filter(|before| setup.window_us.0 >= setup.zone.start_of_day(*before)) {
        config.filter = Some(Arc::new(PrunedMeetings { before, zone: setup.zone.clone(), then: config.filter.take() }));
    }
    let client = Client::new(config, Arc::clone(counters) as Arc<dyn EventListener>)?;
    let writer = CheckpointWriter::start(&paths.raw(), run_id, Arc::clone(ledger), changed_lists)
        .map_err(|source| SyncError::Recorder { store: paths.root().to_owned(), source })?;
    let settings = ExtractSettings {
        run_id: run_id.to_owned(),
        scope: fetch.scope,
        lost_raw_dates: fetch.lost_raw_dates,
        resumed_since_us: fetch.resumed_since_us,
        window_only: setup.window_only,
        window_us: setup.window_us,
        longest_meeting_us: i64::try_from(setup.longest_meeting.as_micros()).unwrap_or(i64::MAX),
        has_window: setup.has_window,
        events: setup.events.as_ref().map_or_else(Vec::new, |file| file.events.clone()),
        meeting_nos: setup.meeting_nos.clone(),
        refetch: setup.refetch,
        zone: setup.zone.clone(),
        user_id_type: setup.user_id_type,
        also: setup.also.clone(),
        token_kind: setup.client.credentials.token_kind(),
        settle: setup.settle.into(),
        concurrency: setup.concurrency,
        rate: setup.client.rate,
        may_end_early: setup.max_calls.is_some() || setup.finish_by_us.is_some(),
        identities,
    };
    let (cancel, listener, now_us) = (setup.cancel.clone(), Arc::clone(&setup.listener), Arc::clone(&setup.now_us));
    Ok(Arc::new(Scheduler::new(client, cancel, writer, settings, listener, now_us)))
}

/// What is written under a date whose identities are replaced is what replacing them again would leave.
fn changed_lists(pseudonyms: &Arc<Pseudonyms>, dates: &BTreeSet<i32>) -> ChangedLists {
    let (pseudonyms, dates) = (Arc::clone(pseudonyms), dates.clone());
    let change = move |checkpoint: &mut _| Replaced { pseudonyms: &pseudonyms, people: None }.change(checkpoint, 0);
    ChangedLists { dates, change: Box::new(change) }
}

pub(crate) fn exit_code(extracted: &Extracted, signal: i32) -> ExitCode {
    match &extracted.stop {
        Some(stop) => StopReason::of(stop, signal).exit,
        None if extracted.failed_units > 0
            || extracted.unreadable_meetings > 0
            || extracted.unreadable_participants > 0
            || !extracted.daily.gaps.is_empty() =>
        {
            ExitCode::Incomplete
        }
        None => ExitCode::Complete,
    }
}
