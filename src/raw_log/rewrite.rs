//! Rewrites raw files: every checkpoint is decoded, offered to the caller, and encoded again if the caller changed it.
//!
//! Promises: the new file has the same checkpoints in the same order, and those that were not changed have the same
//! bytes; a truncated end is left out, as every reader leaves it out. The original is not touched. Leaves out what is
//! changed, and how the new file gets into place.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Deserialize;

use super::checkpoint::{decompress, encode, open_buffered, read_header, was_not_written};
use super::error::RawError;
use super::layout::{date_folder, list_files};
use super::record::{Header, PageRecord, RawKind};
use crate::files;

/// A checkpoint that is being rewritten.
#[derive(Debug)]
pub(crate) struct DecodedCheckpoint {
    pub header: Header,
    pub pages: Vec<PageRecord>,
}

/// Changes checkpoints. `meeting_date` is that of their directory.
pub(crate) trait Rewrite: Sync {
    /// Whether the pages are needed to decide: if not, the checkpoint stays as it is and is not decompressed.
    fn reads(&self, header: &Header, meeting_date: i32) -> bool;
    /// Changes a checkpoint. Returns whether it did.
    fn change(&self, checkpoint: &mut DecodedCheckpoint, meeting_date: i32) -> bool;
}

/// A raw file that is being rewritten.
#[derive(Debug)]
pub(crate) struct RewrittenFile<'a> {
    pub from: &'a Path,
    pub to: &'a Path,
    pub meeting_date: i32,
}

/// Writes the rewritten file, flushed to disk. Returns false, and writes none, if nothing changed.
pub(crate) fn rewrite_file(file: &RewrittenFile<'_>, rewrite: &dyn Rewrite) -> Result<bool, RawError> {
    let RewrittenFile { from, to, meeting_date } = *file;
    let read = |error| RawError::io("cannot read", from)(error);
    let mut input = open_buffered(from).map_err(read)?;
    let length = input.get_ref().metadata().map_err(read)?.len();
    let mut output: Option<BufWriter<File>> = None;
    let (mut offset, mut frame, mut lines) = (0, Vec::new(), Vec::new());
    while offset < length {
        let next = read_header(&mut input, offset).map_err(read)?.filter(|(_, frame)| frame.end <= length);
        let Some((header, range)) = next else { break };
        frame.resize(header.bytes as usize, 0);
        input.read_exact(&mut frame).map_err(read)?;
        if range.end == length && was_not_written(&frame) && decompress(&frame, &mut Vec::new(), 0).is_err() {
            break;
        }
        let mut changed = None;
        if rewrite.reads(&header, meeting_date) {
            let damaged = |source| RawError::Damaged { path: from.to_owned(), offset, source };
            let used = decompress(&frame, &mut lines, 0).map_err(|error| damaged(error.into()))?;
            let mut checkpoint =
                DecodedCheckpoint { header, pages: pages(&lines[..used]).map_err(|e| damaged(e.into()))? };
            if rewrite.change(&mut checkpoint, meeting_date) {
                let DecodedCheckpoint { header, pages } = checkpoint;
                changed = Some(encode(header, &pages).map_err(RawError::io("cannot compress for", from))?);
            }
        }
        let write = |error| RawError::io("cannot write", to)(error);
        match (&mut output, changed) {
            (None, None) => {}
            (Some(output), Some(bytes)) => output.write_all(&bytes).map_err(write)?,
            (Some(output), None) => copy_range(from, offset..range.end, output).map_err(write)?,
            (None, Some(bytes)) => {
                let mut begun = begin(to).map_err(write)?;
                copy_range(from, 0..offset, &mut begun).and_then(|()| begun.write_all(&bytes)).map_err(write)?;
                output = Some(begun);
            }
        }
        offset = range.end;
    }
    let Some(mut output) = output else { return Ok(false) };
    output.flush().and_then(|()| output.get_ref().sync_all()).map_err(RawError::io("cannot write", to))?;
    Ok(true)
}

/// Renames the rewritten files of a kind and date, in `new_dir`, over the originals. What was renamed before is left
/// out, so that an interrupted call can be repeated.
pub(crate) fn put_in_place(new_dir: &Path, raw_dir: &Path, kind: RawKind, meeting_date: i32) -> Result<(), RawError> {
    let files = list_files(new_dir, kind, meeting_date)?;
    if files.is_empty() {
        return Ok(());
    }
    let folder = date_folder(raw_dir, kind, meeting_date);
    for new in files {
        let path = folder.join(new.file_name().unwrap_or_default());
        fs::rename(&new, &path).map_err(RawError::io("cannot write", &path))?;
    }
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(RawError::io("cannot write", &folder))
}

/// Removes the files of a kind and date.
pub(crate) fn remove_date(raw_dir: &Path, kind: RawKind, meeting_date: i32) -> Result<(), RawError> {
    let folder = date_folder(raw_dir, kind, meeting_date);
    for path in list_files(raw_dir, kind, meeting_date)? {
        fs::remove_file(&path).map_err(RawError::io("cannot remove a file of", &path))?;
    }
    match fs::remove_dir(&folder) {
        // Other files in it are not ours.
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
            Err(RawError::io("cannot remove a directory of", &folder)(error))
        }
        _ => Ok(()),
    }
}

fn begin(to: &Path) -> io::Result<BufWriter<File>> {
    to.parent().map_or(Ok(()), files::create_folders)?;
    Ok(BufWriter::with_capacity(1 << 20, files::create(to)?))
}

fn copy_range(from: &Path, range: std::ops::Range<u64>, output: &mut impl Write) -> io::Result<()> {
    let mut input = File::open(from)?;
    input.seek(SeekFrom::Start(range.start))?;
    io::copy(&mut input.take(range.end - range.start), output).map(drop)
}

/// The record of a line. The end of a walk is in the header too.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    record: &'a str,
}

fn pages(lines: &[u8]) -> serde_json::Result<Vec<PageRecord>> {
    let mut pages = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if serde_json::from_slice::<Kind<'_>>(line)?.record != "walk" {
            pages.push(serde_json::from_slice(line)?);
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::raw_log::{RAW_VERSION, RawDate, RawWriter, WalkEnd};
    use crate::schema::Status;

    const DAY: i32 = 20_000;

    /// Replaces a text everywhere.
    struct Replace(&'static str, &'static str);

    impl Rewrite for Replace {
        fn reads(&self, header: &Header, _: i32) -> bool {
            header.kind != RawKind::Quality || header.unit.contains(self.0)
        }

        fn change(&self, checkpoint: &mut DecodedCheckpoint, _: i32) -> bool {
            let DecodedCheckpoint { header, pages } = checkpoint;
            let unit = header.unit.replace(self.0, self.1);
            let mut changed = unit != header.unit;
            header.unit = unit;
            for page in pages {
                let body = page.response.as_ref().map(|body| body.get().to_owned()).unwrap_or_default();
                let replaced = body.replace(self.0, self.1);
                changed |= replaced != body;
                (page.response, page.response_text) = PageRecord::body(replaced.as_bytes());
            }
            changed
        }
    }

    fn page(body: &str) -> PageRecord {
        let (response, response_text) = PageRecord::body(body.as_bytes());
        PageRecord {
            record: "page".into(),
            endpoint: "participant_list".into(),
            request: serde_json::from_str(r#"{"page_size":"100","meeting_no":"1"}"#).expect("JSON"),
            requested_utc: "2026-11-01T00:00:00Z".to_owned(),
            elapsed_ms: 5,
            http_status: 200,
            log_id: None,
            response,
            response_text,
        }
    }

    fn write(folder: &Path, kind: RawKind, units: &[(String, Vec<String>)]) -> PathBuf {
        let mut writer = RawWriter::new(folder, "run");
        for (at, (unit, bodies)) in units.iter().enumerate() {
            let header = Header {
                v: RAW_VERSION,
                run_id: "run".to_owned(),
                kind,
                unit: unit.clone(),
                requested_us: at as i64,
                window_us: None,
                known: Vec::new(),
                end: Some(WalkEnd { whole: true, ..WalkEnd::new(Status::Complete, "read".to_owned(), Some(0), None) }),
                bytes: 0,
            };
            let pages: Vec<PageRecord> = bodies.iter().map(|body| page(body)).collect();
            writer.append(kind, DAY, &encode(header, &pages).expect("zstd")).expect("written");
        }
        writer.sync().expect("synced");
        crate::raw_log::list_files(folder, kind, DAY).expect("listed").pop().unwrap_or_default()
    }

    fn rewritten(from: &Path, to: &Path, rewrite: &Replace) -> Result<bool, RawError> {
        rewrite_file(&RewrittenFile { from, to, meeting_date: DAY }, rewrite)
    }

    fn units(names: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
        names.iter().map(|(unit, body)| ((*unit).to_owned(), vec![(*body).to_owned()])).collect()
    }

    #[test]
    fn only_checkpoints_that_change_get_other_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let units = units(&[("a", r#"{"x":1}"#), ("ou_1", r#"{"x":"ou_1"}"#), ("c", "no JSON"), ("d", "{}")]);
        let path = write(folder.path(), RawKind::Participants, &units);
        let to = folder.path().join("new/deep/file");
        assert!(rewritten(&path, &to, &Replace("ou_1", "p-ff")).expect("rewritten"));
        let (before, after) = (fs::read(&path).expect("read"), fs::read(&to).expect("read"));
        let first = before.len() - after.len().min(before.len());
        assert!(first < before.len() && !after.is_empty());
        fs::rename(&to, &path).expect("renamed");
        let date = RawDate::open(folder.path(), RawKind::Participants, DAY).expect("indexed");
        let names: Vec<&str> = date.units().map(|(unit, _)| unit).collect();
        assert_eq!(names, ["a", "c", "d", "p-ff"]);
        let bodies = date.pages(&date.walks("p-ff")[0]).expect("read");
        assert_eq!(bodies[0].response.get(), r#"{"x":"p-ff"}"#);
        assert_eq!(bodies[0].request.keys().collect::<Vec<_>>(), ["page_size", "meeting_no"], "the order stays");
        let a = date.walks("a")[0].clone();
        assert!(a.end.is_some_and(|end| end.whole));
        assert!(!rewritten(&path, &to, &Replace("ou_1", "p-ff")).expect("read"), "again it changes nothing");
        assert!(!to.exists());
    }

    #[test]
    fn a_truncated_last_record_is_left_out_and_the_rest_is_rewritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let units = units(&[("ou_1", "{}"), ("b", r#"{"x":"ou_1"}"#), ("c", r#"{"x":"ou_1"}"#)]);
        let path = write(folder.path(), RawKind::Participants, &units);
        let whole = fs::read(&path).expect("read");
        let to = folder.path().join("new");
        for cut in [1, 40, 150] {
            fs::write(&path, &whole[..whole.len() - cut]).expect("written");
            assert!(rewritten(&path, &to, &Replace("ou_1", "p-ff")).expect("rewritten"), "{cut}");
            let file = crate::raw_log::RawFile {
                path: to.clone(),
                kind: RawKind::Participants,
                meeting_date: "2024-10-04".to_owned(),
            };
            let check = crate::raw_log::check_file(&file, None).expect("read");
            assert_eq!((check.checkpoints, check.truncated, check.problems.len()), (2, 0, 0), "{cut}");
        }
        let zeros = [&whole[..whole.len() - 20], &[0; 20]].concat();
        fs::write(&path, zeros).expect("written");
        assert!(rewritten(&path, &to, &Replace("ou_1", "p-ff")).expect("a frame that was not written"));
    }

    #[test]
    fn a_damaged_record_is_an_error_and_leaves_the_file_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = write(folder.path(), RawKind::Participants, &units(&[("a", "{}"), ("b", "{}")]));
        let mut bytes = fs::read(&path).expect("read");
        *bytes.last_mut().expect("bytes") ^= 0x10;
        fs::write(&path, &bytes).expect("written");
        let error = rewritten(&path, &folder.path().join("new"), &Replace("x", "y")).expect_err("damaged");
        assert!(matches!(error, RawError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(&path).expect("read"), bytes);
    }

    #[test]
    fn what_is_not_read_is_copied_also_from_a_large_file() {
        let folder = tempfile::tempdir().expect("a folder");
        // Incompressible, several megabytes.
        let noise: String = (0..200_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
        let mut all = units(&[("ou_1/1", "{}")]);
        all.extend((0..3).map(|n| (format!("big{n}"), vec![format!(r#"{{"x":"{noise}"}}"#)])));
        let path = write(folder.path(), RawKind::Quality, &all);
        let to = folder.path().join("new");
        assert!(rewritten(&path, &to, &Replace("ou_1", "p-ff")).expect("rewritten"));
        let (before, after) = (fs::read(&path).expect("read"), fs::read(&to).expect("read"));
        assert!(before.len() > 4 << 20);
        assert_eq!(before[before.len() - (4 << 20)..], after[after.len() - (4 << 20)..]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn rewriting_keeps_every_unit_and_is_idempotent(
            bodies in proptest::collection::vec(("[a-c]{1,2}(ou_1)?", proptest::collection::vec("[a-z0-9 ]{0,8}(ou_1)?", 0..3)), 1..6),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let all: Vec<(String, Vec<String>)> = bodies
                .iter()
                .map(|(unit, texts)| (unit.clone(), texts.iter().map(|text| format!(r#"{{"x":"{text}"}}"#)).collect()))
                .collect();
            let path = write(folder.path(), RawKind::Participants, &all);
            let to = folder.path().join("new");
            let has = all.iter().any(|(unit, texts)| unit.contains("ou_1") || texts.iter().any(|text| text.contains("ou_1")));
            prop_assert_eq!(rewritten(&path, &to, &Replace("ou_1", "p-ff")).expect("rewritten"), has);
            if has {
                fs::rename(&to, &path).expect("renamed");
                prop_assert!(!rewritten(&path, &to, &Replace("ou_1", "p-ff")).expect("read"));
            }
            let date = RawDate::open(folder.path(), RawKind::Participants, DAY).expect("indexed");
            prop_assert_eq!(date.units().map(|(_, walks)| walks.len()).sum::<usize>(), all.len());
        }
    }
}
