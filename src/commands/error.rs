//! Why a run could not begin, or could not publish.

use std::path::PathBuf;

use super::dates::DateError;
use super::numbered;
use crate::buildings::BuildingsError;
use crate::extract::WriteError;
use crate::ledger::LedgerError;
use crate::load::{LoadError, LockError};
use crate::report::ReportError;
use feishu_vc::ClientError;

/// A sync that could not begin, or could not publish.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncError {
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Another run holds the store.
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The recorder could not start.
    #[error("cannot start writing to the store {}", store.display())]
    Recorder {
        store: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Date(#[from] DateError),
    /// The store holds ids of another kind.
    #[error("the store {} holds ids of the kind {held}, and this run asks for {asked}", store.display())]
    UserIdType {
        store: PathBuf,
        /// What it was made with.
        held: String,
        /// What was asked for now.
        asked: &'static str,
    },
    /// The reports cannot be installed.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The store's list of buildings.
    #[error(transparent)]
    Buildings(#[from] BuildingsError),
    /// The configuration names limits that no profile has.
    #[error("no profile has a limit {}", unknown.join(", "))]
    UnknownLimits {
        /// As the configuration names them.
        unknown: Vec<String>,
        /// The limits that there are.
        known: Vec<String>,
    },
    /// The published database cannot be counted.
    #[error("cannot count what is published")]
    Totals(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Published dates would be lost, because there is nothing to make them from.
    #[error(
        "Parquet files without answers in raw/, and no manifest to keep them by: {}, {first} to {last}",
        numbered(*dates as u64, "date")
    )]
    WithoutRaw { dates: usize, first: String, last: String },
    /// Published dates would be replaced by less.
    #[error(
        "{}, {first} to {last}, would lose meetings or participants that are published, and stay as they are: answers are \
         missing from raw/",
        numbered(*dates as u64, "date")
    )]
    Short { dates: usize, first: String, last: String },
    /// The store was made in another time zone.
    #[error("the store {} was made in the time zone {held}, and this run is in {asked}", store.display())]
    Timezone {
        store: PathBuf,
        /// What it was made with.
        held: String,
        /// What was asked for now.
        asked: String,
    },
    /// The damaged ledger cannot be put aside.
    #[error("cannot put the damaged ledger aside as {}", path.display())]
    PutAside {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A thread of ours panicked.
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
