//! Reads the pages of one walk after another into one reused buffer, without copying a response.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use memchr::memchr;

use super::checkpoint::decompress;
use super::error::RawError;
use super::read::{FrameRef, RawDate, WalkRef};

/// What it returns borrows its buffer and is valid until the next walk is read.
#[derive(Default)]
pub(crate) struct PageReader {
    files: HashMap<PathBuf, File>,
    frame: Vec<u8>,
    /// The lines of the walk's checkpoints; bytes after `used` are stale.
    lines: Vec<u8>,
    used: usize,
    responses: Vec<Range<usize>>,
}

/// A kind and date rarely has more files.
const MAX_OPEN_FILES: usize = 64;

impl PageReader {
    /// The response bodies of a walk in order, as they were sent. The caller's parser detects incomplete JSON.
    pub(crate) fn bodies<'a>(&'a mut self, date: &RawDate, walk: &WalkRef) -> Result<Vec<&'a [u8]>, RawError> {
        self.used = 0;
        self.responses.clear();
        for frame in &walk.frames {
            let mut at = self.used;
            self.append_lines(date, frame)?;
            while at < self.used {
                let rest = &self.lines[at..self.used];
                let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
                if let Some(response) = find_response(line) {
                    self.responses.push(at + response.start..at + response.end);
                }
                at += line.len() + 1;
            }
        }
        Ok(self.responses.iter().map(|response| &self.lines[response.clone()]).collect())
    }

    fn append_lines(&mut self, date: &RawDate, frame: &FrameRef) -> Result<(), RawError> {
        let path = date.path(frame);
        let failed = || RawError::io("cannot read", path);
        if self.files.len() >= MAX_OPEN_FILES && !self.files.contains_key(path) {
            self.files.clear();
        }
        let file = match self.files.get_mut(path) {
            Some(file) => file,
            None => self.files.entry(path.to_owned()).or_insert(File::open(path).map_err(failed())?),
        };
        self.frame.resize(frame.bytes as usize, 0);
        file.seek(SeekFrom::Start(frame.offset)).and_then(|_| file.read_exact(&mut self.frame)).map_err(failed())?;
        self.used =
            decompress(&self.frame, &mut self.lines, self.used).map_err(|error| date.decompress_error(frame, error))?;
        Ok(())
    }
}

/// Where the response is in the line of a page. It is the last member; the parser of the response detects anything
/// wrong behind it or in it.
fn find_response(line: &[u8]) -> Option<Range<usize>> {
    const BEGIN: &[u8] = b"{\"record\":\"page\"";
    const KEY: &[u8] = b"\"response\":";
    let mut at = line.starts_with(BEGIN).then_some(BEGIN.len())?;
    let end = line.len().checked_sub(1).filter(|end| line[*end] == b'}')?;
    let mut depth = 1;
    while at < end {
        match line[at] {
            b'"' if depth == 1 && line[at..].starts_with(KEY) => return Some(at + KEY.len()..end),
            b'"' => {
                at += 1;
                while at < end && line[at] != b'"' {
                    at += if line[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<&str> {
        find_response(line.as_bytes()).map(|range| &line[range])
    }

    #[test]
    fn the_response_is_the_last_member_and_nothing_that_looks_like_it() {
        let line = r#"{"record":"page","request":{"response":"no","a":[1,{"b":"\"}"}]},"log_id":"\"response\":\\","response":{"code":0}}"#;
        assert_eq!(found(line), Some(r#"{"code":0}"#));
        assert_eq!(found(r#"{"record":"page","response_text":"oops"}"#), None);
        assert_eq!(found(r#"{"record":"walk","unit":"x","response":{}}"#), None);
        for broken in ["", "{", "{}", r#"{"record":"page","#, r#"{"record":"page","request":"\"#] {
            assert_eq!(found(broken), None, "{broken}");
        }
    }
}
