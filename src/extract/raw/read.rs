//! Reading a date of the raw log back.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::RawError;
use super::record::{Header, RawKind, WalkEnd};
use super::write::SKIPPABLE_MAGIC;
use crate::schema::civil_date_text;

/// A header larger than this is none: a sign of damage, not a reason to allocate.
const HEADER_BYTES: u32 = 1 << 20;

/// One walk over one date's files: where its pages are, and what it came to.
#[derive(Debug, Clone)]
pub struct WalkRef {
    /// The run that walked.
    pub run_id: String,
    /// When the walk began, microseconds UTC.
    pub asked_us: i64,
    /// The window of a walk over meetings.
    pub window_us: Option<(i64, i64)>,
    /// What it came to; `None` where the run died before.
    pub end: Option<WalkEnd>,
    checkpoints: Vec<Place>,
}

impl WalkRef {
    /// True where every page was read.
    pub fn is_whole(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.whole)
    }
}

#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    offset: u64,
    bytes: u32,
}

/// One answered page.
#[derive(Debug)]
pub struct RawPage {
    /// The answer's JSON.
    pub response: Box<RawValue>,
}

/// One kind of one date: the walks of every unit, in the order in which they were asked.
#[derive(Debug, Default)]
pub struct RawDate {
    files: Vec<PathBuf>,
    walks: BTreeMap<String, Vec<WalkRef>>,
    /// Checkpoints that were cut off or unreadable at the end of a file.
    pub torn: u64,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    record: &'a str,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

impl RawDate {
    /// Indexes a kind of a date. A date without files has no walks.
    ///
    /// # Errors
    /// [`RawError::Io`]; a cut-off end of a file is counted, not an error.
    pub fn open(raw_dir: &Path, kind: RawKind, meeting_date: i32) -> Result<RawDate, RawError> {
        let folder = raw_dir.join(kind.folder()).join(format!("meeting_date={}", civil_date_text(meeting_date)));
        let mut date = RawDate::default();
        let cannot = |path: &Path| {
            let path = path.to_owned();
            move |source| RawError::Io { attempt: "cannot read", path, source }
        };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(date),
            Err(error) => return Err(cannot(&folder)(error)),
        };
        for entry in entries {
            let path = entry.map_err(cannot(&folder))?.path();
            if path.to_string_lossy().ends_with(".jsonl.zst") {
                date.files.push(path);
            }
        }
        date.files.sort();
        for file in 0..date.files.len() {
            date.index(file).map_err(cannot(&date.files[file]))?;
        }
        for walks in date.walks.values_mut() {
            // Stable: walks of one instant stay in the order of their files.
            walks.sort_by_key(|walk| walk.asked_us);
        }
        Ok(date)
    }

    fn index(&mut self, file: usize) -> io::Result<()> {
        let mut input = io::BufReader::with_capacity(16 << 10, File::open(&self.files[file])?);
        let length = input.get_ref().metadata()?.len();
        let mut offset = 0;
        while offset < length {
            let Some(header) = read_header(&mut input)? else {
                self.torn += 1;
                return Ok(());
            };
            let (header, header_bytes) = header;
            let begins = offset + 8 + u64::from(header_bytes);
            let ends = begins + u64::from(header.bytes);
            if ends > length {
                self.torn += 1;
                return Ok(());
            }
            input.seek_relative(i64::from(header.bytes))?;
            self.add(header, Place { file, offset: begins, bytes: 0 }, (ends - begins) as u32);
            offset = ends;
        }
        Ok(())
    }

    fn add(&mut self, header: Header, place: Place, bytes: u32) {
        let place = Place { bytes, ..place };
        let walks = self.walks.entry(header.unit).or_default();
        // The checkpoints of one walk share run and beginning.
        match walks.iter_mut().find(|walk| walk.run_id == header.run_id && walk.asked_us == header.asked_us) {
            Some(walk) => {
                walk.checkpoints.push(place);
                walk.end = header.end.or(walk.end.take());
            }
            None => walks.push(WalkRef {
                run_id: header.run_id,
                asked_us: header.asked_us,
                window_us: header.window_us,
                end: header.end,
                checkpoints: vec![place],
            }),
        }
    }

    /// Every unit with its walks.
    pub fn units(&self) -> impl Iterator<Item = (&str, &[WalkRef])> {
        self.walks.iter().map(|(unit, walks)| (unit.as_str(), walks.as_slice()))
    }

    /// The walks of one unit, oldest first.
    pub fn walks(&self, unit: &str) -> &[WalkRef] {
        self.walks.get(unit).map_or(&[], Vec::as_slice)
    }

    /// The pages of a walk, in order.
    ///
    /// # Errors
    /// [`RawError`], also where the log was changed since it was indexed.
    pub fn pages(&self, walk: &WalkRef) -> Result<Vec<RawPage>, RawError> {
        let mut pages = Vec::new();
        for place in &walk.checkpoints {
            let path = &self.files[place.file];
            let lines = self.lines(place).map_err(|source| RawError::Io {
                attempt: "cannot read",
                path: path.clone(),
                source,
            })?;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let damaged = |source| RawError::Damaged { path: path.clone(), offset: place.offset, source };
                let line: Line<'_> = serde_json::from_slice(line).map_err(damaged)?;
                if let (PAGE, Some(response)) = (line.record, line.response) {
                    pages.push(RawPage { response: response.to_owned() });
                }
            }
        }
        Ok(pages)
    }

    fn lines(&self, place: &Place) -> io::Result<Vec<u8>> {
        let mut input = File::open(&self.files[place.file])?;
        input.seek(SeekFrom::Start(place.offset))?;
        let mut frame = vec![0; place.bytes as usize];
        input.read_exact(&mut frame)?;
        zstd::decode_all(frame.as_slice())
    }
}

const PAGE: &str = "page";

/// The header at the reader's place, with its length; `None` where it is cut off or is none.
pub(super) fn read_header(input: &mut impl Read) -> io::Result<Option<(Header, u32)>> {
    let mut start = [0; 8];
    if !read_all(input, &mut start)? || start[..4] != SKIPPABLE_MAGIC {
        return Ok(None);
    }
    let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
    if length > HEADER_BYTES {
        return Ok(None);
    }
    let mut header = vec![0; length as usize];
    if !read_all(input, &mut header)? {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&header).ok().map(|header| (header, length)))
}

/// Fills the buffer; false where the file ends before.
fn read_all(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
