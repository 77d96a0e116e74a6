//! What the report commands read: the reports, and the published database.

use duckdb::Connection;

use crate::cli::command::Context;
use crate::cli::settings::definitions;
use crate::commands;
use crate::config::Config;
use crate::error::Failure;
use crate::load::{self, Reader, StorePaths};
use crate::report::Catalogue;

/// The built-in reports, and those in the directory that the settings name.
pub(super) fn catalogue(config: &Config) -> Result<Catalogue, Failure> {
    Ok(match &config.reports_dir {
        None => Catalogue::built_in()?,
        Some(folder) => Catalogue::with_folder(folder)?,
    })
}

pub(in crate::cli) fn open(config: &Config) -> Result<Reader, Failure> {
    Ok(load::open_published_with(&StorePaths::existing(&config.store)?, config.reading())?)
}

/// Warns if the definitions in the store differ from those of this program and these settings.
pub(in crate::cli) fn warn_of_other_definitions(connection: &Connection, context: &Context) -> Result<(), Failure> {
    let config = &context.config;
    if !commands::defines_the_same(connection, &StorePaths::existing(&config.store)?, &definitions(config))? {
        context.console.warn(
            "the store was published with other reports, thresholds or buildings than those of this program and its settings; \
             the next sync or vcq-etl rebuild updates them",
        );
    }
    Ok(())
}
