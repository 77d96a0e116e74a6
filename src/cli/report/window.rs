//! The window of a report or card: `--since` and `--until`, else the last seven days in the store.

use clap::Args;
use duckdb::Connection;

use super::store::unreadable_dates;
use crate::cli::window::{self, Days};
use crate::config::Config;
use crate::error::Failure;
use crate::report::{HeldDates, ReportWindow};
use crate::text::Language;

/// For `--since`: from the first date in the store.
const ALL: &str = "all";

#[derive(Debug, Clone, Default, Args)]
pub(super) struct WindowArgs {
    /// Start date (inclusive): 28d, yesterday, 2026-11-01 or all [default: the last 7 days up to the newest date in the
    /// store]
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,

    /// End date (exclusive), in the same formats [default: latest]
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
}

impl WindowArgs {
    pub(super) fn is_all(&self) -> bool {
        self.since.as_deref().is_some_and(|since| since.trim().eq_ignore_ascii_case(ALL))
    }

    pub(super) fn is_given(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// The given dates.
    pub(super) fn days(&self, config: &Config, now_us: i64) -> Result<Days, Failure> {
        let since = self.since.as_deref().filter(|_| !self.is_all());
        Ok(window::days(since, self.until.as_deref(), &config.timezone, now_us)?)
    }

    /// The dates with their default, and what they are in words.
    pub(super) fn resolve(
        &self,
        given: (Option<String>, Option<String>),
        is_all: bool,
        is_utc: bool,
        language: Language,
        connection: &Connection,
    ) -> Result<ReportWindow, Failure> {
        let held = HeldDates::read(connection).map_err(unreadable_dates)?;
        Ok(ReportWindow::resolve(held, given, is_all, is_utc, language))
    }
}
