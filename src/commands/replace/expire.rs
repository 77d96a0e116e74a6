//! The setting `identity_days`: the identities of dates that are older are replaced by each sync.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::identities::{Identities, rewritten_item};
use super::listed_items::EarlierItems;
use super::operation::{Dates, Finished, keep_outside_ledger, replace, stage};
use crate::commands::error::SyncError;
use crate::commands::identity::{networks, open_key};
use crate::commands::publish::setup::PublishSetup;
use crate::error::ExitCode;
use crate::ledger::{Ledger, Replacing, ReplacingWith, RunRecord};
use crate::load::{LockError, StorePaths, lock_raw_files};
use crate::personal_data::{Identity, Pseudonyms, Topics};
use crate::raw_log::RawKind;
use crate::schema::{civil_date, civil_date_text};
use crate::text::counted;

/// The oldest dates may still change within the 28 days that incidents look back.
pub(crate) const MIN_IDENTITY_DAYS: u64 = 29;

/// Replaces the identities of the dates more than `days` days ago that still have some. Blocking, and only for the
/// holder of the lock. Returns `None` if there are no such dates.
pub(in crate::commands) fn expire(
    paths: &StorePaths,
    ledger: &Arc<Ledger>,
    days: u64,
    setup: &PublishSetup,
    (run, exit): (&mut RunRecord, ExitCode),
) -> Result<Option<Finished>, SyncError> {
    let today = setup.zone.day_of((setup.now_us)());
    let before = today.saturating_sub(i32::try_from(days).unwrap_or(i32::MAX));
    let done = ledger.expired_dates()?;
    let Dates { whole: mut dates, lost } = Dates::read(paths, ledger)?;
    let later = dates.split_off(&before);
    let mut notes: Vec<String> = without_raw_note(&lost, &done, before).into_iter().collect();
    dates.retain(|date| !done.contains(date));
    if dates.is_empty() {
        return Ok((!notes.is_empty()).then(|| Finished { notes, ..Finished::default() }));
    }
    let _raw = match lock_raw_files(paths) {
        Err(LockError::Appending { .. }) => {
            let note = "identities of old dates are replaced by the next sync: vcq-etl plan is writing to raw/";
            return Ok(Some(Finished { notes: vec![note.to_owned()], ..Finished::default() }));
        }
        locked => locked?,
    };
    let (key, _) = open_key(paths, ledger, Identity::Pseudonym)?;
    let pseudonyms = Pseudonyms::new(key, Identity::Pseudonym, Topics::Keep, networks(paths)?);
    let everybody = Identities { pseudonyms: &pseudonyms, people: None };
    let staged = stage(paths, RawKind::ALL, &dates, &everybody, setup.threads)?;
    let item = |item| Some(rewritten_item(&pseudonyms, item));
    let earlier = EarlierItems { before, zone: &setup.zone, replace: &item };
    let pages = stage(paths, &[RawKind::Meetings], &later, &earlier, setup.threads)?;
    let changed: BTreeSet<i32> = staged.dates.union(&pages.dates).copied().collect();
    let mut finished = Finished::default();
    if !changed.is_empty() {
        ledger.forget_alerts(setup.zone.start_of_day(before))?;
        let replacing: Vec<Replacing> = changed.iter().map(Replacing::rewritten).collect();
        let expired: Vec<i32> = dates.difference(&staged.damaged.keys().copied().collect()).copied().collect();
        let with = ReplacingWith { expired: &expired, ..ReplacingWith::default() };
        finished = replace(paths, ledger, &replacing, &with, (setup, run, Some(exit)))?;
    }
    let is_damaged = |date: &i32| staged.damaged.contains_key(date);
    dates.retain(|date| !is_damaged(date));
    ledger.set_expired(&dates)?;
    keep_outside_ledger(paths, ledger)?;
    if !changed.is_empty() {
        let count = counted(dates.len() as u64, "date");
        notes.push(format!("the identities of {count} before {} were replaced", civil_date_text(before)));
    }
    if let Some((date, _)) = staged.damaged.first_key_value() {
        notes.push(format!(
            "the identities of {} ({} first) stay, because raw files are damaged: vcq-etl verify names them",
            counted(staged.damaged.len() as u64, "date"),
            civil_date_text(*date)
        ));
    }
    finished.notes.splice(0..0, notes);
    finished.dates.retain(|date| civil_date(date).is_some_and(|date| dates.contains(&date)));
    Ok(Some(finished))
}

/// Old dates that cannot be rewritten.
fn without_raw_note(lost: &BTreeSet<i32>, done: &BTreeSet<i32>, before: i32) -> Option<String> {
    let stay: Vec<i32> = lost.iter().copied().filter(|date| *date < before && !done.contains(date)).collect();
    let (first, last) = (*stay.first()?, *stay.last()?);
    let [first, last, after] = [first, last, last + 1].map(civil_date_text);
    Some(format!(
        "the identities of {} ({first} to {last}) stay, because raw files are missing: restore them, fetch these days \
         again while Feishu has them (vcq-etl sync --refetch --since {first} --until {after}), or remove them and all \
         earlier days (vcq-etl prune --before {after})",
        counted(stay.len() as u64, "date")
    ))
}
