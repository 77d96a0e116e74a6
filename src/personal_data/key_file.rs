//! The file of the identity key: its bytes in hexadecimal on one line, readable only by the owner.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::key::Key;
use crate::files;
use crate::text::hex;

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("cannot read the identity key {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the identity key {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not an identity key: it must hold {} hexadecimal digits", .path.display(), 2 * Key::BYTES)]
    NotAKey { path: PathBuf },
}

/// `None` if there is no file.
pub(crate) fn read_key(path: &Path) -> Result<Option<Key>, KeyFileError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeyFileError::Read { path: path.to_owned(), source }),
        Ok(text) => text,
    };
    let bytes = parse(text.trim()).ok_or_else(|| KeyFileError::NotAKey { path: path.to_owned() })?;
    Ok(Some(Key::new(&bytes)))
}

/// Writes a new key, durably: what is written with a key that does not survive a power cut could never be joined again.
/// If another process has written one meanwhile, it is that one.
pub(crate) fn create_key(path: &Path, random: &[u8; Key::BYTES]) -> Result<Key, KeyFileError> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        if let Some(folder) = path.parent() {
            files::create_folders(folder)?;
        }
        // A draft of a run that was killed.
        if let Err(error) = fs::remove_file(&draft)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = files::create_new_private(&draft)?;
        file.write_all(format!("{}\n", hex(random)).as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked?,
        }
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|source| KeyFileError::Write { path: path.to_owned(), source })?;
    read_key(path)?.ok_or_else(|| KeyFileError::NotAKey { path: path.to_owned() })
}

fn parse(text: &str) -> Option<[u8; Key::BYTES]> {
    let mut bytes = [0; Key::BYTES];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_key_is_read_back_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/identity.key");
        assert!(read_key(&path).expect("no file").is_none());
        let made = create_key(&path, &[7; 32]).expect("written");
        assert_eq!(read_key(&path).expect("read").expect("a key").id(), made.id());
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(create_key(&path, &[8; 32]).expect("there").id(), made.id(), "the first one counts");
        assert_eq!(fs::read_dir(folder.path().join("state")).expect("a folder").count(), 1, "no draft is left");
    }

    #[test]
    fn a_damaged_key_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("identity.key");
        for text in ["", "ab", &"é".repeat(32), &"g".repeat(64), &"0".repeat(63)] {
            fs::write(&path, text).expect("written");
            let error = read_key(&path).expect_err(text).to_string();
            assert!(error.contains("identity.key is not an identity key"), "{error}");
        }
    }
}
