//! Columns, values and titles of reports in words, in both languages, for messages; tables show the names.
//!
//! `headings.tsv` has the headings that the page lacks; the others, and the Chinese form of values and titles, are
//! those of the page. A custom report has the names of its columns.

use super::catalogue::Report;
use super::header::ReportColumn;
use super::page::{chinese, find};
use crate::text::Language;

const HEADINGS: &str = include_str!("headings.tsv");

/// Units: name, English, Chinese, and the words by which a heading already says it.
const UNITS: &[(&str, &str, &str, &[&str])] = &[
    ("%", " %", "%", &[]),
    ("min", " min", " 分钟", &["min", "minute", "分钟"]),
    ("h", " h", " 小时", &["小时"]),
    ("s", " s", " 秒", &[]),
    ("pp", " pp", " 个百分点", &[]),
    ("1/min", " per min", " 次/分钟", &[]),
    ("1/h", " per h", " 次/小时", &[]),
    ("px", " px", " px", &[]),
    ("MOS est.", "", "", &[]),
];

/// Clocks, shown with the heading.
const CLOCKS: &[(&str, &str, &str)] = &[
    ("local", "local", "当地时间"),
    ("UTC", "UTC", "UTC"),
    ("local, so far", "local, so far", "当地时间，截至目前"),
    ("UTC, so far", "UTC, so far", "UTC，截至目前"),
];

/// The columns whose values are the project's own words, and the group of their texts; `term` for those of terms.tsv.
/// All other texts may be names.
const WORDS: &[(&str, &str)] = &[
    ("bound", "term"),
    ("cause", "cause"),
    ("coverage", "coverage"),
    ("differs_from_cqd", "term"),
    ("direction", "term"),
    ("gate", "gate"),
    ("home_like", "term"),
    ("kind", "kind"),
    ("licence", "term"),
    ("main_cause", "cause"),
    ("measure", "term"),
    ("medium", "term"),
    ("meeting_verdict", "verdict"),
    ("met", "term"),
    ("metric", "term"),
    ("network", "network"),
    ("pattern", "term"),
    ("room_verdict", "verdict"),
    ("scope_kind", "card.kind"),
    ("severity", "severity"),
    ("status", "coverage"),
    ("target", "term"),
    ("top_cause", "cause"),
    ("use", "term"),
    ("usual_network", "network"),
    ("verdict", "verdict"),
    ("weekday", "term"),
    ("what", "term"),
];

/// The columns with phrases or sentences, whose Chinese form is in terms.tsv, and what separates those in a list.
const SENTENCES: &[(&str, &str)] = &[
    ("check", ""),
    ("common", ", "),
    ("example_reason", ""),
    ("explanation", ""),
    ("mos_model", ""),
    ("path", ""),
    ("place", ""),
    ("reading", ""),
    ("short", ", "),
    ("source", ""),
    ("what_to_do", ""),
];

/// The columns with places: names, and what stands for those that have none.
const PLACES: &[&str] = &["site", "usual_site"];

/// The endings of column names that are units, which stand beside the value.
const UNIT_ENDINGS: &[&str] = &["_pct", "_ms", "_min", "_fps", "_kbps", "_px", "_s", "_h", "_utc", "_local"];

fn own_heading(column: &str) -> Option<(&'static str, &'static str)> {
    let mut lines = HEADINGS.lines().filter(|line| !line.starts_with('#'));
    let (_, texts) = lines.find_map(|line| line.split_once('\t').filter(|(name, _)| *name == column))?;
    texts.split_once('\t')
}

fn texts(column: &str) -> Option<(&'static str, &'static str)> {
    own_heading(column).or_else(|| find(&format!("c.{column}")).map(|(_, english, chinese)| (english, chinese)))
}

/// A text of the page.
pub(crate) fn text(key: &str, language: Language) -> Option<&'static str> {
    find(key).map(|(_, english, chinese)| language.pick(english, chinese))
}

/// A text of the page with values in place of its `{name}`.
pub(crate) fn fill(key: &str, language: Language, values: &[(&str, &str)]) -> String {
    let mut rest = text(key, language).unwrap_or_else(|| panic!("texts.tsv has no {key}"));
    let mut filled = String::with_capacity(rest.len() + 16);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    filled + rest
}

/// A column in words, with its clock.
pub(crate) fn heading(column: &ReportColumn, language: Language) -> String {
    let text = match texts(&column.name) {
        Some((english, chinese)) => language.pick(english, chinese).to_owned(),
        None => {
            let name = UNIT_ENDINGS.iter().find_map(|ending| column.name.strip_suffix(ending));
            name.unwrap_or(&column.name).replace('_', " ")
        }
    };
    match CLOCKS.iter().find(|(name, ..)| *name == column.unit) {
        Some((_, english, chinese)) => language.pick(format!("{text} ({english})"), format!("{text}（{chinese}）")),
        None => text,
    }
}

/// The unit of a column as it stands behind a number; empty if its heading says it.
pub(crate) fn unit(column: &ReportColumn, language: Language) -> String {
    let heading = heading(column, language).to_lowercase();
    match UNITS.iter().find(|(name, ..)| *name == column.unit) {
        _ if column.unit.is_empty() || CLOCKS.iter().any(|(name, ..)| *name == column.unit) => String::new(),
        Some((.., words)) if words.iter().any(|word| heading.contains(word)) => String::new(),
        Some((_, english, chinese, _)) => language.pick(*english, *chinese).to_owned(),
        None => format!(" {}", column.unit),
    }
}

/// A text of a column; what may come from outside is unchanged.
pub(crate) fn words(column: &str, text: &str, language: Language) -> String {
    if let Some((_, between)) = SENTENCES.iter().find(|(name, _)| *name == column) {
        return language.pick(text.to_owned(), phrases(text, between));
    }
    if PLACES.contains(&column) {
        let is_name = !text.starts_with("home, by ");
        return if is_name { text.to_owned() } else { language.pick(text.to_owned(), phrases(text, "")) };
    }
    let Some((_, group)) = WORDS.iter().find(|(name, _)| *name == column) else { return text.to_owned() };
    if let Some(known) = self::text(&format!("{group}.{text}"), language) {
        return known.to_owned();
    }
    language.pick(text.replace('_', " "), chinese(text).unwrap_or_else(|| text.to_owned()))
}

/// Phrases in Chinese, each by itself if `between` separates them.
fn phrases(text: &str, between: &str) -> String {
    let one = |text: &str| {
        let network = || find(&format!("network.{text}")).map(|(_, _, chinese)| chinese.to_owned());
        chinese(text).or_else(network).unwrap_or_else(|| text.to_owned())
    };
    match between {
        "" => one(text),
        between => text.split(between).map(one).collect::<Vec<_>>().join("，"),
    }
}

/// The title of a report; that of a custom one is unchanged.
pub(crate) fn title(report: &Report, language: Language) -> String {
    let title = &report.header.title;
    language.pick(title.clone(), chinese(title).filter(|_| !title.is_empty()).unwrap_or_else(|| title.clone()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::report::Catalogue;

    #[test]
    fn every_column_and_title_of_a_report_has_words_in_both_languages() {
        let mut columns = BTreeSet::new();
        for report in Catalogue::built_in().expect("reports").reports() {
            assert_ne!(title(report, Language::Chinese), report.header.title, "terms.tsv lacks a title");
            for column in &report.header.columns {
                assert!(texts(&column.name).is_some(), "{}: {} has no heading", report.name, column.name);
                columns.insert(column.name.clone());
            }
        }
        let mut own = BTreeSet::new();
        for line in HEADINGS.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert!(fields.len() == 3 && fields.iter().all(|field| !field.trim().is_empty()), "{line}");
            assert!(own.insert(fields[0]), "{line} twice");
            assert!(columns.contains(fields[0]), "{line} is of no report");
            let of_page = find(&format!("c.{}", fields[0])).map(|(_, english, chinese)| (english, chinese));
            assert_ne!(of_page, Some((fields[1], fields[2])), "the page has this text");
        }
        let listed = WORDS.iter().chain(SENTENCES).map(|(name, _)| *name).chain(PLACES.iter().copied());
        let unknown: Vec<_> = listed.filter(|name| !columns.contains(*name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn units_and_clocks_are_shown_once() {
        let column =
            |name: &str, unit: &str| ReportColumn { name: name.to_owned(), unit: unit.to_owned(), doc: String::new() };
        let both = |name: &str, unit: &str| {
            let column = column(name, unit);
            [Language::English, Language::Chinese]
                .map(|language| format!("{}: 5{}", heading(&column, language), super::unit(&column, language)))
        };
        assert_eq!(both("poor_pct", "%"), ["Poor: 5 %", "质差率: 5%"]);
        assert_eq!(both("n", "min"), ["Judged min: 5", "有效分钟: 5"]);
        assert_eq!(both("judged", "min"), ["Judged: 5 min", "有效时长: 5 分钟"]);
        assert_eq!(both("delay_p95_ms", "ms"), ["Delay p95: 5 ms", "延迟 p95: 5 ms"]);
        assert_eq!(both("start", "local"), ["Start (local): 5", "开始时间（当地时间）: 5"]);
        assert_eq!(both("my_own_kbps", "kbps"), ["my own: 5 kbps", "my own: 5 kbps"]);
    }

    #[test]
    fn own_values_are_translated_and_names_are_not() {
        let both = |column: &str, text: &str| [Language::English, Language::Chinese].map(|to| words(column, text, to));
        assert_eq!(both("main_cause", "jitter both ways"), ["jitter both ways", "双向抖动"]);
        assert_eq!(both("verdict", "unclassified"), ["no verdict", "无法判定"]);
        assert_eq!(both("status", "degraded"), ["degraded", "欠佳"]);
        assert_eq!(both("status", "list_short"), ["participant list is short", "参会人名单不全"]);
        assert_eq!(both("measure", "poor_audio_streams"), ["poor audio streams", "质差音频流"]);
        assert_eq!(both("topic", "once"), ["once", "once"], "a topic is not the project's word");
        assert_eq!(both("site", "home, by 192.0.2.0/24")[1], "家庭网络 192.0.2.0/24");
        assert_eq!(both("site", "once"), ["once", "once"]);
        let common = "one meeting, all by 192.0.2.0/24, wifi, version 7.2";
        assert_eq!(both("common", common), [common, "同一场会议，均经 192.0.2.0/24，无线，客户端版本 7.2"]);
        let why = "recent: known from an event; no meeting list that was fetched returned it yet";
        assert_eq!(both("explanation", why), [why, "较新：由事件得知，已获取的会议列表中还没有"]);
        let two = "not covered: no complete sync covers all of this day; pending: the participants of 3 meetings are \
            not fetched yet";
        assert_eq!(
            both("explanation", two)[1],
            "未覆盖：没有完整的同步覆盖这一整天；待定：有 3 场会议的参会人尚未获取"
        );
    }

    #[test]
    fn every_word_that_the_reports_give_has_a_chinese_form() {
        let database = crate::report::fixture::tenant();
        let (mut found, mut lacking) = (0, BTreeSet::new());
        for report in Catalogue::built_in().expect("reports").reports() {
            let required = report.header.parameters.iter().filter(|parameter| parameter.is_required);
            let given: Vec<_> = required.map(|parameter| (parameter.name.clone(), "100000001".to_owned())).collect();
            let arguments = crate::report::Arguments::resolve(&report.name, &report.header, &given).expect("arguments");
            let result = crate::report::run(&database, report, &arguments).expect("runs");
            for (at, column) in result.columns.iter().enumerate() {
                for row in &result.rows {
                    let crate::report::Cell::Text(text) = &row[at] else { continue };
                    let names = WORDS.iter().map(|(name, _)| name).chain(SENTENCES.iter().map(|(name, _)| name));
                    let is_ours = names.into_iter().any(|name| name == column) && text.chars().any(char::is_alphabetic);
                    let said = words(column, text, Language::Chinese);
                    // Three English words in a row are a phrase of a column that is not listed.
                    let parts: Vec<&str> = said.split([' ', ',', ';', ':']).collect();
                    let is_word = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
                    let is_phrase = parts.windows(3).any(|run| run.iter().all(is_word));
                    if is_ours && said == *text || is_phrase {
                        lacking.insert(format!("{}: {column}: {text}", report.name));
                    }
                    found += usize::from(is_ours);
                }
            }
        }
        assert!(lacking.is_empty(), "{lacking:#?}");
        assert!(found > 20, "only {found}");
    }
}
