//! Publishes what is published once more, with other definitions: after an import of buildings.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::definitions::Installed;
use super::store_state::remember_generation;
use super::totals::run_row;
use super::{Now, SyncError, TIMEZONE, stored_setting};
use crate::ledger::Ledger;
use crate::ledger::USER_ID_TYPE;
use crate::load::{DatabaseOptions, Lock, Manifest, Publication, PublishMode, Published, StorePaths, publish};
use crate::schema::TenantZone;

/// What it needs to know.
#[derive(Clone)]
pub(crate) struct RepublishSetup {
    pub store: PathBuf,
    /// The command that asks for it, for whoever finds the store locked.
    pub command: &'static str,
    /// The tenant's zone, where the store does not say.
    pub zone: TenantZone,
    /// Kind of user ids, where the store does not say.
    pub user_id_type: String,
    /// Limits of the profile `custom`.
    pub custom_limits: Vec<(String, f64)>,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    pub now_us: Now,
}

/// Takes the lock, lets `change` change the store's own files, and publishes the rows that are published with what holds
/// then. `None` where nothing is published yet: the first sync will use what was changed.
///
/// # Errors
/// [`SyncError`]; `change`'s own come through it. What is published stays whole.
pub(crate) fn republish(
    setup: &RepublishSetup,
    change: impl FnOnce(&StorePaths) -> Result<(), SyncError>,
) -> Result<Option<Published>, SyncError> {
    let now_us = (setup.now_us)();
    let paths = StorePaths::open(&setup.store)?;
    let _lock = Lock::take(&paths, setup.command, now_us)?;
    paths.clean_work()?;
    change(&paths)?;
    let Some(manifest) = Manifest::read(&paths)? else { return Ok(None) };
    let installed = Installed::checked(&paths, &setup.custom_limits)?;
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    let held = |name| stored_setting(&paths, &ledger, setup.database, name);
    let timezone = held(TIMEZONE)?.unwrap_or_else(|| setup.zone.name().to_owned());
    let user_id_type = held(USER_ID_TYPE)?.unwrap_or_else(|| setup.user_id_type.clone());
    let published = publish(
        &paths,
        &Publication {
            // The rows are still those of that run.
            run_id: &manifest.run_id,
            now_us,
            dates: Vec::new(),
            mode: PublishMode::Update,
            timezone: &timezone,
            user_id_type: &user_id_type,
            definitions: installed.definitions(),
            database: setup.database,
        },
        &mut |_| Ok(ledger.runs()?.iter().map(run_row).collect()),
        &mut |_| ControlFlow::Continue(()),
    )?;
    remember_generation(&ledger, published.generation)?;
    Ok(Some(published))
}
