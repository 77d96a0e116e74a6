//! A row of any report in words: its name, and as facts the columns that a terminal always shows and those that the
//! rule's condition names. Headings, units and values are in the language of the settings; names stay as they are.

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::condition::Condition;
use super::evaluate::Match;
use super::message::{Entry, cut, number_text};
use super::rule::PreparedRule;
use crate::report::next::command;
use crate::report::times::{date, moment, time_of};
use crate::report::{Cell, ReportColumn, ResultSet, headings};
use crate::text::Language;

/// Facts of a row; a condition may name any number of columns.
const MAX_FACTS: usize = 12;
/// The first columns of a report without `-- table:`.
const FIRST_COLUMNS: usize = 8;

/// The columns that name a row, in order of preference; otherwise its key does.
const NAMES: &[&str] = &["summary", "topic", "name", "scope_name", "room", "building", "site"];

pub(super) struct RowWords<'a> {
    prepared: &'a PreparedRule,
    language: Language,
    shown: Vec<&'a ReportColumn>,
}

impl RowWords<'_> {
    pub(super) fn new(prepared: &PreparedRule, language: Language) -> RowWords<'_> {
        let header = &prepared.report.header;
        let first: Vec<&str> = match &header.presentation.table {
            Some(table) => table.always.iter().map(String::as_str).collect(),
            None => header.columns.iter().take(FIRST_COLUMNS).map(|column| column.name.as_str()).collect(),
        };
        let of_condition = prepared.condition.iter().flat_map(Condition::columns).map(String::as_str);
        let mut shown: Vec<&ReportColumn> = Vec::new();
        for column in first.into_iter().chain(of_condition).filter_map(|name| header.column(name)) {
            if !shown.contains(&column) {
                shown.push(column);
            }
        }
        RowWords { prepared, language, shown }
    }

    /// What the report is about, the first row, and how many more there are.
    pub(super) fn title(&self, entries: &[Entry], rows: usize) -> String {
        let title = headings::title(&self.prepared.report, self.language);
        let first = entries.first().map(|entry| entry.headline.as_str()).unwrap_or_default();
        match (self.language, rows) {
            (Language::English, ..=1) => format!("{title}: {first}"),
            (Language::English, _) => format!("{title}: {first} and {} more", rows - 1),
            (Language::Chinese, ..=1) => format!("{title}：{first}"),
            (Language::Chinese, _) => format!("{title}：{first} 等 {rows} 项"),
        }
    }

    pub(super) fn entry(&self, row: &Match, json: Map<String, Value>) -> Entry {
        let naming = self.naming(row);
        let headline: Vec<String> = naming.iter().map(|column| self.value(row, column)).collect();
        let facts = self.shown.iter().filter(|column| !naming.contains(column)).filter_map(|column| {
            let value = self.value(row, column);
            (!value.is_empty()).then(|| (headings::heading(column, self.language), value))
        });
        let facts = facts.take(MAX_FACTS).chain(self.next(row).map(|next| self.labelled("Details", "查看详情", next)));
        Entry { headline: cut(&headline.join(", ")), facts: facts.collect(), row: json }
    }

    /// The report with all rows that match, and the command to type next where it is the same for every row.
    pub(super) fn closing(&self) -> Vec<(String, String)> {
        let all = self.labelled("Report", "完整报告", self.prepared.command());
        let next = self.prepared.report.header.presentation.next.as_ref().filter(|next| !next.is_of_row());
        let no_rows = ResultSet { columns: Vec::new(), rows: Vec::new() };
        let next = next.and_then(|next| next.words(&no_rows)).map(|words| command(words, &self.prepared.carried()));
        let next = next.filter(|next| *next != all.1).map(|next| self.labelled("Next", "下一步", next));
        std::iter::once(all).chain(next).collect()
    }

    fn labelled(&self, english: &str, chinese: &str, text: String) -> (String, String) {
        (self.language.pick(english, chinese).to_owned(), text)
    }

    /// The columns that name a row.
    fn naming<'c>(&'c self, row: &Match) -> Vec<&'c ReportColumn> {
        let header = &self.prepared.report.header;
        let has_value = |name: &str| row.get(name).is_some_and(|cell| !cell.text().trim().is_empty());
        let named = NAMES.iter().find(|name| header.column(name).is_some() && has_value(name));
        let columns: Vec<&str> = match named {
            Some(name) => vec![name],
            None => {
                header.identity.key.iter().map(|column| column.name.as_str()).filter(|name| has_value(name)).collect()
            }
        };
        let columns: Vec<_> = columns.into_iter().filter_map(|name| header.column(name)).collect();
        match columns.is_empty() {
            true => header.columns.iter().find(|column| has_value(&column.name)).into_iter().collect(),
            false => columns,
        }
    }

    /// A value with its unit; empty for NULL.
    fn value(&self, row: &Match, column: &ReportColumn) -> String {
        let language = self.language;
        let with_unit = |number: String| format!("{number}{}", headings::unit(column, language));
        match row.get(&column.name) {
            None | Some(Cell::Null) => String::new(),
            Some(Cell::Flag(flag)) => language.pick(["no", "yes"], ["否", "是"])[usize::from(*flag)].to_owned(),
            // Tenths, as everywhere else.
            Some(Cell::Number(number)) if number.is_finite() && column.unit == "%" => {
                with_unit(number_text((number * 10.0).round() / 10.0))
            }
            Some(Cell::Number(number)) if number.is_finite() => with_unit(number_text(*number)),
            Some(cell @ (Cell::Integer(_) | Cell::Decimal(_))) => with_unit(cell.text()),
            Some(cell @ Cell::Time(text)) => match (time_of(Some(cell)), text.parse::<Date>()) {
                (Some(time), _) if text.len() > "2026-11-01".len() => moment(time, language),
                (_, Ok(day)) => date(day.at(0, 0, 0, 0), language),
                _ => text.clone(),
            },
            Some(cell) => cut(&headings::words(&column.name, &cell.text(), language)),
        }
    }

    /// The command about this row, if the report has one.
    fn next(&self, row: &Match) -> Option<String> {
        let next = self.prepared.report.header.presentation.next.as_ref().filter(|next| next.is_of_row())?;
        let (columns, cells) = row.cells.iter().cloned().unzip();
        let words = next.words(&ResultSet { columns, rows: vec![cells] })?;
        Some(command(words, &self.prepared.carried()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::compose::tests::{new, person};
    use super::super::compose::{MessageContext, compose};
    use super::super::message::Message;
    use super::super::render::plain_text;
    use super::super::rule::Rule;
    use super::super::rule::tests::rule;
    use super::*;

    fn prepared(report: &str, condition: &str) -> PreparedRule {
        let rule =
            Rule { report: report.to_owned(), condition: Some(condition.to_owned()), parameters: Vec::new(), ..rule() };
        let days = vec![("since".to_owned(), "2026-11-18".to_owned())];
        PreparedRule::new(rule, days, None, &["it-ops".to_owned()]).expect("prepared")
    }

    fn message(prepared: &PreparedRule, rows: &[Match], language: Language) -> Message {
        compose(prepared, &new(rows), MessageContext { language })
    }

    #[test]
    fn rows_of_any_report_read_in_both_languages() {
        let prepared = prepared("worst-participants", "poor_pct > 20 and days_affected >= 2");
        let rows = [person("Ann Example"), person("王芳")];
        insta::assert_snapshot!(plain_text(&message(&prepared, &rows[..1], Language::English)), @r"
        Worst participants: Ann Example
          Judged min: 36
          Poor min: 12
          Poor: 33.3 %
          Main cause: jitter both ways
          Pattern: repeated
          Days affected: 2
          Details: vcq-etl report user 'Ann Example' --since 2026-11-18

        Report: vcq-etl report run worst-participants --since 2026-11-18

        vcq-etl, rule outage; the same is not sent again for 12 h.
        ");
        insta::assert_snapshot!(plain_text(&message(&prepared, &rows, Language::Chinese)), @r"
        质量最差的参会人：Ann Example 等 2 项
        Ann Example
          有效分钟：36
          质差分钟：12
          质差率：33.3%
          主要原因：双向抖动
          规律：反复
          受影响天数：2
          查看详情：vcq-etl report user 'Ann Example' --since 2026-11-18

        王芳
          有效分钟：36
          质差分钟：12
          质差率：33.3%
          主要原因：双向抖动
          规律：反复
          受影响天数：2
          查看详情：vcq-etl report user 王芳 --since 2026-11-18

        完整报告：vcq-etl report run worst-participants --since 2026-11-18

        vcq-etl，规则“outage”；12 小时内不重复发送。
        ");
    }

    #[test]
    fn every_report_makes_a_message_in_both_languages() {
        let database = crate::report::fixture::tenant();
        let mut found = 0;
        for report in crate::report::Catalogue::built_in().expect("reports").reports() {
            let required = report.header.parameters.iter().filter(|parameter| parameter.is_required);
            let parameters = required.map(|parameter| (parameter.name.clone(), "100000001".to_owned())).collect();
            let rule = Rule { report: report.name.clone(), condition: None, parameters, ..rule() };
            let prepared = PreparedRule::new(rule, Vec::new(), None, &["it-ops".to_owned()]).expect("prepared");
            let rows = super::super::evaluate(&database, &prepared).expect("rows");
            if rows.is_empty() {
                continue;
            }
            found += 1;
            for language in [Language::English, Language::Chinese] {
                let message = message(&prepared, &rows, language);
                let entry = &message.entries[0];
                assert!(!entry.headline.is_empty() && !entry.facts.is_empty(), "{}: {message:?}", report.name);
                for (label, _) in &entry.facts {
                    assert!(!label.contains('_'), "{}: {label}", report.name);
                }
                let text = plain_text(&message);
                assert!(text.contains(&format!("vcq-etl report run {}", report.name)), "{text}");
                let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
                assert!(language == Language::English || message.title.chars().any(is_chinese), "{}", message.title);
                for (label, _) in entry.facts.iter().filter(|_| language == Language::Chinese) {
                    let same = ["CPU", "ID", "t", "z"].contains(&label.as_str());
                    assert!(same || label.chars().any(is_chinese), "{}: {label}", report.name);
                }
            }
        }
        assert!(found > 25, "only {found}");
    }
}
