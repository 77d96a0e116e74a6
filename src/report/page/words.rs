//! The texts of the page in both languages, and the Chinese form of what the store says in English.
//!
//! `assets/texts.tsv` are the page's own texts; `assets/terms.tsv` are coverage reasons, thresholds, units and sources.
//! Names and topics are shown unchanged.

use std::collections::HashMap;
use std::sync::LazyLock;

const TEXTS: &str = include_str!("assets/texts.tsv");
const TERMS: &str = include_str!("assets/terms.tsv");

/// Key, English, Chinese.
pub(crate) type Word = (&'static str, &'static str, &'static str);

static WORDS: LazyLock<HashMap<&str, Word>> = LazyLock::new(|| words().map(|word| (word.0, word)).collect());

pub(super) fn words() -> impl Iterator<Item = Word> {
    lines(TEXTS).map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        (next(), next(), next())
    })
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// A text that the page needs.
pub(super) fn word(key: &str) -> Word {
    find(key).unwrap_or_else(|| panic!("texts.tsv has no {key}"))
}

/// The text of a value of the store, such as a status; `None` for a value that has none.
pub(crate) fn find(key: &str) -> Option<Word> {
    WORDS.get(key).copied()
}

/// The Chinese form of a reason, threshold, unit or source; `None` for text of another origin, such as an error of the
/// network.
pub(crate) fn chinese(english: &str) -> Option<String> {
    let terms = || lines(TERMS).filter_map(|line| line.split_once('\t'));
    if let Some((_, chinese)) = terms().find(|(term, _)| *term == english) {
        return Some(chinese.to_owned());
    }
    let found = terms().filter(|(term, _)| term.contains('{')).find_map(|(term, chinese)| {
        let values = matched(term, english)?;
        Some(values.iter().fold(chinese.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &self::chinese(value).unwrap_or_else(|| (*value).to_owned()))
        }))
    });
    // A source can have a remark of its own.
    found.or_else(|| {
        let (source, remark) = english.split_once("; ")?;
        Some(format!("{}；{}", chinese(source)?, chinese(remark)?))
    })
}

/// The values of the `{name}` of a term, in order.
fn matched<'a>(term: &'a str, text: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (before, rest) = term.split_once('{')?;
    let mut text = text.strip_prefix(before)?;
    let mut values = Vec::new();
    let mut rest = rest;
    loop {
        let (name, after) = rest.split_once('}')?;
        let (literal, next) = after.split_once('{').map_or((after, None), |(literal, next)| (literal, Some(next)));
        let end = match next {
            None => text.strip_suffix(literal)?.len(),
            Some(_) => text.find(literal)?,
        };
        values.push((name, &text[..end]));
        text = &text[end + literal.len()..];
        match next {
            None => return Some(values),
            Some(next) => rest = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What uses texts.
    const SOURCES: &[&str] = &[
        include_str!("assets/base.js"),
        include_str!("assets/table.js"),
        include_str!("assets/meeting.js"),
        include_str!("assets/main.js"),
        include_str!("build.rs"),
        include_str!("census.rs"),
        include_str!("frame.rs"),
        include_str!("figures.rs"),
        include_str!("sections.rs"),
        include_str!("story.rs"),
        include_str!("sentence.rs"),
        include_str!("table.rs"),
        include_str!("trend.rs"),
        include_str!("../incident_text.rs"),
        include_str!("../card/causes.rs"),
        include_str!("../card/digest.rs"),
        include_str!("../card/facts.rs"),
        include_str!("../card/findings.rs"),
        include_str!("../card/incident.rs"),
        include_str!("../card/meeting.rs"),
        include_str!("../card/model.rs"),
        include_str!("../card/people.rs"),
        include_str!("../card/render.rs"),
        include_str!("../card/strip.rs"),
        include_str!("../card/user.rs"),
        include_str!("../card/words.rs"),
    ];

    /// The `{name}` of a text.
    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_text_has_both_languages_with_the_same_placeholders() {
        for line in lines(TEXTS) {
            assert_eq!(line.split('\t').count(), 3, "{line}");
        }
        let mut keys = BTreeSet::new();
        for (key, english, chinese) in words() {
            assert!(keys.insert(key), "{key} twice");
            assert!(!english.is_empty() && !chinese.is_empty(), "{key} lacks a language");
            assert_eq!(placeholders(english), placeholders(chinese), "{key} has different placeholders");
            assert!(!english.contains('!') && !chinese.contains('！'), "{key}");
        }
        for (english, chinese) in lines(TERMS).map(|line| line.split_once('\t').expect("two languages")) {
            assert_eq!(placeholders(english), placeholders(chinese), "{english}");
            let is_written = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c) || c == '（';
            assert!(chinese.chars().any(is_written), "{english}");
        }
    }

    #[test]
    fn every_text_is_used() {
        let is_in_sources = |text: &str| SOURCES.iter().any(|source| source.contains(text));
        let is_used = |key: &str| {
            let Some((group, name)) = key.split_once('.') else { return is_in_sources(&format!("\"{key}\"")) };
            let computed = [
                format!("\"{group}.\""),
                format!("\"{group}.{{"),
                format!("named(\"{group}\""),
                format!("Group(\"{group}\""),
            ];
            is_in_sources(&format!("\"{key}\""))
                || computed.iter().any(|text| is_in_sources(text))
                || (matches!(group, "c" | "s") && is_in_sources(&format!("\"{name}\"")))
                || key.rsplit_once('.').is_some_and(|(group, _)| is_in_sources(&format!("\"{group}.{{")))
        };
        let unused: Vec<&str> = words().map(|word| word.0).filter(|key| !is_used(key)).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    #[test]
    fn every_text_used_by_the_cards_exists() {
        let known: BTreeSet<&str> = words().map(|word| word.0).collect();
        let mut used = 0;
        for source in SOURCES {
            for key in
                source.split('"').filter(|text| ["card.", "digest.", "say."].iter().any(|of| text.starts_with(of)))
            {
                let found = match key.split_once('{') {
                    Some((group, _)) => known.iter().any(|word| word.starts_with(group)),
                    None => known.contains(key),
                };
                assert!(found, "texts.tsv has no {key}");
                used += 1;
            }
        }
        assert!(used > 80, "only {used} found");
    }

    #[test]
    fn every_text_used_by_the_scripts_exists() {
        let known: BTreeSet<&str> = words().map(|word| word.0).collect();
        let mut used = 0;
        for text in &SOURCES[..4] {
            for (at, _) in text.match_indices("t(\"") {
                // Not the end of another identifier, such as createElement.
                if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.') {
                    continue;
                }
                let (key, after) = text[at + 3..].split_once('"').expect("a literal ends");
                used += 1;
                // A computed key has a known prefix.
                let found = match after.starts_with(" +") {
                    true => known.iter().any(|word| word.starts_with(key)),
                    false => known.contains(key),
                };
                assert!(found, "{key:?} before {:?}", after.chars().take(40).collect::<String>());
            }
        }
        assert!(used > 30, "only {used} found");
    }

    #[test]
    fn every_status_has_a_text() {
        for status in crate::schema::Status::ALL {
            assert!(find(&format!("coverage.{}", status.name())).is_some(), "{}", status.name());
        }
    }

    #[test]
    fn terms_with_values_are_matched() {
        assert_eq!(
            chinese("Feishu counts 12 participants and lists 9").as_deref(),
            Some("飞书统计为 12 人，名单只有 9 人")
        );
        assert_eq!(chinese("no permission (code 121005)").as_deref(), Some("没有权限（错误码 121005）"));
        assert_eq!(
            chinese("own choice; here only together with poor loss or delay").as_deref(),
            Some("本项目自定；此处须同时出现丢包或延迟超限")
        );
        assert_eq!(chinese("connection reset by peer"), None);
    }

    #[test]
    fn every_threshold_and_source_has_a_chinese_form() {
        let database = crate::report::fixture::tenant();
        let sql =
            "select distinct unnest([metric, coalesce(unit, 'min'), source]) as term from thresholds order by term";
        let found = super::super::query::rows(&database, "terms", sql).expect("thresholds");
        assert!(found.rows.len() > 60);
        for row in &found.rows {
            let term = row[0].as_str().expect("text");
            assert!(chinese(term).is_some() || matches!(term, "%" | "ms" | "fps" | "px" | "MOS"), "{term}");
        }
    }
}
