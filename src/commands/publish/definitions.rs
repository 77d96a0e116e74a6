//! What is installed in every published database in addition to the rows: reports, thresholds and buildings.

use std::path::PathBuf;

use duckdb::Connection;

use crate::buildings::Buildings;
use crate::commands::error::SyncError;
use crate::commands::tokens::Tokens;
use crate::incidents::{History, Incident, TokenOf, find};
use crate::load::{
    AddressPair, BuildingLookup, Definitions, IncidentRows, IncidentSearch, Script, SearchError, StorePaths,
    installed_checksum,
};
use crate::report::{PROFILES, ReportError, ViewFiles};
use crate::schema::cell::Row;
use crate::text::Language;

/// The settings that decide what is installed.
#[derive(Debug, Clone)]
pub(crate) struct DefinitionSettings {
    /// Those of the profile `custom`: metric and value.
    pub custom_limits: Vec<(String, f64)>,
    pub views_dir: Option<PathBuf>,
    /// The profile by which incidents are judged.
    pub profile: String,
    /// The language of the comments in the database.
    pub language: Language,
}

pub(crate) struct Installed {
    scripts: Vec<Script>,
    custom_limits: Vec<(String, f64)>,
    buildings: Buildings,
    building_rows: Vec<Row>,
    views: ViewFiles,
    profile: String,
    identity_key: PathBuf,
    language: Language,
}

impl Installed {
    pub(crate) fn read(paths: &StorePaths, settings: &DefinitionSettings) -> Result<Installed, SyncError> {
        let buildings = Buildings::read(&paths.buildings())?;
        Ok(Installed {
            scripts: crate::report::scripts(settings.language)?,
            custom_limits: settings.custom_limits.clone(),
            building_rows: buildings.rows(),
            buildings,
            views: settings.views_dir.as_deref().map(ViewFiles::read).unwrap_or_default(),
            profile: settings.profile.clone(),
            identity_key: paths.identity_key(),
            language: settings.language,
        })
    }

    /// Also checks the limits, so that a wrong name is reported before the first API call and not after the last.
    pub(crate) fn read_and_check(paths: &StorePaths, settings: &DefinitionSettings) -> Result<Installed, SyncError> {
        let installed = Installed::read(paths, settings)?;
        check_profile(&installed.profile)?;
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
            custom: &self.views.files,
            profile: &self.profile,
            language: self.language,
            incident_search: Some(self),
        }
    }

    /// Why some files of `views_dir` are not installed.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.views.problems.clone()
    }
}

/// Returns an error that names the known profiles, if this is none of them.
pub(crate) fn check_profile(profile: &str) -> Result<(), ReportError> {
    let known = || PROFILES.iter().map(|(name, _)| *name);
    match known().any(|name| name == profile) {
        true => Ok(()),
        false => {
            let mut known: Vec<String> = known().map(str::to_owned).collect();
            known.sort();
            Err(ReportError::UnknownProfile { profile: profile.to_owned(), known })
        }
    }
}

/// Whether a published database has the definitions that this program would install with these limits. Who reads a
/// store of others need not know their `views_dir`: its files are compared only if the setting is given.
pub(crate) fn defines_the_same(
    connection: &Connection,
    paths: &StorePaths,
    settings: &DefinitionSettings,
) -> Result<bool, SyncError> {
    let installed = Installed::read_and_check(paths, settings)?;
    let (published, definitions) = (installed_checksum(connection), installed.definitions());
    Ok(match settings.views_dir {
        Some(_) => definitions.are_all_of(published.as_deref()),
        None => definitions.are_own_of(published.as_deref()),
    })
}

impl BuildingLookup for Installed {
    fn locate(&self, addresses: Vec<AddressPair>) -> Vec<Row> {
        self.buildings.address_rows(addresses.into_iter())
    }
}

impl IncidentSearch for Installed {
    fn search(&self, connection: &Connection, profile: &str, dates: &[i32]) -> Result<IncidentRows, SearchError> {
        // Read now, because the run that is the first to need a key makes it.
        let tokens = Tokens::of_key_file(&self.identity_key);
        let token_of = tokens.of_id();
        let token_of = token_of.as_ref().map(|token_of| token_of as TokenOf<'_>);
        let incidents = find(connection, profile, History::Stored, token_of, dates)?;
        Ok(IncidentRows {
            incidents: incidents.iter().map(Incident::row).collect(),
            participants: incidents.iter().flat_map(Incident::session_rows).collect(),
        })
    }
}
