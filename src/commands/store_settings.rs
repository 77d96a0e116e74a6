//! The settings that a store keeps from its first run on: the kind of user IDs and the time zone. Keys with two kinds
//! of IDs would count people twice, and in another zone a meeting would belong to another date.

use super::error::SyncError;
use super::setup::SyncSetup;
use crate::ledger::{Ledger, USER_ID_TYPE};
use crate::load::{DatabaseOptions, StorePaths, open_complete};
use crate::schema::TenantZone;

pub(super) const TIMEZONE: &str = "timezone";

pub(super) fn check(paths: &StorePaths, ledger: &Ledger, setup: &SyncSetup) -> Result<(), SyncError> {
    let requested = setup.user_id_type.as_str();
    match stored_setting(paths, ledger, setup.database, USER_ID_TYPE)? {
        // A store without meetings has no ids.
        Some(stored) if stored != requested && !ledger.is_empty()? => {
            return Err(SyncError::UserIdType { store: setup.store.clone(), stored, requested });
        }
        _ => ledger.set_setting(USER_ID_TYPE, requested)?,
    }
    check_timezone(paths, ledger, setup.database, &setup.zone)
}

pub(super) fn check_timezone(
    paths: &StorePaths,
    ledger: &Ledger,
    database: DatabaseOptions,
    zone: &TenantZone,
) -> Result<(), SyncError> {
    let stored = stored_setting(paths, ledger, database, TIMEZONE)?;
    match stored.and_then(|name| TenantZone::parse(&name).ok()) {
        Some(stored) if !stored.is_equivalent_to(zone) => Err(SyncError::Timezone {
            store: paths.root().to_owned(),
            stored: stored.name().to_owned(),
            requested: zone.name().to_owned(),
        }),
        Some(_) => Ok(()),
        None => Ok(ledger.set_setting(TIMEZONE, zone.name())?),
    }
}

/// From the ledger, or if it has none, from the published database.
pub(super) fn stored_setting(
    paths: &StorePaths,
    ledger: &Ledger,
    database: DatabaseOptions,
    name: &str,
) -> Result<Option<String>, SyncError> {
    if let Some(stored) = ledger.setting(name)? {
        return Ok(Some(stored));
    }
    // An unreadable database is rebuilt, so it is not consulted.
    let stored = open_complete(paths, database)
        .ok()
        .and_then(|connection| connection.query_row(&format!("select {name} from meta"), [], |row| row.get(0)).ok());
    Ok(stored.flatten())
}
