//! Is the raw log readable: every checkpoint of every file, to its last byte.
//!
//! Stricter than [`RawDate`](super::RawDate), which passes over what it can't index: here the frames are unpacked (zstd
//! checks its own checksum), every line must be JSON, and what lies behind a damaged place is looked for. A record that
//! was cut off at the end of a file, as by a power cut, is counted and is no damage.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::RawError;
use super::read::{dates_of, files_of, never_reached_the_disk, read_header};
use super::record::{Header, RAW_VERSION, RawKind, WalkEnd};
use super::write::SKIPPABLE_MAGIC;
use crate::schema::civil_date_text;

/// One raw file and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawFile {
    pub path: PathBuf,
    /// The kind of its folder.
    pub kind: RawKind,
    /// The date of its folder, `YYYY-MM-DD`.
    pub meeting_date: String,
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FileCheck {
    /// Checkpoints that can be read.
    pub checkpoints: u64,
    /// 1 where the last one is cut off.
    pub torn: u64,
    pub problems: Vec<RawProblem>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawProblem {
    /// Where it begins, bytes from the start of the file.
    pub offset: u64,
    /// What should be there.
    pub expected: String,
    pub found: String,
}

/// Every file of the raw log, by kind, date and name.
///
/// # Errors
/// [`RawError::Io`] where a folder can't be listed.
pub(crate) fn raw_files(raw_dir: &Path) -> Result<Vec<RawFile>, RawError> {
    let mut files = Vec::new();
    for &kind in RawKind::ALL {
        for date in dates_of(raw_dir, kind)? {
            let meeting_date = civil_date_text(date);
            let of_date = files_of(raw_dir, kind, date)?.into_iter();
            files.extend(of_date.map(|path| RawFile { path, kind, meeting_date: meeting_date.clone() }));
        }
    }
    Ok(files)
}

/// Reads a file to its end. Bytes that a run is appending at this moment look like a record that is cut off.
///
/// # Errors
/// [`RawError::Io`] where the system keeps the file from us; damage is a problem, not an error.
pub(crate) fn check_file(file: &RawFile) -> Result<FileCheck, RawError> {
    let mut check = FileCheck::default();
    read_file(file, &mut check).map_err(|source| RawError::Io {
        attempt: "cannot read",
        path: file.path.clone(),
        source,
    })?;
    Ok(check)
}

fn read_file(file: &RawFile, check: &mut FileCheck) -> io::Result<()> {
    let mut input = BufReader::new(File::open(&file.path)?);
    let length = input.get_ref().metadata()?.len();
    let mut offset = 0;
    while offset < length {
        input.seek(SeekFrom::Start(offset))?;
        let header = read_header(&mut input)?.map(|(header, bytes)| {
            let begins = offset + 8 + u64::from(bytes);
            let ends = begins + u64::from(header.bytes);
            (header, begins, ends)
        });
        match header {
            Some((header, begins, ends)) if ends <= length => {
                let problem = wrong_header(&header, file.kind).or(read_frame(&mut input, &header, begins)?);
                match problem {
                    None => check.checkpoints += 1,
                    Some(_) if ends == length && is_cut_off(&mut input, begins)? => check.torn += 1,
                    Some((expected, found)) => check.problems.push(RawProblem { offset, expected, found }),
                }
                offset = ends;
            }
            // No header, or one that wants more bytes than there are: the end of the file, or damage in its middle.
            _ => match next_checkpoint(&mut input, offset + 1, length)? {
                None => {
                    check.torn += 1;
                    return Ok(());
                }
                Some(next) => {
                    check.problems.push(RawProblem {
                        offset,
                        expected: "a checkpoint".to_owned(),
                        found: format!(
                            "{} bytes that are none; what follows them can be read and is passed over",
                            next - offset
                        ),
                    });
                    offset = next;
                }
            },
        }
    }
    Ok(())
}

/// Whether the last frame, which begins here, is as a power cut leaves it.
fn is_cut_off(input: &mut (impl Read + Seek), begins: u64) -> io::Result<bool> {
    let mut frame = Vec::new();
    input.seek(SeekFrom::Start(begins))?;
    input.read_to_end(&mut frame)?;
    Ok(never_reached_the_disk(&frame))
}

fn wrong_header(header: &Header, kind: RawKind) -> Option<(String, String)> {
    if header.v > RAW_VERSION || header.v == 0 {
        return Some((format!("version {RAW_VERSION} of the raw log"), format!("version {}", header.v)));
    }
    (header.kind != kind).then(|| (format!("answers of {}", kind.folder()), format!("of {}", header.kind.folder())))
}

/// A line of a checkpoint, as far as it is checked.
#[derive(Deserialize)]
struct Line {
    record: String,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "read so that it must be JSON")]
    response: Option<IgnoredAny>,
}

/// Unpacks a frame; gives what should be there and what is, where they differ.
fn read_frame(input: &mut (impl Read + Seek), header: &Header, begins: u64) -> io::Result<Option<(String, String)>> {
    input.seek(SeekFrom::Start(begins))?;
    let mut frame = Vec::with_capacity(header.bytes as usize);
    input.take(header.bytes.into()).read_to_end(&mut frame)?;
    let damaged = |expected: &str, found: String| Ok(Some((format!("{expected} about {}", header.unit), found)));
    let mut lines = match zstd::Decoder::with_buffer(frame.as_slice()) {
        Ok(decoder) => BufReader::new(decoder),
        Err(error) => return damaged("a zstd frame", error.to_string()),
    };
    let mut line = Vec::new();
    let mut last: Option<(Line, Vec<u8>)> = None;
    let mut count = 0_u64;
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            // From memory: whatever goes wrong is the frame's fault.
            Err(error) => return damaged("a zstd frame", error.to_string()),
        }
        count += 1;
        match serde_json::from_slice::<Line>(&line) {
            Ok(read) => last = Some((read, line.clone())),
            Err(error) => return damaged(&format!("JSON in line {count}"), error.to_string()),
        }
    }
    let ended = match last {
        Some((read, line)) if read.record == "walk" => {
            let end: Option<WalkEnd> = serde_json::from_slice(&line).ok();
            Some((read.unit, end))
        }
        _ => None,
    };
    let expected = header.end.as_ref().map(|end| (Some(header.unit.clone()), Some(end.clone())));
    if ended != expected {
        return damaged("the same end in header and last line", "different ones".to_owned());
    }
    Ok(None)
}

/// Where the next readable checkpoint begins, at or after a place.
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
            if let Some((header, bytes)) = read_header(input)?
                && candidate + 8 + u64::from(bytes) + u64::from(header.bytes) <= length
            {
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
        }
    }

    /// A file of three checkpoints, and where each begins.
    fn written(dir: &Path) -> (RawFile, Vec<u64>) {
        let mut writer = RawWriter::new(dir, "run");
        let (mut begins, mut at) = (Vec::new(), 0);
        for unit in ["one", "two", "three"] {
            let header = Header {
                v: RAW_VERSION,
                run_id: "run".to_owned(),
                kind: RawKind::Quality,
                unit: unit.to_owned(),
                requested_us: 1,
                window_us: None,
                end: Some(end()),
                bytes: 0,
            };
            let bytes = encode(header, &[]).expect("zstd");
            begins.push(at);
            at += bytes.len() as u64;
            writer.append(RawKind::Quality, DAY, &bytes).expect("written");
        }
        writer.sync().expect("synced");
        let files = raw_files(dir).expect("listed");
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].meeting_date, "2024-10-04");
        (files[0].clone(), begins)
    }

    fn damaged(change: impl FnOnce(&mut Vec<u8>, &[u64])) -> FileCheck {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, begins) = written(dir.path());
        let mut bytes = fs::read(&file.path).expect("read");
        change(&mut bytes, &begins);
        fs::write(&file.path, bytes).expect("written");
        check_file(&file).expect("readable")
    }

    #[test]
    fn a_whole_file_has_no_problems() {
        assert_eq!(damaged(|_, _| {}), FileCheck { checkpoints: 3, torn: 0, problems: Vec::new() });
    }

    #[test]
    fn a_cut_off_last_record_is_counted_and_is_no_problem() {
        for cut in [1, 5, 30, 200] {
            let check = damaged(|bytes, _| bytes.truncate(bytes.len() - cut));
            assert_eq!((check.checkpoints, check.torn, check.problems.len()), (2, 1, 0), "{cut}");
        }
        for behind in [0, 60, 200] {
            let zeros = damaged(|bytes, begins| bytes[begins[2] as usize + behind..].fill(0));
            assert_eq!((zeros.checkpoints, zeros.torn, zeros.problems.len()), (2, 1, 0), "{behind}");
        }
    }

    #[test]
    fn damage_in_the_middle_is_a_problem_and_the_rest_is_read() {
        let magic = damaged(|bytes, begins| bytes[begins[1] as usize] ^= 1);
        assert_eq!((magic.checkpoints, magic.torn, magic.problems.len()), (2, 0, 1), "{magic:?}");
        let frame = damaged(|bytes, begins| bytes[begins[2] as usize - 3] ^= 0x10);
        assert_eq!((frame.checkpoints, frame.torn, frame.problems.len()), (2, 0, 1), "{frame:?}");
        assert!(frame.problems[0].expected.contains("about two"), "{frame:?}");
        let last = damaged(|bytes, _| *bytes.last_mut().expect("bytes") ^= 0x10);
        assert_eq!((last.checkpoints, last.problems.len()), (2, 1), "whole by its length, wrong by its checksum");
    }

    #[test]
    fn every_flipped_byte_of_a_middle_frame_or_its_magic_is_found() {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, begins) = written(dir.path());
        let whole = fs::read(&file.path).expect("read");
        let mut unseen = 0;
        for at in begins[1]..begins[2] {
            let mut bytes = whole.clone();
            bytes[at as usize] ^= 0x04;
            fs::write(&file.path, bytes).expect("written");
            unseen += u64::from(check_file(&file).expect("readable").problems.is_empty());
        }
        // What no checksum covers and the last line does not repeat: the run and the time in the header.
        assert!(unseen < 40, "{unseen} of {} flips went unseen", begins[2] - begins[1]);
    }
}
