//! Opens a store for a command that publishes.

use std::path::Path;

use super::error::SyncError;
use super::replace::put_in_place;
use crate::files::Access;
use crate::load::{Lock, StorePaths};

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
