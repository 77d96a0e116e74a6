//! Appending checkpoints to the files of a run.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::RawError;
use super::layout::{date_folder, file_name, relative_path};
use super::record::RawKind;
use crate::files;

/// From this size on the next checkpoint goes to a new file.
const FILE_BYTES: u64 = 128 << 20;
/// The maximum number of checkpoints that share one sync.
pub(crate) const MAX_GROUP: usize = 64;

#[derive(Debug)]
pub(crate) struct RawWriter {
    raw_dir: PathBuf,
    run_id: String,
    /// Number and size in bytes of the current file of each kind and date.
    files: HashMap<(RawKind, i32), (u32, u64)>,
    unsynced: Vec<Unsynced>,
}

/// Removes what is behind the first bytes of a file.
pub(crate) fn cut_file(path: &Path, bytes: u64) -> Result<(), RawError> {
    let cut = files::options().write(true).open(path).and_then(|file| file.set_len(bytes));
    cut.map_err(RawError::io("cannot write", path))
}

#[derive(Debug)]
struct Unsynced {
    path: PathBuf,
    file: File,
    /// The size of the file with what was appended.
    bytes: u64,
}

impl RawWriter {
    pub(crate) fn new(raw_dir: &Path, run_id: &str) -> RawWriter {
        let (raw_dir, run_id) = (raw_dir.to_owned(), run_id.to_owned());
        RawWriter { raw_dir, run_id, files: HashMap::new(), unsynced: Vec::new() }
    }

    /// Appends one encoded checkpoint. It is durable only after [`RawWriter::sync`].
    pub(crate) fn append(&mut self, kind: RawKind, meeting_date: i32, checkpoint: &[u8]) -> Result<(), RawError> {
        let (number, size) = self.files.entry((kind, meeting_date)).or_default();
        if *size >= FILE_BYTES {
            (*number, *size) = (*number + 1, 0);
        }
        let folder = date_folder(&self.raw_dir, kind, meeting_date);
        let path = folder.join(file_name(&self.run_id, *number));
        let failed = |path: &Path| RawError::io("cannot write", path);
        if *size == 0 {
            files::create_folders(&folder).map_err(failed(&folder))?;
        }
        let is_open = self.unsynced.iter().any(|open| open.path == path);
        if !is_open {
            let file = files::options().create(true).append(true).open(&path).map_err(failed(&path))?;
            if *size == 0 {
                // The directory entries of a new file and its directories must survive a power cut too.
                for dir in [folder.as_path(), folder.parent().unwrap_or(&self.raw_dir), &self.raw_dir] {
                    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed(dir))?;
                }
            }
            self.unsynced.push(Unsynced { path: path.clone(), file, bytes: 0 });
        }
        let Some(open) = self.unsynced.iter_mut().find(|open| open.path == path) else { return Ok(()) };
        #[cfg(test)]
        if let Err(full) = files::full::check(&path) {
            // As much as there is room for.
            let _ = open.file.write_all(&checkpoint[..checkpoint.len() / 2]);
            return Err(failed(&path)(full));
        }
        open.file.write_all(checkpoint).map_err(failed(&path))?;
        *size += checkpoint.len() as u64;
        open.bytes = *size;
        Ok(())
    }

    /// Syncs everything appended to disk. Returns the files that were written, as paths below `raw/`, and their sizes.
    pub(crate) fn sync(&mut self) -> Result<Vec<(String, u64)>, RawError> {
        let mut synced = Vec::with_capacity(self.unsynced.len());
        for Unsynced { path, file, bytes } in self.unsynced.drain(..) {
            file.sync_data().map_err(RawError::io("cannot write", &path))?;
            synced.push((relative_path(&self.raw_dir, &path), bytes));
        }
        Ok(synced)
    }
}
