//! The texts of the page in both languages: `assets/texts.tsv`.
//!
//! Text from the store (topics, names, reasons, sources) is shown unchanged.

const TEXTS: &str = include_str!("assets/texts.tsv");

/// Key, English, Chinese.
pub(super) type Word = (&'static str, &'static str, &'static str);

pub(super) fn words() -> impl Iterator<Item = Word> {
    TEXTS.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default();
        (next(), next(), next())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The scripts of the page that use texts.
    const SCRIPTS: &[&str] = &[
        include_str!("assets/base.js"),
        include_str!("assets/table.js"),
        include_str!("assets/charts.js"),
        include_str!("assets/overview.js"),
        include_str!("assets/sections.js"),
        include_str!("assets/meeting.js"),
        include_str!("assets/main.js"),
    ];

    /// The `{name}` of a text.
    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_text_has_both_languages_with_the_same_placeholders() {
        for line in TEXTS.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(line.split('\t').count(), 3, "{line}");
        }
        let mut keys = BTreeSet::new();
        for (key, english, chinese) in words() {
            assert!(keys.insert(key), "{key} twice");
            // The next step for a cause comes from the report in English.
            assert!(!english.is_empty() || key.starts_with("todo."), "{key} has no English");
            assert!(!chinese.is_empty(), "{key} has no Chinese");
            assert!(
                english.is_empty() || placeholders(english) == placeholders(chinese),
                "{key} has different placeholders"
            );
            assert!(!english.contains('!') && !chinese.contains('！'), "{key}");
        }
    }

    #[test]
    fn every_text_used_by_the_scripts_exists() {
        let known: BTreeSet<&str> = words().map(|word| word.0).collect();
        let mut used = 0;
        for text in SCRIPTS {
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
        assert!(used > 60, "only {used} found");
    }

    #[test]
    fn every_table_column_has_a_heading() {
        let known: BTreeSet<&str> = words().map(|word| word.0).collect();
        let sections = include_str!("assets/sections.js");
        for rest in sections.split("{ key: \"").skip(1) {
            let (key, after) = rest.split_once('"').expect("a literal ends");
            let head =
                after.strip_prefix(", head: \"").and_then(|rest| rest.split_once('"')).map_or(key, |(head, _)| head);
            assert!(known.contains(format!("c.{head}").as_str()), "c.{head}");
        }
    }

    #[test]
    fn every_status_has_a_text() {
        let known: BTreeSet<&str> = words().map(|word| word.0).collect();
        for status in crate::schema::Status::ALL {
            let status = status.name();
            assert!(known.contains(format!("coverage.{status}").as_str()), "{status}");
        }
    }
}
