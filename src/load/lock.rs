//! One writer per store: an operating system lock on `state/lock`.
//!
//! The lock ends with its process, so it is never stale. The text in the file is for messages only. The directory
//! `state/` is locked too: if somebody deletes the file, believing it stale, a new file would let a second writer in.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::paths::StorePaths;
use crate::files;
use crate::schema::utc_text;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// 0 if the holder has not written it yet.
    pub pid: u32,
    pub host: String,
    /// RFC 3339 UTC.
    pub started_utc: String,
    /// For example `sync`.
    pub command: String,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "another run holds the store's lock: `{}`, process {} on {}, since {}",
        .0.command, .0.pid, .0.host, .0.started_utc
    )]
    Held(Holder),
    #[error("vcq-etl plan is writing to {}", path.display())]
    Appending { path: PathBuf },
    #[error("cannot lock {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// More than one: a process that only looks up the holder keeps the lock for a moment.
const MAX_TRIES: u32 = 5;
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// The right to write to a store, until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// `state/`; `None` if it cannot be opened as a file.
    _folder: Option<File>,
}

impl Lock {
    /// Locks the store for `command`. Returns [`LockError::Held`] if another process, or another part of this one, has
    /// it.
    pub fn take(paths: &StorePaths, command: &str, now_us: i64) -> Result<Lock, LockError> {
        let path = paths.lock();
        let failed = |source| LockError::Io { path: path.clone(), source };
        let mut file =
            files::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let folder = File::open(paths.state()).ok();
        let mut tries = 0;
        loop {
            // Network file systems may support locks on files only: there the lock on the file must be enough.
            let locked = match folder.as_ref().map(File::try_lock) {
                Some(Err(TryLockError::WouldBlock)) => Err(TryLockError::WouldBlock),
                _ => file.try_lock(),
            };
            match locked {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if tries < MAX_TRIES => {
                    tries += 1;
                    thread::sleep(RETRY_DELAY);
                }
                Err(TryLockError::WouldBlock) => return Err(LockError::Held(recorded_holder(paths))),
            }
        }
        let (pid, host, started_utc) = (std::process::id(), host_name(), utc_text(now_us));
        let holder = Holder { pid, host, started_utc, command: command.to_owned() };
        let line = serde_json::to_string(&holder).map_err(|error| failed(error.into()))?;
        file.set_len(0).and_then(|()| writeln!(file, "{line}")).map_err(failed)?;
        Ok(Lock { file, _folder: folder })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file releases the lock; emptying it avoids misleading anybody who reads it.
        if let Err(error) = self.file.set_len(0) {
            tracing::debug!(%error, "cannot empty the lock file");
        }
    }
}

/// Keeps raw files from being replaced while this process appends to its own, until dropped. Waits while they are being
/// replaced. For a process that does not hold the store's lock; `None` on a file system without locks on directories.
pub(crate) fn share_raw_files(paths: &StorePaths) -> Option<File> {
    let folder = File::open(paths.raw()).ok()?;
    folder.lock_shared().ok().map(|()| folder)
}

/// The right to replace raw files, until dropped. Returns [`LockError::Appending`] if another process appends to some.
pub(crate) fn lock_raw_files(paths: &StorePaths) -> Result<Option<File>, LockError> {
    let Ok(folder) = File::open(paths.raw()) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(LockError::Appending { path: paths.raw() }),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Who holds the store at this moment; does not lock it.
pub(crate) fn holder(paths: &StorePaths) -> Option<Holder> {
    let file = File::open(paths.lock()).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(recorded_holder(paths)),
        // Nobody, or a file system without locks. Closing the file releases the shared lock.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn recorded_holder(paths: &StorePaths) -> Holder {
    let text = fs::read_to_string(paths.lock()).ok();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| {
        let [host, started_utc, command] = ["unknown"; 3].map(str::to_owned);
        Holder { pid: 0, host, started_utc, command }
    })
}

fn host_name() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .into_iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_process_learns_who_holds_the_lock() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        assert_eq!(holder(&paths), None);
        let lock = Lock::take(&paths, "sync", 0).expect("free");
        let error = Lock::take(&paths, "rebuild", 0).expect_err("held");
        match &error {
            LockError::Held(Holder { pid, started_utc, command, host }) => {
                assert_eq!((*pid, command.as_str()), (std::process::id(), "sync"));
                assert_eq!(started_utc, "1970-01-01T00:00:00Z");
                assert!(!host.is_empty());
            }
            LockError::Appending { .. } | LockError::Io { .. } => panic!("{error}"),
        }
        assert_eq!(holder(&paths).map(|holder| holder.command), Some("sync".to_owned()));
        drop(lock);
        assert_eq!(holder(&paths), None);
        Lock::take(&paths, "rebuild", 0).expect("free again");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn removing_the_lock_file_does_not_release_the_lock() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        let lock = Lock::take(&paths, "sync", 0).expect("free");
        fs::remove_file(paths.lock()).expect("remove");
        assert!(matches!(Lock::take(&paths, "sync", 0), Err(LockError::Held { .. })));
        drop(lock);
        Lock::take(&paths, "sync", 0).expect("free again");
    }

    #[test]
    fn text_left_by_a_crashed_holder_does_not_lock_the_store() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        let line =
            r#"{"pid":1,"host":"gone","started_utc":"2026-01-01T00:00:00Z","command":"a longer command than ours"}"#;
        fs::write(paths.lock(), line).expect("write");
        assert_eq!(holder(&paths), None);
        let _lock = Lock::take(&paths, "sync", 0).expect("free");
        assert_eq!(holder(&paths).map(|holder| holder.command), Some("sync".to_owned()));
    }
}
