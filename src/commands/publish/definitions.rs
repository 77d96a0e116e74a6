//! What is installed in every published database in addition to the rows: reports, thresholds and buildings.

use duckdb::Connection;

use crate::buildings::Buildings;
use crate::commands::error::SyncError;
use crate::load::{AddressPair, BuildingLookup, Definitions, Script, StorePaths, installed_checksum};
use crate::schema::cell::Row;

pub(crate) struct Installed {
    scripts: Vec<Script>,
    custom_limits: Vec<(String, f64)>,
    buildings: Buildings,
    building_rows: Vec<Row>,
}

impl Installed {
    /// `custom_limits` are those of the profile `custom`: metric and value.
    pub(crate) fn read(paths: &StorePaths, custom_limits: &[(String, f64)]) -> Result<Installed, SyncError> {
        let buildings = Buildings::read(&paths.buildings())?;
        Ok(Installed {
            scripts: crate::report::scripts()?,
            custom_limits: custom_limits.to_vec(),
            building_rows: buildings.rows(),
            buildings,
        })
    }

    /// Also checks the limits, so that a wrong name is reported before the first API call and not after the last.
    pub(crate) fn read_and_check(paths: &StorePaths, custom_limits: &[(String, f64)]) -> Result<Installed, SyncError> {
        let installed = Installed::read(paths, custom_limits)?;
        match installed.definitions().unknown_limits()? {
            Some(limits) => Err(SyncError::UnknownLimits { unknown: limits.unknown, known: limits.known }),
            None => Ok(installed),
        }
    }

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
pub(crate) fn defines_the_same(
    connection: &Connection,
    paths: &StorePaths,
    custom_limits: &[(String, f64)],
) -> Result<bool, SyncError> {
    let installed = Installed::read_and_check(paths, custom_limits)?;
    Ok(installed_checksum(connection).as_deref() == Some(installed.definitions().sha256().as_str()))
}

impl BuildingLookup for Installed {
    fn locate(&self, addresses: Vec<AddressPair>) -> Vec<Row> {
        self.buildings.address_rows(addresses.into_iter())
    }
}
