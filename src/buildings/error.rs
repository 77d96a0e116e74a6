//! What is wrong with a building file.

use std::fmt;
use std::path::PathBuf;

use super::NetworkFlaw;
use crate::text::on_one_line;

/// Bad lines that are shown; the rest is counted.
pub(crate) const SHOWN_LINES: usize = 20;

/// Characters of a cell that are shown.
const SHOWN_CHARS: usize = 60;

/// The largest building file that is read, MiB: some five hundred thousand lines.
pub(crate) const LARGEST_MIB: u64 = 64;

/// Why a building file was not taken. Nothing of it is kept then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildingsError {
    /// It can't be read.
    #[error("could not read the building file {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// It is too large to be one.
    #[error("{} is larger than {LARGEST_MIB} MiB, which no building file is", path.display())]
    TooLarge { path: PathBuf },
    /// It is in an encoding that nothing in the file names, or no text at all.
    #[error("{} is neither UTF-8 nor UTF-16: line {line} is the first that shows it", path.display())]
    Encoding {
        path: PathBuf,
        /// From 1.
        line: u64,
    },
    /// A quoted cell goes on to the end.
    #[error("{}: the quote that opens on line {line} is never closed", path.display())]
    OpenQuote {
        path: PathBuf,
        /// From 1.
        line: u64,
    },
    /// There is no row in it.
    #[error("{} holds no networks", path.display())]
    Empty { path: PathBuf },
    /// The heading names what is no column.
    #[error("{} has no heading that is known: {} is no column", path.display(), quoted(name))]
    UnknownColumn {
        path: PathBuf,
        /// As it stands there.
        name: String,
        /// The columns that there are.
        known: Vec<&'static str>,
    },
    /// The heading names a column twice.
    #[error("the heading of {} has the column {name} twice", path.display())]
    RepeatedColumn { path: PathBuf, name: &'static str },
    /// The heading lacks a column without which a row says nothing.
    #[error("the heading of {} lacks the column {name}", path.display())]
    MissingColumn { path: PathBuf, name: &'static str },
    /// Nothing was imported yet.
    #[error("no building file has been imported: there is no {}", path.display())]
    NoneImported {
        /// Where it would be.
        path: PathBuf,
    },
    /// The store's own file can't be used: somebody changed it.
    #[error("the building file of the store can't be used: {}", path.display())]
    Stored {
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<BuildingsError>,
    },
    /// Some of its lines are wrong.
    #[error("{} has {} that can't be taken:{}", path.display(), lines_of(*count), listed(first, *count))]
    BadLines {
        path: PathBuf,
        count: usize,
        /// The first of them, [`SHOWN_LINES`] at most.
        first: Vec<BadLine>,
    },
}

/// A line that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// From 1.
    pub line: u64,
    /// The column, as the file's form names it, and its text; `None` where it is about the whole line.
    pub cell: Option<(&'static str, String)>,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error(transparent)]
    Network(#[from] NetworkFlaw),
    /// A cell that must not be empty.
    #[error("must not be empty")]
    Missing,
    #[error("is neither 0 nor 1")]
    Flag,
    #[error("is no date like 2026-11-01")]
    Date,
    /// It holds on no day.
    #[error("holds on no day: it ends on {until}, and begins on {from}")]
    NoDays {
        from: String,
        /// The first day after.
        until: String,
    },
    /// Too few or too many columns.
    #[error("has {found} where {wanted} are expected")]
    Columns {
        /// How many there are, in words.
        found: String,
        /// How many there should be.
        wanted: &'static str,
    },
    /// Columns of the heading and of the line differ in number.
    #[error("has {found} where the heading has {wanted}")]
    UnlikeHeading {
        /// How many there are, in words.
        found: String,
        /// How many the heading has.
        wanted: usize,
    },
    /// The same network elsewhere, for overlapping days, and not the same said of it.
    #[error("{network} is on line {line} too, for days that overlap, with something else said of it")]
    Conflict {
        /// The network, and the egress where there is one.
        network: String,
        /// The other line, from 1.
        line: u64,
    },
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cell {
            Some((column, text)) => write!(f, "line {}, {column} {}: {}", self.line, quoted(text), self.flaw),
            None => write!(f, "line {}: {}", self.line, self.flaw),
        }
    }
}

fn lines_of(count: usize) -> String {
    format!("{count} line{}", if count == 1 { "" } else { "s" })
}

fn listed(first: &[BadLine], count: usize) -> String {
    let lines: String = first.iter().map(|line| format!("\n{line}")).collect();
    let more = count - first.len().min(count);
    if more > 0 { format!("{lines}\nand {more} more") } else { lines }
}

/// A text of the file as it can be shown: on one line, and not all of it.
fn quoted(text: &str) -> String {
    let shown = on_one_line(text);
    match shown.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("\"{}...\"", &shown[..end]),
        None => format!("\"{shown}\""),
    }
}
