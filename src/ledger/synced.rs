//! How much of each raw file is known to be on disk.
//!
//! A run syncs what it appends and then records it, before it appends more. So what a power cut may have damaged is
//! behind the recorded bytes of a file.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::change::FileProgress;
use super::database::Ledger;
use super::error::LedgerError;
use crate::raw_log::run_of;

#[derive(Debug, Default)]
pub(crate) struct SyncedFiles {
    /// By path below `raw/`.
    pub(super) files: HashMap<String, FileProgress>,
    /// Runs that have not ended successfully.
    pub(super) stopped: HashSet<String>,
}

pub(super) const STOPPED_RUNS: &str = "select run_id from runs where exit_code is not 0";

impl SyncedFiles {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &FileProgress)> {
        self.files.iter()
    }

    /// The bytes at the start of a file, by path below `raw/`, that are known to be on disk. `None` if that is unknown:
    /// the file has nothing new, or was written before this ledger was.
    pub(crate) fn bytes(&self, path: &str, length: u64) -> Option<u64> {
        match self.files.get(path) {
            Some(file) => (file.seen_bytes < length).then_some(file.indexed_bytes),
            None => self.stopped.contains(&run_of(Path::new(path))).then_some(0),
        }
    }

    /// Whether a file has bytes that were not indexed.
    pub(crate) fn has_more(&self, path: &str, length: u64) -> bool {
        self.files.get(path).is_none_or(|file| file.seen_bytes < length)
    }
}

impl Ledger {
    pub(crate) fn synced_files(&self) -> Result<SyncedFiles, LedgerError> {
        let stopped = self.rows(STOPPED_RUNS, [], |row| row.get(0))?.into_iter().collect();
        Ok(SyncedFiles { files: self.raw_files()?, stopped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Change, RunRecord};

    #[test]
    fn only_what_a_stopped_run_had_not_recorded_may_be_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        let path = |run: &str| format!("quality/meeting_date=2024-10-04/{run}-0.jsonl.zst");
        assert_eq!(ledger.synced_files().expect("read").bytes(&path("a"), 9), None, "a lost ledger says nothing");
        for (run_id, exit_code) in [("a", None), ("b", Some(5)), ("c", Some(0))] {
            let run = RunRecord { run_id: run_id.to_owned(), exit_code, ..RunRecord::default() };
            ledger.record_run(&run).expect("written");
        }
        let progress = FileProgress { indexed_bytes: 4, seen_bytes: 6 };
        ledger.apply([Change::Indexed { path: path("d"), progress }].iter()).expect("written");
        let synced = ledger.synced_files().expect("read");
        let bytes = |run: &str, length| synced.bytes(&path(run), length);
        assert_eq!(["a", "ar", "b", "c", "e"].map(|run| bytes(run, 9)), [Some(0), Some(0), Some(0), None, None]);
        assert_eq!([bytes("d", 6), bytes("d", 7)], [None, Some(4)], "what was read is judged");
    }
}
