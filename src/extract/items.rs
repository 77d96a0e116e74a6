//! The little that asking needs of a page: its items, how many, and whether they are the same as before.

use std::collections::HashSet;

use feishu_vc::read_list;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::schema::{Raw, SECTIONS, parse};
use crate::text::{hex, readable};

/// The items of a page; none where the list is null, absent or no list. An item that JSON allows and no reader can hold
/// (half a surrogate pair, a number beyond a double, nesting without end) is as near to what was sent as can be.
pub(crate) fn list_items(body: &[u8], list_key: &str) -> Vec<Value> {
    read_list(body, list_key).map(|list| parse_items(&body[list.range])).unwrap_or_default()
}

/// The items of a list, from its JSON text; none where that is no array.
pub(super) fn parse_items(list_json: &[u8]) -> Vec<Value> {
    serde_json::from_slice(list_json)
        .or_else(|_| serde_json::from_str(&readable(&String::from_utf8_lossy(list_json))))
        .unwrap_or_default()
}

/// Adds the minutes of a quality page to others: the text of each item's first time. Items without any time add none.
/// Metrics are not looked at.
pub(super) fn add_minutes(list_json: &[u8], minutes: &mut HashSet<String>) {
    for item in parse_items(list_json) {
        let times =
            SECTIONS.iter().map(|section| Raw::of(item.get(section.name).and_then(|section| section.get("time"))));
        let first = times.map(|time| (time, parse::clock(&time))).find(|(_, clock)| matches!(clock, Ok(Some(_))));
        if let Some((time, _)) = first {
            minutes.insert(time.text().into_owned());
        }
    }
}

/// A digest over the items of a walk, page by page: equal answers have equal digests.
#[derive(Default)]
pub(super) struct AnswerDigest(Sha256);

impl AnswerDigest {
    pub(super) fn page(&mut self, list_json: &[u8]) {
        self.0.update(list_json);
        self.0.update([0]);
    }

    /// The digest in hexadecimal, half its length: enough to tell two answers of one unit apart.
    pub(super) fn finish(self) -> String {
        hex(&self.0.finalize()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_odd_lists_are_none() {
        for body in ["", "[]", "{}", r#"{"data":null}"#, r#"{"data":{"x":null}}"#, r#"{"data":{"x":{}}}"#] {
            assert!(list_items(body.as_bytes(), "x").is_empty(), "{body}");
        }
        assert_eq!(list_items(br#"{"code":0,"data":{"has_more":false,"x":[1,{"a":2}]}}"#, "x").len(), 2);
    }

    #[test]
    fn one_odd_item_does_not_cost_the_page() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for odd in [r#"{"topic":"half \ud800"}"#, r#"{"n":1e400}"#, deep.as_str()] {
            let body = format!(r#"{{"code":0,"data":{{"x":[{{"a":1}},{odd},{{"a":2}}]}}}}"#);
            let items = list_items(body.as_bytes(), "x");
            assert_eq!((items.len(), &items[0]["a"], &items[2]["a"]), (3, &1.into(), &2.into()), "{odd:.40}");
        }
    }

    #[test]
    fn minutes_are_counted_once_and_only_where_there_is_a_time() {
        let item = |section: &str, time: &str| format!(r#"{{"{section}":{{"time":"{time}"}}}}"#);
        let items = [
            item("network", "2022.12.23 11:16:00"),
            item("network", "2022.12.23 11:16:00"),
            item("cpu_usage", "2022.12.23 11:17:00"),
            item("audio", "25:99"),
            "{}".to_owned(),
            "7".to_owned(),
        ];
        let mut minutes = HashSet::new();
        add_minutes(format!("[{}]", items.join(",")).as_bytes(), &mut minutes);
        assert_eq!(minutes.len(), 2);
    }

    #[test]
    fn digest_tells_answers_apart_and_looks_only_at_items() {
        let digest = |bodies: &[&str]| {
            let mut digest = AnswerDigest::default();
            bodies.iter().for_each(|body| {
                digest.page(&body.as_bytes()[read_list(body.as_bytes(), "x").expect(body).range]);
            });
            digest.finish()
        };
        let one = digest(&[r#"{"code":0,"data":{"x":[1]},"log":"a"}"#]);
        assert_eq!(one, digest(&[r#"{"code":0,"data":{"x":[1]},"log":"b"}"#]));
        assert_ne!(one, digest(&[r#"{"code":0,"data":{"x":[2]}}"#]));
        assert_ne!(one, digest(&[r#"{"code":0,"data":{"x":[1]}}"#, r#"{"code":0,"data":{"x":[]}}"#]));
    }
}
