//! Reading a date of the raw log back.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::RawError;
use super::frame::unpack;
use super::record::{Header, RawKind, WalkEnd};
use super::write::{DATE_PREFIX, FILE_ENDING, GROUP, SKIPPABLE_MAGIC};
use crate::schema::{civil_date, civil_date_text};

/// A header larger than this is none: a sign of damage, not a reason to allocate.
const HEADER_BYTES: u32 = 1 << 20;

/// One walk over one date's files: where its pages are, and what it came to.
#[derive(Debug, Clone)]
pub(crate) struct WalkRef {
    /// The run that walked.
    pub run_id: String,
    /// When the walk began, microseconds UTC.
    pub requested_us: i64,
    /// The window of a walk over meetings.
    pub window_us: Option<(i64, i64)>,
    /// What it came to; `None` where the run died before.
    pub end: Option<WalkEnd>,
    checkpoints: Vec<Place>,
}

impl WalkRef {
    /// True where every page was read.
    pub(crate) fn is_whole(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.whole)
    }

    /// Where its checkpoints are, in order.
    pub(crate) fn places(&self) -> &[Place] {
        &self.checkpoints
    }
}

/// Where the frame of a checkpoint is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    file: usize,
    /// Where its header begins.
    begin: u64,
    /// Where its lines begin, compressed.
    offset: u64,
    /// How many compressed bytes they are.
    bytes: u32,
}

impl Place {
    fn end(&self) -> u64 {
        self.offset + u64::from(self.bytes)
    }

    /// Where its lines begin in the file, compressed.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many compressed bytes they are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes as usize
    }
}

#[derive(Debug)]
pub(crate) struct RawPage {
    pub response: Box<RawValue>,
}

/// A file of the log, and how far it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    pub path: PathBuf,
    /// The end of its last whole checkpoint.
    pub whole_bytes: u64,
    pub bytes: u64,
}

/// One kind of one date: the walks of every unit, in the order in which they were asked.
#[derive(Debug, Default)]
pub(crate) struct RawDate {
    files: Vec<Extent>,
    walks: BTreeMap<String, Vec<WalkRef>>,
    /// Checkpoints that were cut off or unreadable at the end of a file.
    pub torn: u64,
}

/// The files of a kind on a date, in the order in which they were written; none where there is no folder.
///
/// # Errors
/// [`RawError::Io`].
pub fn files_of(raw_dir: &Path, kind: RawKind, meeting_date: i32) -> Result<Vec<PathBuf>, RawError> {
    let folder = raw_dir.join(kind.folder()).join(format!("{DATE_PREFIX}{}", civil_date_text(meeting_date)));
    let mut files = Vec::new();
    for path in entries(&folder)? {
        if path.to_string_lossy().ends_with(FILE_ENDING) {
            files.push(path);
        }
    }
    files.sort_by_cached_key(|path| written_order(path));
    Ok(files)
}

/// The dates that have a folder of a kind, oldest first.
///
/// # Errors
/// [`RawError::Io`].
pub fn dates_of(raw_dir: &Path, kind: RawKind) -> Result<Vec<i32>, RawError> {
    let mut dates: Vec<i32> = entries(&raw_dir.join(kind.folder()))?
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.strip_prefix(DATE_PREFIX).and_then(civil_date))
        .collect();
    dates.sort_unstable();
    Ok(dates)
}

/// What lies beside the folders of dates of a kind: nothing reads it.
///
/// # Errors
/// [`RawError::Io`].
pub(crate) fn strangers_of(raw_dir: &Path, kind: RawKind) -> Result<Vec<PathBuf>, RawError> {
    let mut strangers = entries(&raw_dir.join(kind.folder()))?;
    strangers.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        // File managers leave hidden files everywhere.
        !name.starts_with('.') && name.strip_prefix(DATE_PREFIX).and_then(civil_date).is_none()
    });
    strangers.sort();
    Ok(strangers)
}

/// Whether a file that was so long lacks its last record and no more, as after a power cut.
pub(crate) fn lacks_one_record(path: &Path, was_bytes: u64) -> bool {
    /// A record whose header is cut off does not say how long it was; few are longer.
    const MOST_BYTES: u64 = 16 << 10;
    let tail = || -> io::Result<bool> {
        let mut input = io::BufReader::with_capacity(16 << 10, File::open(path)?);
        let length = input.get_ref().metadata()?.len();
        let mut offset = 0;
        while offset < length {
            let Some((header, header_bytes)) = read_header(&mut input)? else { break };
            let end = offset + 8 + u64::from(header_bytes) + u64::from(header.bytes);
            if end > length {
                return Ok(end == was_bytes);
            }
            input.seek_relative(i64::from(header.bytes))?;
            offset = end;
        }
        Ok(offset < length && was_bytes - offset <= MOST_BYTES)
    };
    tail().unwrap_or(false)
}

/// The date of a file, by its path below `raw/`.
pub(crate) fn date_of(path: &str) -> Option<i32> {
    path.split('/').nth(1)?.strip_prefix(DATE_PREFIX).and_then(civil_date)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, RawError> {
    let listed = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        listed => listed.and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect()),
    };
    listed.map_err(cannot_read(folder))
}

/// The run, which begins with its time, and the number of the file in it.
fn written_order(path: &Path) -> (String, u32) {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let stem = name.trim_end_matches(FILE_ENDING);
    match stem.rsplit_once('-').map(|(run, number)| (run, number.parse())) {
        Some((run, Ok(number))) => (run.to_owned(), number),
        _ => (stem.to_owned(), 0),
    }
}

/// The run that wrote a file.
pub(crate) fn run_of(path: &Path) -> String {
    written_order(path).0
}

pub(crate) fn cannot_read(path: &Path) -> impl FnOnce(io::Error) -> RawError {
    let path = path.to_owned();
    move |source| RawError::Io { attempt: "cannot read", path, source }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    record: &'a str,
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

impl RawDate {
    /// Indexes a kind of a date. A date without files has no walks.
    ///
    /// # Errors
    /// [`RawError::Io`]; a cut-off end of a file is counted, not an error.
    pub(crate) fn open(raw_dir: &Path, kind: RawKind, meeting_date: i32) -> Result<RawDate, RawError> {
        let mut date = RawDate::default();
        for path in files_of(raw_dir, kind, meeting_date)? {
            date.index(&path).map_err(cannot_read(&path))?;
        }
        for walks in date.walks.values_mut() {
            // Stable: walks of one instant stay in the order of their files.
            walks.sort_by_key(|walk| walk.requested_us);
        }
        Ok(date)
    }

    /// Indexes a file by its headers. The last checkpoints, which share a sync, are looked at as well: after a power cut
    /// the header of any of them may be on disk and its pages not.
    fn index(&mut self, path: &Path) -> io::Result<()> {
        let file = self.files.len();
        let mut input = io::BufReader::with_capacity(16 << 10, File::open(path)?);
        let length = input.get_ref().metadata()?.len();
        let mut offset = 0;
        let mut last: VecDeque<(Header, Place)> = VecDeque::with_capacity(GROUP);
        let mut is_torn = false;
        while offset < length {
            let next = read_header(&mut input)?.map(|(header, header_bytes)| {
                let lines = offset + 8 + u64::from(header_bytes);
                let place = Place { file, begin: offset, offset: lines, bytes: header.bytes };
                (header, place)
            });
            let Some((header, place)) = next.filter(|(_, place)| place.end() <= length) else {
                is_torn = true;
                break;
            };
            input.seek_relative(i64::from(place.bytes))?;
            offset = place.end();
            if last.len() == GROUP
                && let Some((header, place)) = last.pop_front()
            {
                self.add(header, place);
            }
            last.push_back((header, place));
        }
        let mut whole_bytes = offset;
        let mut torn = u64::from(is_torn);
        let count = last.len();
        for (index, (header, place)) in last.into_iter().enumerate() {
            let frame = frame(path, &place)?;
            // What is damaged otherwise is told when it is read.
            if never_reached_the_disk(&frame) && lines(&frame).is_err() {
                let is_last = index + 1 == count;
                // A torn end behind it is of the same cut.
                torn = if is_last { 1.max(torn) } else { torn + 1 };
                if is_last {
                    whole_bytes = place.begin;
                }
            } else {
                self.add(header, place);
            }
        }
        self.torn += torn;
        self.files.push(Extent { path: path.to_owned(), whole_bytes, bytes: length });
        Ok(())
    }

    fn add(&mut self, header: Header, place: Place) {
        let walks = self.walks.entry(header.unit).or_default();
        // The checkpoints of one walk share run and beginning.
        match walks.iter_mut().find(|walk| walk.run_id == header.run_id && walk.requested_us == header.requested_us) {
            Some(walk) => {
                walk.checkpoints.push(place);
                walk.end = header.end.or(walk.end.take());
            }
            None => walks.push(WalkRef {
                run_id: header.run_id,
                requested_us: header.requested_us,
                window_us: header.window_us,
                end: header.end,
                checkpoints: vec![place],
            }),
        }
    }

    /// Every unit with its walks.
    pub(crate) fn units(&self) -> impl Iterator<Item = (&str, &[WalkRef])> {
        self.walks.iter().map(|(unit, walks)| (unit.as_str(), walks.as_slice()))
    }

    /// The walks of one unit, oldest first.
    pub(crate) fn walks(&self, unit: &str) -> &[WalkRef] {
        self.walks.get(unit).map_or(&[], Vec::as_slice)
    }

    /// The file of a place.
    pub(crate) fn path(&self, place: &Place) -> &Path {
        &self.files[place.file].path
    }

    pub(crate) fn files(&self) -> &[Extent] {
        &self.files
    }

    /// The walks with a checkpoint behind the first `known` bytes of its file, with their units, in the order in which
    /// they were asked.
    pub(crate) fn walks_beyond(&self, known: impl Fn(&Path) -> u64) -> Vec<(&str, &WalkRef)> {
        let known: Vec<u64> = self.files.iter().map(|file| known(&file.path)).collect();
        let is_beyond = |place: &Place| known.get(place.file).is_none_or(|known| place.offset >= *known);
        let mut beyond: Vec<(&str, &WalkRef)> = self
            .units()
            .flat_map(|(unit, walks)| walks.iter().map(move |walk| (unit, walk)))
            .filter(|(_, walk)| walk.checkpoints.iter().any(is_beyond))
            .collect();
        beyond.sort_by_key(|(_, walk)| walk.requested_us);
        beyond
    }

    /// The query of a walk's first page.
    ///
    /// # Errors
    /// [`RawError`].
    pub(crate) fn request(
        &self,
        walk: &WalkRef,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, RawError> {
        let Some(place) = walk.checkpoints.first() else { return Ok(None) };
        let path = &self.files[place.file].path;
        let lines = unpacked(path, place)?;
        let Some(line) = lines.split(|byte| *byte == b'\n').next().filter(|line| !line.is_empty()) else {
            return Ok(None);
        };
        let damaged = |source: serde_json::Error| damaged(path, place, source.into());
        let line: Line<'_> = serde_json::from_slice(line).map_err(damaged)?;
        Ok(line.request.and_then(|request| serde_json::from_str(request.get()).ok()))
    }

    /// The pages of a walk, in order.
    ///
    /// # Errors
    /// [`RawError`], also where the log was changed since it was indexed.
    pub(crate) fn pages(&self, walk: &WalkRef) -> Result<Vec<RawPage>, RawError> {
        let mut pages = Vec::new();
        for place in &walk.checkpoints {
            let path = &self.files[place.file].path;
            let lines = unpacked(path, place)?;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let damaged = |source: serde_json::Error| damaged(path, place, source.into());
                let line: Line<'_> = serde_json::from_slice(line).map_err(damaged)?;
                if let (PAGE, Some(response)) = (line.record, line.response) {
                    pages.push(RawPage { response: response.to_owned() });
                }
            }
        }
        Ok(pages)
    }
}

/// The lines of a checkpoint.
fn unpacked(path: &Path, place: &Place) -> Result<Vec<u8>, RawError> {
    lines(&frame(path, place).map_err(cannot_read(path))?).map_err(|error| cannot_unpack(path, place, error))
}

/// Why a checkpoint could not be unpacked.
pub(crate) fn cannot_unpack(path: &Path, place: &Place, error: io::Error) -> RawError {
    match error.raw_os_error() {
        Some(_) => cannot_read(path)(error),
        // The system did its part: it is the bytes that are wrong.
        None => damaged(path, place, error.into()),
    }
}

fn damaged(path: &Path, place: &Place, source: Box<dyn std::error::Error + Send + Sync>) -> RawError {
    RawError::Damaged { path: path.to_owned(), offset: place.begin, source }
}

fn frame(path: &Path, place: &Place) -> io::Result<Vec<u8>> {
    let mut input = File::open(path)?;
    input.seek(SeekFrom::Start(place.offset))?;
    let mut frame = vec![0; place.bytes as usize];
    input.read_exact(&mut frame)?;
    Ok(frame)
}

fn lines(frame: &[u8]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    let used = unpack(frame, &mut lines, 0)?;
    lines.truncate(used);
    Ok(lines)
}

/// True for a frame that cannot be unpacked because a power cut kept bytes of it from the disk: file systems that had grown
/// the file by then show zeros. Compressed bytes have no such run of them, and do not end in four.
pub(crate) fn never_reached_the_disk(frame: &[u8]) -> bool {
    frame.ends_with(&[0; 4]) || frame.windows(64).any(|window| window.iter().all(|byte| *byte == 0))
}

const PAGE: &str = "page";

/// The header at the reader's place, with its length; `None` where it is cut off or is none.
pub(crate) fn read_header(input: &mut impl Read) -> io::Result<Option<(Header, u32)>> {
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
