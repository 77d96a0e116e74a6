//! Writing checkpoints.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::RawError;
use super::record::{EndRecord, Header, PageRecord, RawKind};
use crate::schema::civil_date_text;

/// zstd level of the raw log. 9 takes 81 bytes a sample where 3 takes 121, for a few milliseconds a participant; the vendor's
/// limit leaves 600.
const LEVEL: i32 = 9;
/// A file is full from here on; the next checkpoint opens another.
const FILE_BYTES: u64 = 128 << 20;
/// How many checkpoints share one sync at most.
pub(crate) const GROUP: usize = 64;
/// How the folder of a date begins.
pub(crate) const DATE_PREFIX: &str = "meeting_date=";
/// How the name of a file ends.
pub(crate) const FILE_ENDING: &str = ".jsonl.zst";
/// First bytes of a zstd skippable frame.
pub(crate) const SKIPPABLE_MAGIC: [u8; 4] = [0x50, 0x2A, 0x4D, 0x18];

/// One checkpoint as bytes: the header's frame, then the lines'.
///
/// # Errors
/// Where zstd has no memory.
pub(crate) fn encode(mut header: Header, pages: &[PageRecord]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for page in pages {
        serde_json::to_writer(&mut lines, page)?;
        lines.push(b'\n');
    }
    if let Some(end) = &header.end {
        serde_json::to_writer(&mut lines, &EndRecord { record: "walk", unit: &header.unit, end })?;
        lines.push(b'\n');
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(lines.len() as u64))?;
    encoder.include_contentsize(true)?;
    encoder.write_all(&lines)?;
    let frame = encoder.finish()?;
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidData, "a checkpoint of more than 4 GiB");
    header.bytes = u32::try_from(frame.len()).map_err(too_long)?;
    let header = serde_json::to_vec(&header)?;
    let mut bytes = Vec::with_capacity(8 + header.len() + frame.len());
    bytes.extend_from_slice(&SKIPPABLE_MAGIC);
    bytes.extend_from_slice(&u32::try_from(header.len()).map_err(too_long)?.to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&frame);
    Ok(bytes)
}

/// Appends checkpoints to the files of one run.
#[derive(Debug)]
pub(crate) struct RawWriter {
    raw_dir: PathBuf,
    run_id: String,
    /// The number and size of the current file of each kind and date.
    files: HashMap<(RawKind, i32), (u32, u64)>,
    /// Files with bytes that are not on disk yet.
    unsynced: Vec<Unsynced>,
}

#[derive(Debug)]
struct Unsynced {
    path: PathBuf,
    file: File,
    /// The size of the file with what was appended.
    bytes: u64,
}

impl RawWriter {
    /// A writer for the files of `run_id` below `raw_dir`.
    pub(crate) fn new(raw_dir: &Path, run_id: &str) -> RawWriter {
        RawWriter {
            raw_dir: raw_dir.to_owned(),
            run_id: run_id.to_owned(),
            files: HashMap::new(),
            unsynced: Vec::new(),
        }
    }

    /// Appends one encoded checkpoint. It counts only after [`RawWriter::sync`].
    ///
    /// # Errors
    /// [`RawError::Io`].
    pub(crate) fn append(&mut self, kind: RawKind, meeting_date: i32, checkpoint: &[u8]) -> Result<(), RawError> {
        let (number, size) = self.files.entry((kind, meeting_date)).or_default();
        if *size >= FILE_BYTES {
            (*number, *size) = (*number + 1, 0);
        }
        let folder = self.raw_dir.join(kind.folder()).join(format!("{DATE_PREFIX}{}", civil_date_text(meeting_date)));
        let path = folder.join(format!("{}-{number}{FILE_ENDING}", self.run_id));
        let cannot = |path: &Path| {
            let path = path.to_owned();
            move |source| RawError::Io { attempt: "cannot write", path, source }
        };
        if *size == 0 {
            fs::create_dir_all(&folder).map_err(cannot(&folder))?;
        }
        let is_open = self.unsynced.iter().any(|open| open.path == path);
        if !is_open {
            let file = OpenOptions::new().create(true).append(true).open(&path).map_err(cannot(&path))?;
            if *size == 0 {
                // The name of a new file must survive a power cut as well as its bytes, and so must its folders'.
                for dir in [folder.as_path(), folder.parent().unwrap_or(&self.raw_dir), &self.raw_dir] {
                    File::open(dir).and_then(|dir| dir.sync_all()).map_err(cannot(dir))?;
                }
            }
            self.unsynced.push(Unsynced { path: path.clone(), file, bytes: 0 });
        }
        let Some(open) = self.unsynced.iter_mut().find(|open| open.path == path) else { return Ok(()) };
        open.file.write_all(checkpoint).map_err(cannot(&path))?;
        *size += checkpoint.len() as u64;
        open.bytes = *size;
        Ok(())
    }

    /// Brings everything appended to the disk. Gives the files that it went to, as paths below `raw/`, and their sizes.
    ///
    /// # Errors
    /// [`RawError::Io`].
    pub(crate) fn sync(&mut self) -> Result<Vec<(String, u64)>, RawError> {
        let mut synced = Vec::with_capacity(self.unsynced.len());
        for Unsynced { path, file, bytes } in self.unsynced.drain(..) {
            synced.push((relative(&self.raw_dir, &path), bytes));
            file.sync_data().map_err(|source| RawError::Io { attempt: "cannot write", path, source })?;
        }
        Ok(synced)
    }
}

/// A path below `raw/`, with `/` on every system.
pub(crate) fn relative(raw_dir: &Path, path: &Path) -> String {
    let path = path.strip_prefix(raw_dir).unwrap_or(path);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
