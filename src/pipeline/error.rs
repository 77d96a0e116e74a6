//! Why a run could not begin, or could not publish.

use std::path::PathBuf;

use super::dates::DateError;
use super::numbered;
use crate::buildings::BuildingsError;
use crate::extract::{LedgerError, RecordError};
use crate::feishu::ClientError;
use crate::load::{LoadError, LockError};

/// A sync that could not begin, or could not publish.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The store's files.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Another run holds the store.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The recorder could not start.
    #[error("cannot start writing to the store {}", store.display())]
    Recorder {
        /// The store.
        store: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A date's answers.
    #[error(transparent)]
    Date(#[from] DateError),
    /// The store holds ids of another kind.
    #[error("the store {} holds ids of the kind {held}, and this run asks for {asked}", store.display())]
    UserIdType {
        /// The store.
        store: PathBuf,
        /// What it was made with.
        held: String,
        /// What was asked for now.
        asked: &'static str,
    },
    /// The store's list of buildings.
    #[error(transparent)]
    Buildings(#[from] BuildingsError),
    /// The published database cannot be counted.
    #[error("cannot count what is published")]
    Totals(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Published dates would be lost, because there is nothing to make them from.
    #[error(
        "Parquet files without answers in raw/, and no manifest to keep them by: {}, {first} to {last}",
        numbered(*dates as u64, "date")
    )]
    WithoutRaw {
        /// How many.
        dates: usize,
        /// The oldest.
        first: String,
        /// The newest.
        last: String,
    },
    /// Published dates would be replaced by less.
    #[error(
        "{}, {first} to {last}, would lose meetings or participants that are published, and stay as they are: answers are \
         missing from raw/",
        numbered(*dates as u64, "date")
    )]
    Short {
        /// How many.
        dates: usize,
        /// The oldest.
        first: String,
        /// The newest.
        last: String,
    },
    /// The store was made in another time zone.
    #[error("the store {} was made in the time zone {held}, and this run is in {asked}", store.display())]
    Timezone {
        /// The store.
        store: PathBuf,
        /// What it was made with.
        held: String,
        /// What was asked for now.
        asked: String,
    },
    /// The damaged ledger cannot be put aside.
    #[error("cannot put the damaged ledger aside as {}", path.display())]
    PutAside {
        /// Its new name.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A thread of ours panicked.
    #[error("publishing ended unexpectedly")]
    Panicked,
}

impl From<RecordError> for SyncError {
    fn from(error: RecordError) -> SyncError {
        match error {
            RecordError::Ledger(error) => SyncError::Ledger(error),
            RecordError::Raw(error) => SyncError::Date(DateError::Raw(error)),
            RecordError::Stopped => SyncError::Panicked,
        }
    }
}
