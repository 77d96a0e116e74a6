//! The notes of a summary: what the user should know beyond the counts.

use std::collections::BTreeSet;

use super::publish::due_dates::DueDates;
use super::summary::EventsRead;
use crate::error::stop_reason::cause_hint;
use crate::extract::{Also, CaughtUp, DailyOutcome, endpoint_of};
use crate::personal_data::Identity;
use crate::schema::{TenantZone, civil_date_text};
use crate::text::counted;
use feishu_vc::StopCause;

/// `unreadable` are meetings and participants.
pub(super) fn of_sync(unreadable: (u64, u64), truncated: u64, caught_up: CaughtUp, due: &DueDates) -> Vec<String> {
    let (unreadable_meetings, unreadable_participants) = unreadable;
    let mut notes = Vec::new();
    if caught_up.walks > 0 {
        notes.push(format!(
            "the ledger was missing {} of {} (an earlier run was killed); added from the raw log",
            counted(caught_up.walks, "response"),
            counted(caught_up.dates, "date"),
        ));
    }
    if let Some(dates) = first_to_last(&due.awaiting_refetch) {
        notes.push(format!(
            "a refetch of {dates} is not finished; these dates stay published as before until it is: sync this window \
             again, without --refetch"
        ));
    }
    if unreadable_meetings > 0 {
        notes.push(format!(
            "the start of {} could not be parsed; see the table rejects",
            counted(unreadable_meetings, "listed meeting")
        ));
    }
    if unreadable_participants > 0 {
        notes.push(format!(
            "Feishu sent data for {} without a readable time (status unreadable); its format may have changed: install a newer \
             version of vcq-etl, then run vcq-etl rebuild",
            counted(unreadable_participants, "participant")
        ));
    }
    if let Some(dates) = first_to_last(&due.lost_raw) {
        notes.push(format!(
            "{dates}: new data was fetched, but older files are missing from raw/, so these dates stay published as \
             before; restore the files and sync again"
        ));
    }
    notes.extend(truncated_note(truncated));
    notes
}

/// What is missing of the optional data, and what to do about it.
pub(super) fn of_days(daily: &DailyOutcome) -> Vec<String> {
    let gaps = daily.gaps.iter().map(|gap| {
        let days = counted(gap.days, "day");
        let failed = format!("{}: {days} could not be fetched", gap.kind.folder());
        let mut note = format!("{failed}: {}", gap.reason);
        match gap.cause {
            Some(cause @ (StopCause::AppScope | StopCause::UserScope)) => {
                let scopes = match gap.scopes.as_slice() {
                    [] => endpoint_of(gap.kind).scope().to_owned(),
                    named => named.join(" or "),
                };
                let word =
                    Also::ALL.iter().find(|also| also.kinds().contains(&gap.kind)).map_or("", |also| also.name());
                note = format!("{failed}: {} ({scopes}); see vcq-etl doctor --also {word}", cause.meaning());
            }
            Some(StopCause::InvalidRequest) => {
                note.push_str("; this tenant or edition may not support it: remove it from also (VCQ_ALSO)");
            }
            Some(cause) => note.push_str(&format!("; {}", cause_hint(cause))),
            None => {}
        }
        note.trim_end_matches('.').to_owned()
    });
    let too_old = daily.too_old.iter().map(|(kind, days)| {
        format!(
            "{}: {} of this window are too old: Feishu reports only the last 90 days",
            kind.folder(),
            counted(*days, "day")
        )
    });
    gaps.chain(too_old).collect()
}

/// What an events file has beyond meetings, and the meetings that only events know.
pub(super) fn of_events(events: Option<&EventsRead>, not_listed: &[String]) -> Vec<String> {
    const SHOWN: usize = 5;
    let mut notes = Vec::new();
    if let Some(EventsRead { new, known, duplicates, skipped, bad_lines }) = events {
        notes.push(format!(
            "events: {} for {new} new and {known} known {}; {duplicates} duplicates, {skipped} of other types",
            counted(new + known, "event"),
            if new + known == 1 { "meeting" } else { "meetings" }
        ));
        notes.extend(bad_lines.iter().take(SHOWN).map(|bad| format!("events, line {}: {}", bad.line, bad.problem)));
        if bad_lines.len() > SHOWN {
            notes.push(format!(
                "events: {} more that could not be read",
                counted((bad_lines.len() - SHOWN) as u64, "line")
            ));
        }
    }
    if !not_listed.is_empty() {
        let keys = not_listed.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = if not_listed.len() > SHOWN { ", ..." } else { "" };
        notes.push(format!(
            "the meeting list does not return {} named by events: {keys}{more}",
            counted(not_listed.len() as u64, "meeting")
        ));
    }
    notes
}

pub(super) fn of_rebuild(caught_up: CaughtUp, kept: &BTreeSet<i32>, truncated: u64) -> Vec<String> {
    let mut notes = vec![format!("{} of the raw log added to the ledger", counted(caught_up.walks, "response"))];
    if let Some(dates) = first_to_last(kept) {
        notes.push(format!("{dates}: kept as published, because raw/ is incomplete or a refetch is not finished"));
    }
    notes.extend(truncated_note(truncated));
    notes
}

/// What a run finished that an earlier one had begun.
pub(super) fn of_interrupted(dates: &[String]) -> String {
    let count = counted(dates.len() as u64, "date");
    let (first, last) = (dates.first().map_or("", String::as_str), dates.last().map_or("", String::as_str));
    format!("an interrupted replacement of {count} ({first} to {last}) was finished")
}

/// A setting that does nothing here.
pub(super) fn of_identity_days(days: Option<u64>, identity: Identity) -> Option<String> {
    let days = days.filter(|_| identity != Identity::Full)?;
    Some(format!("identity_days = {days} has no effect, because identity is {}", identity.name()))
}

/// The window begins in time whose data was removed.
pub(super) fn of_pruned(before: i32, since_us: i64, zone: &TenantZone) -> Option<String> {
    (since_us < zone.start_of_day(before)).then(|| {
        format!(
            "the data before {} was pruned; this window begins earlier, so its meetings are fetched again",
            civil_date_text(before)
        )
    })
}

fn truncated_note(truncated: u64) -> Option<String> {
    (truncated > 0).then(|| {
        format!("skipped {} of the raw log, as left by a power failure", counted(truncated, "truncated record"))
    })
}

/// Ends of raw files that were never synced.
pub(super) fn of_cut(files: u64) -> Option<String> {
    (files > 0).then(|| {
        format!(
            "removed the end of {}, which a power failure had left incomplete; vcq-etl sync fetches it again",
            counted(files, "raw file")
        )
    })
}

/// `3 dates (2026-11-01 to 2026-11-05)`; `None` if there are none.
fn first_to_last(dates: &BTreeSet<i32>) -> Option<String> {
    let (first, last) = (civil_date_text(*dates.first()?), civil_date_text(*dates.last()?));
    Some(format!("{} ({first} to {last})", counted(dates.len() as u64, "date")))
}
