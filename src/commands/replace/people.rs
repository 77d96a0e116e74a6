//! A person who is forgotten, by everything that identifies the person in the store.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::personal_data::{Person, Pseudonyms};
use crate::schema::identity::with_other_id;
use crate::schema::{Personal, TABLES};

/// A shorter name or ID in a text may be part of something else.
const MIN_NAME_CHARS: usize = 2;
const MIN_ID_CHARS: usize = 8;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct People {
    /// User IDs and employee IDs.
    pub ids: BTreeSet<String>,
    pub emails: BTreeSet<String>,
    pub names: BTreeSet<String>,
    /// What stands for each text, longest first.
    texts: Vec<(String, String)>,
    /// The same for names, which are replaced in topics only.
    name_texts: Vec<(String, String)>,
}

impl People {
    pub(crate) fn new(
        ids: BTreeSet<String>,
        emails: BTreeSet<String>,
        names: BTreeSet<String>,
        pseudonyms: &Pseudonyms,
    ) -> People {
        let of = |class: Personal, values: &BTreeSet<String>, min_chars: usize| -> Vec<(String, String)> {
            let long = values.iter().filter(|text| text.chars().count() >= min_chars);
            let mut pairs: Vec<(String, String)> =
                long.map(|text| (text.clone(), pseudonyms.token(class, text).into_owned())).collect();
            pairs.retain(|(text, token)| text != token);
            pairs.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
            pairs
        };
        let mut texts = of(Personal::Id, &ids, MIN_ID_CHARS);
        texts.extend(of(Personal::Email, &emails, 1));
        let name_texts = of(Personal::Name, &names, MIN_NAME_CHARS);
        People { ids, emails, names, texts, name_texts }
    }

    /// The pseudonyms by which later responses are recognised.
    pub(crate) fn pseudonyms(&self, pseudonyms: &Pseudonyms) -> Vec<String> {
        let of = |class, values: &BTreeSet<String>| -> Vec<String> {
            values.iter().map(|text| pseudonyms.token(class, text).into_owned()).collect()
        };
        [of(Personal::Id, &self.ids), of(Personal::Email, &self.emails)].concat()
    }

    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether a participant's key contains one of the IDs.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let mut has_id = false;
        let _ = with_other_id(key, |id| {
            has_id = self.ids.contains(id);
            id.to_owned()
        });
        has_id
    }

    /// Whether an item is about one of them. A name alone identifies a person only where there is nothing else.
    pub(crate) fn is_one(&self, person: &Person<'_>) -> bool {
        let has_email = |email: &str| self.emails.iter().any(|known| known.eq_ignore_ascii_case(email));
        person.ids.iter().any(|id| self.ids.contains(id.as_ref()))
            || person.emails.iter().any(|email| has_email(email))
            || (person.ids.is_empty()
                && person.emails.is_empty()
                && person.names.iter().any(|name| name.split(',').any(|name| self.names.contains(name.trim()))))
    }

    /// A text, or a JSON document, with the IDs and e-mail addresses replaced wherever they are words of their own, and
    /// with the names replaced in topics; `None` if nothing changes.
    pub(crate) fn in_texts(&self, text: &str) -> Option<String> {
        let mut changed = text.to_owned();
        for (word, token) in &self.texts {
            changed = replace_word(&changed, word, token);
        }
        if self.name_texts.iter().any(|(name, _)| has_name(&changed, name))
            && let Ok(mut value) = serde_json::from_str::<Value>(&changed)
            && self.in_topics(&mut value)
        {
            changed = value.to_string();
        }
        (changed != text).then_some(changed)
    }

    /// Replaces the names in every topic below a value. Returns whether there was one.
    fn in_topics(&self, value: &mut Value) -> bool {
        match value {
            Value::Array(items) => items.iter_mut().fold(false, |changed, item| self.in_topics(item) | changed),
            Value::Object(fields) => fields.iter_mut().fold(false, |changed, (key, value)| match value {
                Value::String(text) if is_topic(key) => {
                    let mut other = text.clone();
                    for (name, token) in &self.name_texts {
                        other = replace_word(&other, name, token);
                    }
                    let differs = other != *text;
                    *text = other;
                    changed | differs
                }
                other => self.in_topics(other) | changed,
            }),
            _ => false,
        }
    }
}

/// A name may be escaped in JSON.
fn has_name(text: &str, name: &str) -> bool {
    text.contains(name) || (text.contains("\\u") && !name.is_ascii()) || name.contains(['"', '\\'])
}

/// Whether a field holds a topic: by the columns, and in events.
fn is_topic(field: &str) -> bool {
    let columns = || TABLES.iter().flat_map(|table| table.columns);
    let of_class = || columns().filter(|column| column.personal == Some(Personal::Topic));
    field == "topic" || of_class().any(|column| column.source.rsplit('/').next() == Some(field))
}

/// Replaces a text where it is not part of a longer word.
fn replace_word(text: &str, word: &str, token: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (first, last) = (word.chars().next(), word.chars().next_back());
    let mut changed = String::with_capacity(text.len());
    let mut rest = 0;
    for (at, found) in text.match_indices(word) {
        let end = at + found.len();
        let continues =
            |inner: Option<char>, outer: Option<char>| inner.is_some_and(is_word) && outer.is_some_and(is_word);
        if continues(first, text[..at].chars().next_back()) || continues(last, text[end..].chars().next()) {
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
    use super::*;
    use crate::personal_data::{Identity, Key, Networks, Topics};

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn people() -> (People, Pseudonyms) {
        let pseudonyms = Pseudonyms::new(Key::new(&[5; 32]), Identity::Pseudonym, Topics::Keep, Networks::default());
        let people = People::new(
            set(&["ou_12345678", "1001"]),
            set(&["li.na@example.com"]),
            set(&["Li Na", "李娜"]),
            &pseudonyms,
        );
        (people, pseudonyms)
    }

    #[test]
    fn whole_words_are_replaced_and_parts_of_others_are_not() {
        let (people, pseudonyms) = people();
        let id = pseudonyms.token(Personal::Id, "ou_12345678").into_owned();
        assert_eq!(people.in_texts("no ou_12345678, sorry"), Some(format!("no {id}, sorry")));
        for text in ["ou_123456789", "xou_12345678", "employee 1001", "Li Na"] {
            assert_eq!(people.in_texts(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_replaced_in_topics_only() {
        let (people, pseudonyms) = people();
        let [english, chinese] = ["Li Na", "李娜"].map(|name| pseudonyms.token(Personal::Name, name).into_owned());
        let body =
            r#"{"items":[{"meeting_topic":"Li Na's meeting","organizer":"Li Na"},{"topic":"李娜的会议, Li Nash"}]}"#;
        let expected = format!(
            r#"{{"items":[{{"meeting_topic":"{english}'s meeting","organizer":"Li Na"}},{{"topic":"{chinese}的会议, Li Nash"}}]}}"#
        );
        assert_eq!(people.in_texts(body), Some(expected.clone()));
        assert_eq!(people.in_texts(&expected), None, "once");
    }

    #[test]
    fn a_name_alone_does_not_identify_a_person_who_has_an_id() {
        let (people, _) = people();
        let person = |ids: &[&str], names: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned().into()).collect();
            people.is_one(&Person { ids: owned(ids), emails: Vec::new(), names: owned(names) })
        };
        assert!(person(&["1001"], &[]) && person(&[], &["Wang, Li Na"]));
        assert!(!person(&["ou_other"], &["Li Na"]));
        assert!(people.has_key("1-2/ou_12345678/3") && !people.has_key("1-2/?/3"));
    }
}
