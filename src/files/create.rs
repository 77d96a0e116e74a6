//! Creating files and directories.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::access::Access;

/// Options for opening a file; if they create it, it has the mode of this process.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(Access::current().file_mode());
    options
}

/// Creates or empties a file.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    #[cfg(test)]
    super::full::check(path)?;
    options().write(true).create(true).truncate(true).open(path)
}

/// Creates a file. One that exists, and a symbolic link, is an error.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Creates a file that only its owner may read, whatever the setting. An existing path, also a link, is an error.
pub(crate) fn create_new_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().mode(Access::Private.file_mode()).write(true).create_new(true).open(path)
}

/// Opens a file for reading and writing. If it is created, only its owner may read it, whatever the setting.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.mode(Access::Private.file_mode()).read(true).write(true).create(true).truncate(false).open(path)
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path)?.write_all(bytes)
}

/// Copies the bytes of a file, but not its mode. A reflink if the file system supports it.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    io::copy(&mut from, &mut create(to)?).map(drop)
}

/// Creates a directory. One that exists is an error.
pub(crate) fn create_folder(path: &Path, access: Access) -> io::Result<()> {
    DirBuilder::new().mode(access.folder_mode()).create(path)
}

/// Creates a directory and its parents, if they are missing.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(Access::current().folder_mode()).create(path)
}

/// Writes a file that holds no data of people, such as a man page: its mode follows from the user's umask.
pub(crate) fn write_public(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)
}

/// Creates such a file. One that exists, and a symbolic link, is an error.
pub(crate) fn create_new_public(path: &Path) -> io::Result<File> {
    File::create_new(path)
}

/// The same for a directory and its parents.
pub(crate) fn create_public_folders(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").mode() & 0o777
    }

    #[test]
    fn what_is_created_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        create_folders(&at("a/b")).expect("created");
        create_folder(&at("c"), Access::Private).expect("created");
        create_folder(&at("c"), Access::Private).expect_err("it exists");
        write(&at("file"), b"1").expect("written");
        create_new(&at("new")).expect("created");
        fs::set_permissions(at("file"), std::os::unix::fs::PermissionsExt::from_mode(0o444)).expect("a mode");
        copy(&at("file"), &at("copy")).expect("copied");
        assert_eq!(["a", "a/b", "c"].map(|name| mode(&at(name))), [0o700; 3]);
        assert_eq!(["new", "copy"].map(|name| mode(&at(name))), [0o600; 2]);
        assert_eq!(fs::read(at("copy")).expect("read"), b"1");
    }

    #[test]
    fn a_new_file_is_not_created_through_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        symlink(at("target"), at("link")).expect("a link");
        create_new(&at("link")).expect_err("a link");
        assert!(!at("target").exists());
    }
}
