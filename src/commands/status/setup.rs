//! What status needs to know.

use std::path::PathBuf;
use std::time::Duration;

use feishu_vc::Rate;

use crate::load::DatabaseOptions;
use crate::schema::TenantZone;

/// The days whose coverage is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Days {
    /// This number of days, up to the newest in the store.
    Last(u32),
    /// Microseconds UTC, end exclusive.
    Window(i64, i64),
}

#[derive(Debug, Clone)]
pub(crate) struct StatusSetup {
    pub store: PathBuf,
    pub zone: TenantZone,
    pub database: DatabaseOptions,
    /// The quota of each endpoint, for the estimate of what is pending.
    pub rate: Rate,
    pub settle: Duration,
    pub longest_meeting: Duration,
    pub runs: usize,
    /// The setting.
    pub profile: String,
    pub days: Days,
    pub now_us: i64,
}
