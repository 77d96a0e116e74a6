//! What verify needs to know.

use std::path::PathBuf;
use std::time::Duration;

use crate::load::DatabaseOptions;

/// How long to wait for a publication in progress.
pub(crate) const PUBLISH_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub(crate) struct VerifySetup {
    pub store: PathBuf,
    /// Rebuild every date from the raw log and compare it.
    pub deep: bool,
    /// Maximum number of findings kept per check; all are counted.
    pub limit: usize,
    /// How long to wait for a publication in progress.
    pub max_wait: Duration,
    /// Limits of the reports' profile `custom`: metric and value.
    pub custom_limits: Vec<(String, f64)>,
    pub database: DatabaseOptions,
    /// Microseconds UTC.
    pub now_us: i64,
}
