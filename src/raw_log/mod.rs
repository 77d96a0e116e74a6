//! The raw log: every answer as the vendor sent it, one folder a kind and meeting date.
//!
//! A file is a row of checkpoints. A checkpoint is a zstd skippable frame with a [`Header`] in JSON (so that a date can
//! be indexed without unpacking it) and a zstd frame of JSON lines: the pages, and what the walk came to. `zstd -dc`
//! prints the lines. A cut-off last checkpoint is noticed and passed over.

mod check;
mod frame;
mod pages;
mod read;
mod record;
mod requests;
mod write;

pub(crate) use check::{RawFile, check_file, raw_files};
pub(crate) use pages::PageReader;
pub(crate) use read::{RawDate, WalkRef, date_of, lacks_one_record, strangers_of};
pub use read::{dates_of, files_of};
pub use record::RawKind;
pub(crate) use record::{Header, PageRecord, RAW_VERSION, WalkEnd};
pub(crate) use requests::requests_by_run;
pub(crate) use write::{GROUP, RawWriter, encode, relative};

use std::path::PathBuf;

/// The raw log cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RawError {
    /// A file or folder of the log.
    #[error("{attempt} the raw log at {}", path.display())]
    Io {
        /// What was attempted: "cannot write", "cannot read", "cannot list".
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A checkpoint that is there but makes no sense.
    #[error("the raw log at {} is damaged at byte {offset}", path.display())]
    Damaged {
        path: PathBuf,
        /// Where the checkpoint begins.
        offset: u64,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

#[cfg(test)]
mod tests;
