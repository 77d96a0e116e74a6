//! Decides when a meeting date may be published. Whether it would lose rows is checked when it is staged (`round`).

use std::collections::BTreeSet;

use super::setup::PublishSetup;
use crate::commands::error::SyncError;
use crate::ledger::{DirtyDate, Ledger};

/// Which dates are to be published, and which are not.
pub(crate) struct DueDates {
    /// Dates with unpublished responses.
    pub dates: Vec<DirtyDate>,
    pub awaiting_refetch: BTreeSet<i32>,
    /// Dates with new responses but without the files of older ones: publishing them would drop published rows.
    pub lost_raw: BTreeSet<i32>,
}

/// A date is due if it has unpublished responses, unless it awaits a refetch, has lost raw data, or its meetings are
/// listed only in part. `is_whole` if the run was not stopped early.
pub(super) fn due_dates(ledger: &Ledger, setup: &PublishSetup, is_whole: bool) -> Result<DueDates, SyncError> {
    let awaiting_refetch = ledger.awaiting_refetch_dates(is_whole)?;
    let mut dates = ledger.dirty_dates()?;
    let is_dirty = |day: &i32| dates.iter().any(|date| date.meeting_date == *day);
    // A date that is being refetched may be replaced; whether it would lose rows is checked when it is staged.
    let refetched = ledger.refetch_dates()?;
    let lost_raw = setup.lost_raw_dates.difference(&refetched).copied();
    let lost_raw: BTreeSet<i32> = lost_raw.filter(is_dirty).collect();
    // With --meeting-no only some of the window's meetings are listed.
    let is_listed = is_whole && setup.has_window && setup.meeting_nos.is_empty();
    let read_us = (setup.window.since_us, setup.window.until_us);
    let partially_listed = ledger.partially_listed_dates(if is_listed { read_us } else { (0, 0) })?;
    let stays = [&awaiting_refetch, &lost_raw, &partially_listed];
    dates.retain(|date| !stays.iter().any(|stays| stays.contains(&date.meeting_date)));
    Ok(DueDates { dates, awaiting_refetch, lost_raw })
}
