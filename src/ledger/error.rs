//! Errors of the ledger.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("cannot {attempt} the ledger at {}", path.display())]
    Sqlite {
        /// "open", "read" or "write".
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// The file is not a SQLite database, or its pages are inconsistent.
    #[error("the ledger at {} is damaged", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    /// Written by a newer version of this program.
    #[error("the ledger at {} has version {found}; this program supports up to version {known}", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
}

impl LedgerError {
    pub(super) fn from_sqlite(attempt: &'static str, path: &Path, source: rusqlite::Error) -> LedgerError {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => LedgerError::Damaged { path, source },
            _ => LedgerError::Sqlite { attempt, path, source },
        }
    }
}
