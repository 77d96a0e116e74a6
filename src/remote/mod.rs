//! The copy of the dataset in an object store: S3 and its protocol, Google Cloud Storage, Azure, a directory.
//!
//! Owns the layout of the copy and the order of its requests. Promises: one store writes below a prefix, or
//! below it for each tenant; a part is
//! never overwritten with other bytes; `_manifest.json` is written when all its parts are there, so readers see the old
//! generation or the new one; the next run completes one that ended at any request. Does not depend on conditional
//! writes. Leaves out what the files contain: a local manifest and its parts are given (`load`).

mod bucket;
mod checksum;
mod compare;
mod copy;
mod dataset;
mod delta;
mod error;
mod fault;
mod layout;
mod listing;
mod open;
mod profile;
mod progress;
mod raw;
mod replaced_parts;
mod restore;
mod store_file;
mod target;

#[cfg(test)]
mod delta_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod raw_tests;
#[cfg(test)]
mod tests;

pub(crate) use compare::compare;
#[cfg(test)]
pub(crate) use copy::CopiedRaw;
pub(crate) use copy::{Copied, copy};
pub(crate) use dataset::LocalDataset;
pub(crate) use error::{RemoteError, TargetError};
pub(crate) use fault::Fault;
pub(crate) use open::{AwsProfile, RemoteOptions, open, open_for_writing};
pub(crate) use progress::{OnUpload, Uploaded};
pub(crate) use raw::RawFiles;
pub(crate) use restore::{RemoteDataset, download, download_raw, find, find_store, raw_paths};
pub(crate) use store_file::StoreFile;
pub(crate) use target::Target;
