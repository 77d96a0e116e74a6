//! Raw files that the ledger has indexed and that are lost, completely or in part.
//!
//! Dates with lost raw data keep what is published: rebuilding them would drop the lost part.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use super::writer::WriteError;
use crate::ledger::{FileProgress, Ledger};
use crate::raw_log::{RawKind, date_in_path, lacks_only_last_record};

/// The lost files, by path below `raw/`. A file that lacks only its last record is not lost. Lost lists are not
/// considered here: they show as missing rows.
fn lost_files(raw_dir: &Path, ledger: &Ledger) -> Result<HashMap<String, FileProgress>, WriteError> {
    let mut files = ledger.raw_files()?;
    files.retain(|path, progress| {
        let file = raw_dir.join(path);
        let bytes = fs::metadata(&file).map_or(0, |metadata| metadata.len());
        let folder = path.split('/').next().unwrap_or_default();
        let is_considered = |kind: &RawKind| *kind == RawKind::Quality || RawKind::DAILY.contains(kind);
        RawKind::ALL.iter().filter(|kind| is_considered(kind)).any(|kind| kind.folder() == folder)
            && bytes < progress.indexed_bytes
            && !lacks_only_last_record(&file, progress.indexed_bytes)
    });
    Ok(files)
}

pub(crate) fn dates_with_lost_files(raw_dir: &Path, ledger: &Ledger) -> Result<BTreeSet<i32>, WriteError> {
    Ok(lost_files(raw_dir, ledger)?.keys().filter_map(|path| date_in_path(path)).collect())
}

/// Forgets the lost files of dates that were refetched and published again.
pub(crate) fn accept_losses(raw_dir: &Path, ledger: &Ledger, dates: &BTreeSet<i32>) -> Result<(), WriteError> {
    if dates.is_empty() {
        return Ok(());
    }
    let lost = lost_files(raw_dir, ledger)?;
    let refetched = lost.keys().filter(|path| date_in_path(path).is_some_and(|date| dates.contains(&date)));
    Ok(ledger.forget_raw_files(refetched)?)
}

/// Forgets the index, to rebuild it from the raw log. Lost files stay recorded as lost.
pub(crate) fn forget_index(raw_dir: &Path, ledger: &Ledger) -> Result<(), WriteError> {
    let lost = lost_files(raw_dir, ledger)?;
    ledger.forget_index()?;
    Ok(ledger.remember_raw_files(&lost)?)
}
