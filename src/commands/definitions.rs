//! What is installed in every published database, put together from the reports, the settings and the store.

use crate::buildings::Buildings;
use duckdb::Connection;

use crate::load::{AddressPair, BuildingLookup, Definitions, Script, StorePaths, installed_checksum};
use crate::schema::cell::Row;

use super::SyncError;

/// Views, macros, limits and buildings of one store and one program.
pub(crate) struct Installed {
    scripts: Vec<Script>,
    custom_limits: Vec<(String, f64)>,
    buildings: Buildings,
    building_rows: Vec<Row>,
}

impl Installed {
    /// Puts them together. `custom_limits` are those of the profile `custom`: metric and value.
    ///
    /// # Errors
    /// Where a report's header or the store's list of buildings can't be read.
    pub(crate) fn of(paths: &StorePaths, custom_limits: &[(String, f64)]) -> Result<Installed, SyncError> {
        let buildings = Buildings::read(&paths.buildings())?;
        Ok(Installed {
            scripts: crate::report::scripts()?,
            custom_limits: custom_limits.to_vec(),
            building_rows: buildings.rows(),
            buildings,
        })
    }

    /// The same, where the limits were checked: a wrong name is told before the first call and not after the last.
    ///
    /// # Errors
    /// As [`Installed::of`], and [`SyncError::UnknownLimits`].
    pub(crate) fn checked(paths: &StorePaths, custom_limits: &[(String, f64)]) -> Result<Installed, SyncError> {
        let installed = Installed::of(paths, custom_limits)?;
        match installed.definitions().unknown_limits()? {
            Some(limits) => Err(SyncError::UnknownLimits { unknown: limits.unknown, known: limits.known }),
            None => Ok(installed),
        }
    }

    /// As the load stage takes them.
    pub(crate) fn definitions(&self) -> Definitions<'_> {
        Definitions {
            scripts: &self.scripts,
            custom_limits: &self.custom_limits,
            buildings: &self.building_rows,
            building_lookup: self,
        }
    }
}

/// Whether a published database has the definitions that this program would install with these limits.
///
/// # Errors
/// As [`Installed::checked`].
pub(crate) fn defines_the_same(
    connection: &Connection,
    paths: &StorePaths,
    custom_limits: &[(String, f64)],
) -> Result<bool, SyncError> {
    let installed = Installed::checked(paths, custom_limits)?;
    Ok(installed_checksum(connection).as_deref() == Some(installed.definitions().sha256().as_str()))
}

impl BuildingLookup for Installed {
    fn locate(&self, addresses: Vec<AddressPair>) -> Vec<Row> {
        self.buildings.address_rows(addresses.into_iter())
    }
}
