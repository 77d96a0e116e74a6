//! How much of each raw file the ledger has indexed. Paths are below `raw/`.

use std::collections::HashMap;

use rusqlite::Row;

use super::change::{Change, FileProgress};
use super::database::Ledger;
use super::error::LedgerError;

impl Ledger {
    pub(crate) fn raw_files(&self) -> Result<HashMap<String, FileProgress>, LedgerError> {
        let read = |row: &Row<'_>| {
            let (indexed_bytes, seen_bytes) = (row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64);
            Ok((row.get(0)?, FileProgress { indexed_bytes, seen_bytes }))
        };
        Ok(self.rows("select path, indexed_bytes, seen_bytes from raw_files", [], read)?.into_iter().collect())
    }

    pub(crate) fn forget_raw_files<'a>(&self, mut paths: impl Iterator<Item = &'a String>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            paths.try_for_each(|path| {
                transaction.prepare_cached("delete from raw_files where path = ?1")?.execute([path]).map(drop)
            })
        })
    }

    /// Records lost raw files, so that their dates keep what is published also after a rebuild.
    pub(crate) fn remember_raw_files(&self, files: &HashMap<String, FileProgress>) -> Result<(), LedgerError> {
        self.in_transaction(|transaction| {
            files.iter().try_for_each(|(path, progress)| {
                Change::Indexed { path: path.clone(), progress: *progress }.apply(transaction)
            })
        })
    }
}
