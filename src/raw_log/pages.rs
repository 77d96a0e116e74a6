//! Reading the pages of one walk after the other: one buffer, and no copy of an answer.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use memchr::memchr;

use super::RawError;
use super::frame::unpack;
use super::read::{Place, RawDate, WalkRef, cannot_read, cannot_unpack};

/// Reads walks; what it gives lasts until the next walk.
#[derive(Default)]
pub(crate) struct PageReader {
    /// Files that are open.
    files: HashMap<PathBuf, File>,
    frame: Vec<u8>,
    /// The lines of the walk's checkpoints, and rubbish behind `used`.
    lines: Vec<u8>,
    used: usize,
    responses: Vec<Range<usize>>,
}

/// So many files stay open: those of one kind and date.
const MOST_OPEN_FILES: usize = 64;

impl PageReader {
    /// The answers of a walk, in order, as they were sent. That each is whole and JSON is seen when it is parsed.
    ///
    /// # Errors
    /// [`RawError`], also where the log was changed since it was indexed.
    pub(crate) fn bodies<'a>(&'a mut self, date: &RawDate, walk: &WalkRef) -> Result<Vec<&'a [u8]>, RawError> {
        self.used = 0;
        self.responses.clear();
        for place in walk.places() {
            let begin = self.used;
            self.unpack(date, place)?;
            let mut at = begin;
            while at < self.used {
                let rest = &self.lines[at..self.used];
                let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
                if let Some(response) = response_of(line) {
                    self.responses.push(at + response.start..at + response.end);
                }
                at += line.len() + 1;
            }
        }
        Ok(self.responses.iter().map(|response| &self.lines[response.clone()]).collect())
    }

    /// Adds the lines of a checkpoint.
    fn unpack(&mut self, date: &RawDate, place: &Place) -> Result<(), RawError> {
        let path = date.path(place);
        if self.files.len() >= MOST_OPEN_FILES && !self.files.contains_key(path) {
            self.files.clear();
        }
        let file = match self.files.get_mut(path) {
            Some(file) => file,
            None => self.files.entry(path.to_owned()).or_insert(File::open(path).map_err(cannot_read(path))?),
        };
        self.frame.resize(place.bytes(), 0);
        file.seek(SeekFrom::Start(place.offset()))
            .and_then(|_| file.read_exact(&mut self.frame))
            .map_err(cannot_read(path))?;
        self.used =
            unpack(&self.frame, &mut self.lines, self.used).map_err(|error| cannot_unpack(path, place, error))?;
        Ok(())
    }
}

/// Where the answer stands in the line of a page. It is the last member: what is behind it, and whether it is JSON, is for
/// whoever parses it.
fn response_of(line: &[u8]) -> Option<Range<usize>> {
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
        response_of(line.as_bytes()).map(|range| &line[range])
    }

    #[test]
    fn the_answer_is_the_last_member_and_nothing_that_looks_like_it() {
        let line = r#"{"record":"page","request":{"response":"no","a":[1,{"b":"\"}"}]},"log_id":"\"response\":\\","response":{"code":0}}"#;
        assert_eq!(found(line), Some(r#"{"code":0}"#));
        assert_eq!(found(r#"{"record":"page","response_text":"oops"}"#), None);
        assert_eq!(found(r#"{"record":"walk","unit":"x","response":{}}"#), None);
        for broken in ["", "{", "{}", r#"{"record":"page","#, r#"{"record":"page","request":"\"#] {
            assert_eq!(found(broken), None, "{broken}");
        }
    }
}
