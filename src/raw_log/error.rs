//! Errors of the raw log.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum RawError {
    #[error("{attempt} the raw log at {}", path.display())]
    Io {
        /// "cannot write", "cannot read", "cannot compress for", "cannot remove a file of".
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A complete checkpoint that cannot be decoded.
    #[error("the raw log at {} is damaged at byte {offset}", path.display())]
    Damaged {
        path: PathBuf,
        /// Where the checkpoint starts.
        offset: u64,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl RawError {
    pub(crate) fn io(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RawError + use<> {
        let path = path.to_owned();
        move |source| RawError::Io { attempt, path, source }
    }
}
