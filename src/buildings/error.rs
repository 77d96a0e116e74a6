//! Errors of a building file.

use std::fmt;
use std::path::PathBuf;

use super::network::NetworkError;
use crate::text::on_one_line;

/// Further invalid lines are only counted.
pub(crate) const MAX_SHOWN_LINES: usize = 20;

/// Longer cells are truncated.
const MAX_SHOWN_CHARS: usize = 60;

/// Maximum size of a building file: about 500,000 lines.
pub(crate) const MAX_FILE_MIB: u64 = 64;

/// Why a building file was rejected. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildingsError {
    #[error("could not read the building file {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is larger than {MAX_FILE_MIB} MiB, the maximum for a building file", path.display())]
    TooLarge { path: PathBuf },
    /// Another encoding, or not text.
    #[error(
        "{} is neither UTF-8 nor UTF-16{}: the first invalid text is on line {line}", path.display(), gbk_note(*is_gbk)
    )]
    Encoding { path: PathBuf, line: u64, is_gbk: bool },
    #[error("{} is UTF-16 (big-endian) without a byte order mark", path.display())]
    NoByteOrderMark { path: PathBuf },
    #[error("{} is an Excel workbook, not a CSV file", path.display())]
    Workbook { path: PathBuf },
    #[error("{}: the quote that opens on line {line} is never closed", path.display())]
    OpenQuote { path: PathBuf, line: u64 },
    #[error("{} contains no networks", path.display())]
    Empty { path: PathBuf },
    #[error("the heading of {} has the unknown column {}", path.display(), quoted(name))]
    UnknownColumn { path: PathBuf, name: String, known: Vec<&'static str> },
    #[error("the heading of {} has the column {name} twice", path.display())]
    RepeatedColumn { path: PathBuf, name: &'static str },
    #[error("the heading of {} lacks the column {name}", path.display())]
    MissingColumn { path: PathBuf, name: &'static str },
    #[error("no building file has been imported: {} does not exist", path.display())]
    NoneImported { path: PathBuf },
    /// The file of the store was modified from outside.
    #[error("the building file of the store is invalid: {}", path.display())]
    Stored { path: PathBuf, source: Box<BuildingsError> },
    #[error("{} has {}:{}", path.display(), line_count(*count), line_list(first, *count))]
    InvalidLines {
        path: PathBuf,
        count: usize,
        /// At most [`MAX_SHOWN_LINES`].
        first: Vec<InvalidLine>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidLine {
    pub line: u64,
    /// The column and its text; `None` if the error concerns the complete line.
    pub cell: Option<(&'static str, String)>,
    pub error: LineError,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("must not be empty")]
    Missing,
    #[error("must be 0 or 1")]
    Flag,
    #[error("must be a date like 2026-11-01")]
    Date,
    /// Day or month may come first.
    #[error("is ambiguous; write {first} or {second}")]
    AmbiguousDate { first: String, second: String },
    #[error("does not begin with the year; write {date}")]
    YearLast { date: String },
    #[error("has no valid dates: it ends on {until} and begins on {from}")]
    NoDays { from: String, until: String },
    #[error("has {found}, expected {expected}")]
    Columns { found: String, expected: &'static str },
    #[error("has {found}, the heading has {expected}")]
    UnlikeHeading { found: String, expected: usize },
    /// Another line has the same network and overlapping dates, but other values.
    #[error("{network} is also on line {line} with overlapping dates and other values")]
    Conflict { network: String, line: u64 },
}

impl fmt::Display for InvalidLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cell {
            Some((column, text)) => write!(f, "line {}, {column} {}: {}", self.line, quoted(text), self.error),
            None => write!(f, "line {}: {}", self.line, self.error),
        }
    }
}

fn gbk_note(is_gbk: bool) -> &'static str {
    if is_gbk { ", but probably GBK" } else { "" }
}

fn line_count(count: usize) -> String {
    format!("{count} invalid line{}", if count == 1 { "" } else { "s" })
}

fn line_list(first: &[InvalidLine], count: usize) -> String {
    let lines: String = first.iter().map(|line| format!("\n{line}")).collect();
    let more = count - first.len().min(count);
    if more > 0 { format!("{lines}\nand {more} more") } else { lines }
}

/// A text of the file in quotes, on one line and truncated.
fn quoted(text: &str) -> String {
    let shown = on_one_line(text);
    match shown.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("\"{}...\"", &shown[..end]),
        None => format!("\"{shown}\""),
    }
}
