//! Contract 2: from the vendor's text to a value, one parser for each kind.
//!
//! Every parser takes a [`Raw`] leaf and gives a value, `None` (missing: NULL without a reject) or a [`Reason`].
//! The common forms are plain ASCII and take no allocation; only text with full-width forms is folded first.

mod number;
mod text;
mod time;

use std::borrow::Cow;

use super::Raw;

pub use number::{count, flag, height_px, measure, seconds};
pub use text::{id, text};
pub use time::{clock, offset_min};

/// Why a value or a row could not be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Not of the column's kind.
    Unparsable,
    /// A number, followed by a unit that we don't know for this kind.
    UnknownUnit,
    /// Of the kind, but impossible.
    OutOfRange,
    /// A row without any time.
    NoTime,
    /// A row whose time another, later row of the same participant has too.
    DuplicateSample,
}

impl Reason {
    pub const ALL: &'static [Reason] =
        &[Reason::Unparsable, Reason::UnknownUnit, Reason::OutOfRange, Reason::NoTime, Reason::DuplicateSample];

    /// The word in `rejects.reason`.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Unparsable => "unparsable",
            Reason::UnknownUnit => "unknown_unit",
            Reason::OutOfRange => "out_of_range",
            Reason::NoTime => "no_time",
            Reason::DuplicateSample => "duplicate_sample",
        }
    }
}

/// What stands for "missing" in metrics, times, durations, flags and counts, in lower case.
pub const MISSING_WORDS: &[&str] = &[
    "",
    "-",
    "--",
    "\u{2013}",
    "\u{2014}",
    "\u{2013}\u{2013}",
    "\u{2014}\u{2014}",
    "n/a",
    "na",
    "null",
    "none",
    "unknown",
];

/// True where trimmed, folded text means "missing".
fn is_missing(folded: &str) -> bool {
    match folded.as_bytes().first() {
        None => true,
        // The common case, a value, is decided by its first byte.
        Some(first) if first.is_ascii_digit() => false,
        Some(_) => MISSING_WORDS.iter().any(|word| folded.eq_ignore_ascii_case(word)),
    }
}

/// Trims, and folds full-width forms and typographic variants to ASCII. Borrows where nothing is to fold.
fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text.trim_ascii());
    }
    let folded: String = text
        .chars()
        .map(|c| match c {
            // The full-width block is ASCII, shifted.
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '\u{2212}' | '\u{FE63}' => '-',
            '\u{00D7}' => 'x',
            '\u{00B5}' | '\u{03BC}' => 'u',
            '\u{FE6A}' => '%',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .collect();
    Cow::Owned(folded.trim().to_owned())
}

/// Runs `parser` on folded text; missing text is `None`.
fn on_text<T>(text: &str, parser: impl FnOnce(&str) -> Result<T, Reason>) -> Result<Option<T>, Reason> {
    let folded = fold(text);
    if is_missing(&folded) { Ok(None) } else { parser(&folded).map(Some) }
}

/// Runs `parser` on a text leaf, and on a number as if it had been sent as text.
fn on_leaf<T>(raw: &Raw<'_>, parser: impl FnOnce(&str) -> Result<T, Reason>) -> Result<Option<T>, Reason> {
    match raw {
        Raw::Absent => Ok(None),
        Raw::Text(text) => on_text(text, parser),
        Raw::Integer(_) | Raw::Unsigned(_) | Raw::Float(_) => parser(&raw.text()).map(Some),
        Raw::Bool(_) | Raw::Nested(_) => Err(Reason::Unparsable),
    }
}

#[cfg(test)]
mod table_tests;
