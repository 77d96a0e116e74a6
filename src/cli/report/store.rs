//! What the report commands read: the reports, and the published database.

use duckdb::Connection;

use crate::cli::command::Context;
use crate::cli::settings::definitions;
use crate::commands;
use crate::config::Config;
use crate::error::{ExitCode, Failure};
use crate::load::{self, Reader, StorePaths};
use crate::report::{Catalogue, HeldDates};

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

/// Says so if a window from the date `since` (`YYYY-MM-DD`; `None`: the first one) begins before the first date that
/// the database holds.
pub(super) fn warn_of_missing_dates(
    connection: &Connection,
    since: Option<&str>,
    context: &Context,
) -> Result<(), Failure> {
    if let Some(missing) = missing_dates(connection, since)? {
        context.console.warn(&missing);
    }
    Ok(())
}

pub(super) fn missing_dates(connection: &Connection, since: Option<&str>) -> Result<Option<String>, Failure> {
    let held = HeldDates::read(connection).map_err(unreadable_dates)?;
    Ok(held.and_then(|held| held.missing(since.and_then(|since| since.parse().ok()))))
}

pub(super) fn unreadable_dates(error: duckdb::Error) -> Failure {
    Failure::new(ExitCode::Storage, "could not read the dates in the database").cause(&error)
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
