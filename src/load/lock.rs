//! One writer a store: an operating system lock on `state/lock`.
//!
//! The lock dies with its process, so it is never stale. What the file says about the holder is for the message only and
//! decides nothing. The folder `state/` is locked too: somebody may take the file away, believing it stale, while its
//! holder lives, and a new file would let a second writer in.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::StorePaths;
use crate::schema::utc_text;

/// Who holds a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub pid: u32,
    /// Name of the machine.
    pub host: String,
    /// When it took the lock, RFC 3339 UTC.
    pub started_utc: String,
    /// What it does, such as `sync`.
    pub command: String,
}

/// Why the store could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error("another run holds the store: `{command}`, process {pid} on {host}, since {started_utc}")]
    Held {
        /// Process id; 0 where the holder had not yet written it.
        pid: u32,
        /// Name of the machine.
        host: String,
        /// When it took the lock, RFC 3339 UTC.
        started_utc: String,
        command: String,
    },
    /// The lock file can't be used.
    #[error("could not lock {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// A few tries: whoever asks who holds the store keeps the lock for an instant.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The right to write to a store, until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// `state/`; `None` where the system has no locks on folders.
    _folder: Option<File>,
}

impl Lock {
    /// Takes the store for `command`.
    ///
    /// # Errors
    /// [`LockError::Held`] where another process, or another part of this one, has it.
    pub fn take(paths: &StorePaths, command: &str, now_us: i64) -> Result<Lock, LockError> {
        let path = paths.lock();
        let failed = |source| LockError::Io { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let folder = lockable_folder(&paths.state());
        let mut tries = 0;
        loop {
            match folder.as_ref().map_or(Ok(()), try_lock_folder).and_then(|()| file.try_lock()) {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if tries < TRIES => {
                    tries += 1;
                    thread::sleep(BETWEEN_TRIES);
                }
                Err(TryLockError::WouldBlock) => {
                    let Holder { pid, host, started_utc, command } = written(paths).unwrap_or_else(unknown);
                    return Err(LockError::Held { pid, host, started_utc, command });
                }
            }
        }
        let holder = Holder {
            pid: std::process::id(),
            host: host_name(),
            started_utc: utc_text(now_us),
            command: command.to_owned(),
        };
        let line = serde_json::to_string(&holder).map_err(|error| failed(error.into()))?;
        file.set_len(0).and_then(|()| writeln!(file, "{line}")).map_err(failed)?;
        Ok(Lock { file, _folder: folder })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself goes with the file; an empty file only keeps a curious reader from a wrong conclusion.
        if let Err(error) = self.file.set_len(0) {
            tracing::debug!(%error, "left the lock file's text behind");
        }
    }
}

/// The folder as a file that can be locked, where the system has such.
fn lockable_folder(folder: &Path) -> Option<File> {
    if cfg!(unix) { File::open(folder).ok() } else { None }
}

/// Locks a folder. Network file systems may have locks on files only: there the file's has to do.
fn try_lock_folder(folder: &File) -> Result<(), TryLockError> {
    match folder.try_lock() {
        Err(TryLockError::Error(_)) => Ok(()),
        other => other,
    }
}

/// Who holds the store at this moment, for those who only look.
pub(crate) fn holder(paths: &StorePaths) -> Option<Holder> {
    let file = File::open(paths.lock()).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(written(paths).unwrap_or_else(unknown)),
        // Nobody, or a file system without locks. Closing the file gives the shared lock back.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn written(paths: &StorePaths) -> Option<Holder> {
    serde_json::from_str(&fs::read_to_string(paths.lock()).ok()?).ok()
}

fn unknown() -> Holder {
    let text = || "unknown".to_owned();
    Holder { pid: 0, host: text(), started_utc: text(), command: text() }
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
    fn the_second_taker_learns_who_was_first() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        assert_eq!(holder(&paths), None);
        let lock = Lock::take(&paths, "sync", 0).expect("free");
        let error = Lock::take(&paths, "rebuild", 0).expect_err("held");
        match &error {
            LockError::Held { pid, started_utc, command, host } => {
                assert_eq!((*pid, command.as_str()), (std::process::id(), "sync"));
                assert_eq!(started_utc, "1970-01-01T00:00:00Z");
                assert!(!host.is_empty());
            }
            LockError::Io { .. } => panic!("{error}"),
        }
        assert_eq!(holder(&paths).map(|holder| holder.command), Some("sync".to_owned()));
        drop(lock);
        assert_eq!(holder(&paths), None);
        Lock::take(&paths, "rebuild", 0).expect("free again");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_lock_file_taken_away_lets_nobody_in() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        let lock = Lock::take(&paths, "sync", 0).expect("free");
        fs::remove_file(paths.lock()).expect("remove");
        assert!(matches!(Lock::take(&paths, "sync", 0), Err(LockError::Held { .. })));
        drop(lock);
        Lock::take(&paths, "sync", 0).expect("free again");
    }

    #[test]
    fn a_dead_holders_text_does_not_hold_the_store() {
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
