//! Removes secrets from texts, in the forms in which they occur.
//!
//! A host, a proxy or a library may repeat a secret: as it is, escaped for JSON or a URL, or in the base64 of a header.
//! Clones share what they know, so that a token obtained during a run is removed everywhere from then on.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Replaces a secret.
const REDACTED: &str = "[hidden]";

/// Shorter texts are not treated as secrets, because they occur everywhere.
const MIN_CHARS: usize = 4;
/// In a response body only texts of this length are removed: a shorter one may be a word in a topic, and bodies are
/// kept as received. Feishu's secrets have at least 32 characters.
const MIN_CHARS_IN_BODY: usize = 12;
/// The base64 of shorter texts occurs everywhere.
const MIN_BYTES_FOR_BASE64: usize = 8;

/// Knows the secrets of a program and removes them from texts.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    all: Forms,
    in_body: Forms,
}

impl Redactor {
    /// Adds a secret. Texts of fewer than 4 characters are ignored.
    pub fn add_secret(&self, secret: &str) {
        let chars = secret.chars().count();
        if chars < MIN_CHARS {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let forms = forms(secret);
        if chars >= MIN_CHARS_IN_BODY {
            known.in_body.add(&forms);
        }
        known.all.add(&forms);
    }

    /// The text with `[hidden]` in place of each secret.
    pub fn redact(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match known.all.replace_in(text.as_bytes()) {
            Cow::Borrowed(_) => text.to_owned(),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// A response body without secrets of at least 12 characters; the same bytes if it contains none.
    pub(crate) fn redact_body(&self, body: Vec<u8>) -> Vec<u8> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match known.in_body.replace_in(&body) {
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

/// Texts to search for, all in one pass.
struct Forms {
    /// Longest first, so that a secret that begins like another is replaced completely.
    texts: Vec<String>,
    /// One bit for each pair of bytes that begins a text: it rules out nearly every position.
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

    fn replace_in<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        if self.texts.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut redacted: Option<Vec<u8>> = None;
        let (mut at, mut copied) = (0, 0);
        while at + 1 < bytes.len() {
            let pair = usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1]);
            let found = (self.begins[pair >> 6] >> (pair & 63) & 1 == 1)
                .then(|| self.texts.iter().find(|text| bytes[at..].starts_with(text.as_bytes())))
                .flatten();
            let Some(text) = found else {
                at += 1;
                continue;
            };
            let redacted = redacted.get_or_insert_default();
            redacted.extend_from_slice(&bytes[copied..at]);
            redacted.extend_from_slice(REDACTED.as_bytes());
            at += text.len();
            copied = at;
        }
        let Some(mut redacted) = redacted else { return Cow::Borrowed(bytes) };
        redacted.extend_from_slice(&bytes[copied..]);
        Cow::Owned(redacted)
    }
}

/// The forms in which a secret occurs.
fn forms(secret: &str) -> Vec<String> {
    let unquoted = |text: String| text[1..text.len() - 1].to_owned();
    let json = unquoted(serde_json::Value::from(secret).to_string());
    let percent = percent_encoded(secret, false);
    let mut forms = vec![
        secret.to_owned(),
        percent_encoded(secret, true),
        percent.replace("%20", "+"),
        percent,
        json.replace('/', "\\/"),
        json,
        unquoted(format!("{secret:?}")),
    ];
    if secret.len() >= MIN_BYTES_FOR_BASE64 {
        for offset in 0..3 {
            forms.push(base64_inside(&STANDARD_NO_PAD, secret.as_bytes(), offset));
            forms.push(base64_inside(&URL_SAFE_NO_PAD, secret.as_bytes(), offset));
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

/// The characters in the base64 of a longer text that depend on `bytes` alone, with `offset` bytes (modulo 3) before
/// them.
fn base64_inside(engine: &impl Engine, bytes: &[u8], offset: usize) -> String {
    let padded = [&[0; 2][..offset], bytes].concat();
    engine.encode(&padded)[(offset * 8).div_ceil(6)..padded.len() * 8 / 6].to_owned()
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
            // Inside a header, at any offset.
            let inside = STANDARD_NO_PAD.encode(format!("{before}{secret}{after}"));
            prop_assert!(redactor.redact(&inside).contains(REDACTED), "{}", inside);
        }

        #[test]
        fn texts_without_a_secret_stay(text in "\\PC{0,80}") {
            let redactor = hiding("QQQQ-no-text-has-this");
            prop_assert_eq!(redactor.redact(&text), text.clone());
            prop_assert_eq!(redactor.redact_body(text.clone().into_bytes()), text.into_bytes());
        }
    }

    #[test]
    fn percent_encoded_and_base64_forms_are_hidden() {
        let redactor = hiding("key/1 \u{e9}~Z-9._q");
        for form in ["key%2F1%20%C3%A9~Z-9._q", "key%2f1%20%c3%a9~Z-9._q", "key%2F1+%C3%A9~Z-9._q"] {
            assert_eq!(redactor.redact(&format!("?secret={form}&page=2")), "?secret=[hidden]&page=2");
        }
        let secret = "a secret of thirty bytes, say.";
        let redactor = hiding(secret);
        for before in ["", "x", "xy"] {
            let encoded = STANDARD_NO_PAD.encode(format!("{before}{secret}xyz"));
            let redacted = redactor.redact(&encoded);
            // What is left is the text around it, and characters that depend on both.
            let left = redacted.replace(REDACTED, "").len();
            assert!(redacted.contains(REDACTED) && left <= (before.len() + 3) * 4 / 3 + 2, "{redacted}");
        }
    }

    #[test]
    fn a_longer_secret_is_replaced_whole() {
        let redactor = hiding("abcd");
        redactor.clone().add_secret("abcdefgh");
        assert_eq!(redactor.redact("x abcdefgh y abcd z"), "x [hidden] y [hidden] z");
        assert_eq!(format!("{redactor:?}"), "Redactor");
        assert!(!format!("{redactor:?}").contains("abcd"));
    }

    #[test]
    fn short_texts_are_not_secrets() {
        assert_eq!(hiding("a").redact("banana"), "banana");
        assert_eq!(hiding("").redact("banana"), "banana");
        // A word used as a secret is redacted in messages and stays in responses, where it may be a word of a topic.
        let redactor = hiding("demo");
        assert_eq!(
            (redactor.redact("a demo"), redactor.redact_body(b"a demo".to_vec())),
            ("a [hidden]".into(), b"a demo".to_vec())
        );
    }
}
