//! Secrets: never shown, and read only from files that nobody else can read.

use std::fmt;
use std::fs;
use std::path::Path;

use super::ConfigError;

/// A text that must not be shown: `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the request that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Reads a secret from a file, without the blanks and line ends around it.
///
/// # Errors
/// Where the file can't be read, others may read it, or it is empty.
pub(super) fn read_file(path: &Path) -> Result<Secret, ConfigError> {
    refuse_if_others_can_read(path)?;
    let text = fs::read_to_string(path).map_err(|source| ConfigError::ReadSecret { path: path.to_owned(), source })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(ConfigError::EmptySecretFile { path: path.to_owned() });
    }
    Ok(Secret::new(text))
}

/// # Errors
/// Where anybody but the owner may read, write or run the file. On systems without such modes there is nothing to check.
pub(super) fn refuse_if_others_can_read(path: &Path) -> Result<(), ConfigError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata =
            fs::metadata(path).map_err(|source| ConfigError::ReadSecret { path: path.to_owned(), source })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(ConfigError::SecretReadableByOthers { path: path.to_owned(), mode });
        }
    }
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
}
