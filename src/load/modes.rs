//! The modes of what a store consists of.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::cleanup::list_folder;
use super::error::{LoadError, Result};
use super::paths::StorePaths;
use crate::files::{self, Access};
use crate::text::{error_chain, thousands};

/// What was found in a store.
#[derive(Debug, Default)]
pub(crate) struct Modes {
    /// Number of files and directories.
    pub(crate) examined: u64,
    pub(crate) wrong: Vec<WrongMode>,
    /// Not followed.
    pub(crate) links: Vec<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongMode {
    pub(crate) path: PathBuf,
    pub(crate) found: u32,
    pub(crate) expected: u32,
    owner: u32,
}

impl StorePaths {
    /// Compares the modes of everything in the store with those of `access`. What is in `.work/` belongs to runs and
    /// readers in progress.
    pub(crate) fn modes(&self, access: Access) -> Result<Modes> {
        let mut modes = Modes::default();
        let mut left = vec![self.database(), self.buildings(), self.parquet(), self.raw(), self.state(), self.work()];
        left.push(self.root().to_owned());
        let private = [self.identity_key(), self.forgotten_file(), self.expired_file()];
        while let Some(path) = left.pop() {
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                // A run may remove it meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(LoadError::io("read the mode of", &path)(error)),
            };
            if metadata.is_symlink() {
                modes.links.push(path);
                continue;
            }
            modes.examined += 1;
            let expected = match metadata.is_dir() {
                true => access.folder_mode(),
                false if path == self.database() => access.read_only_mode(),
                // Who has the key can test which token belongs to a known person.
                false if private.contains(&path) => Access::Private.file_mode(),
                false => access.file_mode(),
            };
            if metadata.is_dir() && path != self.root() && path != self.work() {
                left.extend(list_folder(&path)?);
            }
            let found = metadata.mode() & 0o777;
            if found != expected {
                modes.wrong.push(WrongMode { path, found, expected, owner: metadata.uid() });
            }
        }
        Ok(modes)
    }

    /// Gives everything in the store the modes of `access`. Returns what changed and what could not be changed, as
    /// clauses for the summary. Only for the holder of the lock.
    pub(crate) fn set_modes(&self, access: Access) -> Vec<String> {
        let wrong = match self.modes(access) {
            Ok(modes) => modes.wrong,
            Err(error) => return vec![format!("the modes of the store could not be checked: {}", error_chain(&error))],
        };
        let mut set = Vec::new();
        let mut failures = Failures::default();
        for wrong in wrong {
            if failures.is_without_modes {
                // Nothing else on this file system can be set either.
                failures.count += 1;
                continue;
            }
            match files::set_mode(&wrong.path, wrong.expected) {
                Ok(()) => set.push(wrong),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => failures.add(self, &wrong, &error),
            }
        }
        let changed = (!set.is_empty()).then(|| changed_note(access, &set));
        changed.into_iter().chain(failures.note()).collect()
    }

    /// A path as it is shown to people: relative to the store.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(self.root()) {
            Ok(below) if !below.as_os_str().is_empty() => below.display().to_string(),
            _ => path.display().to_string(),
        }
    }
}

fn changed_note(access: Access, set: &[WrongMode]) -> String {
    let [folder, file, database] =
        [access.folder_mode(), access.file_mode(), access.read_only_mode()].map(|mode| format!("{mode:04o}"));
    let who = match access {
        Access::Private => "only its owner",
        Access::Shared => "only its owner and group",
    };
    // Somebody may have relied on it.
    let was_readable = access == Access::Private && set.iter().any(|wrong| wrong.found & 0o044 != 0);
    let hint = if was_readable { "; to let the group read it, set shared" } else { "" };
    format!(
        "set the mode of {} of the store, so that {who} can read it (directories {folder}, files {file}, vcq.duckdb \
         {database}){hint}",
        entries(set.len())
    )
}

/// What could not be set.
#[derive(Default)]
struct Failures {
    count: usize,
    /// The first one.
    why: String,
    is_without_modes: bool,
}

impl Failures {
    fn add(&mut self, paths: &StorePaths, wrong: &WrongMode, error: &io::Error) {
        let user = rustix::process::geteuid();
        let is_others = !user.is_root() && user.as_raw() != wrong.owner;
        let is_refused = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported);
        // The owner may read a file before its mode is set, except where its mode forbids that.
        self.is_without_modes = is_refused && !is_others && wrong.found & 0o400 != 0;
        if self.count == 0 {
            let place = paths.shown(&wrong.path);
            self.why = match (is_others, self.is_without_modes) {
                (true, _) => format!("{place} belongs to another user"),
                (_, true) => format!("the file system of {place} does not allow it ({error})"),
                _ => format!("{place}: {error}"),
            };
        }
        self.count += 1;
    }

    fn note(self) -> Option<String> {
        (self.count > 0).then(|| {
            format!(
                "the mode of {} of the store could not be set, so others may be able to read the store: {}",
                entries(self.count),
                self.why
            )
        })
    }
}

fn entries(count: usize) -> String {
    match count {
        1 => "1 file or directory".to_owned(),
        _ => format!("{} files and directories", thousands(count as u64)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn store() -> (tempfile::TempDir, StorePaths) {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(&dir.path().join("store")).expect("open");
        (dir, paths)
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
    }

    fn wrong(paths: &StorePaths, access: Access) -> Vec<(String, u32, u32)> {
        let wrong = paths.modes(access).expect("read").wrong;
        let mut wrong: Vec<_> =
            wrong.iter().map(|wrong| (paths.shown(&wrong.path), wrong.found, wrong.expected)).collect();
        wrong.sort();
        wrong
    }

    #[test]
    fn a_store_is_tightened_once_and_opened_to_the_group_on_request() {
        let (_dir, paths) = store();
        files::write(&paths.lock(), b"").expect("written");
        files::write(&paths.database(), b"").expect("written");
        set(&paths.lock(), 0o644);
        set(&paths.raw(), 0o777);
        let expected = [
            ("raw".to_owned(), 0o777, 0o700),
            ("state/lock".to_owned(), 0o644, 0o600),
            ("vcq.duckdb".to_owned(), 0o600, 0o400),
        ];
        assert_eq!(wrong(&paths, Access::Private), expected);
        assert_eq!(
            paths.set_modes(Access::Private),
            ["set the mode of 3 files and directories of the store, so that only its owner can read it (directories \
                 0700, files 0600, vcq.duckdb 0400); to let the group read it, set shared"]
        );
        assert_eq!(wrong(&paths, Access::Private), []);
        assert_eq!(paths.set_modes(Access::Private), [""; 0]);
        let shared = paths.set_modes(Access::Shared).join("; ");
        assert!(shared.contains("7 files and directories") && shared.contains("0440)"), "{shared}");
        assert_eq!(wrong(&paths, Access::Shared), []);
    }

    #[test]
    fn links_and_files_of_readers_are_left_alone() {
        let (dir, paths) = store();
        let outside = dir.path().join("outside");
        fs::write(&outside, "").expect("written");
        fs::write(paths.work().join("of-a-reader"), "").expect("written");
        set(&outside, 0o644);
        set(&paths.work().join("of-a-reader"), 0o644);
        symlink(&outside, paths.state().join("link")).expect("a link");
        assert_eq!(paths.set_modes(Access::Private), [""; 0]);
        assert_eq!(paths.modes(Access::Private).expect("read").links, [paths.state().join("link")]);
        assert_eq!(fs::metadata(&outside).expect("there").mode() & 0o777, 0o644);
    }

    #[test]
    fn the_reason_names_the_owner_or_the_file_system() {
        let (_dir, paths) = store();
        let refused = io::Error::from_raw_os_error(1);
        let note = |found, owner| {
            let mut failures = Failures::default();
            let wrong = WrongMode { path: paths.lock(), found, expected: 0o600, owner };
            failures.add(&paths, &wrong, &refused);
            (failures.is_without_modes, failures.note().expect("a note"))
        };
        let (is_without_modes, text) = note(0o644, rustix::process::geteuid().as_raw());
        assert!(is_without_modes && text.contains("the file system of state/lock does not allow it"), "{text}");
        let (is_without_modes, text) = note(0o044, rustix::process::geteuid().as_raw());
        assert!(!is_without_modes && text.contains("state/lock: "), "{text}");
        if !rustix::process::geteuid().is_root() {
            let (is_without_modes, text) = note(0o644, rustix::process::geteuid().as_raw() + 1);
            assert!(!is_without_modes && text.contains("state/lock belongs to another user"), "{text}");
        }
    }
}
