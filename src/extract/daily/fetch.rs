//! Fetches the days that are due, kind by kind and newest first, and records their answers.
//!
//! Each kind ends at its first refusal, or after a few failures in a row: what is left of it is a gap of the run. Only
//! an error of the disk ends the run.

use std::collections::{HashMap, HashSet, VecDeque};

use super::super::items::{day_digest, parse_items};
use super::super::settings::Context;
use super::super::stop::Stop;
use super::super::walk::{Outcome, Walk, walk_pages};
use super::super::writer::{Checkpoint, WriteError};
use super::also::{Also, endpoint_of};
use super::due::Days;
use super::outcome::{DailyGap, DailyOutcome, Refusal};
use super::requests::{PageQuery, levels_below, queries};
use crate::ledger::{Answer, Change, DayState};
use crate::raw_log::{Header, RAW_VERSION, RawKind, WalkEnd};
use crate::schema::{Raw, Status, civil_date_text, parse};
use crate::text::error_chain;
use feishu_vc::{Endpoint, Page, RefusalClass, StopCause};

/// After this many days of a kind failed in a row, the rest of it is left for the next run.
const MAX_FAILED_DAYS: u64 = 3;

/// Why the work on a kind ended before its last day.
enum End {
    Refused(Refusal),
    /// The run ends, or a limit of ours is reached.
    Stopped(Stop),
}

/// Fetches everything that is due. The error is one of the disk.
pub(in crate::extract) async fn fetch_days(context: &Context) -> Result<DailyOutcome, Stop> {
    let mut outcome = DailyOutcome::default();
    for kind in context.settings.also.iter().copied().flat_map(Also::kinds).copied() {
        fetch_kind(context, kind, &mut outcome).await?;
        if outcome.stop.is_some() {
            break;
        }
    }
    Ok(outcome)
}

async fn fetch_kind(context: &Context, kind: RawKind, outcome: &mut DailyOutcome) -> Result<(), Stop> {
    let settings = &context.settings;
    let days = Days { zone: &settings.zone, settle: settings.settle, now_us: context.now_us() };
    let known = context.ledger().days(kind).map_err(WriteError::from)?;
    let mut due = days.due(kind, settings.window_us, settings.refetch, &known);
    if due.too_old > 0 {
        outcome.too_old.insert(kind, due.too_old);
    }
    // What the interrupted run before this one already received is not requested again.
    due.days.retain(|day| {
        let is_answered = |state: &&DayState| state.status != Status::Failed.name();
        !settings.was_just_requested(known.get(day).filter(is_answered).map(|state| state.last_us))
    });
    let (Some(&newest), Some(&oldest)) = (due.days.first(), due.days.last()) else { return Ok(()) };
    let endpoint = endpoint_of(kind);
    if !endpoint.accepts(settings.token_kind) {
        let why = "it accepts only a tenant token, but the access token is a user token";
        outcome.gap(kind, due.days.len() as u64, Refusal::new(format!("{endpoint}: {why}")));
        return Ok(());
    }
    // One response of the daily report answers many days, and calls are limited.
    let units: Vec<Vec<i32>> = match kind {
        RawKind::CensusDaily => vec![due.days.clone()],
        _ => due.days.iter().map(|day| vec![*day]).collect(),
    };
    let mut left = due.days.len() as u64;
    let (mut failed_days, mut failure, mut newest_left) = (0, None, newest);
    for unit in units {
        let range = if unit.len() == 1 { (unit[0], unit[0]) } else { (oldest, newest) };
        let walk = match kind {
            RawKind::RoomLevels => walk_levels(context).await,
            _ => walk_all(context, endpoint, queries(kind, range, days, settings.user_id_type)).await,
        };
        match record(context, kind, &unit, &known, days, walk).await? {
            Ok(()) => {
                left -= unit.len() as u64;
                failed_days = 0;
                *outcome.answered.entry(kind).or_default() += unit.len() as u64;
            }
            Err(End::Refused(refusal)) if refusal.is_passing && failed_days + 1 < MAX_FAILED_DAYS => {
                failed_days += 1;
                failure = Some(refusal);
            }
            Err(End::Refused(refusal)) => {
                newest_left = range.1;
                failure = Some(refusal);
                break;
            }
            Err(End::Stopped(Stop::Cancelled)) => return Ok(()),
            Err(End::Stopped(stop)) => {
                outcome.stop = Some(stop);
                return Ok(());
            }
        }
    }
    match failure {
        // Documents differ about how far back the counts by user reach: a refusal of old days only is their end.
        Some(refusal)
            if !refusal.is_passing && due.days.len() as u64 > left && days.may_be_too_old(kind, newest_left) =>
        {
            *outcome.too_old.entry(kind).or_default() += left;
        }
        Some(refusal) => outcome.gap(kind, left, refusal),
        None => {}
    }
    Ok(())
}

/// The walks of several queries, as one.
async fn walk_all(context: &Context, endpoint: Endpoint, queries: Vec<PageQuery>) -> Walk {
    let mut queries = queries.into_iter();
    let mut whole = match queries.next() {
        Some(query) => walk(context, endpoint, &query, |_| {}).await,
        None => walk(context, endpoint, &levels_below(None), |_| {}).await,
    };
    for query in queries {
        if !matches!(whole.outcome, Outcome::Complete) {
            break;
        }
        whole = whole.then(walk(context, endpoint, &query, |_| {}).await);
    }
    whole
}

/// Walks the tree of the levels of rooms: each query lists the levels directly below one.
async fn walk_levels(context: &Context) -> Walk {
    let mut seen = HashSet::new();
    let mut waiting = VecDeque::new();
    let mut query = levels_below(None);
    let mut whole: Option<Walk> = None;
    loop {
        let mut below = Vec::new();
        let next = walk(context, Endpoint::RoomLevels, &query, |page| below.extend(parents(page))).await;
        let is_complete = matches!(next.outcome, Outcome::Complete);
        let all = match whole.take() {
            Some(earlier) => earlier.then(next),
            None => next,
        };
        waiting.extend(below.into_iter().filter(|id| seen.insert(id.clone())));
        match waiting.pop_front().filter(|_| is_complete) {
            Some(id) => query = levels_below(Some(id)),
            None => return all,
        }
        whole = Some(all);
    }
}

/// The levels of a page that have levels below them.
fn parents(page: &Page) -> Vec<String> {
    let has_child = |item: &serde_json::Value| parse::flag(&Raw::of(item.get("has_child"))) == Ok(Some(true));
    let items = parse_items(page.list_json());
    let ids = items.iter().filter(|item| has_child(item)).filter_map(|item| item.get("room_level_id")?.as_str());
    ids.map(str::to_owned).collect()
}

async fn walk(context: &Context, endpoint: Endpoint, query: &PageQuery, on_page: impl FnMut(&Page) + Send) -> Walk {
    walk_pages(context.client.pages(endpoint, query), endpoint, context.now_us(), on_page).await
}

/// Records the answer for each of the days that were requested together.
async fn record(
    context: &Context,
    kind: RawKind,
    unit: &[i32],
    known: &HashMap<i32, DayState>,
    days: Days<'_>,
    walk: Walk,
) -> Result<Result<(), End>, Stop> {
    let endpoint = endpoint_of(kind);
    let Walk { requested_us, pages, mut end, outcome, stop, .. } = walk;
    let ended = match &outcome {
        Outcome::Complete => {
            let is_empty = end.items == 0;
            end.status = if is_empty { Status::Empty } else { Status::Complete };
            end.reason = "all pages read".to_owned();
            end.whole = true;
            Ok(())
        }
        // Feishu has nothing for this day.
        Outcome::Refused { class: RefusalClass::NotFound, response } => {
            (end.status, end.reason, end.whole) = (Status::Empty, response.to_string(), true);
            Ok(())
        }
        Outcome::Refused { class, response } => {
            let is_role = *class == RefusalClass::Forbidden;
            end.status = if is_role { Status::Forbidden } else { Status::Unsupported };
            end.reason = response.to_string();
            let cause = Some(if is_role { StopCause::Role } else { StopCause::InvalidRequest });
            let reason = format!("{endpoint} was refused ({response})");
            Err(End::Refused(Refusal { cause, ..Refusal::new(reason) }))
        }
        Outcome::Failed(error) => {
            (end.status, end.reason) = (Status::Failed, error_chain(error));
            Err(End::Refused(Refusal::passing(error_chain(error))))
        }
        Outcome::Faulty(fault) => {
            (end.status, end.reason) = (Status::Failed, error_chain(fault));
            Err(End::Refused(Refusal::passing(format!("{endpoint}: {}", error_chain(fault)))))
        }
        Outcome::Interrupted(why) => {
            end.reason = format!("interrupted: {why}");
            Err(match stop {
                Some(Stop::Refused(error)) => {
                    end.status = Status::Forbidden;
                    End::Refused(Refusal::of(&error))
                }
                // Another day would be throttled too.
                Some(Stop::Throttled(error)) => End::Refused(Refusal::of(&error)),
                Some(other) => End::Stopped(other),
                None => End::Stopped(Stop::Cancelled),
            })
        }
    };
    let is_unanswered = !end.whole;
    if is_unanswered {
        end.digest.clear();
        if pages.is_empty() && matches!(ended, Err(End::Stopped(_))) {
            return Ok(ended);
        }
    } else {
        // The digest of several walks is the concatenation of theirs.
        end.digest = day_digest(&end.digest);
    }
    for day in unit {
        let earlier = known.get(day);
        // Request times increase whatever the clock does: the later answer counts.
        let requested_us = earlier.map_or(requested_us, |state| requested_us.max(state.last_us.saturating_add(1)));
        let is_final = end.whole && days.is_final(kind, *day, requested_us, end.status);
        let end = WalkEnd { is_final, ..end.clone() };
        let has_changed = end.whole && earlier.and_then(|state| state.digest.as_ref()) != Some(&end.digest);
        let mut changes = vec![Change::DayAnswered { kind, day: *day, answer: Answer::new(&end, requested_us) }];
        changes.extend(has_changed.then_some(Change::Dirty { meeting_date: *day }));
        let (run_id, unit) = (context.settings.run_id.clone(), civil_date_text(*day));
        let header = Header {
            v: RAW_VERSION,
            run_id,
            kind,
            unit,
            requested_us,
            window_us: None,
            known: Vec::new(),
            end: Some(end),
            bytes: 0,
        };
        context.writer.write(Checkpoint { header, dates: vec![*day], pages: pages.clone(), changes }).await?;
    }
    Ok(ended)
}

impl DailyOutcome {
    fn gap(&mut self, kind: RawKind, days: u64, refusal: Refusal) {
        let Refusal { reason, cause, scopes, .. } = refusal;
        self.gaps.push(DailyGap { kind, days, reason, cause, scopes });
    }
}
