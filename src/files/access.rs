//! Who may read what is written, as modes.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::Mode;
use rustix::process::umask;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The owner only.
    Private,
    /// The owner and, for reading, the group.
    Shared,
}

static IS_SHARED: AtomicBool = AtomicBool::new(false);

impl Access {
    /// The access of this process.
    pub(crate) fn current() -> Access {
        match IS_SHARED.load(Ordering::Relaxed) {
            true => Access::Shared,
            false => Access::Private,
        }
    }

    /// Sets the access of this process, and its umask.
    pub(crate) fn set(self) {
        IS_SHARED.store(self == Access::Shared, Ordering::Relaxed);
        umask(Mode::from_raw_mode(0o777 & !self.folder_mode()));
    }

    pub(crate) fn folder_mode(self) -> u32 {
        match self {
            Access::Private => 0o700,
            Access::Shared => 0o750,
        }
    }

    pub(crate) fn file_mode(self) -> u32 {
        match self {
            Access::Private => 0o600,
            Access::Shared => 0o640,
        }
    }

    /// The mode of `vcq.duckdb`, which nobody changes in place.
    pub(crate) fn read_only_mode(self) -> u32 {
        self.file_mode() & 0o444
    }
}
