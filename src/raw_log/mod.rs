//! The raw log: every response as Feishu sent it, in one directory per kind and meeting date.
//!
//! A file is a sequence of checkpoints. A checkpoint is a zstd skippable frame that holds a [`Header`] in JSON (so that
//! a date can be indexed without decompressing it), followed by a zstd frame of JSON lines: the pages, and how the walk
//! ended. `zstd -dc` prints the lines. A truncated last checkpoint is detected and skipped.

mod check;
mod checkpoint;
mod error;
mod layout;
mod pages;
mod read;
mod record;
mod requests;
mod rewrite;
mod write;

pub(crate) use check::{RawFile, check_file, raw_files};
pub(crate) use checkpoint::encode;
pub(crate) use error::RawError;
pub(crate) use layout::{date_in_path, relative_path, run_of, unexpected_entries};
pub use layout::{list_dates, list_files};
pub(crate) use pages::PageReader;
pub(crate) use read::{RawDate, WalkRef, lacks_only_last_record};
pub use record::RawKind;
pub(crate) use record::{Header, PageRecord, RAW_VERSION, WalkEnd};
pub(crate) use requests::requests_by_run;
pub(crate) use rewrite::{DecodedCheckpoint, Rewrite, RewrittenFile, put_in_place, remove_date, rewrite_file};
pub(crate) use write::{MAX_GROUP, RawWriter, cut_file};

#[cfg(test)]
mod raw_log_tests;
