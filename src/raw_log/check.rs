//! Checks that every checkpoint of every raw file can be read, to the last byte.
//!
//! Stricter than [`RawDate`](super::RawDate), which skips what it cannot index: frames are decompressed (zstd verifies
//! its checksum), every line must be JSON, and the check continues behind a damaged place. A truncated last record, as
//! after a power cut, is counted and is not damage. Neither is damage behind what is known to be synced: blocks of a
//! file reach the disk in any order, so a record that was never synced may be damaged and the one behind it whole.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::checkpoint::{SKIPPABLE_MAGIC, decompress, read_header, was_not_written};
use super::error::RawError;
use super::layout::{list_dates, list_files};
use super::record::{Header, RAW_VERSION, RawKind, WalkEnd};
use super::write::MAX_GROUP;
use crate::schema::civil_date_text;

/// A raw file, with the kind and date of its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawFile {
    pub path: PathBuf,
    pub kind: RawKind,
    /// `YYYY-MM-DD`.
    pub meeting_date: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FileCheck {
    pub checkpoints: u64,
    /// 1 if the last one is truncated, or an end was never synced.
    pub truncated: u64,
    /// Where an end begins that was never synced and is damaged, although a record in it is whole.
    pub unsynced_from: Option<u64>,
    pub problems: Vec<RawProblem>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawProblem {
    /// Where it starts, bytes from the start of the file.
    pub offset: u64,
    pub expected: String,
    pub found: String,
    /// False if the record is whole and of another kind or version.
    is_damage: bool,
    /// Number of records before it that can be read.
    checkpoints_before: u64,
}

/// Every file of the raw log, by kind, date and name.
pub(crate) fn raw_files(raw_dir: &Path) -> Result<Vec<RawFile>, RawError> {
    let mut files = Vec::new();
    for &kind in RawKind::ALL {
        for date in list_dates(raw_dir, kind)? {
            let meeting_date = civil_date_text(date);
            let paths = list_files(raw_dir, kind, date)?.into_iter();
            files.extend(paths.map(|path| RawFile { path, kind, meeting_date: meeting_date.clone() }));
        }
    }
    Ok(files)
}

/// Reads a file to its end. Damage is reported as a problem, not as an error. Bytes that a run is appending at this
/// moment look like a truncated record. `synced_bytes` at the start of the file are known to be on disk, and nothing
/// more; `None` if it is unknown which are.
pub(crate) fn check_file(file: &RawFile, synced_bytes: Option<u64>) -> Result<FileCheck, RawError> {
    read_file(file, synced_bytes).map_err(RawError::io("cannot read", &file.path))
}

fn read_file(file: &RawFile, synced_bytes: Option<u64>) -> io::Result<FileCheck> {
    let mut check = FileCheck::default();
    let mut input = BufReader::new(File::open(&file.path)?);
    let length = input.get_ref().metadata()?.len();
    let (mut offset, mut starts_behind_synced) = (0, false);
    while offset < length {
        starts_behind_synced |= synced_bytes == Some(offset);
        let checkpoints_before = check.checkpoints;
        let problem =
            |(expected, found), is_damage| RawProblem { offset, expected, found, is_damage, checkpoints_before };
        input.seek(SeekFrom::Start(offset))?;
        match read_header(&mut input, offset)? {
            Some((header, lines)) if lines.end <= length => {
                let mut frame = Vec::with_capacity(header.bytes as usize);
                input.by_ref().take(header.bytes.into()).read_to_end(&mut frame)?;
                match (check_header(&header, file.kind), check_frame(&frame, &header)) {
                    (None, None) => check.checkpoints += 1,
                    (None, Some(_)) if lines.end == length && was_not_written(&frame) => check.truncated += 1,
                    (Some(foreign), _) => check.problems.push(problem(foreign, false)),
                    (None, Some(damage)) => check.problems.push(problem(damage, true)),
                }
                offset = lines.end;
            }
            // No header, or a frame longer than the file: a truncated end, or damage in the middle.
            _ => {
                let Some(next) = next_checkpoint(&mut input, offset + 1, length)? else {
                    check.truncated += 1;
                    break;
                };
                let found = format!("{} unreadable bytes; what follows them can be read but is skipped", next - offset);
                check.problems.push(problem(("a checkpoint".to_owned(), found), true));
                offset = next;
            }
        }
    }
    if let Some(synced_bytes) = synced_bytes.filter(|_| starts_behind_synced) {
        check.leave_out_unsynced(synced_bytes);
    }
    Ok(check)
}

impl FileCheck {
    /// Counts everything from the first damage behind the synced bytes as a truncated end. More records than share a
    /// sync are not left out, and neither is anything of another program: then it is not what a power cut leaves.
    fn leave_out_unsynced(&mut self, synced_bytes: u64) {
        let Some(first) = self.problems.iter().position(|one| one.offset >= synced_bytes) else { return };
        let RawProblem { offset, checkpoints_before, .. } = self.problems[first];
        let is_group = self.checkpoints - checkpoints_before < MAX_GROUP as u64;
        if is_group && self.problems[first..].iter().all(|one| one.is_damage) {
            self.problems.truncate(first);
            (self.checkpoints, self.truncated) = (checkpoints_before, 1);
            self.unsynced_from = Some(offset);
        }
    }
}

/// Expected and found, if they differ.
fn check_header(header: &Header, kind: RawKind) -> Option<(String, String)> {
    if header.v > RAW_VERSION || header.v == 0 {
        return Some((format!("version {RAW_VERSION} of the raw log"), format!("version {}", header.v)));
    }
    let records = |kind: RawKind| format!("records of {}", kind.folder());
    (header.kind != kind).then(|| (records(kind), records(header.kind)))
}

/// The checked members of a line.
#[derive(Deserialize)]
struct Line {
    record: String,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "parsed so that it must be JSON")]
    response: Option<IgnoredAny>,
}

/// Decompresses a frame. Expected and found, if they differ.
fn check_frame(frame: &[u8], header: &Header) -> Option<(String, String)> {
    let damaged = |expected: &str, found: String| Some((format!("{expected} of {}", header.unit), found));
    let mut lines = Vec::new();
    if let Err(error) = decompress(frame, &mut lines, 0) {
        return damaged("a zstd frame", error.to_string());
    }
    let mut last: Option<(Line, &[u8])> = None;
    for (index, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match serde_json::from_slice::<Line>(line) {
            Ok(read) => last = Some((read, line)),
            Err(error) => return damaged(&format!("JSON in line {}", index + 1), error.to_string()),
        }
    }
    let ended = last
        .filter(|(read, _)| read.record == "walk")
        .map(|(read, line)| (read.unit, serde_json::from_slice::<WalkEnd>(line).ok()));
    let expected = header.end.as_ref().map(|end| (Some(header.unit.clone()), Some(end.clone())));
    if ended != expected {
        return damaged("the same walk end in the header and the last line", "different ones".to_owned());
    }
    None
}

/// Where the next readable checkpoint starts, at or after `from`.
fn next_checkpoint(input: &mut (impl Read + Seek), from: u64, length: u64) -> io::Result<Option<u64>> {
    const WINDOW: usize = 1 << 20;
    let mut window = Vec::with_capacity(WINDOW);
    let mut at = from;
    while at + SKIPPABLE_MAGIC.len() as u64 <= length {
        input.seek(SeekFrom::Start(at))?;
        window.clear();
        input.by_ref().take(WINDOW as u64).read_to_end(&mut window)?;
        for (position, bytes) in window.windows(SKIPPABLE_MAGIC.len()).enumerate() {
            if bytes != SKIPPABLE_MAGIC {
                continue;
            }
            let candidate = at + position as u64;
            input.seek(SeekFrom::Start(candidate))?;
            if read_header(input, candidate)?.is_some_and(|(_, lines)| lines.end <= length) {
                return Ok(Some(candidate));
            }
        }
        // The magic may lie across two windows.
        at += (window.len() - (SKIPPABLE_MAGIC.len() - 1).min(window.len() - 1)) as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::raw_log::{RawWriter, encode};
    use crate::schema::Status;

    const DAY: i32 = 20_000;

    fn end() -> WalkEnd {
        WalkEnd {
            whole: true,
            status: Status::Complete,
            reason: "all pages read".to_owned(),
            is_final: true,
            api_code: Some(0),
            log_id: None,
            items: 1,
            digest: "d".to_owned(),
            requests: 1,
            walks: 1,
            ..WalkEnd::default()
        }
    }

    /// A file of three checkpoints, and where each starts.
    fn written(dir: &Path) -> (RawFile, Vec<u64>) {
        let mut writer = RawWriter::new(dir, "run");
        let (mut starts, mut at) = (Vec::new(), 0);
        for unit in ["one", "two", "three"] {
            let header = Header {
                v: RAW_VERSION,
                run_id: "run".to_owned(),
                kind: RawKind::Quality,
                unit: unit.to_owned(),
                requested_us: 1,
                window_us: None,
                known: Vec::new(),
                end: Some(end()),
                bytes: 0,
            };
            let bytes = encode(header, &[]).expect("zstd");
            starts.push(at);
            at += bytes.len() as u64;
            writer.append(RawKind::Quality, DAY, &bytes).expect("written");
        }
        writer.sync().expect("synced");
        let files = raw_files(dir).expect("listed");
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].meeting_date, "2024-10-04");
        (files[0].clone(), starts)
    }

    fn damaged(change: impl FnOnce(&mut Vec<u8>, &[u64])) -> FileCheck {
        damaged_behind(|_| None, change)
    }

    /// `synced_bytes` gets where each checkpoint starts.
    fn damaged_behind(
        synced_bytes: impl FnOnce(&[u64]) -> Option<u64>,
        change: impl FnOnce(&mut Vec<u8>, &[u64]),
    ) -> FileCheck {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, starts) = written(dir.path());
        let mut bytes = fs::read(&file.path).expect("read");
        change(&mut bytes, &starts);
        fs::write(&file.path, bytes).expect("written");
        check_file(&file, synced_bytes(&starts)).expect("readable")
    }

    #[test]
    fn an_intact_file_has_no_problems() {
        assert_eq!(damaged(|_, _| {}), FileCheck { checkpoints: 3, ..FileCheck::default() });
    }

    #[test]
    fn a_truncated_last_record_is_counted_and_is_not_a_problem() {
        for cut in [1, 5, 30, 200] {
            let check = damaged(|bytes, _| bytes.truncate(bytes.len() - cut));
            assert_eq!((check.checkpoints, check.truncated, check.problems.len()), (2, 1, 0), "{cut}");
        }
        for behind in [0, 60, 200] {
            let zeros = damaged(|bytes, starts| bytes[starts[2] as usize + behind..].fill(0));
            assert_eq!((zeros.checkpoints, zeros.truncated, zeros.problems.len()), (2, 1, 0), "{behind}");
        }
    }

    #[test]
    fn damage_in_the_middle_is_a_problem_and_the_rest_is_read() {
        let magic = damaged(|bytes, starts| bytes[starts[1] as usize] ^= 1);
        assert_eq!((magic.checkpoints, magic.truncated, magic.problems.len()), (2, 0, 1), "{magic:?}");
        let frame = damaged(|bytes, starts| bytes[starts[2] as usize - 3] ^= 0x10);
        assert_eq!((frame.checkpoints, frame.truncated, frame.problems.len()), (2, 0, 1), "{frame:?}");
        assert!(frame.problems[0].expected.contains("of two"), "{frame:?}");
        let last = damaged(|bytes, _| *bytes.last_mut().expect("bytes") ^= 0x10);
        assert_eq!((last.checkpoints, last.problems.len()), (2, 1), "complete by its length, wrong by its checksum");
    }

    #[test]
    fn damage_behind_the_synced_bytes_is_a_truncated_end() {
        type Change = fn(&mut Vec<u8>, &[u64]);
        let header: Change = |bytes, starts| bytes[starts[1] as usize..][..20].fill(0);
        let garbage: Change = |bytes, starts| bytes[starts[2] as usize - 30..][..20].fill(0x5A);
        for change in [header, garbage] {
            for synced in [0, 1] {
                let check = damaged_behind(|starts| Some(starts[synced]), change);
                assert_eq!((check.checkpoints, check.truncated, check.problems.len()), (1, 1, 0), "{check:?}");
                assert!(check.unsynced_from.is_some());
            }
            let synced = damaged_behind(|starts| Some(starts[2]), change);
            assert_eq!((synced.problems.len(), synced.unsynced_from), (1, None), "{synced:?}");
            let inside = damaged_behind(|starts| Some(starts[0] + 1), change);
            assert_eq!(inside.problems.len(), 1, "bytes that end within a record say nothing: {inside:?}");
        }
        let truncated = damaged_behind(|starts| Some(starts[1]), |bytes, _| bytes.truncate(bytes.len() - 9));
        assert_eq!((truncated.truncated, truncated.unsynced_from), (1, None), "{truncated:?}");
    }

    #[test]
    fn records_of_another_version_and_more_than_a_group_are_not_left_out() {
        let version = damaged_behind(
            |_| Some(0),
            |bytes, starts| {
                bytes[starts[0] as usize..][..4].fill(0);
                let (v, at) = (b"\"v\":", starts[1] as usize);
                let found = bytes[at..].windows(4).position(|four| four == v).expect("a version");
                bytes[at + found + 4] = b'9';
            },
        );
        assert_eq!((version.problems.len(), version.unsynced_from), (2, None), "{version:?}");
        let many = damaged_behind(
            |_| Some(0),
            |bytes, starts| {
                let last = bytes[starts[2] as usize..].to_vec();
                (0..MAX_GROUP).for_each(|_| bytes.extend(&last));
                bytes[starts[0] as usize..][..4].fill(0);
            },
        );
        assert_eq!((many.problems.len(), many.unsynced_from), (1, None), "{many:?}");
    }

    #[test]
    fn every_flipped_byte_of_a_middle_frame_or_its_magic_is_found() {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, starts) = written(dir.path());
        let whole = fs::read(&file.path).expect("read");
        let mut undetected = 0;
        for at in starts[1]..starts[2] {
            let mut bytes = whole.clone();
            bytes[at as usize] ^= 0x04;
            fs::write(&file.path, bytes).expect("written");
            undetected += u64::from(check_file(&file, None).expect("readable").problems.is_empty());
        }
        // Only the run and the time in the header: no checksum covers them and the last line does not repeat them.
        assert!(undetected < 40, "{undetected} of {} flips went undetected", starts[2] - starts[1]);
    }
}
