//! Reads a quality page of the common form, at twice the speed of a general JSON parser.
//!
//! Nearly every page has the documented fields in the documented order, and values that are short strings without
//! escapes. This scanner accepts only that form; at the first byte of anything else it stops, and
//! [`super::page_deserializer`] reads the page again (`make bench-stages FILTER=page`). A property test checks that
//! both read the same values.

use super::sample_layout::{LAYOUT, LIST_KEY, SectionLeaves, Sink};
use crate::schema::Raw;

/// The page does not have the common form, or is not JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotCommonForm;

type Read<T> = Result<T, NotCommonForm>;

/// Reads one page into `sink`. After an error, the caller must discard what the sink received.
pub(super) fn read_page(body: &[u8], sink: &mut impl Sink) -> Read<()> {
    // Once for the complete page: checking each string would take a fifth of the time.
    let text = std::str::from_utf8(body).map_err(|_| NotCommonForm)?;
    let mut cursor = Cursor { text, bytes: body, at: 0 };
    // A repeated key is not the common form.
    let (mut datas, mut lists) = (0, 0);
    cursor.object(|cursor| {
        if cursor.key()? != "data" {
            return cursor.skip_scalar();
        }
        datas += 1;
        cursor.object(|cursor| {
            if cursor.key()? != LIST_KEY {
                return cursor.skip_scalar();
            }
            lists += 1;
            cursor.list(|cursor| item(cursor, sink))
        })
    })?;
    cursor.skip_whitespace();
    if cursor.at == body.len() && datas <= 1 && lists <= 1 { Ok(()) } else { Err(NotCommonForm) }
}

fn item(cursor: &mut Cursor<'_>, sink: &mut impl Sink) -> Read<()> {
    let mut expected = 0;
    cursor.object(|cursor| {
        let position = match LAYOUT.get(expected).is_some_and(|section| cursor.take_key(&section.key)) {
            true => expected,
            false => {
                let key = cursor.key()?;
                let Some(position) = LAYOUT.iter().position(|section| section.name == key) else {
                    sink.unknown(None, key);
                    return cursor.skip_scalar();
                };
                position
            }
        };
        expected = position + 1;
        section(cursor, &LAYOUT[position], sink)
    })?;
    sink.item_end();
    Ok(())
}

fn section(cursor: &mut Cursor<'_>, section: &'static SectionLeaves, sink: &mut impl Sink) -> Read<()> {
    if cursor.peek() == Some(b'n') {
        return cursor.word(b"null");
    }
    let leaves = section.leaves.as_slice();
    let mut expected = 0;
    cursor.object(|cursor| {
        let position = match leaves.get(expected).is_some_and(|leaf| cursor.take_key(&leaf.key)) {
            true => expected,
            false => {
                let key = cursor.key()?;
                let Some(position) = leaves.iter().position(|leaf| leaf.field == key) else {
                    sink.unknown(Some(section.name), key);
                    return cursor.skip_scalar();
                };
                position
            }
        };
        expected = position + 1;
        match cursor.peek() {
            Some(b'"') => sink.leaf(&leaves[position], Raw::Text(cursor.string()?)),
            Some(b'n') => {
                cursor.word(b"null")?;
                sink.leaf(&leaves[position], Raw::Absent);
            }
            Some(b'0'..=b'9') => sink.leaf(&leaves[position], Raw::Integer(cursor.integer()?)),
            _ => return Err(NotCommonForm),
        }
        Ok(())
    })
}

struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn skip_whitespace(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte that is not whitespace.
    fn peek(&mut self) -> Option<u8> {
        self.skip_whitespace();
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.peek() != Some(byte) {
            return Err(NotCommonForm);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Read<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(NotCommonForm);
        }
        self.at += word.len();
        Ok(())
    }

    /// Skips `key`, a quoted key with its colon, if it is next.
    fn take_key(&mut self, key: &str) -> bool {
        let is_next = self.bytes[self.at..].starts_with(key.as_bytes());
        self.at += if is_next { key.len() } else { 0 };
        is_next
    }

    /// Reads a key and skips its colon.
    fn key(&mut self) -> Read<&'a str> {
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Reads a string without escapes, from its opening quote.
    fn string(&mut self) -> Read<&'a str> {
        let begin = self.at + 1;
        let rest = self.bytes.get(begin..).ok_or(NotCommonForm)?;
        let end = rest.iter().position(|byte| ENDS_STRING[usize::from(*byte)]).ok_or(NotCommonForm)?;
        if rest[end] != b'"' {
            return Err(NotCommonForm);
        }
        self.at = begin + end + 1;
        self.text.get(begin..begin + end).ok_or(NotCommonForm)
    }

    /// Reads a non-negative integer of at most 18 digits.
    fn integer(&mut self) -> Read<i64> {
        let begin = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = &self.bytes[begin..self.at];
        let is_plain = digits.len() <= 18 && (digits.len() == 1 || digits[0] != b'0');
        if !is_plain || !matches!(self.bytes.get(self.at), Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')) {
            return Err(NotCommonForm);
        }
        Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// Reads an object: `member` reads each key and its value.
    fn object(&mut self, mut member: impl FnMut(&mut Cursor<'a>) -> Read<()>) -> Read<()> {
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(NotCommonForm);
            }
            member(self)?;
            if self.ends_with(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads an array: `element` reads each value.
    fn list(&mut self, mut element: impl FnMut(&mut Cursor<'a>) -> Read<()>) -> Read<()> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            if self.ends_with(b']')? {
                return Ok(());
            }
        }
    }

    /// Whether the object or array ends here; otherwise skips a comma.
    fn ends_with(&mut self, end: u8) -> Read<bool> {
        let next = self.peek();
        self.at += 1;
        match next {
            Some(b',') => Ok(false),
            Some(byte) if byte == end => Ok(true),
            _ => Err(NotCommonForm),
        }
    }

    fn skip_scalar(&mut self) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'0'..=b'9') => self.integer().map(|_| ()),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(NotCommonForm),
        }
    }
}

/// Bytes that end a plain string: the quote, an escape, and control characters, which JSON forbids.
static ENDS_STRING: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 32 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::transform::page_deserializer;
    use crate::transform::sample_layout::Leaf;

    /// What a reader passed on, as text.
    #[derive(Default)]
    struct Recorder(Vec<String>);

    impl Sink for Recorder {
        fn leaf(&mut self, leaf: &Leaf, raw: Raw<'_>) {
            self.0.push(format!("{} {raw:?}", leaf.column));
        }
        fn unknown(&mut self, section: Option<&'static str>, field: &str) {
            self.0.push(format!("unknown {section:?} {field}"));
        }
        fn item_end(&mut self) {
            self.0.push("end".to_owned());
        }
    }

    /// Whether the scanner reads the page; if it does, both readers must read the same.
    fn scans_equally(body: &[u8]) -> Result<bool, TestCaseError> {
        let (mut scanned, mut deserialized) = (Recorder::default(), Recorder::default());
        if read_page(body, &mut scanned).is_err() {
            return Ok(false);
        }
        prop_assert!(
            page_deserializer::read_page(body, &mut deserialized).is_ok(),
            "{}",
            String::from_utf8_lossy(body)
        );
        prop_assert_eq!(scanned.0, deserialized.0, "{}", String::from_utf8_lossy(body));
        Ok(true)
    }

    fn leaf_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            8 => "[0-9]{1,4}(ms|kbps|%|dB|fps|P)".prop_map(Value::from),
            2 => any::<String>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => any::<i64>().prop_map(Value::from),
            1 => any::<u32>().prop_map(Value::from),
            1 => any::<bool>().prop_map(Value::from),
            1 => (-1e6..1e6_f64).prop_map(Value::from),
            1 => Just(json!({"a": [1]})),
        ]
    }

    fn section() -> impl Strategy<Value = (String, Value)> {
        let sections: Vec<&'static SectionLeaves> = LAYOUT.iter().collect();
        prop::sample::select(sections).prop_flat_map(|section| {
            let names: Vec<&'static str> = section.leaves.iter().map(|leaf| leaf.field).chain(["new_field"]).collect();
            let leaves = prop::collection::vec((prop::sample::select(names), leaf_value()), 0..12);
            let object = leaves.prop_map(|leaves| {
                Value::Object(leaves.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            });
            let value = prop_oneof![12 => object, 1 => Just(Value::Null), 1 => leaf_value()];
            let name = prop_oneof![9 => Just(section.name.to_owned()), 1 => Just("other".to_owned())];
            (name, value)
        })
    }

    fn page_text() -> impl Strategy<Value = String> {
        let item =
            prop::collection::vec(section(), 0..6).prop_map(|sections| Value::Object(sections.into_iter().collect()));
        (prop::collection::vec(item, 0..4), any::<bool>(), any::<bool>()).prop_map(|(items, is_pretty, is_last)| {
            let page = json!({
                "code": 0, "data": {"has_more": !is_last, "page_token": "x", LIST_KEY: items}, "msg": "success",
            });
            if is_pretty { format!("{page:#}") } else { page.to_string() }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn both_readers_read_the_same(text in page_text()) {
            scans_equally(text.as_bytes())?;
        }

        #[test]
        fn both_readers_read_the_same_of_damaged_pages(
            text in page_text(),
            at in any::<prop::sample::Index>(),
            byte in prop_oneof![any::<u8>(), prop::sample::select(&b"\"{}[],:\\ 0n"[..])],
            how in 0..3,
        ) {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
            scans_equally(&bytes)?;
        }
    }

    #[test]
    fn the_common_page_is_scanned_and_repeated_keys_are_not() {
        let item = |delay: &str| {
            format!(r#"{{"network":{{"time":"2022.12.23 11:16:00 (GMT+08:00)","network_delay":"{delay}"}},"new":1}}"#)
        };
        let page = |list: &str| format!(r#"{{"code":0,"msg":"success","data":{{"has_more":false,{list}}}}}"#);
        let list = |items: &str| format!(r#""{LIST_KEY}":[{items}]"#);
        for common in
            [page(&list(&item("100ms"))), page(&list(&(item("1ms") + " , " + &item("\u{ff11}ms")))), page(&list(""))]
        {
            assert!(scans_equally(common.as_bytes()).expect("both read the same"), "{common}");
        }
        let twice = list(&item("1ms")) + "," + &list(&item("2ms"));
        let two_datas = format!(r#"{{"data":{{}},"data":{{{}}}}}"#, list(&item("1ms")));
        for unusual in
            [page(&twice), two_datas, page(&list(&item("\\u0031ms"))), page(&list("[]")), page(&list("")) + "x"]
        {
            assert!(!scans_equally(unusual.as_bytes()).expect("both read the same"), "{unusual}");
        }
    }
}
