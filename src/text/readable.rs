//! Converts well-formed JSON that serde_json refuses into JSON that it accepts.
//!
//! The grammar allows half a surrogate pair, a number beyond the range of a double, and nesting of any depth. Responses
//! are stored verbatim, so such a value must not make a complete page unreadable: it is replaced by the nearest
//! readable value.

use std::borrow::Cow;

/// Values below this depth become the text of their JSON. serde_json itself stops at 128.
const MAX_DEPTH: usize = 96;

/// Lone surrogates become U+FFFD, a number beyond a double becomes the text of its digits, and a value that is nested
/// too deeply becomes the text of its JSON. The result for text that is not JSON is unspecified.
pub(crate) fn readable(json: &str) -> Cow<'_, str> {
    if serde_json::from_str::<serde_json::Value>(json).is_ok() {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    let bytes = json.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        let end = match bytes[at] {
            b'"' => {
                let end = end_of_string(bytes, at);
                push_string(&mut out, &json[at..end]);
                end
            }
            b'{' | b'[' if depth == MAX_DEPTH => {
                let end = end_of_nested(bytes, at);
                out.push_str(&serde_json::Value::from(&json[at..end]).to_string());
                end
            }
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = at + bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let digits = &json[at..end];
                let is_finite = digits.parse::<f64>().is_ok_and(f64::is_finite);
                let quote = if is_finite { "" } else { "\"" };
                out.extend([quote, digits, quote]);
                end
            }
            byte => {
                match byte {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                // JSON is ASCII outside its strings; anything else is copied.
                let end = at + json[at..].chars().next().map_or(1, char::len_utf8);
                out.push_str(&json[at..end]);
                end
            }
        };
        at = end;
    }
    Cow::Owned(out)
}

/// The position after the string that starts at `at`, or the end of the input.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'"' => return end + 1,
            // An escape has at least two ASCII bytes; a broken one may end within a character.
            b'\\' if bytes.get(end + 1).is_some_and(u8::is_ascii) => end += 2,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// The position after the object or array that starts at `at`, or the end of the input.
fn end_of_nested(bytes: &[u8], at: usize) -> usize {
    let (mut end, mut depth) = (at, 0_usize);
    while end < bytes.len() {
        match bytes[end] {
            b'"' => {
                end = end_of_string(bytes, end);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        end += 1;
        if depth == 0 {
            return end;
        }
    }
    bytes.len()
}

/// Appends a string and replaces every lone surrogate.
fn push_string(out: &mut String, string: &str) {
    let mut rest = string;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match surrogate(escape) {
            Some(0xD800..=0xDBFF) if matches!(escape.get(6..).and_then(surrogate), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => {
                out.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            Some(_) => 6,
            None => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        let (kept, behind) = escape.split_at(length);
        out.push_str(kept);
        rest = behind;
    }
    out.push_str(rest);
}

/// The code unit of an escape `\uXXXX` at the start of the text.
fn surrogate(escape: &str) -> Option<u32> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    fn read(json: &str) -> Value {
        serde_json::from_str(&readable(json)).unwrap_or_else(|error| panic!("{error}: {json}"))
    }

    #[test]
    fn readable_json_is_unchanged() {
        for text in [r#"{"a":[1,-0,"x\u00e9\ud83d\ude00\\u"]}"#, "[]", "7"] {
            assert!(matches!(readable(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn only_the_unreadable_value_is_replaced() {
        assert_eq!(
            read(r#"{"a":"x\ud800y","b":1e400,"c":"\ud83d\ude00","d":[-1E999,2]}"#),
            json!({"a": "x\u{fffd}y", "b": "1e400", "c": "\u{1f600}", "d": ["-1E999", 2]})
        );
        assert_eq!(
            read(r#"["\udc00\ud800","\\ud800","\ud800\ud83d\ude00"]"#),
            json!(["\u{fffd}\u{fffd}", "\\ud800", "\u{fffd}\u{1f600}"])
        );
    }

    #[test]
    fn too_deep_values_become_text() {
        let deep = format!("{{\"near\":7,\"far\":{}\"]\"{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let value = read(&deep);
        assert_eq!(value["near"], 7);
        let mut inner = &value["far"];
        while let Some(next) = inner.get(0) {
            inner = next;
        }
        let text = inner.as_str().expect("text");
        assert!(text.starts_with("[[[") && text.len() > 190_000, "{}", text.len());
    }

    /// JSON as text, with everything unusual that the grammar allows.
    fn odd_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?[1-9][0-9]{0,3}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
            "\"([a-z ]|\\\\u[dD][89abcdefABCDEF][0-9a-f]{2}|\\\\n|\\\\\\\\|\\\\\"|é|[\\[\\]{}]){0,9}\"",
        ];
        leaf.prop_recursive(6, 64, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(("\"(k|\\\\udfff){0,3}\"", inner), 0..4).prop_map(|fields| {
                    let fields: Vec<_> = fields.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                    format!("{{{}}}", fields.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn all_well_formed_json_becomes_readable(json in odd_json()) {
            prop_assert!(serde_json::from_str::<&RawValue>(&json).is_ok(), "the strategy makes JSON: {}", json);
            prop_assert!(serde_json::from_str::<Value>(&readable(&json)).is_ok(), "{}", json);
        }

        #[test]
        fn no_text_panics(text in "[\\[\\]{}\"\\\\ude08c1.:,é-]{0,60}") {
            readable(&text);
        }
    }
}
