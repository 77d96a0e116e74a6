//! Whether other users can replace the store by renaming a directory above it.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf, absolute};

use super::check::Check;
use crate::text::shell_word;

/// The check's name in the table of checks.
const NAME: &str = "parent_directories";
/// In a directory with this bit, such as `/tmp`, only the owner of an entry can rename it.
const STICKY: u32 = 0o1000;

pub(super) fn check(store: &Path) -> Check {
    let writable: Vec<(PathBuf, u32)> =
        parents(store).into_iter().filter_map(|folder| Some((folder.clone(), writable_by_others(&folder)?))).collect();
    if writable.is_empty() {
        return Check::ok(NAME, "only its owner can write to each directory above the store");
    }
    let found: Vec<String> =
        writable.iter().map(|(folder, mode)| format!("{} ({mode:04o})", folder.display())).collect();
    let check = Check::warning(NAME, format!("other users can write to {} and replace the store", found.join(", ")));
    writable.iter().fold(check, |check, (folder, mode)| {
        let who = if mode & 0o002 == 0 { "g" } else { "go" };
        let path = shell_word(&folder.to_string_lossy());
        check.next(format!("run chmod {who}-w {path}, or move the store (--store DIR)"))
    })
}

/// The existing directories above a path, and above what it is a symbolic link to.
fn parents(store: &Path) -> BTreeSet<PathBuf> {
    let given = absolute(store).unwrap_or_else(|_| store.to_owned());
    let above = |path: &Path| path.ancestors().skip(1).find_map(|folder| folder.canonicalize().ok());
    let of_given = above(&given);
    let of_target = given.canonicalize().ok().and_then(|target| above(&target));
    let with_ancestors = |folder: PathBuf| folder.ancestors().map(Path::to_owned).collect::<Vec<_>>();
    of_given.into_iter().chain(of_target).flat_map(with_ancestors).collect()
}

/// The mode, if others can rename what is in the directory.
fn writable_by_others(folder: &Path) -> Option<u32> {
    let mode = folder.metadata().ok()?.mode() & 0o7777;
    (mode & 0o022 != 0 && mode & STICKY == 0).then_some(mode)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::commands::doctor::check::State;

    #[test]
    fn a_directory_that_others_can_write_to_is_named_also_behind_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().canonicalize().expect("there").join(name);
        fs::create_dir_all(at("an open/deep/store")).expect("made");
        fs::create_dir(at("closed")).expect("made");
        symlink(at("an open/deep/store"), at("closed/store")).expect("a link");
        let set = |mode| fs::set_permissions(at("an open"), Permissions::from_mode(mode)).expect("a mode");
        let stores = ["an open/deep/store", "an open/new/store", "closed/store"];
        for (mode, who) in [(0o777, "go-w"), (0o775, "g-w"), (0o757, "go-w")] {
            set(mode);
            for store in stores {
                let check = check(&at(store));
                assert_eq!(check.state, State::Warning, "{mode:o} {store}");
                assert!(check.found.contains(&at("an open").display().to_string()), "{}", check.found);
                assert!(
                    check.next[0].contains(&format!("chmod {who} '{}',", at("an open").display())),
                    "{:?}",
                    check.next
                );
            }
        }
        for mode in [0o755, 0o1777] {
            set(mode);
            assert!(stores.iter().all(|store| !check(&at(store)).found.contains("/an open ")), "{mode:o}");
        }
    }
}
