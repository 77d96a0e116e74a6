//! Reads secrets from files that only their owner can access.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use feishu_vc::Secret;

use super::error::ConfigError;

/// Maximum size of a secret file. The longest Feishu token has 4 KB.
const MAX_BYTES: u64 = 64 << 10;

/// Reads a secret and trims surrounding whitespace. Symbolic links are followed.
pub(super) fn read(path: &Path) -> Result<Secret, ConfigError> {
    let unreadable = |source| ConfigError::ReadSecret { path: path.to_owned(), source };
    // Checked before opening, because opening a pipe blocks; and again on the open file, because the path may have been
    // replaced in between.
    check_file(path, &fs::metadata(path).map_err(unreadable)?)?;
    let file = fs::File::open(path).map_err(unreadable)?;
    check_file(path, &file.metadata().map_err(unreadable)?)?;
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(ConfigError::SecretTooLarge { path: path.to_owned(), limit_bytes: MAX_BYTES });
    }
    match text.trim() {
        "" => Err(ConfigError::EmptySecretFile { path: path.to_owned() }),
        text => Ok(Secret::new(text)),
    }
}

fn check_file(path: &Path, metadata: &fs::Metadata) -> Result<(), ConfigError> {
    if !metadata.is_file() {
        return Err(ConfigError::SecretNoFile { path: path.to_owned() });
    }
    check_mode(path, metadata)
}

/// Returns an error if anyone but the owner may read, write or execute the file.
pub(super) fn check_private(path: &Path) -> Result<(), ConfigError> {
    let metadata = fs::metadata(path).map_err(|source| ConfigError::ReadSecret { path: path.to_owned(), source })?;
    check_mode(path, &metadata)
}

fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), ConfigError> {
    let mode = metadata.permissions().mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(ConfigError::SecretReadableByOthers { path: path.to_owned(), mode }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text() {
        assert!(!format!("{:?}", Secret::new("s3cret")).contains("s3cret"));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        fs::write(&path, "  s3cret\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
        assert!(matches!(read(&path), Err(ConfigError::SecretReadableByOthers { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert_eq!(read(&path).expect("read").expose(), "s3cret");
        fs::write(&path, "\n").expect("written");
        assert!(matches!(read(&path), Err(ConfigError::EmptySecretFile { .. })));
    }

    #[test]
    fn only_a_small_regular_file_holds_a_secret() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &[u8]| {
            fs::write(at(name), text).expect("written");
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).expect("mode");
        };
        write("large", &[b'x'; MAX_BYTES as usize + 1]);
        assert!(matches!(read(&at("large")), Err(ConfigError::SecretTooLarge { .. })));
        write("bytes", b"\xff\xfe");
        assert!(matches!(read(&at("bytes")), Err(ConfigError::ReadSecret { .. })));
        assert!(matches!(read(folder.path()), Err(ConfigError::SecretNoFile { .. })));
        assert!(matches!(read(Path::new("/dev/null")), Err(ConfigError::SecretNoFile { .. })));
        assert!(matches!(read(&at("nothing")), Err(ConfigError::ReadSecret { .. })));
        // Opening a pipe without a writer would block for ever.
        let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(at("pipe")).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(matches!(read(&at("pipe")), Err(ConfigError::SecretNoFile { .. })));
        }
        // A link is as safe as the file it points to.
        write("secret", b"s3cret\r\n");
        symlink(at("secret"), at("link")).expect("linked");
        assert_eq!(read(&at("link")).expect("read").expose(), "s3cret");
        fs::set_permissions(at("secret"), fs::Permissions::from_mode(0o604)).expect("mode");
        assert!(matches!(read(&at("link")), Err(ConfigError::SecretReadableByOthers { .. })));
    }
}
