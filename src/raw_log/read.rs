//! Reads a kind and date of the raw log: an index of its walks from the checkpoint headers, and their pages on request.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::checkpoint::{decompress, open_buffered, read_header, was_not_written};
use super::error::RawError;
use super::layout::list_files;
use super::record::{Header, RawKind, WalkEnd};
use super::write::MAX_GROUP;
use crate::schema::TimeWindow;
use crate::schema::meeting_keys::KnownMeeting;

/// One walk over the pages of a list, and where its pages are.
#[derive(Debug, Clone)]
pub(crate) struct WalkRef {
    pub run_id: String,
    pub requested_us: i64,
    /// The window of a walk over the meeting list.
    pub window: TimeWindow,
    /// Whether its meetings are recognised by their instance ID.
    pub by_instance: bool,
    /// Meetings that keep the key under which they were listed first.
    pub known: Vec<KnownMeeting>,
    /// `None` if the run ended before the walk did.
    pub end: Option<WalkEnd>,
    pub(super) frames: Vec<FrameRef>,
}

impl WalkRef {
    pub(crate) fn is_whole(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.whole)
    }
}

/// Where the lines of a checkpoint are.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameRef {
    file: usize,
    /// Where the checkpoint's header starts.
    header_offset: u64,
    pub offset: u64,
    pub bytes: u32,
}

#[derive(Debug)]
pub(crate) struct RawPage {
    pub request: Map<String, Value>,
    pub response: Box<RawValue>,
}

/// A raw file, and how much of it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileExtent {
    pub path: PathBuf,
    /// The end of its last complete checkpoint.
    pub whole_bytes: u64,
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct RawDate {
    files: Vec<FileExtent>,
    /// By unit, in the order in which they were requested.
    walks: BTreeMap<String, Vec<WalkRef>>,
    /// Checkpoints at the end of a file that are truncated or unreadable.
    pub truncated: u64,
}

/// Whether a file that had `previous_bytes` has lost its last record and nothing else, as after a power cut.
pub(crate) fn lacks_only_last_record(path: &Path, previous_bytes: u64) -> bool {
    /// A record with a truncated header has no known length; few are longer than this.
    const MAX_BYTES: u64 = 16 << 10;
    let check = || -> io::Result<bool> {
        let mut input = open_buffered(path)?;
        let length = input.get_ref().metadata()?.len();
        let mut offset = 0;
        while offset < length {
            let Some((header, frame)) = read_header(&mut input, offset)? else { break };
            if frame.end > length {
                return Ok(frame.end == previous_bytes);
            }
            input.seek_relative(i64::from(header.bytes))?;
            offset = frame.end;
        }
        Ok(offset < length && previous_bytes - offset <= MAX_BYTES)
    };
    check().unwrap_or(false)
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    record: &'a str,
    #[serde(default)]
    request: Map<String, Value>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

impl RawDate {
    /// Indexes a kind and date; empty if it has no files. Truncated files are counted, not an error.
    pub(crate) fn open(raw_dir: &Path, kind: RawKind, meeting_date: i32) -> Result<RawDate, RawError> {
        RawDate::open_up_to(raw_dir, kind, meeting_date, &HashMap::new())
    }

    /// Reads some files only up to a place.
    pub(crate) fn open_up_to(
        raw_dir: &Path,
        kind: RawKind,
        meeting_date: i32,
        ends: &HashMap<PathBuf, u64>,
    ) -> Result<RawDate, RawError> {
        let mut date = RawDate::default();
        for path in list_files(raw_dir, kind, meeting_date)? {
            date.index(&path, ends.get(&path).copied()).map_err(RawError::io("cannot read", &path))?;
        }
        for walks in date.walks.values_mut() {
            // Stable: walks of the same time stay in the order of their files.
            walks.sort_by_key(|walk| walk.requested_us);
            let is_reset = |walk: &WalkRef| walk.end.as_ref().is_some_and(|end| end.is_reset);
            let void = walks.iter().rposition(is_reset).unwrap_or_default();
            walks.drain(..void);
        }
        Ok(date)
    }

    /// Indexes a file by its headers. The frames of the last checkpoints, which share a sync, are read too: after a
    /// power cut the header of any of them may be on disk without its lines.
    fn index(&mut self, path: &Path, end: Option<u64>) -> io::Result<()> {
        let file = self.files.len();
        let mut input = open_buffered(path)?;
        let length = input.get_ref().metadata()?.len().min(end.unwrap_or(u64::MAX));
        let mut offset = 0;
        let mut found: Vec<(Header, FrameRef)> = Vec::new();
        while offset < length {
            let next = read_header(&mut input, offset)?.filter(|(_, lines)| lines.end <= length);
            let Some((header, lines)) = next else { break };
            let frame = FrameRef { file, header_offset: offset, offset: lines.start, bytes: header.bytes };
            input.seek_relative(i64::from(header.bytes))?;
            offset = lines.end;
            found.push((header, frame));
        }
        let mut last = found.split_off(found.len().saturating_sub(MAX_GROUP)).into_iter();
        found.into_iter().for_each(|(header, frame)| self.add(header, frame));
        let (mut whole_bytes, mut truncated) = (offset, u64::from(offset < length));
        while let Some((header, frame)) = last.next() {
            let bytes = read_frame(path, &frame)?;
            // Other damage is reported when the frame is read.
            if !was_not_written(&bytes) || decompress(&bytes, &mut Vec::new(), 0).is_ok() {
                self.add(header, frame);
            } else if last.len() > 0 {
                truncated += 1;
            } else {
                // A truncated end behind it has the same cause and is not counted again.
                truncated = truncated.max(1);
                whole_bytes = frame.header_offset;
            }
        }
        self.truncated += truncated;
        self.files.push(FileExtent { path: path.to_owned(), whole_bytes, bytes: length });
        Ok(())
    }

    fn add(&mut self, header: Header, frame: FrameRef) {
        let walks = self.walks.entry(header.unit).or_default();
        // The checkpoints of one walk have the same run and start time.
        match walks.iter_mut().find(|walk| walk.run_id == header.run_id && walk.requested_us == header.requested_us) {
            Some(walk) => {
                walk.frames.push(frame);
                walk.known.extend(header.known);
                walk.end = header.end.or(walk.end.take());
            }
            None => walks.push(WalkRef {
                run_id: header.run_id,
                requested_us: header.requested_us,
                window: match header.window_us {
                    None => TimeWindow::ALL,
                    Some(window_us) if header.v < 2 => TimeWindow::of_starts(window_us),
                    Some(window_us) => TimeWindow::overlapping(window_us),
                },
                by_instance: header.v >= 2,
                known: header.known,
                end: header.end,
                frames: vec![frame],
            }),
        }
    }

    pub(crate) fn units(&self) -> impl Iterator<Item = (&str, &[WalkRef])> {
        self.walks.iter().map(|(unit, walks)| (unit.as_str(), walks.as_slice()))
    }

    /// The walks of one unit, oldest first.
    pub(crate) fn walks(&self, unit: &str) -> &[WalkRef] {
        self.walks.get(unit).map_or(&[], Vec::as_slice)
    }

    /// The last complete walk of one unit.
    pub(crate) fn last_whole_walk(&self, unit: &str) -> Option<&WalkRef> {
        self.walks(unit).iter().rev().find(|walk| walk.is_whole())
    }

    pub(super) fn path(&self, frame: &FrameRef) -> &Path {
        &self.files[frame.file].path
    }

    pub(crate) fn files(&self) -> &[FileExtent] {
        &self.files
    }

    /// The walks with a checkpoint after the first `known` bytes of its file, with their units, in the order in which
    /// they were requested.
    pub(crate) fn walks_beyond(&self, known: impl Fn(&Path) -> u64) -> Vec<(&str, &WalkRef)> {
        let known: Vec<u64> = self.files.iter().map(|file| known(&file.path)).collect();
        let is_beyond = |frame: &FrameRef| known.get(frame.file).is_none_or(|known| frame.offset >= *known);
        let mut beyond: Vec<(&str, &WalkRef)> = self
            .units()
            .flat_map(|(unit, walks)| walks.iter().map(move |walk| (unit, walk)))
            .filter(|(_, walk)| walk.frames.iter().any(is_beyond))
            .collect();
        beyond.sort_by_key(|(_, walk)| walk.requested_us);
        beyond
    }

    /// The pages of a walk, in order.
    pub(crate) fn pages(&self, walk: &WalkRef) -> Result<Vec<RawPage>, RawError> {
        let mut pages = Vec::new();
        for frame in &walk.frames {
            let path = self.path(frame);
            let bytes = read_frame(path, frame).map_err(RawError::io("cannot read", path))?;
            let mut lines = Vec::new();
            decompress(&bytes, &mut lines, 0).map_err(|error| self.decompress_error(frame, error))?;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let line: Line<'_> = serde_json::from_slice(line).map_err(|error| self.damaged(frame, error.into()))?;
                if let Line { record: "page", request, response: Some(response) } = line {
                    pages.push(RawPage { request, response: response.to_owned() });
                }
            }
        }
        Ok(pages)
    }

    pub(super) fn decompress_error(&self, frame: &FrameRef, error: io::Error) -> RawError {
        match error.raw_os_error() {
            Some(_) => RawError::io("cannot read", self.path(frame))(error),
            // Not an error of the system, so the bytes are wrong.
            None => self.damaged(frame, error.into()),
        }
    }

    fn damaged(&self, frame: &FrameRef, source: Box<dyn std::error::Error + Send + Sync>) -> RawError {
        RawError::Damaged { path: self.path(frame).to_owned(), offset: frame.header_offset, source }
    }
}

fn read_frame(path: &Path, frame: &FrameRef) -> io::Result<Vec<u8>> {
    let mut input = File::open(path)?;
    input.seek(SeekFrom::Start(frame.offset))?;
    let mut bytes = vec![0; frame.bytes as usize];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}
