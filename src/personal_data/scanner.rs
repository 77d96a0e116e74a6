//! The tokens of a JSON text, one after another, without recursion.
//!
//! The text must be JSON (`serde_json` has read it): the scanner finds ends and checks nothing. For other texts its
//! result is unspecified, but it always ends.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use crate::schema::Raw;
use crate::text::readable;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Open { is_array: bool },
    Close,
    Key,
    Scalar,
}

#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether each open container is an array.
    open: Vec<bool>,
    is_key_next: bool,
}

impl<'a> Scanner<'a> {
    /// Starts at a value.
    pub(super) fn new(text: &'a str, at: usize) -> Scanner<'a> {
        Scanner { text, at, open: Vec::new(), is_key_next: false }
    }

    /// The number of containers around the next token.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next token and where it is; `None` at the end of the text.
    pub(super) fn next(&mut self) -> Option<(Mark, Range<usize>)> {
        let bytes = self.text.as_bytes();
        loop {
            let start = self.at;
            let mark = match *bytes.get(start)? {
                b'{' | b'[' => {
                    let is_array = bytes[start] == b'[';
                    self.open.push(is_array);
                    self.is_key_next = !is_array;
                    self.at += 1;
                    Mark::Open { is_array }
                }
                b'}' | b']' => {
                    self.open.pop();
                    self.is_key_next = false;
                    self.at += 1;
                    Mark::Close
                }
                b'"' => {
                    self.at = end_of_string(bytes, start);
                    if std::mem::take(&mut self.is_key_next) { Mark::Key } else { Mark::Scalar }
                }
                byte => {
                    self.at += 1;
                    if byte == b',' {
                        self.is_key_next = self.open.last() == Some(&false);
                    }
                    if matches!(byte, b',' | b':' | b' ' | b'\n' | b'\r' | b'\t') {
                        continue;
                    }
                    let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
                    self.at += bytes[self.at..].iter().position(is_end).unwrap_or(bytes.len() - self.at);
                    Mark::Scalar
                }
            };
            return Some((mark, start..self.at));
        }
    }
}

/// The position after the string that starts at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(next) = bytes.get(end..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        end += next;
        if bytes[end] == b'"' {
            return end + 1;
        }
        end += 2;
    }
    bytes.len()
}

/// The text of a key, unescaped; half a surrogate pair becomes U+FFFD.
pub(super) fn key_text(key: &str) -> Cow<'_, str> {
    match key.get(1..key.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => Cow::Owned(serde_json::from_str(&readable(key)).unwrap_or_default()),
    }
}

/// A scalar as `transform` reads it.
pub(super) fn value(scalar: &str) -> Value {
    serde_json::from_str(scalar).or_else(|_| serde_json::from_str(&readable(scalar))).unwrap_or_default()
}

/// The text of a scalar in a column.
pub(super) fn scalar_text(scalar: &str) -> Cow<'_, str> {
    match scalar.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => Cow::Owned(Raw::of(Some(&value(scalar))).text().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_come_in_order_with_their_range() {
        let text = r#" {"a" : [1, "b\"]" , null], "\\":{}} "#;
        let mut scanner = Scanner::new(text, 0);
        let mut found = Vec::new();
        while let Some((mark, range)) = scanner.next() {
            found.push((mark, &text[range]));
        }
        let (object, array) = (Mark::Open { is_array: false }, Mark::Open { is_array: true });
        assert_eq!(
            found,
            [
                (object, "{"),
                (Mark::Key, "\"a\""),
                (array, "["),
                (Mark::Scalar, "1"),
                (Mark::Scalar, r#""b\"]""#),
                (Mark::Scalar, "null"),
                (Mark::Close, "]"),
                (Mark::Key, r#""\\""#),
                (object, "{"),
                (Mark::Close, "}"),
                (Mark::Close, "}"),
            ]
        );
        assert_eq!((scanner.depth(), key_text(r#""\u0061""#)), (0, "a".into()));
        assert_eq!(
            (scalar_text("1e400"), scalar_text("7"), scalar_text(r#""\ud800""#)),
            ("1e400".into(), "7".into(), "\u{fffd}".into())
        );
    }

    proptest! {
        #[test]
        fn every_text_ends(text in "[\\PC\"\\\\{}\\[\\],: ]{0,40}") {
            let mut scanner = Scanner::new(&text, 0);
            let mut last = 0;
            while let Some((_, range)) = scanner.next() {
                prop_assert!(range.end > last && range.end <= text.len());
                last = range.end;
            }
        }
    }
}
