//! What a card says, in the language of the reader: the texts of `texts.tsv`, and the values of the store in words.

use crate::report::headings::{fill, text, words};
use crate::report::incident_text;
use crate::text::{Language, counted};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Words(pub(super) Language);

/// What the values of a fact are counted in: the texts for one and for several.
pub(super) type Unit = (&'static str, &'static str);

pub(super) const PARTICIPATION: Unit = ("card.of_participation.one", "card.of_participation");
pub(super) const PARTICIPANT: Unit = ("card.of_participant.one", "card.of_participant");

impl Words {
    pub(super) fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        fill(key, self.0, values)
    }

    pub(super) fn say(self, key: &str) -> String {
        self.fill(key, &[])
    }

    pub(super) fn label(self, name: &str) -> String {
        self.say(&format!("label.{name}"))
    }

    /// `3 meetings`.
    pub(super) fn counted(self, n: i64, unit: &str) -> String {
        self.0.say(&counted(n.max(0) as u64, unit)).into_owned()
    }

    pub(super) fn of_unit(self, n: usize, (one, several): Unit) -> String {
        self.fill(if n == 1 { one } else { several }, &[("n", &n.to_string())])
    }

    /// `a, b`.
    pub(super) fn list(self, parts: &[String]) -> String {
        parts.join(self.0.pick(", ", "、"))
    }

    /// `a, b and 2 more`.
    pub(super) fn list_and_more(self, key: &str, shown: &[String], more: usize) -> String {
        let list = self.list(shown);
        match more {
            0 => list,
            more => self.fill(key, &[("shown", &list), ("n", &more.to_string())]),
        }
    }

    /// `a; b`.
    pub(super) fn clauses(self, parts: &[String]) -> String {
        parts.join(self.0.pick("; ", "；"))
    }

    /// `14.8 %`, or `unknown`.
    pub(super) fn pct(self, pct: Option<f64>) -> String {
        pct.map_or_else(|| self.say("card.unknown"), |pct| self.0.pick(format!("{pct:.1} %"), format!("{pct:.1}%")))
    }

    /// A value of the store. English shows it as it is.
    pub(super) fn value(self, column: &str, value: &str) -> String {
        match (self.0, column) {
            (Language::English, _) => value.to_owned(),
            (_, "proxy") => text(&format!("card.proxy.{value}"), self.0).unwrap_or(value).to_owned(),
            (language, column) => words(column, value, language),
        }
    }

    /// `jitter both ways`.
    pub(super) fn cause(self, cause: &str) -> String {
        self.value("cause", cause)
    }

    /// The scope of an incident in a title.
    pub(super) fn place(self, kind: &str, name: &str) -> String {
        self.0.pick(name.to_owned(), incident_text::place(kind, name, self.0))
    }

    /// `5 people and 2 rooms`.
    pub(super) fn people_and_rooms(self, people: u64, rooms: u64) -> String {
        incident_text::counted(people, rooms, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_store_are_words_in_chinese_and_names_stay() {
        let said = |column: &str, value: &str| Words(Language::Chinese).value(column, value);
        assert_eq!([said("network", "wifi"), said("proxy", "no"), said("status", "empty")], ["无线", "否", "无数据"]);
        assert_eq!([said("site", "wifi"), said("device", "mac"), said("meeting", "poor")], ["wifi", "mac", "poor"]);
        assert_eq!(Words(Language::English).value("network", "wifi"), "wifi");
    }

    #[test]
    fn every_count_of_a_card_has_a_chinese_form() {
        for unit in ["meeting", "day", "participant", "minute"] {
            for n in [1, 1_234] {
                let said = Words(Language::Chinese).counted(n, unit);
                assert!(!said.contains(unit), "{said}");
            }
        }
    }
}
