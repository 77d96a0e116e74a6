//! Disk, store, lock, and the directory of the shared rate limit. Read-only.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfs, access, statvfs};

use super::check::{ALERTS, Check, DoctorSetup};
use super::{identity, parents};
use crate::commands::alert::{self, AlertSetup};
use crate::error::ExitCode;
use crate::error::causes::with_causes;
use crate::error::stage_errors::{NEWER_SCHEMA, not_a_store_hint};
use crate::ledger::Ledger;
use crate::load::{self, Holder, LoadError, Manifest, StorePaths};
use crate::report::{self, PROFILES, ViewFiles};
use crate::text::{Language, counted};

/// For the responses of one night, in addition to the next database.
const MIN_FREE_BYTES: u64 = 64 << 20;
/// Warn below this plus twice the database.
const SPARE_BYTES: u64 = 1 << 30;

pub(super) fn checks(setup: &DoctorSetup) -> Vec<Check> {
    let found = StorePaths::find(&setup.store);
    let paths = found.as_ref().ok().and_then(Option::as_ref);
    let holder = paths.and_then(load::holder);
    let database_bytes = paths.and_then(|paths| std::fs::metadata(paths.database()).ok()).map_or(0, |file| file.len());
    let place = existing_ancestor(&setup.store);
    vec![
        disk(&place, free_bytes(&place), database_bytes),
        match &found {
            Err(error) => failed_store(error),
            Ok(None) => match check_writable(&place) {
                Ok(()) => Check::ok("store", "there is no store yet; the first sync creates it"),
                Err(error) => not_writable(&place, &error),
            },
            Ok(Some(paths)) => store(paths, holder.as_ref(), setup),
        },
        parents::check(&setup.store),
        identity::check(paths),
        match (paths, holder) {
            (None, _) => Check::skipped("lock", "there is no store yet"),
            (Some(_), None) => Check::ok("lock", "no process is writing to the store"),
            (Some(_), Some(Holder { pid, host, started_utc, command })) => Check {
                once: Some(format!("process {pid} on {host} has ended")),
                ..Check::warning("lock", format!("held by `{command}`, process {pid} on {host}, since {started_utc}"))
                    .next("a sync or rebuild started before it ends is refused (exit 6); wait for it, or stop it")
            },
        },
        state_folder(setup.state_folder.as_deref()),
        profile(paths, setup),
        views(setup),
        alerts(&setup.alerts),
    ]
}

fn profile(paths: Option<&StorePaths>, setup: &DoctorSetup) -> Check {
    let name = setup.profile.as_str();
    // A database that cannot be read is another check's finding.
    let database = paths.and_then(|paths| load::open_published_with(paths, setup.database).ok());
    let stored = database.and_then(|database| load::stored_profile(&database)).filter(|stored| stored != name);
    match (PROFILES.iter().find(|(known, _)| *known == name), stored) {
        (Some((_, what)), None) => Check::ok("profile", format!("{name}: {what}")),
        (Some((_, what)), Some(stored)) => {
            let found = format!("{name}: {what}; the incidents in the store are judged by {stored}");
            Check::warning("profile", found).next(format!(
                "the next vcq-etl sync or rebuild judges all dates by {name}; for {stored}, set profile (--profile, \
                 VCQ_PROFILE)"
            ))
        }
        (None, _) => {
            let known: Vec<&str> = PROFILES.iter().map(|(known, _)| *known).collect();
            Check::failed("profile", ExitCode::Usage, format!("there is no profile {name:?}"))
                .next(format!("set profile (--profile, VCQ_PROFILE) to one of {}", known.join(", ")))
        }
    }
}

/// Installs the files of `views_dir` in an empty database.
fn views(setup: &DoctorSetup) -> Check {
    let Some(folder) = &setup.views_dir else { return Check::ok("views", "views_dir is not set") };
    let mut read = ViewFiles::read(folder);
    match report::scripts(Language::English) {
        Ok(scripts) => match load::try_install(&scripts, &read.files, setup.database) {
            Ok(problems) => read.problems.extend(problems),
            Err(error) => read.problems.push(with_causes(&error)),
        },
        Err(error) => read.problems.push(with_causes(&error)),
    }
    if read.problems.is_empty() {
        let files = counted(read.files.len() as u64, "file");
        return Check::ok("views", format!("{files} in {}", folder.display()));
    }
    Check::warning("views", read.problems.join("; "))
        .next("fix these files, and the next sync installs them; the others are installed")
}

/// Checks the rules against the reports and channels that they name. Sends nothing.
fn alerts(setup: &AlertSetup) -> Check {
    let (prepared, problems) = alert::prepare(setup);
    let Some(first) = problems.first() else {
        let count = |count: usize, what| counted(count as u64, what);
        return Check::ok(
            ALERTS,
            match prepared.len() {
                0 => "no rule is configured".to_owned(),
                rules => format!("{} to {}", count(rules, "rule"), count(setup.channels.len(), "channel")),
            },
        );
    };
    let found: Vec<String> = problems.iter().map(|problem| problem.chain()).collect();
    let mut next = problems.iter().flat_map(|problem| &problem.hints).cloned().collect::<Vec<_>>();
    next.dedup();
    Check { next, optional: Some(ALERTS), ..Check::failed(ALERTS, first.exit, found.join("; ")) }
}

/// The nearest existing directory above a path.
fn existing_ancestor(path: &Path) -> PathBuf {
    path.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new(".")).to_owned()
}

fn free_bytes(place: &Path) -> io::Result<u64> {
    let bytes = |disk: StatVfs| disk.f_bavail.saturating_mul(disk.f_frsize);
    statvfs(place).map(bytes).map_err(io::Error::from)
}

/// Returns an error if this user may not write into a directory, or if the file system is read-only.
fn check_writable(folder: &Path) -> io::Result<()> {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from)
}

fn disk(place: &Path, free_bytes: io::Result<u64>, database_bytes: u64) -> Check {
    let free_bytes = match free_bytes {
        Err(error) => {
            let found = format!("the free space at {} cannot be determined: {error}", place.display());
            return Check::warning("disk", found);
        }
        Ok(free_bytes) => free_bytes,
    };
    let found = format!("{} free at {}", size(free_bytes), place.display());
    // The next database is built next to the one that may be open in other programs.
    let needed_bytes = database_bytes.saturating_add(MIN_FREE_BYTES);
    if free_bytes < needed_bytes {
        Check::failed("disk", ExitCode::Storage, format!("{found}; publishing needs {}", size(needed_bytes)))
            .next("free space, or move the store (--store DIR)")
    } else if free_bytes < database_bytes.saturating_mul(2).saturating_add(SPARE_BYTES) {
        Check::warning("disk", found).next("free space, or move the store (--store DIR), before the disk is full")
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
        // The next run creates missing directories.
        if folder.exists()
            && let Err(error) = check_writable(&folder)
        {
            return not_writable(&folder, &error);
        }
    }
    let has_ledger = paths.ledger().exists();
    if has_ledger && let Err(error) = Ledger::open_read_only(&paths.ledger()).and_then(|ledger| ledger.check()) {
        return Check::failed("store", ExitCode::Storage, with_causes(&error))
            .next("the data in raw/ is intact: vcq-etl rebuild rebuilds the ledger and the tables from it");
    }
    let manifest = match Manifest::read(paths) {
        Ok(manifest) => manifest,
        Err(error) => return failed_store(&error),
    };
    let opened = load::open_published_with(paths, setup.database);
    let database = match opened.and_then(|connection| load::read_generation(&connection, paths)) {
        Ok(generation) => Some(generation),
        Err(LoadError::NoDatabase { .. }) => None,
        Err(LoadError::DatabaseOff { .. }) => {
            let generation = manifest.map(|manifest| manifest.generation).unwrap_or_default();
            let found =
                format!("{}: generation {generation}, without vcq.duckdb (database = off)", paths.root().display());
            return Check::ok("store", found);
        }
        Err(error) => {
            return Check::failed("store", ExitCode::Storage, with_causes(&error))
                .next("the Parquet files are intact: remove vcq.duckdb, and the next sync rebuilds it from them");
        }
    };
    let root = paths.root().display();
    match (manifest.map(|manifest| manifest.generation), database) {
        (None, None) if !has_ledger => Check::ok("store", format!("{root}: the store is empty")),
        (None, None) => Check::ok("store", format!("{root}: nothing is published yet")),
        (None, Some(_)) => failed_store(&LoadError::MissingManifest { path: paths.manifest() }),
        (Some(files), Some(tables)) if files == tables => {
            let note = if has_ledger { "" } else { "; the ledger is missing, run vcq-etl rebuild to rebuild it" };
            let found = format!("{root}: generation {files}, files and database agree{note}");
            if has_ledger { Check::ok("store", found) } else { Check::warning("store", found) }
        }
        (Some(files), tables) => {
            let tables = tables.map_or("there is no database".to_owned(), |number| format!("the database is {number}"));
            let found = format!("{root}: the files are generation {files}, {tables}");
            match holder {
                Some(_) => Check::ok("store", format!("{found}; a run is publishing")),
                None => Check::warning("store", found)
                    .next("a run ended while it was publishing; the next sync repairs this"),
            }
        }
    }
}

fn failed_store(error: &LoadError) -> Check {
    let next = match error {
        LoadError::NotAStore { why, .. } => not_a_store_hint(*why),
        LoadError::NewerSchema { .. } => NEWER_SCHEMA,
        LoadError::CorruptManifest { .. } | LoadError::MissingManifest { .. } => {
            "the data in raw/ is intact: vcq-etl rebuild rebuilds everything else from it"
        }
        _ => "check the disk and the permissions of the store",
    };
    Check::failed("store", ExitCode::Storage, with_causes(error)).next(next)
}

fn not_writable(folder: &Path, error: &io::Error) -> Check {
    Check::failed("store", ExitCode::Storage, format!("{} is not writable: {error}", folder.display()))
        .next("give this user write permission there, or use another store with --store DIR")
}

fn state_folder(folder: Option<&Path>) -> Check {
    const ALONE: &str = "concurrent runs of this app do not share the rate limit and may be throttled";
    let Some(folder) = folder else {
        return Check::warning("state_folder", "neither HOME nor XDG_STATE_HOME is set").next(ALONE);
    };
    // The existing part of the path; a file in it is an error.
    let there = folder.ancestors().find(|place| place.exists()).unwrap_or(folder);
    if !there.is_dir() {
        return Check::warning("state_folder", format!("{} is not a directory", there.display())).next(ALONE);
    }
    match check_writable(there) {
        Ok(()) => Check::ok("state_folder", folder.display().to_string()),
        Err(error) => {
            Check::warning("state_folder", format!("{} is not writable: {error}", there.display())).next(ALONE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::check::State;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_next_database_must_fit_beside_the_old_one() {
        let state = |room: u64, database: u64| disk(Path::new("/x"), Ok(room * MIB), database * MIB).state;
        assert_eq!(state(10_000, 0), State::Ok);
        assert_eq!(state(1_000, 0), State::Warning);
        assert_eq!(state(63, 0), State::Failed);
        assert_eq!(state(10_000, 5_000), State::Warning);
        assert_eq!(state(10_000, 9_990), State::Failed);
        let failed = disk(Path::new("/x"), Ok(100 * MIB), 2_048 * MIB);
        assert_eq!(failed.found, "100 MiB free at /x; publishing needs 2.1 GiB");
        assert_eq!(failed.exit, Some(ExitCode::Storage));
        assert_eq!(disk(Path::new("/x"), Err(io::Error::other("why")), 0).state, State::Warning);
    }

    #[test]
    fn a_missing_folder_is_checked_by_the_one_above_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(existing_ancestor(&folder.path().join("a/b/c")), folder.path());
        assert_eq!(existing_ancestor(Path::new("no-such-folder-here")), Path::new("."));
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert_eq!(state_folder(Some(&file)).state, State::Warning);
        assert_eq!(state_folder(Some(&file.join("vcq-etl"))).state, State::Warning);
        assert_eq!(state_folder(Some(&folder.path().join("x/vcq-etl"))).state, State::Ok);
        assert_eq!(state_folder(None).state, State::Warning);
        assert!(!folder.path().join("x").exists(), "nothing is created");
    }
}
