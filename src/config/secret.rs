//! Secrets: never shown, and read only from files that nobody else can read.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::ConfigError;

/// A text that must not be shown: `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the request that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// The most that a file with a secret may hold; the longest token of the vendor has 4 KB.
const MOST_BYTES: u64 = 64 << 10;

/// Reads a secret from a file, without the blanks and line ends around it. A link is followed: what counts is the file.
///
/// # Errors
/// Where the file is none or can't be read, others may read it, it is empty, or too large for a secret.
pub(super) fn read_file(path: &Path) -> Result<Secret, ConfigError> {
    let cannot = |source| ConfigError::ReadSecret { path: path.to_owned(), source };
    // Looked at before it is opened, because opening a pipe waits for somebody to write; and again once it is open,
    // because by then another file may have the name.
    refuse_unsafe(path, &fs::metadata(path).map_err(cannot)?)?;
    let file = fs::File::open(path).map_err(cannot)?;
    refuse_unsafe(path, &file.metadata().map_err(cannot)?)?;
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(ConfigError::SecretTooLarge { path: path.to_owned(), limit_bytes: MOST_BYTES });
    }
    let text = text.trim();
    if text.is_empty() {
        return Err(ConfigError::EmptySecretFile { path: path.to_owned() });
    }
    Ok(Secret::new(text))
}

/// # Errors
/// Where it is no regular file, or anybody but the owner may read, write or run it.
fn refuse_unsafe(path: &Path, metadata: &fs::Metadata) -> Result<(), ConfigError> {
    if !metadata.is_file() {
        return Err(ConfigError::SecretNoFile { path: path.to_owned() });
    }
    refuse_mode(path, metadata)
}

/// # Errors
/// Where anybody but the owner may read, write or run the file.
pub(super) fn refuse_if_others_can_read(path: &Path) -> Result<(), ConfigError> {
    let metadata = fs::metadata(path).map_err(|source| ConfigError::ReadSecret { path: path.to_owned(), source })?;
    refuse_mode(path, &metadata)
}

/// On systems without such modes there is nothing to check.
fn refuse_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), ConfigError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(ConfigError::SecretReadableByOthers { path: path.to_owned(), mode });
        }
    }
    #[cfg(not(unix))]
    let _ = (path, metadata);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text() {
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "[hidden]");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        fs::write(&path, "  s3cret\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
        assert!(matches!(read_file(&path), Err(ConfigError::SecretReadableByOthers { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert_eq!(read_file(&path).expect("read").expose(), "s3cret");
        fs::write(&path, "\n").expect("written");
        assert!(matches!(read_file(&path), Err(ConfigError::EmptySecretFile { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn only_a_small_regular_file_holds_a_secret() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &[u8]| {
            fs::write(at(name), text).expect("written");
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).expect("mode");
        };
        write("large", &[b'x'; MOST_BYTES as usize + 1]);
        assert!(matches!(read_file(&at("large")), Err(ConfigError::SecretTooLarge { .. })));
        write("bytes", b"\xff\xfe");
        assert!(matches!(read_file(&at("bytes")), Err(ConfigError::ReadSecret { .. })));
        assert!(matches!(read_file(folder.path()), Err(ConfigError::SecretNoFile { .. })));
        assert!(matches!(read_file(Path::new("/dev/null")), Err(ConfigError::SecretNoFile { .. })));
        assert!(matches!(read_file(&at("nothing")), Err(ConfigError::ReadSecret { .. })));
        // A pipe that nobody writes to would be waited for without end.
        let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(at("pipe")).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(matches!(read_file(&at("pipe")), Err(ConfigError::SecretNoFile { .. })));
        }
        // Of a link the file behind it counts, both ways.
        write("secret", b"s3cret\r\n");
        symlink(at("secret"), at("link")).expect("linked");
        assert_eq!(read_file(&at("link")).expect("read").expose(), "s3cret");
        fs::set_permissions(at("secret"), fs::Permissions::from_mode(0o604)).expect("mode");
        assert!(matches!(read_file(&at("link")), Err(ConfigError::SecretReadableByOthers { .. })));
    }
}
