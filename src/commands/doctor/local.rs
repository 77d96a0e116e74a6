//! This machine's side: disk, store, lock, the folder of the shared budget. Looks and changes nothing.

use std::io;
use std::path::{Path, PathBuf};

use super::judge::with_causes;
use super::{Check, DoctorSetup};
use crate::error::ExitCode;
use crate::ledger::Ledger;
use crate::load::{self, Holder, LoadError, Manifest, NotAStore, StorePaths};

/// Room for a night's answers, beside the next database.
const ROOM_BYTES: u64 = 64 << 20;
/// Below this, and twice the database, it is time to look for room.
const SPARE_BYTES: u64 = 1 << 30;

/// disk, store, lock, state_folder.
pub(super) fn checks(setup: &DoctorSetup) -> Vec<Check> {
    let found = StorePaths::find(&setup.store);
    let paths = found.as_ref().ok().and_then(Option::as_ref);
    let holder = paths.and_then(load::holder);
    let database_bytes = paths.and_then(|paths| std::fs::metadata(paths.database()).ok()).map_or(0, |file| file.len());
    let place = existing_ancestor(&setup.store);
    vec![
        disk(&place, room(&place), database_bytes),
        match &found {
            Err(error) => failed_store(error),
            Ok(None) => match may_write(&place) {
                Ok(()) => Check::ok("store", "there is no store yet; the first sync makes it"),
                Err(error) => not_writable(&place, &error),
            },
            Ok(Some(paths)) => store(paths, holder.as_ref(), setup),
        },
        match (paths, holder) {
            (None, _) => Check::skipped("lock", "there is no store yet"),
            (Some(_), None) => Check::ok("lock", "nobody writes to the store"),
            (Some(_), Some(Holder { pid, host, started_utc, command })) => {
                Check::warning("lock", format!("held by `{command}`, process {pid} on {host}, since {started_utc}"))
                    .next("a sync or rebuild that begins before it ends is refused (exit 6); wait for it, or stop it")
                    .once(format!("process {pid} on {host} has ended"))
            }
        },
        state_folder(setup.state_folder.as_deref()),
    ]
}

/// The nearest folder above that is there.
fn existing_ancestor(path: &Path) -> PathBuf {
    let mut place = path;
    while !place.is_dir() {
        match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => place = parent,
            _ => return PathBuf::from("."),
        }
    }
    place.to_owned()
}

/// Bytes that this user may still write.
#[cfg(unix)]
fn room(place: &Path) -> Option<io::Result<u64>> {
    let bytes = |disk: rustix::fs::StatVfs| disk.f_bavail.saturating_mul(disk.f_frsize);
    Some(rustix::fs::statvfs(place).map(bytes).map_err(io::Error::from))
}

/// Whether this user may write into a folder; also says when the file system is read-only.
#[cfg(unix)]
fn may_write(folder: &Path) -> io::Result<()> {
    use rustix::fs::Access;
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from)
}

/// Not asked for here.
#[cfg(not(unix))]
fn room(_place: &Path) -> Option<io::Result<u64>> {
    None
}

/// Found out by the first write.
#[cfg(not(unix))]
fn may_write(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn disk(place: &Path, room: Option<io::Result<u64>>, database_bytes: u64) -> Check {
    let room = match room {
        None => return Check::skipped("disk", "the room on a disk is not asked for on this system"),
        Some(Err(error)) => {
            return Check::warning("disk", format!("the room at {} can't be told: {error}", place.display()));
        }
        Some(Ok(room)) => room,
    };
    let found = format!("{} free at {}", size(room), place.display());
    // The next database is built beside the one that people have open.
    if room < database_bytes.saturating_add(ROOM_BYTES) {
        let needed = size(database_bytes.saturating_add(ROOM_BYTES));
        Check::failed("disk", ExitCode::Storage, format!("{found}; publishing needs {needed}"))
            .next("free space, or move the store (--store DIR)")
    } else if room < database_bytes.saturating_mul(2).saturating_add(SPARE_BYTES) {
        Check::warning("disk", found).next("free space, or move the store (--store DIR), before it is full")
    } else {
        Check::ok("disk", found)
    }
}

/// `1.5 GiB`, `64 MiB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}

fn store(paths: &StorePaths, holder: Option<&Holder>, setup: &DoctorSetup) -> Check {
    for folder in [paths.root().to_owned(), paths.parquet(), paths.raw(), paths.state(), paths.work()] {
        // A folder that is missing is made again by the next run.
        if folder.exists()
            && let Err(error) = may_write(&folder)
        {
            return not_writable(&folder, &error);
        }
    }
    let ledger = match paths.ledger().exists() {
        false => None,
        true => match Ledger::open_read_only(&paths.ledger()).and_then(|ledger| ledger.check()) {
            Ok(()) => Some(()),
            Err(error) => {
                return Check::failed("store", ExitCode::Storage, with_causes(&error)).next(
                    "the answers in raw/ are whole: vcq-etl rebuild makes the ledger and the tables from them again",
                );
            }
        },
    };
    let manifest = match Manifest::read(paths) {
        Ok(manifest) => manifest,
        Err(error) => return failed_store(&error),
    };
    let database = match generation(paths, setup) {
        Ok(generation) => Some(generation),
        Err(LoadError::NoDatabase { .. }) => None,
        Err(error) => {
            return Check::failed("store", ExitCode::Storage, with_causes(&error))
                .next("the Parquet files are whole: remove vcq.duckdb, and the next sync makes it again from them");
        }
    };
    let root = paths.root().display();
    match (manifest.map(|manifest| manifest.generation), database) {
        (None, None) if ledger.is_none() => Check::ok("store", format!("{root}: nothing is in it yet")),
        (None, None) => Check::ok("store", format!("{root}: nothing is published yet")),
        (None, Some(_)) => failed_store(&LoadError::MissingManifest { path: paths.manifest() }),
        (Some(files), Some(tables)) if files == tables => {
            let note = if ledger.is_none() { "; the ledger is missing, vcq-etl rebuild makes it again" } else { "" };
            let found = format!("{root}: generation {files}, files and database agree{note}");
            if ledger.is_none() { Check::warning("store", found) } else { Check::ok("store", found) }
        }
        (Some(files), tables) => {
            let tables =
                tables.map_or("there is no database".to_owned(), |number| format!("the database holds {number}"));
            let found = format!("{root}: the files are generation {files}, {tables}");
            match holder {
                Some(_) => Check::ok("store", format!("{found}; a run is publishing")),
                None => {
                    Check::warning("store", found).next("a run ended while it published; the next sync puts it right")
                }
            }
        }
    }
}

/// The generation that the database holds.
fn generation(paths: &StorePaths, setup: &DoctorSetup) -> Result<u64, LoadError> {
    let connection = load::open_published_with(paths, setup.database)?;
    load::read_generation(&connection, paths)
}

fn failed_store(error: &LoadError) -> Check {
    let next = match error {
        LoadError::NotAStore { why: NotAStore::File | NotAStore::OtherFiles, .. } => {
            "name another folder with --store DIR: one that is empty or not there yet, or a store of vcq-etl"
        }
        LoadError::NotAStore { .. } => "name the store with --store DIR; a new one wants an empty folder",
        LoadError::NewerSchema { .. } => "use the newer program, or another store with --store DIR",
        LoadError::CorruptManifest { .. } | LoadError::MissingManifest { .. } => {
            "the answers in raw/ are whole: vcq-etl rebuild makes everything else from them again"
        }
        _ => "check the disk and the permissions of the store",
    };
    Check::failed("store", ExitCode::Storage, with_causes(error)).next(next)
}

fn not_writable(folder: &Path, error: &io::Error) -> Check {
    Check::failed("store", ExitCode::Storage, format!("{} is not writable: {error}", folder.display()))
        .next("give this user the right to write there, or name another store with --store DIR")
}

fn state_folder(folder: Option<&Path>) -> Check {
    const ALONE: &str = "runs of this app at one time do not know of one another, and may be throttled";
    let Some(folder) = folder else {
        return Check::warning("state_folder", "neither HOME nor XDG_STATE_HOME is set").next(ALONE);
    };
    // What is there of the way to it; a file in the middle is an end.
    let there = folder.ancestors().find(|place| place.exists()).unwrap_or(folder);
    if !there.is_dir() {
        return Check::warning("state_folder", format!("{} is no folder", there.display())).next(ALONE);
    }
    match may_write(there) {
        Ok(()) => Check::ok("state_folder", folder.display().to_string()),
        Err(error) => {
            Check::warning("state_folder", format!("{} is not writable: {error}", there.display())).next(ALONE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::State;

    const MIB: u64 = 1 << 20;

    #[test]
    fn room_is_for_the_next_database_beside_the_old_one() {
        let state = |room: u64, database: u64| disk(Path::new("/x"), Some(Ok(room * MIB)), database * MIB).state;
        assert_eq!(state(10_000, 0), State::Ok);
        assert_eq!(state(1_000, 0), State::Warning);
        assert_eq!(state(63, 0), State::Failed);
        assert_eq!(state(10_000, 5_000), State::Warning);
        assert_eq!(state(10_000, 9_990), State::Failed);
        let failed = disk(Path::new("/x"), Some(Ok(100 * MIB)), 2_048 * MIB);
        assert_eq!(failed.found, "100 MiB free at /x; publishing needs 2.1 GiB");
        assert_eq!(failed.exit, Some(ExitCode::Storage));
        assert_eq!(disk(Path::new("/x"), None, 0).state, State::Skipped);
        assert_eq!(disk(Path::new("/x"), Some(Err(io::Error::other("why"))), 0).state, State::Warning);
    }

    #[test]
    fn a_place_that_is_not_there_yet_is_judged_by_what_is_above_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(existing_ancestor(&folder.path().join("a/b/c")), folder.path());
        assert_eq!(existing_ancestor(Path::new("no-such-folder-here")), Path::new("."));
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert_eq!(state_folder(Some(&file)).state, State::Warning);
        assert_eq!(state_folder(Some(&file.join("vcq-etl"))).state, State::Warning);
        assert_eq!(state_folder(Some(&folder.path().join("x/vcq-etl"))).state, State::Ok);
        assert_eq!(state_folder(None).state, State::Warning);
        assert!(!folder.path().join("x").exists(), "looking makes nothing");
    }
}
