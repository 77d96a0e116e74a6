//! The raw files of a store, for its copy.

use crate::commands::error::SyncError;
use crate::extract::WriteError;
use crate::ledger::Ledger;
use crate::load::StorePaths;
use crate::raw_log::{raw_files, relative_path};
use crate::remote::RawFiles;

/// The ledger's setting of a store that was restored without the raw log of its copy.
const LEFT_IN_COPY: &str = "raw_left_in_copy";

pub(super) fn of_store(paths: &StorePaths, ledger: &Ledger, is_copied: bool) -> Result<RawFiles, SyncError> {
    Ok(RawFiles {
        is_copied,
        folder: paths.root().to_owned(),
        paths: local_paths(paths)?,
        keeps_others: ledger.setting(LEFT_IN_COPY)?.is_some(),
    })
}

/// Relative to the store.
pub(super) fn local_paths(paths: &StorePaths) -> Result<Vec<String>, SyncError> {
    let files = raw_files(&paths.raw()).map_err(WriteError::from)?;
    Ok(files.iter().map(|file| relative_path(paths.root(), &file.path)).collect())
}

pub(super) fn leave_in_copy(ledger: &Ledger) -> Result<(), SyncError> {
    Ok(ledger.set_setting(LEFT_IN_COPY, "true")?)
}
