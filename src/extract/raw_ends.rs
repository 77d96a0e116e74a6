//! The ends of raw files that a stopped run wrote and the ledger has not indexed.
//!
//! After a power cut an end that was never synced may have damaged records before whole ones; nothing of it was
//! reported as done. It is cut off at the first damage, so that every reader and `verify` see a complete file. What is
//! whole is synced before the ledger relies on it: a run that was only killed has left it in memory.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::writer::WriteError;
use crate::ledger::Ledger;
use crate::raw_log::{RawError, check_file, cut_file, raw_files, relative_path};

#[derive(Debug, Default)]
pub(crate) struct RawEnds {
    /// Number of files that were cut.
    pub cut: u64,
    /// Where files would have been cut that another process may be writing. Nothing behind is indexed.
    pub uncut: HashMap<PathBuf, u64>,
}

/// Cuts and syncs what a run before left, if nobody else writes raw files (`may_cut`). The ledger must be as that run
/// left it: runs that were added since to a new ledger say nothing about the raw log.
pub(crate) fn settle_raw_ends(raw_dir: &Path, ledger: &Ledger, may_cut: bool) -> Result<RawEnds, WriteError> {
    let synced = ledger.synced_files()?;
    let (mut ends, mut folders) = (RawEnds::default(), BTreeSet::new());
    for file in raw_files(raw_dir)? {
        let path = &file.path;
        let relative = relative_path(raw_dir, path);
        let length = fs::metadata(path).map_err(RawError::io("cannot read", path))?.len();
        if !synced.has_more(&relative, length) {
            continue;
        }
        if let Some(bytes) = synced.bytes(&relative, length)
            && let Some(damaged_from) = check_file(&file, Some(bytes))?.unsynced_from
        {
            if may_cut {
                cut_file(path, damaged_from)?;
                ends.cut += 1;
            } else {
                ends.uncut.insert(path.clone(), damaged_from);
            }
        }
        sync(path)?;
        folders.extend(path.ancestors().skip(1).take(3).map(Path::to_owned));
    }
    folders.iter().try_for_each(|folder| sync(folder))?;
    Ok(ends)
}

fn sync(path: &Path) -> Result<(), RawError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(RawError::io("cannot write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{CaughtUp, catch_up_to};
    use crate::ledger::RunRecord;
    use crate::raw_log::{Header, RAW_VERSION, RawKind, RawWriter, WalkEnd, encode};
    use crate::schema::{Status, TenantZone};

    const DAY: i32 = 20_000;

    /// Four records of one run, of which the ledger knows the first two. Returns the file and where each record starts.
    fn written(folder: &Path, ledger: &Ledger) -> (PathBuf, Vec<u64>) {
        let run = RunRecord { run_id: "r1".to_owned(), ..RunRecord::default() };
        ledger.record_run(&run).expect("written");
        let (mut writer, mut starts, mut at) = (RawWriter::new(folder, "r1"), Vec::new(), 0);
        for number in 0..4 {
            let header = Header {
                v: RAW_VERSION,
                run_id: "r1".to_owned(),
                kind: RawKind::Quality,
                unit: format!("u{number}"),
                requested_us: number,
                window_us: None,
                known: Vec::new(),
                end: Some(WalkEnd::new(Status::Complete, "read".to_owned(), Some(0), None)),
                bytes: 0,
            };
            let bytes = encode(header, &[]).expect("zstd");
            starts.push(at);
            at += bytes.len() as u64;
            writer.append(RawKind::Quality, DAY, &bytes).expect("written");
            writer.sync().expect("synced");
            if number == 1 {
                assert_eq!(caught_up(folder, ledger, &RawEnds::default()), 2);
            }
        }
        (raw_files(folder).expect("listed").remove(0).path, starts)
    }

    fn caught_up(folder: &Path, ledger: &Ledger, ends: &RawEnds) -> u64 {
        let CaughtUp { walks, .. } =
            catch_up_to(folder, ledger, &TenantZone::parse("+08:00").expect("a zone"), ends).expect("indexed");
        walks
    }

    /// Damages the third record: its header, or its last bytes.
    fn damage(path: &Path, starts: &[u64], header: bool) {
        let mut bytes = fs::read(path).expect("read");
        let from = if header { starts[2] } else { starts[3] - 9 } as usize;
        bytes[from..from + 9].fill(0x5A);
        fs::write(path, bytes).expect("written");
    }

    #[test]
    fn an_end_that_was_never_synced_is_cut_at_its_first_damage() {
        for header in [true, false] {
            let folder = tempfile::tempdir().expect("a folder");
            let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
            let raw_dir = folder.path().join("raw");
            let (path, starts) = written(&raw_dir, &ledger);
            let length = || fs::metadata(&path).expect("there").len();
            damage(&path, &starts, header);
            // Beside a writer nothing is cut, nothing behind is indexed, and the next run can still cut it.
            let before = length();
            let ends = settle_raw_ends(&raw_dir, &ledger, false).expect("settled");
            assert_eq!((ends.cut, length()), (0, before));
            assert_eq!(ends.uncut, HashMap::from([(path.clone(), starts[2])]));
            assert_eq!(caught_up(&raw_dir, &ledger, &ends), 0);
            let ends = settle_raw_ends(&raw_dir, &ledger, true).expect("settled");
            assert_eq!((ends.cut, ends.uncut.len(), length()), (1, 0, starts[2]));
            assert_eq!(caught_up(&raw_dir, &ledger, &ends), 0);
            assert_eq!(settle_raw_ends(&raw_dir, &ledger, true).expect("settled").cut, 0);
        }
    }

    #[test]
    fn what_the_ledger_has_read_or_a_new_ledger_does_not_know_is_not_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        let raw_dir = folder.path().join("raw");
        let (path, starts) = written(&raw_dir, &ledger);
        assert_eq!(caught_up(&raw_dir, &ledger, &RawEnds::default()), 2);
        damage(&path, &starts, true);
        let damaged = fs::read(&path).expect("read");
        let new = Ledger::open(&folder.path().join("new.sqlite")).expect("a ledger");
        for ledger in [&ledger, &new] {
            let ends = settle_raw_ends(&raw_dir, ledger, true).expect("settled");
            assert_eq!((ends.cut, ends.uncut.len()), (0, 0));
            assert_eq!(fs::read(&path).expect("read"), damaged);
        }
    }
}
