//! What all parsers share: reasons, missing values, and the folding of full-width and typographic characters; and the
//! parsers of text and IDs, which are kept as sent.

use std::borrow::Cow;

use crate::schema::Raw;
use crate::schema::named::named;

/// Why a value or a row could not be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    Unparsable,
    /// A number followed by a unit that is unknown for this kind.
    UnknownUnit,
    /// Of the right kind, but impossible.
    OutOfRange,
    /// A row without any time.
    NoTime,
    /// A row with the same time as a later row of the same participant.
    DuplicateSample,
}

named!(Reason {
    Unparsable "unparsable"
    UnknownUnit "unknown_unit"
    OutOfRange "out_of_range"
    NoTime "no_time"
    DuplicateSample "duplicate_sample"
});

/// Texts that mean "missing" in metrics, times, durations, flags and counts, in lower case.
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

fn is_missing(folded: &str) -> bool {
    match folded.as_bytes().first() {
        None => true,
        // Most values start with a digit.
        Some(first) if first.is_ascii_digit() => false,
        Some(_) => MISSING_WORDS.iter().any(|word| folded.eq_ignore_ascii_case(word)),
    }
}

/// Trims, and converts full-width forms and typographic variants to ASCII.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text.trim_ascii());
    }
    let folded: String = text
        .chars()
        .map(|c| match c {
            // The full-width block is ASCII with an offset.
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

/// Runs `parser` on a text, or on the digits of a number.
pub(super) fn on_value<T>(raw: &Raw<'_>, parser: impl FnOnce(&str) -> Result<T, Reason>) -> Result<Option<T>, Reason> {
    match raw {
        Raw::Absent => Ok(None),
        Raw::Text(text) => {
            let folded = fold(text);
            if is_missing(&folded) { Ok(None) } else { parser(&folded).map(Some) }
        }
        Raw::Integer(_) | Raw::Unsigned(_) | Raw::Float(_) => parser(&raw.text()).map(Some),
        Raw::Bool(_) | Raw::Nested(_) => Err(Reason::Unparsable),
    }
}

/// Only absent, null, empty and blank text is missing: "None" is a valid topic.
pub fn text<'a>(raw: &Raw<'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    match raw {
        Raw::Nested(_) => Err(Reason::Unparsable),
        other => {
            let text = other.text();
            Ok(if text.trim().is_empty() { None } else { Some(text) })
        }
    }
}

/// Like text, but `-` is missing too.
pub fn id<'a>(raw: &Raw<'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    Ok(text(raw)?.filter(|id| id.trim() != "-"))
}
