//! One page of the usual form, read from its bytes without a general JSON parser.
//!
//! Nearly every page has the documented fields in the documented order, with values that are short texts without escapes.
//! This reader knows that form and nothing else: at the first byte of another it gives up, and [`super::page`] reads the
//! page anew with serde_json, at half the speed (`make bench-stages FILTER=page`). A property holds the two together: where this one reads a
//! page, the other reads the same leaves.

use super::page::{LIST_KEY, Sink};
use super::slots::{LAYOUT, SectionLeaves};
use crate::schema::Raw;

/// The page is not of the usual form, or no JSON at all: the other reader tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unusual;

type Read<T> = Result<T, Unusual>;

/// Reads one page into `sink`. What was handed over before giving up must be taken back.
pub(super) fn read_page(body: &[u8], sink: &mut impl Sink) -> Read<()> {
    // Once for the whole page: text by text it takes a fifth of the reading.
    let text = std::str::from_utf8(body).map_err(|_| Unusual)?;
    let mut cursor = Cursor { text, bytes: body, at: 0 };
    // Of two only one counts.
    let (mut datas, mut lists) = (0, 0);
    cursor.object(|cursor| {
        if cursor.key()? != "data" {
            return cursor.skip();
        }
        datas += 1;
        cursor.object(|cursor| {
            if cursor.key()? != LIST_KEY {
                return cursor.skip();
            }
            lists += 1;
            cursor.list(|cursor| item(cursor, sink))
        })
    })?;
    cursor.blanks();
    if cursor.at == body.len() && datas <= 1 && lists <= 1 { Ok(()) } else { Err(Unusual) }
}

fn item(cursor: &mut Cursor<'_>, sink: &mut impl Sink) -> Read<()> {
    // Sections come in their order too.
    let mut guess = 0;
    cursor.object(|cursor| {
        let position = match LAYOUT.get(guess).is_some_and(|section| cursor.has(&section.key)) {
            true => guess,
            false => {
                let key = cursor.key()?;
                let Some(position) = LAYOUT.iter().position(|section| section.name == key) else {
                    sink.unknown(None, key);
                    return cursor.skip();
                };
                position
            }
        };
        guess = position + 1;
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
    let mut guess = 0;
    cursor.object(|cursor| {
        let position = match leaves.get(guess).is_some_and(|leaf| cursor.has(&leaf.key)) {
            true => guess,
            false => {
                let key = cursor.key()?;
                let Some(position) = leaves.iter().position(|leaf| leaf.field == key) else {
                    sink.unknown(Some(section.name), key);
                    return cursor.skip();
                };
                position
            }
        };
        guess = position + 1;
        match cursor.peek() {
            Some(b'"') => sink.leaf(&leaves[position], Raw::Text(cursor.string()?)),
            Some(b'n') => {
                cursor.word(b"null")?;
                sink.leaf(&leaves[position], Raw::Absent);
            }
            Some(b'0'..=b'9') => sink.leaf(&leaves[position], Raw::Integer(cursor.whole()?)),
            _ => return Err(Unusual),
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
    fn blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        self.blanks();
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.peek() != Some(byte) {
            return Err(Unusual);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Read<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(Unusual);
        }
        self.at += word.len();
        Ok(())
    }

    /// Steps over a member's key and colon if it is this one.
    fn has(&mut self, key: &str) -> bool {
        let is_it = self.bytes[self.at..].starts_with(key.as_bytes());
        self.at += if is_it { key.len() } else { 0 };
        is_it
    }

    /// A member's key; the colon behind it is stepped over.
    fn key(&mut self) -> Read<&'a str> {
        let key = self.string()?;
        self.expect(b':')?;
        Ok(key)
    }

    /// A text without escapes, at its opening quote.
    fn string(&mut self) -> Read<&'a str> {
        let begin = self.at + 1;
        let rest = self.bytes.get(begin..).ok_or(Unusual)?;
        let end = rest.iter().position(|byte| ENDS_TEXT[usize::from(*byte)]).ok_or(Unusual)?;
        if rest[end] != b'"' {
            return Err(Unusual);
        }
        self.at = begin + end + 1;
        self.text.get(begin..begin + end).ok_or(Unusual)
    }

    /// A whole number that is not negative and fits.
    fn whole(&mut self) -> Read<i64> {
        let begin = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = &self.bytes[begin..self.at];
        let is_plain = digits.len() <= 18 && (digits.len() == 1 || digits[0] != b'0');
        if !is_plain || !matches!(self.bytes.get(self.at), Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')) {
            return Err(Unusual);
        }
        Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// An object: `member` reads each key, which the cursor stands at, and the value behind it.
    fn object(&mut self, mut member: impl FnMut(&mut Cursor<'a>) -> Read<()>) -> Read<()> {
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(Unusual);
            }
            member(self)?;
            if self.ends_with(b'}')? {
                return Ok(());
            }
        }
    }

    /// An array: `element` reads each of its values.
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

    /// Whether the object or array ends here, or a comma leads on.
    fn ends_with(&mut self, end: u8) -> Read<bool> {
        let next = self.peek();
        self.at += 1;
        match next {
            Some(b',') => Ok(false),
            Some(byte) if byte == end => Ok(true),
            _ => Err(Unusual),
        }
    }

    /// A scalar that nobody wants.
    fn skip(&mut self) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'0'..=b'9') => self.whole().map(|_| ()),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(Unusual),
        }
    }
}

/// Bytes at which a plain text ends: the quote, an escape, and control characters, which JSON forbids.
static ENDS_TEXT: [bool; 256] = {
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
    use crate::transform::page;
    use crate::transform::slots::Leaf;

    /// What a reader handed over, in words.
    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Sink for Heard {
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

    /// What both readers say of a page: the fast one may give up, but never say something else.
    fn agree(body: &[u8]) -> Result<bool, TestCaseError> {
        let (mut fast, mut slow) = (Heard::default(), Heard::default());
        if read_page(body, &mut fast).is_err() {
            return Ok(false);
        }
        prop_assert!(page::read_page(body, &mut slow).is_ok(), "{}", String::from_utf8_lossy(body));
        prop_assert_eq!(fast.0, slow.0, "{}", String::from_utf8_lossy(body));
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
        fn what_it_reads_is_what_the_other_reads(text in page_text()) {
            agree(text.as_bytes())?;
        }

        #[test]
        fn nor_do_damaged_pages_tell_them_apart(
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
            agree(&bytes)?;
        }
    }

    #[test]
    fn the_usual_page_is_read_and_two_of_a_kind_are_left_to_the_other() {
        let item = |delay: &str| {
            format!(r#"{{"network":{{"time":"2022.12.23 11:16:00 (GMT+08:00)","network_delay":"{delay}"}},"new":1}}"#)
        };
        let page = |list: &str| format!(r#"{{"code":0,"msg":"success","data":{{"has_more":false,{list}}}}}"#);
        let list = |items: &str| format!(r#""{LIST_KEY}":[{items}]"#);
        for usual in
            [page(&list(&item("100ms"))), page(&list(&(item("1ms") + " , " + &item("\u{ff11}ms")))), page(&list(""))]
        {
            assert!(agree(usual.as_bytes()).expect("they agree"), "{usual}");
        }
        let twice = list(&item("1ms")) + "," + &list(&item("2ms"));
        let two_datas = format!(r#"{{"data":{{}},"data":{{{}}}}}"#, list(&item("1ms")));
        for unusual in
            [page(&twice), two_datas, page(&list(&item("\\u0031ms"))), page(&list("[]")), page(&list("")) + "x"]
        {
            assert!(!agree(unusual.as_bytes()).expect("they agree"), "{unusual}");
        }
    }
}
