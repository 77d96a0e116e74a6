//! Why a run could not begin, or could not publish.

use std::path::PathBuf;

use super::publish::date_error::DateError;
use crate::buildings::BuildingsError;
use crate::extract::WriteError;
use crate::ledger::LedgerError;
use crate::load::{LoadError, LockError};
use crate::personal_data::KeyFileError;
use crate::remote::RemoteError;
use crate::report::ReportError;
use feishu_vc::ClientError;

/// Why the settings `identity` and `topics` cannot be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("the store {} was written with {setting} = {stored}, but this run has {setting} = {requested}", store.display())]
    Differs { store: PathBuf, setting: &'static str, stored: &'static str, requested: &'static str },
    #[error("the identity key is missing: {}", path.display())]
    KeyMissing { path: PathBuf },
    #[error("{} is not the identity key of this store", path.display())]
    OtherKey { path: PathBuf },
    #[error(transparent)]
    File(#[from] KeyFileError),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Date(#[from] DateError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Buildings(#[from] BuildingsError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error("the store {} has data of its own", store.display())]
    NotEmpty { store: PathBuf },
    #[error("cannot start writing to the store {}", store.display())]
    Recorder { store: PathBuf, source: std::io::Error },
    #[error("the store {} holds user ids of the kind {stored}, but this run uses {requested}", store.display())]
    UserIdType { store: PathBuf, stored: String, requested: &'static str },
    #[error("the store {} was created in the time zone {stored}, but this run uses {requested}", store.display())]
    Timezone { store: PathBuf, stored: String, requested: String },
    #[error("no profile has a threshold {}", unknown.join(", "))]
    UnknownLimits { unknown: Vec<String>, known: Vec<String> },
    #[error("cannot count what is published")]
    Totals(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Published dates would be lost, because nothing is left to rebuild them from.
    #[error(
        "the Parquet files of {first} to {last} (dates: {dates}) have no data in raw/, and there is no manifest to keep them"
    )]
    WithoutRaw { dates: usize, first: String, last: String },
    /// Published dates would be replaced by less.
    #[error(
        "publishing {first} to {last} (dates: {dates}) would drop published meetings or participants, so these dates stay \
         as they are: data is missing from raw/"
    )]
    Short { dates: usize, first: String, last: String },
    #[error("cannot move the damaged ledger aside to {}", path.display())]
    PutAside { path: PathBuf, source: std::io::Error },
    #[error("a replacement of dates in the store {} was interrupted", store.display())]
    Replacing { store: PathBuf },
    #[error("the store {} has no person with this {}", store.display(), if *is_email { "e-mail address" } else { "ID" })]
    NobodyFound { store: PathBuf, is_email: bool },
    #[error("identities cannot be replaced in {first} to {last} (dates: {dates}), because raw files are missing")]
    IdentityStays { dates: usize, first: String, last: String },
    #[error("publishing ended unexpectedly")]
    Panicked,
}

impl From<WriteError> for SyncError {
    fn from(error: WriteError) -> SyncError {
        match error {
            WriteError::Ledger(error) => SyncError::Ledger(error),
            WriteError::Raw(error) => SyncError::Date(DateError::Raw(error)),
            WriteError::Stopped => SyncError::Panicked,
        }
    }
}
