//! What verify needs to know, and why it could not run: damage is a finding, not an error.

use std::path::PathBuf;
use std::time::Duration;

use crate::commands::error::SyncError;
use crate::commands::publish::definitions::DefinitionSettings;
use crate::load::{DatabaseOptions, LoadError};
use crate::raw_log::RawError;

/// How long to wait for a publication in progress.
pub(crate) const PUBLISH_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub(crate) struct VerifySetup {
    pub store: PathBuf,
    /// Rebuild every date from the raw log and compare it.
    pub deep: bool,
    /// Maximum number of findings kept per check; all are counted.
    pub limit: usize,
    pub max_wait: Duration,
    pub definitions: DefinitionSettings,
    pub database: DatabaseOptions,
    pub now_us: i64,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Raw(#[from] RawError),
    #[error(transparent)]
    Definitions(Box<SyncError>),
    #[error(transparent)]
    Copy(Box<SyncError>),
}
