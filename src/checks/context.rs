//! What the checks need in addition to the store.

use std::time::Duration;

use crate::files::Access;
use crate::load::{DatabaseOptions, Definitions, LoadError};
use crate::schema::Status;
use crate::schema::cell::Row;

/// Clocks may differ by this much before a time counts as being in the future.
pub(super) const MAX_CLOCK_SKEW_US: i64 = 15 * 60 * 1_000_000;

/// An error means that the store cannot be checked; damage is a finding.
pub(super) type Result<T = ()> = std::result::Result<T, LoadError>;

pub(crate) struct VerifyContext<'a> {
    /// Now, microseconds UTC.
    pub now_us: i64,
    pub database: DatabaseOptions,
    /// Who may read the store.
    pub access: Access,
    /// How long to wait for a publication in progress.
    pub max_wait: Duration,
    /// The kind of user IDs in the store, if the ledger records it.
    pub user_id_type: Option<String>,
    /// What this program would install in addition to the rows.
    pub definitions: Definitions<'a>,
    /// Reads the ledger's history of runs, as rows of `runs`; `None` if it cannot be read.
    pub runs: &'a dyn Fn() -> Option<Vec<Row>>,
    /// Whether Feishu returned an empty participant list for a date (`YYYY-MM-DD`) and meeting key.
    pub list_was_empty: &'a dyn Fn(&str, &str) -> bool,
    /// Whether a coverage status matches the API code of the last response.
    pub code_agrees: &'a dyn Fn(Status, Option<i64>) -> bool,
}
