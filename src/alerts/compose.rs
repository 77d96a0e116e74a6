//! Composes the message about new rows of a rule.
//!
//! Rows of the report `incidents` are sentences (`incident.rs`), those of other reports a name and the columns that
//! matter (`row.rs`), both in the language of the settings.

use std::time::Duration;

use serde_json::{Map, Value};

use super::evaluate::Match;
use super::incident::{Incident, incidents_title};
use super::message::{Entry, Level, Message, cut};
use super::row::RowWords;
use super::rule::PreparedRule;
use crate::report::{Cell, headings};
use crate::text::Language;

/// Rows in one message; the others are counted.
const MAX_ENTRIES: usize = 50;

/// What a message says beside the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageContext {
    pub language: Language,
}

/// A row to be announced.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewRow {
    pub row: Match,
    /// Its rank when it was last announced, if that was within the quiet time and lower.
    pub grew_from: Option<u32>,
}

/// The message about new rows of a rule.
pub(crate) fn compose(prepared: &PreparedRule, rows: &[NewRow], context: MessageContext) -> Message {
    let language = context.language;
    let incidents: Option<Vec<Incident<'_>>> = rows.iter().map(|new| Incident::of_row(&new.row)).collect();
    let incidents = incidents.filter(|incidents| !incidents.is_empty());
    let words = RowWords::new(prepared, language);
    let carried = prepared.carried();
    let shown = rows.iter().take(MAX_ENTRIES).enumerate();
    let entries: Vec<Entry> = shown
        .map(|(at, new)| {
            let entry = match &incidents {
                Some(incidents) => incidents[at].entry(row_of(&new.row), &carried, language),
                None => words.entry(&new.row, row_of(&new.row)),
            };
            match grown(prepared, new, language) {
                Some(grown) => Entry { headline: cut(&format!("{grown}{}", entry.headline)), ..entry },
                None => entry,
            }
        })
        .collect();
    let title = match &incidents {
        Some(incidents) => incidents_title(incidents, &entries, language),
        None => words.title(&entries, rows.len()),
    };
    let level = rows.iter().map(|new| level(&new.row)).max().unwrap_or(Level::Info);
    Message {
        rule: prepared.rule.name.clone(),
        report: prepared.report.name.clone(),
        language,
        level,
        title: cut(&title),
        more: rows.len() - entries.len(),
        entries,
        command: prepared.command(),
        closing: if incidents.is_some() { Vec::new() } else { words.closing() },
        footer: footer(&prepared.rule.name, prepared.rule.quiet_for, language),
    }
}

/// The level of a row with a severity.
fn level(row: &Match) -> Level {
    row.get("severity").map_or(Level::Info, |severity| Level::of_name(&severity.text()))
}

/// Says that the problem is worse than when it was announced.
fn grown(prepared: &PreparedRule, new: &NewRow, language: Language) -> Option<String> {
    let scale = prepared.report.header.identity.grows.as_ref()?;
    let word = |rank: u32| Some(headings::words(&scale.column, scale.value(rank)?, language));
    let (before, now) = (word(new.grew_from?)?, word(new.row.rank)?);
    Some(language.pick(format!("Escalated from {before} to {now}: "), format!("由{before}升级为{now}：")))
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
            span: Default::default(),
            rank: 0,
            cells: cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect(),
        }
    }

    pub(in crate::alerts) fn new(rows: &[Match]) -> Vec<NewRow> {
        rows.iter().map(|row| NewRow { row: row.clone(), grew_from: None }).collect()
    }

    pub(in crate::alerts) fn person(name: &str) -> Match {
        row(&[
            ("who", Cell::Text("ou_1".to_owned())),
            ("name", Cell::Text(name.to_owned())),
            ("n", Cell::Integer(36)),
            ("poor", Cell::Integer(12)),
            ("poor_pct", Cell::Number(33.3333)),
            ("main_cause", Cell::Text("jitter both ways".to_owned())),
            ("pattern", Cell::Text("repeated".to_owned())),
            ("days_affected", Cell::Integer(2)),
            ("usual_site", Cell::Null),
        ])
    }

    fn composed(rows: &[Match], language: Language) -> Message {
        compose(&prepared("worst-participants"), &new(rows), MessageContext { language })
    }

    #[test]
    fn long_and_odd_texts_and_many_rows_are_cut() {
        let long = format!("{}\n\u{1b}[31m", "x".repeat(10_000));
        let rows: Vec<Match> = (0..80).map(|_| person(&long)).collect();
        let message = composed(&rows, Language::English);
        assert_eq!((message.entries.len(), message.more), (50, 30));
        assert_eq!(message.entries[0].headline.chars().count(), 200);
        assert_eq!(message.title.chars().count(), 200);
        assert!(cut("a\u{1b}b\nc").contains("\u{fffd}b c"));
    }

    #[test]
    fn a_problem_that_grew_says_so() {
        let row = super::super::incident::tests::outage();
        let row = Match { rank: 2, ..row };
        let titles = [Language::English, Language::Chinese].map(|language| {
            let new = NewRow { row: row.clone(), grew_from: Some(1) };
            compose(&prepared("incidents"), &[new], MessageContext { language }).title
        });
        assert!(
            titles[0].starts_with("Escalated from minor to major: Fri 20 Nov 09:40-12:06, Harbour House"),
            "{titles:?}"
        );
        assert!(titles[1].starts_with("由轻微升级为较重：11月20日（周五）09:40–12:06，Harbour House"), "{titles:?}");
    }

    #[test]
    fn a_message_reads_back_as_it_was_written() {
        let message = composed(&[person("Ann"), person("会议")], Language::Chinese);
        let json = serde_json::to_string(&message).expect("plain values");
        assert_eq!(serde_json::from_str::<Message>(&json).expect("read"), message);
        // A message that an earlier version left in the ledger.
        let mut earlier: Value = serde_json::from_str(&json).expect("JSON");
        earlier.as_object_mut().expect("fields").remove("closing");
        assert!(serde_json::from_value::<Message>(earlier).expect("read").closing.is_empty());
    }
}
