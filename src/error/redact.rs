//! Keeps secrets out of everything that is said: whatever is printed or logged passes through a [`Redactor`].

use std::sync::{Arc, PoisonError, RwLock};

/// What stands where a secret was.
pub const HIDDEN: &str = "[hidden]";

/// Knows the secrets of this run and takes them out of text. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Arc<RwLock<Vec<String>>>,
}

impl Redactor {
    /// Learns a secret: the app's secret, a given token, a token that the vendor handed out.
    pub fn hide(&self, secret: &str) {
        // One or two characters are no secret, and hiding them would hide everything.
        if secret.chars().count() < 4 {
            return;
        }
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        for form in [secret.to_owned(), percent_encoded(secret), json_escaped(secret)] {
            if !secrets.contains(&form) {
                secrets.push(form);
            }
        }
        // Longest first, so that a secret which begins like another is taken out whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The text without the secrets.
    pub fn clean(&self, text: &str) -> String {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), HIDDEN) } else { text }
        })
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_secret_survives(before in "[a-z ]{0,9}", secret in "[A-Z0-9+/=\"\\\\]{4,20}", after in "[a-z ]{0,9}") {
            let redactor = Redactor::default();
            redactor.hide(&secret);
            let text = format!("{before}{secret}{after}{}{}", percent_encoded(&secret), json_escaped(&secret));
            let clean = redactor.clean(&text);
            prop_assert!(!clean.contains(&secret), "{}", clean);
            prop_assert!(!clean.contains(&percent_encoded(&secret)), "{}", clean);
        }
    }

    #[test]
    fn a_longer_secret_is_taken_out_whole() {
        let redactor = Redactor::default();
        redactor.hide("abcd");
        redactor.clone().hide("abcdefgh");
        assert_eq!(redactor.clean("x abcdefgh y abcd z"), "x [hidden] y [hidden] z");
        assert!(!format!("{redactor:?}").contains("abcd"));
    }

    #[test]
    fn very_short_texts_are_no_secrets() {
        let redactor = Redactor::default();
        redactor.hide("a");
        redactor.hide("");
        assert_eq!(redactor.clean("banana"), "banana");
    }
}
