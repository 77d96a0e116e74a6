//! Writing that survives a power cut: bytes reach the disk before a name points at them.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::LoadError;
use crate::text::hex;

/// The checksum of a file's bytes, lower-case hexadecimal.
pub(crate) fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&sum.finalize())),
            read => sum.update(&buffer[..read]),
        }
    }
}

/// Makes a file's bytes durable.
pub(crate) fn sync_file(path: &Path) -> Result<(), LoadError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(LoadError::io("make durable", path))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), LoadError> {
    #[cfg(unix)]
    File::open(path).and_then(|dir| dir.sync_all()).map_err(LoadError::io("make durable", path))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Makes a folder and its parents. The caller syncs the parent.
pub(crate) fn create_dir(path: &Path) -> Result<(), LoadError> {
    fs::create_dir_all(path).map_err(LoadError::io("create the folder", path))
}

/// Renames a finished file over its published name, and makes that durable.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), LoadError> {
    fs::rename(from, to).map_err(LoadError::io("rename a finished file to", to))?;
    to.parent().map_or(Ok(()), sync_dir)
}

/// Replaces a small file as a whole: aside in `work_dir`, made durable, renamed.
pub(crate) fn replace(work_dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = work_dir.join(format!("{name}.inprogress"));
    let mut file = File::create(&aside).map_err(LoadError::io("create", &aside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(LoadError::io("write", &aside))?;
    drop(file);
    rename(&aside, path)
}

/// Removes a file; one that is not there is fine.
pub(crate) fn remove_file(path: &Path) -> Result<(), LoadError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LoadError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it; one that is not there is fine.
pub(crate) fn remove_dir(path: &Path) -> Result<(), LoadError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LoadError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
