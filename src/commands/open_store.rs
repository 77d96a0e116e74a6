//! Opens a store for a command that publishes.

use std::path::Path;

use super::error::SyncError;
use super::replace::put_in_place;
use crate::extract::{RawEnds, settle_raw_ends};
use crate::files::Access;
use crate::ledger::Ledger;
use crate::load::{Lock, LockError, StorePaths, lock_raw_files};

/// Takes the lock, puts the raw files of an interrupted replacement in place, removes what crashed runs left in
/// `.work/`, and sets the modes of the store. Returns what the user should know about these steps.
pub(super) fn open_and_lock(
    store: &Path,
    command: &str,
    now_us: i64,
) -> Result<(StorePaths, Lock, Vec<String>), SyncError> {
    let paths = StorePaths::open(store)?;
    let lock = Lock::take(&paths, command, now_us)?;
    put_in_place(&paths)?;
    paths.clean_work()?;
    let notes = paths.set_modes(Access::current());
    Ok((paths, lock, notes))
}

/// Settles the raw files that a run before left, for the holder of the lock.
pub(super) fn settle_raw(paths: &StorePaths, ledger: &Ledger) -> Result<RawEnds, SyncError> {
    let locked = match lock_raw_files(paths) {
        Err(LockError::Appending { .. }) => None,
        locked => Some(locked?),
    };
    Ok(settle_raw_ends(&paths.raw(), ledger, locked.is_some())?)
}
