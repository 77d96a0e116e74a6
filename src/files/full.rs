//! A disk that becomes full; for tests.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static FULL: Mutex<Vec<(PathBuf, u32)>> = Mutex::new(Vec::new());

/// From now on, only this number of writes below a folder succeeds; `None`: all of them.
pub(crate) fn set(folder: &Path, writes: Option<u32>) {
    let mut full = FULL.lock().unwrap_or_else(PoisonError::into_inner);
    full.retain(|(known, _)| known != folder);
    full.extend(writes.map(|writes| (folder.to_owned(), writes)));
}

/// Counts a write.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    let mut full = FULL.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, left) in full.iter_mut().filter(|(folder, _)| path.starts_with(folder)) {
        *left = left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
    }
    Ok(())
}
