//! What tables and columns mean, in Chinese: `chinese.tsv`. Names stay as they are, and so does what programs read,
//! such as the metadata of Parquet files.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::text::{Language, translations};

pub(crate) const MEANINGS: &str = include_str!("chinese.tsv");

static CHINESE: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| translations(MEANINGS).collect());

/// The units that are words.
const UNITS: &[(&str, &str)] = &[
    ("local time", "当地时间"),
    ("local", "当地时间"),
    ("local, so far", "当地时间，截至目前"),
    ("UTC, so far", "UTC，截至目前"),
    ("min", "分钟"),
    ("h", "小时"),
    ("s", "秒"),
    ("pp", "百分点"),
    ("1/min", "次/分钟"),
    ("1/h", "次/小时"),
    ("MOS est.", "MOS 估算"),
    ("people", "人"),
];

/// The meaning of a table or column in a language; another text stays as it is.
pub(crate) fn meaning_in(language: Language, english: &str) -> &str {
    language.pick(english, CHINESE.get(english).copied().unwrap_or(english))
}

pub(crate) fn unit_in(language: Language, unit: &str) -> &str {
    let chinese = UNITS.iter().find(|(english, _)| *english == unit).map_or(unit, |(_, chinese)| chinese);
    language.pick(unit, chinese)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::schema::TABLES;

    /// The code spans of a text.
    fn spans(text: &str) -> BTreeSet<&str> {
        text.split('`').skip(1).step_by(2).filter(|span| span.is_ascii() && !span.contains("Unix")).collect()
    }

    #[test]
    fn every_table_and_column_has_a_chinese_meaning_and_none_is_stale() {
        let texts = TABLES.iter().flat_map(|table| {
            std::iter::once(table.doc).chain(table.columns.iter().map(|column| column.doc)).collect::<Vec<_>>()
        });
        let english: BTreeSet<&str> = texts.collect();
        let missing: Vec<_> = english.iter().filter(|text| !CHINESE.contains_key(*text)).collect();
        assert!(missing.is_empty(), "add to src/schema/chinese.tsv: {missing:#?}");
        let stale: Vec<_> = CHINESE.keys().filter(|text| !english.contains(*text)).collect();
        assert!(stale.is_empty(), "of no table or column: {stale:#?}");
        assert_eq!(translations(MEANINGS).count(), CHINESE.len(), "a text is there twice");
        for (english, chinese) in translations(MEANINGS) {
            assert!(chinese.ends_with('。') && !chinese.contains('\t'), "{english}: {chinese}");
            let other: Vec<_> = spans(english).into_iter().filter(|span| !chinese.contains(*span)).collect();
            let is_pattern = english.contains("`<");
            assert!(other.is_empty() || is_pattern, "{english}: {other:?}");
        }
    }

    #[test]
    fn every_unit_that_is_a_word_has_a_chinese_form() {
        for kind in TABLES.iter().flat_map(|table| table.columns).map(|column| column.kind) {
            let is_sign = ["", "%", "ms", "kbps", "dB", "fps", "px", "UTC"].contains(&kind.unit());
            assert!(is_sign || unit_in(Language::Chinese, kind.unit()) != kind.unit(), "{}", kind.unit());
        }
    }
}
