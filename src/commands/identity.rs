//! The settings `identity` and `topics`, compared with what the store records, and the identity key.
//!
//! A store has one kind of identities: with two, one person would count as two. So a run with another setting is
//! refused; `rebuild` changes what is stored.

use std::sync::Arc;

use super::error::{IdentityError, SyncError};
use crate::buildings::Buildings;
use crate::extract::{catch_up, reset_lists};
use crate::ledger::{Ledger, LedgerError};
use crate::load::StorePaths;
use crate::personal_data::{Identity, Key, Networks, Pseudonyms, Topics, create_key, read_key};
use crate::raw_log::{RawKind, list_dates};
use crate::schema::TenantZone;
use crate::text::counted;

/// The names of what the ledger records.
pub(super) const IDENTITY: &str = "identity";
pub(super) const TOPICS: &str = "topics";
pub(super) const KEY_ID: &str = "identity_key";

/// What is written about people, and of topics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PersonalSettings {
    pub identity: Identity,
    pub topics: Topics,
}

/// What replaces personal values in a run.
#[derive(Debug, Default)]
pub(super) struct OpenedIdentity {
    /// `None` if nothing is replaced.
    pub pseudonyms: Option<Arc<Pseudonyms>>,
    /// The ID of a key that replaces a lost one, until [`adopt_new_key`] has recorded it.
    new_key_id: Option<String>,
}

/// Checks the settings of a run and records them. Makes the key if this is the first run that needs one.
pub(super) fn open(
    paths: &StorePaths,
    ledger: &Ledger,
    settings: PersonalSettings,
) -> Result<OpenedIdentity, SyncError> {
    let PersonalSettings { identity, topics } = settings;
    let stored = recorded(paths, ledger)?;
    let differs = |setting, stored, requested| {
        SyncError::from(IdentityError::Differs { store: paths.root().to_owned(), setting, stored, requested })
    };
    if let Some(stored) = stored.identity.filter(|stored| *stored != identity) {
        return Err(differs(IDENTITY, stored.name(), identity.name()));
    }
    if let Some(stored) = stored.topics.filter(|stored| *stored != topics) {
        return Err(differs(TOPICS, stored.name(), topics.name()));
    }
    let (key, new_key_id) = match identity {
        // No token is made.
        Identity::Full => (Key::new(&[0; Key::BYTES]), None),
        identity => open_key(paths, ledger, identity)?,
    };
    record(ledger, settings)?;
    if settings == PersonalSettings::default() {
        return Ok(OpenedIdentity::default());
    }
    let pseudonyms = Pseudonyms::new(key, identity, topics, networks(paths)?);
    Ok(OpenedIdentity { pseudonyms: Some(Arc::new(pseudonyms)), new_key_id })
}

/// After a lost key: discards the lists of meetings with pending participants, so that nobody counts twice. Only then
/// is the new key that of the store. Returns what the user should know.
pub(super) fn adopt_new_key(
    opened: &OpenedIdentity,
    paths: &StorePaths,
    ledger: &Ledger,
    (run_id, now_us): (&str, i64),
    zone: &TenantZone,
) -> Result<Option<String>, SyncError> {
    let Some(key_id) = &opened.new_key_id else { return Ok(None) };
    let meetings = reset_lists(&paths.raw(), run_id, ledger, now_us)?;
    catch_up(&paths.raw(), ledger, zone)?;
    ledger.set_setting(KEY_ID, key_id)?;
    Ok(Some(format!(
        "the identity key is new: {} with something pending {} fetched again, and people have other tokens than before",
        counted(meetings, "meeting"),
        if meetings == 1 { "is" } else { "are" }
    )))
}

/// Records what the store is written with.
pub(super) fn record(ledger: &Ledger, settings: PersonalSettings) -> Result<(), LedgerError> {
    for (name, value) in [(IDENTITY, settings.identity.name()), (TOPICS, settings.topics.name())] {
        if ledger.setting(name)?.as_deref() != Some(value) {
            ledger.set_setting(name, value)?;
        }
    }
    Ok(())
}

/// The networks that addresses are not cut beyond.
pub(super) fn networks(paths: &StorePaths) -> Result<Networks, SyncError> {
    Ok(Networks::new(Buildings::read(&paths.buildings())?.networks()))
}

/// What the store was written with; `None` if nothing was written, or if it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recorded {
    pub identity: Option<Identity>,
    pub topics: Option<Topics>,
}

pub(super) fn recorded(paths: &StorePaths, ledger: &Ledger) -> Result<Recorded, SyncError> {
    let identity = ledger.setting(IDENTITY)?.and_then(|text| Identity::parse(&text));
    let topics = ledger.setting(TOPICS)?.and_then(|text| Topics::parse(&text));
    // Earlier versions replaced nothing and recorded nothing. A ledger that was lost recorded what is lost; that a key
    // exists shows that something was replaced.
    let is_new = ledger.is_empty()? && (paths.identity_key().exists() || !has_raw_data(paths)?);
    let written = |default| (!is_new).then_some(default);
    let written_topics = if ledger.is_empty()? { None } else { Some(Topics::Keep) };
    Ok(Recorded { identity: identity.or(written(Identity::Full)), topics: topics.or(written_topics) })
}

fn has_raw_data(paths: &StorePaths) -> Result<bool, SyncError> {
    for kind in RawKind::ALL {
        if !list_dates(&paths.raw(), *kind).map_err(crate::extract::WriteError::from)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The key of the store, which every run must have. With `none` nothing depends on an old key; then the ID of the new
/// one is returned, and not yet recorded.
pub(super) fn open_key(
    paths: &StorePaths,
    ledger: &Ledger,
    identity: Identity,
) -> Result<(Key, Option<String>), SyncError> {
    let path = paths.identity_key();
    let recorded = ledger.setting(KEY_ID)?;
    let may_change = identity == Identity::None;
    // A ledger that was lost does not record the key.
    let is_in_use = recorded.is_some() || !ledger.forgotten()?.is_empty() || !ledger.dates_expired_before()?.is_empty();
    let found = read_key(&path).map_err(IdentityError::from)?;
    let key = match found {
        Some(key) => key,
        None if is_in_use && !may_change => return Err(IdentityError::KeyMissing { path }.into()),
        None => create_key(&path, &random()).map_err(IdentityError::from)?,
    };
    let is_other = recorded.as_ref().is_some_and(|recorded| *recorded != key.id());
    if is_other && !may_change {
        return Err(IdentityError::OtherKey { path }.into());
    }
    if recorded.is_none() {
        ledger.set_setting(KEY_ID, &key.id())?;
    }
    let new_key_id = is_other.then(|| key.id());
    Ok((key, new_key_id))
}

/// Whether the participant lists of pending people are requested again for their IDs.
pub(super) fn lists_for_ids(ledger: &Ledger) -> Result<bool, LedgerError> {
    let stored = ledger.setting(IDENTITY)?.and_then(|text| Identity::parse(&text));
    Ok(stored.is_some_and(|identity| identity != Identity::Full))
}

#[expect(clippy::disallowed_methods, reason = "edge: nobody may be able to guess the key")]
fn random() -> [u8; Key::BYTES] {
    rand::random()
}

/// Replaces everything personal with a key that nobody keeps: for programs that only look.
pub(crate) fn throwaway_pseudonyms(settings: PersonalSettings) -> Option<Pseudonyms> {
    let PersonalSettings { identity, topics } = settings;
    (settings != PersonalSettings::default())
        .then(|| Pseudonyms::new(Key::new(&random()), identity, topics, Networks::default()))
}
