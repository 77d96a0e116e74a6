//! Composes the message about new rows of a rule.
//!
//! Rows of the report `incidents` are written out in the language of the settings (`incident.rs`). Rows of other
//! reports keep the names of their columns, which are the same in every language.

use std::time::Duration;

use serde_json::{Map, Value};

use super::evaluate::Match;
use super::incident::{Incident, incidents_title};
use super::message::{Entry, Level, Message, cut, number_text};
use super::rule::PreparedRule;
use crate::report::Cell;
use crate::text::Language;

/// Rows in one message; the others are counted.
const MAX_ENTRIES: usize = 50;
/// Facts of a row of any report.
const MAX_FACTS: usize = 8;
/// What a message says beside the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageContext {
    pub language: Language,
}

/// The message about new rows of a rule.
pub(crate) fn compose(prepared: &PreparedRule, rows: &[Match], context: MessageContext) -> Message {
    let language = context.language;
    let incidents: Option<Vec<Incident<'_>>> = rows.iter().map(Incident::of_row).collect();
    let incidents = incidents.filter(|incidents| !incidents.is_empty());
    let shown = rows.iter().take(MAX_ENTRIES).enumerate();
    let entries: Vec<Entry> = shown
        .map(|(at, row)| match &incidents {
            Some(incidents) => incidents[at].entry(row_of(row), language),
            None => any_entry(row),
        })
        .collect();
    let title = match &incidents {
        Some(incidents) => incidents_title(incidents, &entries, language),
        None => any_title(prepared, &entries, rows.len(), language),
    };
    let level = incidents.iter().flatten().map(Incident::level).max().unwrap_or(Level::Info);
    Message {
        rule: prepared.rule.name.clone(),
        report: prepared.report.name.clone(),
        language,
        level,
        title: cut(&title),
        more: rows.len() - entries.len(),
        entries,
        command: prepared.command(),
        footer: footer(&prepared.rule.name, prepared.rule.quiet_for, language),
    }
}

fn any_title(prepared: &PreparedRule, entries: &[Entry], rows: usize, language: Language) -> String {
    let (rule, title, report) = (&prepared.rule.name, &prepared.report.header.title, &prepared.report.name);
    match (language, entries) {
        (Language::English, [entry]) => format!("{title}: {} (rule {rule})", entry.headline),
        (Language::English, _) => format!("{title}: {rows} rows match the rule {rule}"),
        (Language::Chinese, [entry]) => format!("{}：符合规则“{rule}”（报告 {report}）", entry.headline),
        (Language::Chinese, _) => format!("报告 {report} 有 {rows} 行符合规则“{rule}”"),
    }
}

fn footer(rule: &str, quiet_for: Duration, language: Language) -> String {
    let minutes = quiet_for.as_secs() / 60;
    let time = match minutes {
        0 => None,
        minutes if minutes % 1440 == 0 => {
            Some(language.pick(format!("{} d", minutes / 1440), format!("{} 天", minutes / 1440)))
        }
        minutes if minutes % 60 == 0 => {
            Some(language.pick(format!("{} h", minutes / 60), format!("{} 小时", minutes / 60)))
        }
        minutes => Some(language.pick(format!("{minutes} min"), format!("{minutes} 分钟"))),
    };
    match (language, time) {
        (Language::English, Some(time)) => format!("vcq-etl, rule {rule}; the same is not sent again for {time}."),
        (Language::English, None) => format!("vcq-etl, rule {rule}."),
        (Language::Chinese, Some(time)) => format!("vcq-etl，规则“{rule}”；{time}内不重复发送。"),
        (Language::Chinese, None) => format!("vcq-etl，规则“{rule}”。"),
    }
}

/// The columns that name a row, in order of preference.
const NAMES: &[&str] = &["summary", "name", "scope_name", "meeting_topic", "topic", "building", "site", "room"];

fn any_entry(row: &Match) -> Entry {
    let cells = || row.cells.iter().filter(|(_, cell)| !cell.text().is_empty());
    let named = NAMES.iter().find_map(|name| cells().find(|(column, _)| column == name));
    let headline = named.or_else(|| cells().next());
    let facts = cells().filter(|cell| Some(*cell) != headline).take(MAX_FACTS);
    Entry {
        headline: headline.map(|(_, cell)| value(cell)).unwrap_or_default(),
        facts: facts.map(|(column, cell)| (column.clone(), value(cell))).collect(),
        row: row_of(row),
    }
}

fn value(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) if number.is_finite() => number_text(*number),
        cell => cut(&cell.text()),
    }
}

fn row_of(row: &Match) -> Map<String, Value> {
    let short = |cell: &Cell| match cell {
        Cell::Text(text) => Value::String(cut(text)),
        cell => cell.to_json(),
    };
    row.cells.iter().map(|(column, cell)| (column.clone(), short(cell))).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rule::Rule;
    use super::super::rule::tests::rule;
    use super::*;

    pub(in crate::alerts) fn prepared(report: &str) -> PreparedRule {
        let rule = Rule { report: report.to_owned(), condition: None, parameters: Vec::new(), ..rule() };
        let days = vec![("since".to_owned(), "2026-11-18".to_owned())];
        PreparedRule::new(rule, days, None, &["it-ops".to_owned()]).expect("prepared")
    }

    pub(in crate::alerts) fn row(cells: &[(&str, Cell)]) -> Match {
        Match {
            key: "k".to_owned(),
            cells: cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect(),
        }
    }

    fn person(name: &str) -> Match {
        row(&[
            ("who", Cell::Text("ou_1".to_owned())),
            ("name", Cell::Text(name.to_owned())),
            ("poor", Cell::Integer(12)),
            ("poor_pct", Cell::Number(33.3333)),
            ("usual_site", Cell::Null),
        ])
    }

    fn composed(rows: &[Match], language: Language) -> Message {
        compose(&prepared("worst-participants"), rows, MessageContext { language })
    }

    #[test]
    fn a_row_of_any_report_is_named_and_its_values_are_facts() {
        let message = composed(&[person("Ann Example")], Language::English);
        assert_eq!(message.title, "Worst participants: Ann Example (rule outage)");
        let facts: Vec<String> =
            message.entries[0].facts.iter().map(|(label, text)| format!("{label}={text}")).collect();
        assert_eq!(facts, ["who=ou_1", "poor=12", "poor_pct=33.33"]);
        assert_eq!(message.command, "vcq-etl report run worst-participants --since 2026-11-18");
        assert_eq!(message.footer, "vcq-etl, rule outage; the same is not sent again for 12 h.");
        assert_eq!(message.entries[0].row["usual_site"], Value::Null);
        let message = composed(&[person("a"), person("b")], Language::Chinese);
        assert_eq!(message.title, "报告 worst-participants 有 2 行符合规则“outage”");
        assert_eq!(message.footer, "vcq-etl，规则“outage”；12 小时内不重复发送。");
    }

    #[test]
    fn long_and_odd_texts_and_many_rows_are_cut() {
        let long = format!("{}\n\u{1b}[31m", "x".repeat(10_000));
        let rows: Vec<Match> = (0..80).map(|_| person(&long)).collect();
        let message = composed(&rows, Language::English);
        assert_eq!((message.entries.len(), message.more), (50, 30));
        assert_eq!(message.entries[0].headline.chars().count(), 200);
        assert_eq!(message.title, "Worst participants: 80 rows match the rule outage");
        assert!(cut("a\u{1b}b\nc").contains("\u{fffd}b c"));
    }

    #[test]
    fn a_message_reads_back_as_it_was_written() {
        let message = composed(&[person("Ann"), person("会议")], Language::Chinese);
        let json = serde_json::to_string(&message).expect("plain values");
        assert_eq!(serde_json::from_str::<Message>(&json).expect("read"), message);
    }
}
