//! File operations that survive a power cut: data reaches the disk before a name refers to it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::error::{LoadError, Result};
use crate::files;

/// Flushes a file or the names in a directory to disk.
pub(crate) fn sync(path: &Path) -> Result {
    File::open(path).and_then(|file| file.sync_all()).map_err(LoadError::io("flush to disk", path))
}

/// Creates a directory and its parents. The caller syncs the parent.
pub(crate) fn create_dir(path: &Path) -> Result {
    files::create_folders(path).map_err(LoadError::io("create the directory", path))
}

/// Renames a finished file over its published name.
pub(crate) fn rename(from: &Path, to: &Path) -> Result {
    fs::rename(from, to).map_err(LoadError::io("rename a finished file to", to))?;
    to.parent().map_or(Ok(()), sync)
}

/// Replaces a small file atomically: writes a temporary file in `work_dir` and renames it.
pub(crate) fn replace(work_dir: &Path, path: &Path, bytes: &[u8]) -> Result {
    let temporary = temporary(work_dir, path);
    let file = files::create(&temporary).map_err(LoadError::io("create", &temporary))?;
    finish(file, &temporary, path, bytes)
}

/// The same, of a file that only its owner may read.
pub(crate) fn replace_private(work_dir: &Path, path: &Path, bytes: &[u8]) -> Result {
    let temporary = temporary(work_dir, path);
    remove_file(&temporary)?;
    let file = files::create_new_private(&temporary).map_err(LoadError::io("create", &temporary))?;
    finish(file, &temporary, path, bytes)
}

fn temporary(work_dir: &Path, path: &Path) -> PathBuf {
    work_dir.join(format!("{}.inprogress", path.file_name().unwrap_or_default().to_string_lossy()))
}

fn finish(mut file: File, temporary: &Path, path: &Path, bytes: &[u8]) -> Result {
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(LoadError::io("write", temporary))?;
    drop(file);
    rename(temporary, path)
}

pub(crate) fn remove_file(path: &Path) -> Result {
    ignore_missing(fs::remove_file(path), path)
}

pub(crate) fn remove_dir(path: &Path) -> Result {
    ignore_missing(fs::remove_dir_all(path), path)
}

/// Nothing to remove is not an error.
fn ignore_missing(removed: io::Result<()>, path: &Path) -> Result {
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(LoadError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let (work, path) = (folder.path().join("work"), folder.path().join("file"));
        create_dir(&work).expect("created");
        for bytes in ["first", "second, longer", "third"] {
            // Left by a run that was killed.
            fs::write(work.join("file.inprogress"), "an earlier, longer, unfinished file").expect("written");
            replace(&work, &path, bytes.as_bytes()).expect("replaced");
            assert_eq!(fs::read_to_string(&path).expect("there"), bytes);
        }
        fs::write(work.join("file.inprogress"), "of anybody").expect("written");
        replace_private(&work, &path, b"private").expect("replaced");
        assert_eq!(fs::read_to_string(&path).expect("there"), "private");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&work).expect("a folder").count(), 0);
    }

    #[test]
    fn nothing_to_remove_is_no_error_and_anything_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, below) = (folder.path().join("file"), folder.path().join("below"));
        fs::write(&file, "text").expect("written");
        create_dir(&below.join("deeper")).expect("created");
        let refused = remove_file(&below).expect_err("a folder is no file");
        assert!(refused.to_string().contains("below"), "{refused}");
        let refused = remove_dir(&file).expect_err("a file is no folder");
        assert!(refused.to_string().contains("file"), "{refused}");
        for _ in 0..2 {
            remove_file(&file).expect("removed");
            remove_dir(&below).expect("removed");
            assert!(!file.exists() && !below.exists());
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_synced_or_renamed() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        assert!(sync(&missing).is_err());
        assert!(rename(&missing, &folder.path().join("other")).is_err());
        sync(folder.path()).expect("a folder is synced");
    }
}
