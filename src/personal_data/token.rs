//! The tokens that stand for personal values.

use super::key::Key;
use crate::schema::Personal;
use crate::schema::parse::{MISSING_WORDS, fold};

/// Of values that no column has.
const OTHER: u8 = b'x';
const DIGITS: usize = 16;
const DOMAIN: &str = "@pseudonym.invalid";

fn class_byte(class: Personal) -> u8 {
    match class {
        Personal::Id => b'p',
        Personal::Name => b'n',
        Personal::Email => b'e',
        Personal::Phone => b't',
        Personal::Device => b'd',
        Personal::Address | Personal::Topic => OTHER,
    }
}

/// The token of a text. An address that cannot be cut and a topic have the token of an unknown value.
pub(super) fn token(key: &Key, class: Personal, text: &str) -> String {
    form(class_byte(class), &key.hash(class_byte(class), text))
}

/// The token of a value that no column has.
pub(super) fn other_token(key: &Key, text: &str) -> String {
    form(OTHER, &key.hash(OTHER, text))
}

fn form(class: u8, digits: &str) -> String {
    match class {
        b'e' => format!("{digits}{DOMAIN}"),
        class => format!("{}-{digits}", char::from(class)),
    }
}

/// Whether a text is a token of its class, which stays as it is.
pub(super) fn is_token(class: Personal, text: &str) -> bool {
    match class {
        Personal::Email => text.strip_suffix(DOMAIN).is_some_and(is_digits),
        class => has_form(class_byte(class), text),
    }
}

pub(super) fn is_other_token(text: &str) -> bool {
    has_form(OTHER, text)
}

fn has_form(class: u8, text: &str) -> bool {
    text.as_bytes().first() == Some(&class)
        && text.get(1..).and_then(|rest| rest.strip_prefix('-')).is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
}

/// Whether a text says that there is no value. It identifies nobody and stays as it is.
pub(super) fn is_missing(class: Personal, text: &str) -> bool {
    let folded = fold(text);
    match class {
        Personal::Id | Personal::Name | Personal::Topic => folded.is_empty() || folded == "-",
        _ => MISSING_WORDS.iter().any(|word| folded.eq_ignore_ascii_case(word)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn key() -> Key {
        Key::new(&[5; 32])
    }

    #[test]
    fn each_class_has_its_form() {
        let start = |class| token(&key(), class, "x").chars().take(2).collect::<String>();
        let classes = [Personal::Id, Personal::Name, Personal::Phone, Personal::Device, Personal::Topic];
        assert_eq!(classes.map(start), ["p-", "n-", "t-", "d-", "x-"]);
        assert!(token(&key(), Personal::Email, "x").ends_with("@pseudonym.invalid"));
        assert_eq!(other_token(&key(), "x"), token(&key(), Personal::Address, "x"));
    }

    #[test]
    fn another_key_gives_another_token() {
        let other = Key::new(&[6; 32]);
        for class in Personal::ALL {
            assert_ne!(token(&key(), *class, "ou_1"), token(&other, *class, "ou_1"));
        }
    }

    proptest! {
        #[test]
        fn tokens_keep_equality_and_inequality(texts in proptest::collection::hash_set("\\PC{1,12}", 1..40)) {
            for class in Personal::ALL {
                let tokens: HashSet<String> = texts.iter().map(|text| token(&key(), *class, text)).collect();
                prop_assert_eq!(tokens.len(), texts.len());
                prop_assert!(tokens.iter().all(|text| is_token(*class, text)));
            }
        }
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let digits = "0123456789abcdef";
        for text in [
            digits.to_owned(),
            format!("p-{digits}0"),
            format!("p{digits}"),
            "p-0123456789ABCDEF".to_owned(),
            format!("é{digits}"),
            format!(" p-{digits}"),
            "@pseudonym.invalid".to_owned(),
            "p-".to_owned(),
            String::new(),
        ] {
            assert!(!Personal::ALL.iter().any(|class| is_token(*class, &text)), "{text}");
        }
        assert!(!is_token(Personal::Id, &format!("n-{digits}")), "of another class");
    }
}
