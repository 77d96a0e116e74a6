//! People who are forgotten: who they are in items, keys and texts.
//!
//! They are recognised by the tokens of their IDs, e-mail addresses and names, which identify nobody without the key.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::person::Person;
use super::pseudonyms::Pseudonyms;
use super::token::is_token;
use crate::schema::identity::with_other_id;
use crate::schema::{Personal, TABLES};

/// A shorter ID in a text may be part of something else.
const MIN_ID_CHARS: usize = 8;
/// The same for a name; a longer one is not looked for in topics.
const NAME_CHARS: RangeInclusive<usize> = 2..=40;

#[derive(Clone)]
pub(crate) struct People {
    pseudonyms: Arc<Pseudonyms>,
    /// Of IDs, e-mail addresses and names.
    tokens: BTreeSet<String>,
    /// What stands for the IDs and e-mail addresses that are known, longest first.
    texts: Vec<(String, String)>,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "People({} tokens)", self.tokens.len())
    }
}

/// The classes of values by which a person is recognised.
const CLASSES: [Personal; 3] = [Personal::Id, Personal::Email, Personal::Name];

impl People {
    /// Those with these tokens. Their IDs and e-mail addresses are not known, so they are found where they are values,
    /// and not within a text.
    pub(crate) fn of_tokens(tokens: &BTreeSet<String>, pseudonyms: Arc<Pseudonyms>) -> People {
        let is_one = |token: &&String| CLASSES.iter().any(|class| is_token(*class, token));
        People { pseudonyms, tokens: tokens.iter().filter(is_one).cloned().collect(), texts: Vec::new() }
    }

    /// The person with these values.
    pub(crate) fn of_values(
        ids: &BTreeSet<String>,
        emails: &BTreeSet<String>,
        names: &BTreeSet<String>,
        pseudonyms: Arc<Pseudonyms>,
    ) -> People {
        let token = |class: Personal, text: &str| pseudonyms.token(class, text).into_owned();
        let lower: BTreeSet<String> = emails.iter().map(|email| email.to_lowercase()).collect();
        let values =
            [(Personal::Id, ids), (Personal::Email, emails), (Personal::Email, &lower), (Personal::Name, names)];
        let tokens = values.iter().flat_map(|(class, texts)| texts.iter().map(|text| token(*class, text))).collect();
        let texts = |class: Personal, values: &BTreeSet<String>, min_chars: usize| -> Vec<(String, String)> {
            let long = values.iter().filter(|text| text.chars().count() >= min_chars);
            let mut pairs: Vec<(String, String)> = long.map(|text| (text.clone(), token(class, text))).collect();
            pairs.retain(|(text, token)| text != token);
            pairs.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
            pairs
        };
        let texts = [texts(Personal::Id, ids, MIN_ID_CHARS), texts(Personal::Email, emails, 1)].concat();
        People { texts, ..People::of_tokens(&tokens, Arc::clone(&pseudonyms)) }
    }

    /// The tokens by which later responses are recognised.
    pub(crate) fn tokens(&self) -> &BTreeSet<String> {
        &self.tokens
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether a value, or its token, is theirs.
    pub(crate) fn has(&self, class: Personal, text: &str) -> bool {
        let has = |text: &str| self.tokens.contains(self.pseudonyms.token(class, text).as_ref());
        has(text) || (class == Personal::Email && has(&text.to_lowercase()))
    }

    /// Whether a participant's key contains one of the IDs.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let mut has_id = false;
        let _ = with_other_id(key, |id| {
            has_id = self.has(Personal::Id, id);
            id.to_owned()
        });
        has_id
    }

    /// Whether an item is about one of them. A name alone identifies a person only where there is nothing else.
    pub(crate) fn is_one(&self, person: &Person<'_>) -> bool {
        let has_name = |names: &str| names.split(',').any(|name| self.has(Personal::Name, name.trim()));
        person.ids.iter().any(|id| self.has(Personal::Id, id))
            || person.emails.iter().any(|email| self.has(Personal::Email, email))
            || (person.ids.is_empty() && person.emails.is_empty() && person.names.iter().any(|names| has_name(names)))
    }

    /// Whether one of the IDs or e-mail addresses is a word of a text.
    pub(crate) fn is_in_text(&self, text: &str) -> bool {
        let is_between = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '@' | '+');
        let words = text.split(is_between).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty());
        let is_known = |word: &str, class: Personal| !is_token(class, word) && self.has(class, word);
        words.into_iter().any(|word| is_known(word, Personal::Id) || is_known(word, Personal::Email))
    }

    /// A text, or a JSON document, with the IDs and e-mail addresses replaced wherever they are words of their own, and
    /// with the names replaced in topics; `None` if nothing changes.
    pub(crate) fn in_texts(&self, text: &str) -> Option<String> {
        let mut changed = text.to_owned();
        for (word, token) in &self.texts {
            changed = replace_word(&changed, word, token);
        }
        let changed = self.in_topics(&changed).unwrap_or(changed);
        (changed != text).then_some(changed)
    }

    /// A JSON document with the names replaced in topics; `None` if nothing changes.
    pub(crate) fn in_topics(&self, json: &str) -> Option<String> {
        let has_names = self.tokens.iter().any(|token| is_token(Personal::Name, token));
        if !has_names || !TOPIC_FIELDS.iter().any(|field| json.contains(field)) {
            return None;
        }
        let mut value = serde_json::from_str::<Value>(json).ok()?;
        self.replace_in_topics(&mut value).then(|| value.to_string())
    }

    /// Replaces the names in every topic below a value. Returns whether there was one.
    pub(crate) fn replace_in_topics(&self, value: &mut Value) -> bool {
        match value {
            Value::Array(items) => items.iter_mut().fold(false, |changed, item| self.replace_in_topics(item) | changed),
            Value::Object(fields) => fields.iter_mut().fold(false, |changed, (key, value)| match value {
                Value::String(text) if TOPIC_FIELDS.contains(&key.as_str()) => {
                    let other = self.in_topic(text);
                    let differs = other != *text;
                    *text = other;
                    changed | differs
                }
                other => self.replace_in_topics(other) | changed,
            }),
            _ => false,
        }
    }

    /// A topic with each name replaced that is not part of a longer word.
    pub(crate) fn in_topic(&self, topic: &str) -> String {
        let ends = topic.char_indices().map(|(at, _)| at).chain([topic.len()]);
        let ends: Vec<usize> = ends.filter(|at| !is_within_word(topic, *at)).collect();
        let name_at = |start: usize| {
            let texts = ends.iter().filter(|end| **end > start).map(|end| &topic[start..*end]);
            let texts = texts.take_while(|text| text.chars().count() <= *NAME_CHARS.end());
            texts
                .filter(|text| text.chars().count() >= *NAME_CHARS.start())
                .filter(|text| self.has(Personal::Name, text))
                .last()
        };
        let mut changed = String::with_capacity(topic.len());
        let mut rest = 0;
        for start in &ends {
            if *start < rest {
                continue;
            }
            if let Some(name) = name_at(*start) {
                changed.push_str(&topic[rest..*start]);
                changed.push_str(&self.pseudonyms.token(Personal::Name, name));
                rest = start + name.len();
            }
        }
        changed.push_str(&topic[rest..]);
        changed
    }
}

/// The fields that hold a topic: by the columns, and in events.
static TOPIC_FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let columns = TABLES.iter().flat_map(|table| table.columns);
    let topics = columns.filter(|column| column.personal == Some(Personal::Topic));
    topics.filter_map(|column| column.source.rsplit('/').next()).chain(["topic"]).collect()
});

/// Whether a position has a letter or digit of one word on both sides.
fn is_within_word(text: &str, at: usize) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text[..at].chars().next_back().is_some_and(is_word) && text[at..].chars().next().is_some_and(is_word)
}

/// Replaces a text where it is not part of a longer word.
fn replace_word(text: &str, word: &str, token: &str) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, found) in text.match_indices(word) {
        let end = at + found.len();
        if is_within_word(text, at) || is_within_word(text, end) {
            continue;
        }
        changed.push_str(&text[rest..at]);
        changed.push_str(token);
        rest = end;
    }
    changed.push_str(&text[rest..]);
    changed
}

#[cfg(test)]
mod tests {
    use super::super::{Identity, Key, Networks, Topics};
    use super::*;

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn pseudonyms() -> Arc<Pseudonyms> {
        Arc::new(Pseudonyms::new(Key::new(&[5; 32]), Identity::Pseudonym, Topics::Keep, Networks::default()))
    }

    fn people() -> People {
        let (ids, emails) = (set(&["ou_12345678", "1001"]), set(&["Li.Na@example.com"]));
        People::of_values(&ids, &emails, &set(&["Li Na", "李娜"]), pseudonyms())
    }

    /// The same, known by the tokens only.
    fn by_tokens() -> People {
        People::of_tokens(people().tokens(), pseudonyms())
    }

    #[test]
    fn whole_words_are_replaced_and_parts_of_others_are_not() {
        let id = pseudonyms().token(Personal::Id, "ou_12345678").into_owned();
        assert_eq!(people().in_texts("no ou_12345678, sorry"), Some(format!("no {id}, sorry")));
        for text in ["ou_123456789", "xou_12345678", "employee 1001", "Li Na"] {
            assert_eq!(people().in_texts(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_replaced_in_topics_only() {
        let [english, chinese] = ["Li Na", "李娜"].map(|name| pseudonyms().token(Personal::Name, name).into_owned());
        let body =
            r#"{"items":[{"meeting_topic":"Li Na's meeting","organizer":"Li Na"},{"topic":"与李娜的会议, Li Nash"}]}"#;
        let expected = format!(
            r#"{{"items":[{{"meeting_topic":"{english}'s meeting","organizer":"Li Na"}},{{"topic":"与{chinese}的会议, Li Nash"}}]}}"#
        );
        for people in [people(), by_tokens()] {
            assert_eq!(people.in_texts(body), Some(expected.clone()));
            assert_eq!(people.in_texts(&expected), None, "once");
        }
    }

    #[test]
    fn a_name_alone_does_not_identify_a_person_who_has_an_id() {
        for people in [people(), by_tokens()] {
            let person = |ids: &[&str], emails: &[&str], names: &[&str]| {
                let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned().into()).collect();
                people.is_one(&Person { ids: owned(ids), emails: owned(emails), names: owned(names) })
            };
            assert!(person(&["1001"], &[], &[]) && person(&[], &[], &["Wang, Li Na"]));
            assert!(person(&[], &["li.na@EXAMPLE.com"], &[]));
            assert!(!person(&["ou_other"], &[], &["Li Na"]));
            assert!(people.has_key("1-2/ou_12345678/3") && !people.has_key("1-2/?/3"));
        }
    }

    #[test]
    fn ids_and_addresses_are_found_as_words_of_a_text() {
        let people = by_tokens();
        for text in ["{\"who\":\"ou_12345678\"}", "Write to li.na@example.com.", "employee 1001"] {
            assert!(people.is_in_text(text), "{text}");
        }
        let token = pseudonyms().token(Personal::Id, "ou_12345678").into_owned();
        for text in ["ou_123456789", token.as_str(), "Li Na", ""] {
            assert!(!people.is_in_text(text), "{text}");
        }
    }

    #[test]
    fn an_empty_value_is_nobody() {
        let nobody = People::of_values(&set(&["", "-"]), &set(&[""]), &set(&[" "]), pseudonyms());
        assert!(nobody.is_empty() && !nobody.has(Personal::Id, ""));
        assert!(People::of_tokens(&set(&["", "a damaged line"]), pseudonyms()).is_empty());
    }
}
