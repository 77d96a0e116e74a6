//! Takes secrets out of whatever comes from outside or goes out, in the forms in which they turn up.
//!
//! A vendor, a proxy or a library may repeat a secret: as it is, escaped for JSON or an address, or as base64 inside a
//! header. Clones share what they know, so that a token that is fetched during a run is hidden everywhere from then on.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

/// What stands where a secret was.
pub const REDACTED: &str = "[hidden]";

/// A shorter text is no secret, and hiding it would hide everything.
const FEWEST_CHARS: usize = 4;
/// In an answer's body only texts of this length are taken for secrets: a shorter one may well be a word of somebody's
/// topic, and answers are kept as they were sent. The vendor's secrets have 32 characters and more.
const FEWEST_CHARS_IN_BODY: usize = 12;
/// The base64 of a shorter text would be found everywhere.
const FEWEST_BYTES_FOR_BASE64: usize = 8;

/// The secrets of this run.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    all: Forms,
    in_body: Forms,
}

impl Redactor {
    /// Learns a secret.
    pub fn add_secret(&self, secret: &str) {
        let chars = secret.chars().count();
        if chars < FEWEST_CHARS {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let forms = forms(secret);
        if chars >= FEWEST_CHARS_IN_BODY {
            known.in_body.add(&forms);
        }
        known.all.add(&forms);
    }

    /// The text without the secrets.
    pub fn redact(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match known.all.without(text.as_bytes()) {
            Cow::Borrowed(_) => text.to_owned(),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// An answer's body without the secrets; the very bytes where there are none.
    pub fn redact_body(&self, body: Vec<u8>) -> Vec<u8> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match known.in_body.without(&body) {
            Cow::Owned(bytes) => bytes,
            Cow::Borrowed(_) => body,
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

/// Texts to look for. A body is looked through in one pass, however many there are.
struct Forms {
    /// Longest first, so that a secret which begins like another is taken out whole.
    texts: Vec<String>,
    /// A bit for every two bytes that a text begins with: nearly every place of a body is passed by looking here.
    begins: Box<[u64; 1024]>,
}

impl Default for Forms {
    fn default() -> Forms {
        Forms { texts: Vec::new(), begins: Box::new([0; 1024]) }
    }
}

impl Forms {
    fn add(&mut self, forms: &[String]) {
        for form in forms {
            if let [first, second, ..] = form.as_bytes()
                && !self.texts.contains(form)
            {
                let pair = usize::from(*first) << 8 | usize::from(*second);
                self.begins[pair >> 6] |= 1 << (pair & 63);
                self.texts.push(form.clone());
            }
        }
        self.texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    fn without<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        if self.texts.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut clean: Option<Vec<u8>> = None;
        let (mut at, mut copied) = (0, 0);
        while at + 1 < bytes.len() {
            let pair = usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1]);
            let found = (self.begins[pair >> 6] >> (pair & 63) & 1 == 1)
                .then(|| self.texts.iter().find(|text| bytes[at..].starts_with(text.as_bytes())))
                .flatten();
            match found {
                Some(text) => {
                    let clean = clean.get_or_insert_default();
                    clean.extend_from_slice(&bytes[copied..at]);
                    clean.extend_from_slice(REDACTED.as_bytes());
                    at += text.len();
                    copied = at;
                }
                None => at += 1,
            }
        }
        match clean {
            Some(mut clean) => {
                clean.extend_from_slice(&bytes[copied..]);
                Cow::Owned(clean)
            }
            None => Cow::Borrowed(bytes),
        }
    }
}

/// The forms in which a secret turns up.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let debug = format!("{secret:?}");
    let unquoted = |text: &str| text[1..text.len() - 1].to_owned();
    let (json, debug) = (unquoted(&json), unquoted(&debug));
    let mut forms = vec![
        secret.to_owned(),
        percent_encoded(secret, false),
        percent_encoded(secret, true),
        percent_encoded(secret, false).replace("%20", "+"),
        json.replace('/', "\\/"),
        json,
        debug,
    ];
    if secret.len() >= FEWEST_BYTES_FOR_BASE64 {
        for alphabet in [BASE64, BASE64_URL] {
            forms.extend((0..3).map(|before| base64_inside(secret.as_bytes(), before, alphabet)));
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

fn percent_encoded(text: &str, lower: bool) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        // Writing to a String never fails.
        let _ = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.write_char(char::from(byte)),
            _ if lower => write!(encoded, "%{byte:02x}"),
            _ => write!(encoded, "%{byte:02X}"),
        };
        encoded
    })
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The part of a longer text's base64 that depends on nothing but `bytes`, with so many bytes (modulo 3) before it.
fn base64_inside(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> String {
    let bit = |at: usize| -> u8 {
        match (at / 8).checked_sub(before) {
            Some(index) => bytes[index] >> (7 - at % 8) & 1,
            None => 0,
        }
    };
    let (first, end) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
    (first..end)
        .map(|sextet| (0..6).fold(0, |value, offset| value << 1 | bit(sextet * 6 + offset)))
        .map(|value| char::from(alphabet[usize::from(value)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hiding(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.add_secret(secret);
        redactor
    }

    fn unquoted(text: &str) -> String {
        text[1..text.len() - 1].to_owned()
    }

    fn base64(bytes: &[u8]) -> String {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().div_ceil(3) * 3, 0);
        base64_inside(&padded, 0, BASE64)
    }

    proptest! {
        #[test]
        fn no_form_of_a_secret_survives(before in "[a-z ]{0,9}", secret in "[A-Z0-9+/=\"\\\\%.*$^ \n\u{e9}]{12,40}", after in "[a-z ]{0,9}") {
            let redactor = hiding(&secret);
            let forms = [secret.clone(), percent_encoded(&secret, false), percent_encoded(&secret, true),
                unquoted(&serde_json::json!(secret).to_string()), unquoted(&format!("{secret:?}"))];
            for form in forms {
                let text = format!("{before}{form}{after}");
                prop_assert!(!redactor.redact(&text).contains(&form), "{}", form);
                let body = redactor.redact_body(text.clone().into_bytes());
                prop_assert_eq!(String::from_utf8(body).expect("UTF-8"), redactor.redact(&text));
            }
            // Inside a header, with whatever stands before it.
            let inside = base64(format!("{before}{secret}{after}").as_bytes());
            prop_assert!(redactor.redact(&inside).contains(REDACTED), "{}", inside);
        }

        #[test]
        fn what_holds_no_secret_stays(text in "\\PC{0,80}") {
            let redactor = hiding("QQQQ-no-text-has-this");
            prop_assert_eq!(redactor.redact(&text), text.clone());
            prop_assert_eq!(redactor.redact_body(text.clone().into_bytes()), text.into_bytes());
        }
    }

    #[test]
    fn a_longer_secret_is_taken_out_whole() {
        let redactor = hiding("abcd");
        redactor.clone().add_secret("abcdefgh");
        assert_eq!(redactor.redact("x abcdefgh y abcd z"), "x [hidden] y [hidden] z");
        assert!(!format!("{redactor:?}").contains("abcd"));
    }

    #[test]
    fn short_texts_are_no_secrets() {
        assert_eq!(hiding("a").redact("banana"), "banana");
        assert_eq!(hiding("").redact("banana"), "banana");
        // A word that is somebody's secret is hidden in messages, and stays where somebody else wrote it.
        let redactor = hiding("demo");
        assert_eq!(
            (redactor.redact("a demo"), redactor.redact_body(b"a demo".to_vec())),
            ("a [hidden]".into(), b"a demo".to_vec())
        );
    }
}
