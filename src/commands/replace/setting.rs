//! The settings `identity`, `topics` and `identity_days`: what a rebuild replaces after a change, and what is replaced
//! in new responses where most identities are written in full.

use std::sync::Arc;

use super::identities::Identities;
use super::operation::{Dates, raw_dates, replace, stage};
use super::replaced::Replaced;
use crate::commands::error::{IdentityError, SyncError};
use crate::commands::identity::{IDENTITY, PersonalSettings, Recorded, TOPICS, networks, open_key};
use crate::commands::publish::date_error::DateError;
use crate::commands::publish::setup::PublishSetup;
use crate::extract::Partly;
use crate::ledger::{Ledger, Replacing, ReplacingWith, RunRecord};
use crate::load::{LockError, StorePaths, lock_raw_files};
use crate::personal_data::{Identity, Key, People, Pseudonyms, Topics};
use crate::raw_log::RawKind;
use crate::schema::{TenantZone, civil_date_text};
use crate::text::counted;

/// What replaces identities in new responses of old dates and of people who are forgotten; `None` if there is nothing
/// to replace, or if everything is replaced anyway.
pub(in crate::commands) fn partly(
    paths: &StorePaths,
    ledger: &Ledger,
    personal: PersonalSettings,
    zone: &TenantZone,
) -> Result<Option<(Arc<Pseudonyms>, Partly)>, SyncError> {
    let (forgotten, dates) = (ledger.forgotten()?, ledger.dates_expired_before()?);
    if personal.identity != Identity::Full || (forgotten.is_empty() && dates.is_empty()) {
        return Ok(None);
    }
    let (key, _) = open_key(paths, ledger, Identity::Pseudonym)?;
    let pseudonyms = Arc::new(Pseudonyms::new(key, Identity::Pseudonym, personal.topics, networks(paths)?));
    let people = People::of_tokens(&forgotten, Arc::clone(&pseudonyms));
    Ok(Some((pseudonyms, Partly { dates, zone: zone.clone(), people })))
}

/// Replaces what a rebuild with these settings must not keep, in the complete store. Returns what to say. Blocking, and
/// only for the holder of the lock.
pub(in crate::commands) fn replace_all(
    paths: &StorePaths,
    ledger: &Arc<Ledger>,
    (recorded, wanted): (Recorded, PersonalSettings),
    setup: &PublishSetup,
    run: &mut RunRecord,
) -> Result<Vec<String>, SyncError> {
    let was = (recorded.identity.unwrap_or_default(), recorded.topics.unwrap_or_default());
    let drops = wanted.topics == Topics::Drop && was.1 != Topics::Drop;
    if wanted.identity <= was.0 && !drops {
        crate::commands::identity::record(ledger, wanted)?;
        if wanted.identity < was.0 || wanted.topics != was.1 {
            return Ok(vec!["what was replaced stays replaced; only new data follows the changed settings".to_owned()]);
        }
        return replace_again(paths, ledger, setup, run);
    }
    let Dates { whole, lost } = Dates::read(paths, ledger)?;
    if let (Some(first), Some(last)) = (lost.first(), lost.last()) {
        let (first, last) = (civil_date_text(*first), civil_date_text(*last));
        return Err(SyncError::IdentityStays { dates: lost.len(), first, last });
    }
    let _raw = lock_raw_files(paths)?;
    let key = match wanted.identity {
        // No token is made.
        Identity::Full => Key::new(&[0; Key::BYTES]),
        identity => open_key(paths, ledger, identity)?.0,
    };
    let pseudonyms = Pseudonyms::new(key, wanted.identity, wanted.topics, networks(paths)?);
    let everybody = Identities { pseudonyms: &pseudonyms, people: None };
    let staged = stage(paths, RawKind::ALL, &whole, &everybody, setup.threads)?;
    if let Some((_, damaged)) = staged.damaged.into_iter().next() {
        return Err(DateError::Raw(damaged).into());
    }
    let dates: Vec<Replacing> = staged.dates.iter().map(Replacing::rewritten).collect();
    let settings = [(IDENTITY, wanted.identity.name()), (TOPICS, wanted.topics.name())];
    ledger.forget_alerts(i64::MAX)?;
    let with = ReplacingWith { settings: &settings, ..ReplacingWith::default() };
    replace(paths, ledger, &dates, &with, (setup, run, None))?;
    let count = counted(dates.len() as u64, "date");
    Ok(vec![match wanted.identity > was.0 {
        true => format!("the identities of {count} were replaced"),
        false => format!("the topics of {count} were left out"),
    }])
}

/// Replaces once more what the store must not have, such as in raw files that were restored from an old backup. Returns
/// what to say.
fn replace_again(
    paths: &StorePaths,
    ledger: &Arc<Ledger>,
    setup: &PublishSetup,
    run: &mut RunRecord,
) -> Result<Vec<String>, SyncError> {
    let recorded = Replaced::read(paths, ledger)?;
    if recorded.is_nobody() {
        return Ok(Vec::new());
    }
    let _raw = match lock_raw_files(paths) {
        Err(LockError::Appending { .. }) => {
            return Ok(vec!["raw/ was not searched for identities: vcq-etl plan is writing to it".to_owned()]);
        }
        locked => locked?,
    };
    let key = match recorded.identity {
        // No token is made.
        Identity::Full if recorded.expired.is_empty() && recorded.forgotten.is_empty() => None,
        Identity::Full => Some(open_key(paths, ledger, Identity::Pseudonym)),
        identity => Some(open_key(paths, ledger, identity)),
    };
    let key = match key.transpose() {
        Err(SyncError::Identity(IdentityError::KeyMissing { .. })) => {
            return Ok(vec!["raw/ was not searched for identities: the identity key is missing".to_owned()]);
        }
        key => key?.map(|(key, _)| key),
    };
    let replaced = Replaced { key, ..recorded };
    if let Some((_, people)) = replaced.people() {
        ledger.forget_messages(&|message| people.is_in_text(message))?;
    }
    let Dates { whole, lost } = Dates::read(paths, ledger)?;
    let staged = stage(paths, RawKind::ALL, &whole, &replaced.again(Some(setup.zone.clone())), setup.threads)?;
    let mut notes = Vec::new();
    if !staged.dates.is_empty() {
        let dates: Vec<Replacing> = staged.dates.iter().map(Replacing::rewritten).collect();
        replace(paths, ledger, &dates, &ReplacingWith::default(), (setup, run, None))?;
        let count = counted(dates.len() as u64, "date");
        notes.push(format!("raw files of {count} had identities that must not be kept: they were replaced again"));
    }
    let not_searched = raw_dates(paths)?.intersection(&lost).count() as u64;
    if not_searched > 0 {
        let count = counted(not_searched, "date");
        notes.push(format!(
            "raw files of {count} were not searched for identities, because other raw files of that day are missing: \
             vcq-etl verify --deep searches them"
        ));
    }
    Ok(notes)
}
