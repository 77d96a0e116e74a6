//! What people read about reports, views and macros, in Chinese.
//!
//! The tables in `chinese` have the texts of report headers and of `sql/views`, English and Chinese side by side; what
//! means the same as a column of a table is in `src/schema/chinese.tsv`, and titles are in `page/assets/terms.tsv`. A
//! text without a Chinese form stays as it is, such as one of a custom report. Names are never translated.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::catalogue::Report;
use super::header::Header;
use super::headings;
use crate::schema::{meaning_in, unit_in};
use crate::text::{Language, translations};

const TABLES: &[&str] = &[
    include_str!("chinese/questions.tsv"),
    include_str!("chinese/parameters.tsv"),
    include_str!("chinese/columns.tsv"),
    include_str!("chinese/notes.tsv"),
    include_str!("chinese/views.tsv"),
];

static CHINESE: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| TABLES.iter().flat_map(|table| translations(table)).collect());

/// What stands before the default in the description of a parameter.
pub(super) const DEFAULT: (&str, &str) = (" Default: ", "默认值：");

/// A text of a report, view or macro in a language.
pub(crate) fn in_language(language: Language, english: &str) -> &str {
    match (language, CHINESE.get(english)) {
        (Language::Chinese, Some(chinese)) => chinese,
        _ => meaning_in(language, english),
    }
}

impl Report {
    /// The report with its texts in a language. Its SQL, the names of its columns and its parameters stay.
    pub(crate) fn in_language(mut self, language: Language) -> Report {
        let title = headings::title(&self, language);
        self.language = language;
        translate(&mut self.header, language);
        self.header.title = in_language(language, &title).to_owned();
        self
    }
}

fn translate(header: &mut Header, language: Language) {
    let fold = header.presentation.fold.iter_mut().map(|fold| &mut fold.words);
    let texts = [&mut header.question, &mut header.audience, &mut header.empty].into_iter().chain(fold);
    let texts = texts.chain(&mut header.thresholds).chain(&mut header.caveats);
    let texts = texts.chain(header.parameters.iter_mut().map(|parameter| &mut parameter.doc));
    for text in texts {
        *text = in_language(language, text).to_owned();
    }
    for column in &mut header.columns {
        column.doc = with_meanings(&column.name, in_language(language, &column.doc), language);
        column.unit = unit_in(language, &column.unit).to_owned();
    }
}

/// The description of a column with the Chinese of its values behind them, as tables show it: `major（较重）`.
fn with_meanings(column: &str, doc: &str, language: Language) -> String {
    if language == Language::English {
        return doc.to_owned();
    }
    let is_of_value = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let (mut text, mut explained) = (String::new(), Vec::new());
    let mut rest = doc;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let end = rest[start..].find(|c| !is_of_value(c)).map_or(rest.len(), |length| start + length);
        let word = rest[start..end].trim_end();
        // The name of a report, a column or code, an abbreviation, and what is explained already.
        let is_name = rest[..start].ends_with(['`', '.', '（'])
            || rest[..start].trim_end().ends_with("报告")
            || !word.contains(|c: char| c.is_ascii_lowercase())
            || explained.contains(&word);
        explained.push(word);
        let meaning = headings::words(column, word, language);
        text.push_str(&rest[..start + word.len()]);
        rest = &rest[start + word.len()..];
        if meaning != word && !is_name && !rest.starts_with('（') {
            text.push_str(&format!("（{meaning}）"));
            rest = rest.trim_start();
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::report::Catalogue;
    use crate::report::dictionary::entries;
    use crate::report::registry::AREAS;
    use crate::schema::TABLES as SCHEMA;

    #[test]
    fn a_description_gives_the_values_as_they_are_and_as_tables_show_them() {
        let said = |column, doc| with_meanings(column, doc, Language::Chinese);
        assert_eq!(said("severity", "critical、major 或 minor。"), "critical（严重）、major（较重）或 minor（轻微）。");
        assert_eq!(
            said("verdict", "better、no clear change 或 x。"),
            "better（变好）、no clear change（无明显变化）或 x。"
        );
        assert_eq!(said("status", "critical；至少为 critical。"), "critical（严重）；至少为 critical。", "once");
        for stays in ["该取值见报告 critical。", "`critical`", "critical（已说明）", "n"] {
            assert_eq!(said("severity", stays), stays);
        }
        assert_eq!(said("site", "critical。"), "critical。", "a column of names");
        assert_eq!(with_meanings("severity", "critical or minor", Language::English), "critical or minor");
    }

    /// The values that its description lists, for the columns whose values tables show in Chinese.
    #[test]
    fn no_chinese_description_of_values_is_without_their_chinese() {
        let mut explained = 0;
        for report in Catalogue::built_in().expect("reports").reports() {
            let english = report.header.columns.clone();
            for (column, english) in report.clone().in_language(Language::Chinese).header.columns.iter().zip(english) {
                let plain = in_language(Language::Chinese, &english.doc);
                explained += usize::from(column.doc != plain);
                assert!(!column.doc.contains("））"), "{}.{}: {}", report.name, column.name, column.doc);
            }
        }
        assert!(explained >= 25, "{explained}");
    }

    /// The English texts of the built-in reports, without titles.
    fn texts_of_reports() -> BTreeSet<String> {
        let mut texts: BTreeSet<String> = AREAS.iter().map(|area| area.title.to_owned()).collect();
        texts.extend([crate::report::catalogue::CUSTOM_AREA, "Query"].map(str::to_owned));
        for report in Catalogue::built_in().expect("reports").reports() {
            let header = report.header.clone();
            let fold = header.presentation.fold.into_iter().map(|fold| fold.words);
            texts.extend([header.question, header.audience, header.empty].into_iter().chain(fold));
            texts.extend(header.thresholds.into_iter().chain(header.caveats));
            texts.extend(header.parameters.into_iter().map(|parameter| parameter.doc));
            texts.extend(header.columns.into_iter().map(|column| column.doc));
        }
        texts.remove("");
        texts
    }

    fn texts_of_views() -> BTreeSet<String> {
        let entries = entries(Language::English).expect("entries");
        entries.iter().filter(|entry| !entry.is_report()).flat_map(|entry| entry.texts()).map(str::to_owned).collect()
    }

    #[test]
    fn every_text_has_a_chinese_form_and_none_is_stale() {
        let english: BTreeSet<String> = texts_of_reports().into_iter().chain(texts_of_views()).collect();
        let missing: Vec<_> = english.iter().filter(|text| in_language(Language::Chinese, text) == **text).collect();
        assert!(missing.is_empty(), "add to src/report/chinese: {missing:#?}");
        let stale: Vec<_> = CHINESE.keys().filter(|text| !english.contains(**text)).collect();
        assert!(stale.is_empty(), "of no report, view or macro: {stale:#?}");
        let mut of_tables = SCHEMA.iter().flat_map(|table| table.columns).map(|column| column.doc);
        let again: Vec<_> = of_tables.by_ref().filter(|doc| CHINESE.contains_key(doc)).collect();
        assert!(again.is_empty(), "in src/schema/chinese.tsv too: {again:#?}");
        let lines = TABLES.iter().flat_map(|table| translations(table)).count();
        assert_eq!(lines, CHINESE.len(), "a text is there twice");
    }

    #[test]
    fn chinese_texts_have_the_names_and_the_punctuation_of_their_english_ones() {
        let spans = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
        for (english, chinese) in TABLES.iter().flat_map(|table| translations(table)) {
            assert_eq!(spans(english), spans(chinese), "{english}");
            assert!(!chinese.contains(['\t', '!', '！', ';', '?']), "{chinese}");
            assert_eq!(english.ends_with('?'), chinese.ends_with('？'), "{chinese}");
            assert_eq!(english.ends_with('.'), chinese.ends_with('。') || english.ends_with("..."), "{chinese}");
            assert_eq!(english.contains(DEFAULT.0), chinese.contains(DEFAULT.1), "{chinese}");
            assert!(english.len() < 4 || !chinese.is_ascii(), "{english}");
        }
    }

    #[test]
    fn a_report_in_chinese_keeps_its_names_and_sql() {
        for report in Catalogue::built_in().expect("reports").reports() {
            let chinese = report.clone().in_language(Language::Chinese);
            assert_ne!(chinese.header.title, report.header.title, "{}", report.name);
            assert_eq!((&chinese.name, &chinese.sql), (&report.name, &report.sql));
            let names = |report: &Report| report.header.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
            assert_eq!(names(&chinese), names(report));
            assert_eq!(chinese.header.identity, report.header.identity);
        }
    }
}
