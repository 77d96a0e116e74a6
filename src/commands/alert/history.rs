//! What was sent, and what is pending.

use std::path::Path;

use crate::commands::error::SyncError;
use crate::ledger::{AlertRecord, Ledger};
use crate::load::StorePaths;

/// The newest messages, newest first.
pub(crate) fn history(store: &Path, limit: usize) -> Result<Vec<AlertRecord>, SyncError> {
    let path = StorePaths::existing(store)?.ledger();
    match path.exists() {
        true => Ok(Ledger::open_read_only(&path)?.alert_history(limit)?),
        false => Ok(Vec::new()),
    }
}
