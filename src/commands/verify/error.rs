//! Why verify could not run. Damage is a finding, not an error.

use crate::commands::error::SyncError;
use crate::load::LoadError;
use crate::raw_log::RawError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Raw(#[from] RawError),
    /// The definitions that the database should have.
    #[error(transparent)]
    Definitions(Box<SyncError>),
}
