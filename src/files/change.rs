//! Changing the mode of what exists.

use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::create::options;

/// Sets the mode of a file or directory; the setuid, setgid and sticky bits stay. Follows no symbolic link. On a file
/// system without modes this is an error.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    // Opening a FIFO must not wait for a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let special = file.metadata()?.mode() & 0o7000;
    file.set_permissions(Permissions::from_mode(special | mode))?;
    match file.metadata()?.mode() & 0o777 == mode {
        true => Ok(()),
        // Some file systems ignore the call.
        false => Err(ErrorKind::Unsupported.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_not_followed_and_special_bits_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "").expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("a mode");
        symlink(&file, &link).expect("a link");
        set_mode(&link, 0o600).expect_err("a link");
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o7777;
        assert_eq!(mode(&file), 0o644);
        set_mode(&file, 0o400).expect("set");
        assert_eq!(mode(&file), 0o400);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o2755)).expect("a mode");
        set_mode(folder.path(), 0o750).expect("set");
        assert_eq!(mode(folder.path()), 0o2750);
    }
}
