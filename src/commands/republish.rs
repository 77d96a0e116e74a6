//! Publishes the same rows again with other definitions, after an import of buildings.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::SyncError;
use super::identity::PersonalSettings;
use super::open_store::open_and_lock;
use super::publish::definitions::{DefinitionSettings, Installed};
use super::run_record::run_row;
use super::setup::Now;
use super::store_settings::{self, TIMEZONE, stored_setting};
use super::store_setup::StoreSetup;
use super::store_state::GENERATION;
use super::{history, notes, replace, run_record};
use crate::error::ExitCode;
use crate::ledger::{Ledger, USER_ID_TYPE};
use crate::load::{DatabaseOptions, Manifest, Publication, PublishMode, Published, StorePaths, publish};
use crate::schema::TenantZone;

#[derive(Clone)]
pub(crate) struct RepublishSetup {
    pub store: PathBuf,
    /// Shown to whoever finds the store locked.
    pub command: &'static str,
    /// Zone and type are used if the store does not record them.
    pub zone: TenantZone,
    pub user_id_type: String,
    pub definitions: DefinitionSettings,
    pub database: DatabaseOptions,
    pub now_us: Now,
}

#[derive(Debug)]
pub(crate) struct Republished {
    /// `None` if nothing is published yet: the first sync will use what was changed.
    pub generation: Option<u64>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Takes the lock, applies `change` to the store's own files, and publishes again.
pub(crate) fn republish(
    setup: &RepublishSetup,
    change: impl FnOnce(&StorePaths) -> Result<(), SyncError>,
) -> Result<Republished, SyncError> {
    let now_us = (setup.now_us)();
    let (paths, _lock, mut notes) = open_and_lock(&setup.store, setup.command, now_us)?;
    change(&paths)?;
    let Some(manifest) = Manifest::read(&paths)? else { return Ok(Republished { generation: None, notes }) };
    let installed = Installed::read_and_check(&paths, &setup.definitions)?;
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    // Whether it can be restored is reported by the next sync.
    history::restore_lost(&paths, &ledger, setup.database)?;
    let replaced = finish_replacement(setup, &paths, &ledger)?;
    let manifest = if replaced.is_some() { Manifest::read(&paths)?.unwrap_or(manifest) } else { manifest };
    notes.extend(replaced);
    let stored = |name| stored_setting(&paths, &ledger, setup.database, name);
    let timezone = stored(TIMEZONE)?.unwrap_or_else(|| setup.zone.name().to_owned());
    let user_id_type = stored(USER_ID_TYPE)?.unwrap_or_else(|| setup.user_id_type.clone());
    let meta = (timezone.as_str(), user_id_type.as_str());
    let published = publish_same_rows(&paths, &ledger, &manifest.run_id, meta, &installed, setup.database, now_us)?;
    notes.extend(installed.problems());
    notes.extend(published.notes);
    Ok(Republished { generation: Some(published.generation), notes })
}

/// Publishes the current Parquet files as a new generation with these definitions. `meta` is the time zone and the kind
/// of user IDs; the rows are still those of the run.
pub(super) fn publish_same_rows(
    paths: &StorePaths,
    ledger: &Ledger,
    run_id: &str,
    (timezone, user_id_type): (&str, &str),
    installed: &Installed,
    database: DatabaseOptions,
    now_us: i64,
) -> Result<Published, SyncError> {
    let published = publish(
        paths,
        &Publication {
            run_id,
            now_us,
            dates: Vec::new(),
            mode: PublishMode::Update,
            timezone,
            user_id_type,
            definitions: installed.definitions(),
            reference_rows: &[],
            database,
        },
        &mut |_| Ok(ledger.runs()?.iter().map(run_row).collect()),
        &mut |_| ControlFlow::Continue(()),
    )?;
    ledger.set_setting(GENERATION, &published.generation.to_string())?;
    Ok(published)
}

/// Finishes a replacement that an earlier run had begun. Returns what to say about it.
fn finish_replacement(
    setup: &RepublishSetup,
    paths: &StorePaths,
    ledger: &Arc<Ledger>,
) -> Result<Option<String>, SyncError> {
    if ledger.replacing()?.is_empty() {
        return Ok(None);
    }
    let store = StoreSetup {
        store: setup.store.clone(),
        personal: PersonalSettings::default(),
        zone: setup.zone.clone(),
        user_id_type: setup.user_id_type.clone(),
        definitions: setup.definitions.clone(),
        threads: 1,
        database: setup.database,
        listener: Arc::new(()),
        now_us: Arc::clone(&setup.now_us),
    };
    store_settings::check_timezone(paths, ledger, setup.database, &setup.zone)?;
    let mut run = run_record::begin("rebuild", (0, 0), (setup.now_us)());
    let finished =
        replace::finish(paths, ledger, &store.publishing(paths, ledger)?, &mut run, Some(ExitCode::Complete))?;
    run_record::set_finished(&mut run, (setup.now_us)());
    ledger.record_run(&run)?;
    Ok(finished.map(|finished| notes::of_interrupted(&finished.dates)))
}
