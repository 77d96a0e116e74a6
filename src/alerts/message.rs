//! What a message is, independent of the channel: a title, and for each row a headline, facts and the command that
//! shows more.
//!
//! Composed once, when the rows are new, and kept in the ledger until every channel has it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::text::{Language, on_one_line};

/// Longer texts are cut: a topic of any length must not make a message too large to send.
const MAX_CHARS: usize = 200;

/// How urgent a message looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Info,
    Minor,
    Major,
    Critical,
}

impl Level {
    /// `Info` for a name that is not a severity.
    pub(super) fn of_name(name: &str) -> Level {
        match name {
            "critical" => Level::Critical,
            "major" => Level::Major,
            "minor" => Level::Minor,
            _ => Level::Info,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub rule: String,
    pub report: String,
    pub language: Language,
    pub level: Level,
    /// What happened, in one line.
    pub title: String,
    pub entries: Vec<Entry>,
    /// Further rows that match.
    pub more: usize,
    /// The command that shows all of them.
    pub command: String,
    /// Label and text of what stands below the rows.
    #[serde(default)]
    pub closing: Vec<(String, String)>,
    /// Who sent it, and when the same row is sent again.
    pub footer: String,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub headline: String,
    /// Label and text.
    pub facts: Vec<(String, String)>,
    /// The row itself, for programs.
    pub row: Map<String, Value>,
}

/// The message of `alert test`.
pub(crate) fn test_message(channel: &str, language: Language) -> Message {
    let [title, headline, footer] = language.pick(
        [
            format!("Test message of vcq-etl to the channel {channel}"),
            "Messages of alert rules arrive here.".to_owned(),
            "Sent by vcq-etl alert test; this is only a test.".to_owned(),
        ],
        [
            format!("vcq-etl 测试消息（通道 {channel}）"),
            "通道已连通，告警消息会发送到这里。".to_owned(),
            "由 vcq-etl alert test 发送，仅供测试。".to_owned(),
        ],
    );
    Message {
        rule: String::new(),
        report: String::new(),
        language,
        level: Level::Info,
        title,
        entries: vec![Entry { headline, facts: Vec::new(), row: Map::new() }],
        more: 0,
        command: "vcq-etl alert history".to_owned(),
        closing: Vec::new(),
        footer,
    }
}

/// How a run ended that failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FailedRun<'a> {
    /// An exit code, the name of a signal, or empty if nobody knows it.
    pub status: &'a str,
    /// Of the exit code: its name and meaning, or empty.
    pub name: &'a str,
    pub meaning: &'a str,
}

/// The message of `alert failed`.
pub(crate) fn failure_message(run: &FailedRun<'_>, command: String, language: Language) -> Message {
    let FailedRun { status, name, meaning } = *run;
    let [title, headline, label, footer] = match language {
        Language::English => [
            "vcq-etl: the nightly run failed".to_owned(),
            match (meaning, status) {
                ("", "") => "Its log says why.".to_owned(),
                ("", _) => format!("It ended with {status}. Its log says why."),
                _ => format!("It ended with exit code {status}: {meaning}."),
            },
            "State of the store".to_owned(),
            "Sent by vcq-etl alert failed.".to_owned(),
        ],
        Language::Chinese => [
            "vcq-etl：夜间任务失败".to_owned(),
            match (name, status) {
                ("", "") => "原因见运行日志。".to_owned(),
                ("", _) => format!("结束状态 {status}，原因见运行日志。"),
                _ => format!("退出码 {status}（{name}），原因见运行日志。"),
            },
            "存储状态".to_owned(),
            "由 vcq-etl alert failed 发送。".to_owned(),
        ],
    };
    let facts = vec![(label, command.clone())];
    Message {
        rule: String::new(),
        report: String::new(),
        language,
        level: Level::Major,
        title,
        entries: vec![Entry { headline: cut(&headline), facts, row: Map::new() }],
        more: 0,
        command,
        closing: Vec::new(),
        footer,
    }
}

/// At most two decimals.
pub(super) fn number_text(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// On one line, and not too long.
pub(super) fn cut(text: &str) -> String {
    let text = on_one_line(text);
    if text.chars().count() <= MAX_CHARS {
        return text;
    }
    let kept: String = text.chars().take(MAX_CHARS - 3).collect();
    format!("{}...", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_run_is_described_by_its_exit_code_or_its_signal() {
        let headline =
            |run: FailedRun<'_>, language| failure_message(&run, String::new(), language).entries[0].headline.clone();
        let busy = FailedRun { status: "6", name: "busy", meaning: "another run holds the store's lock" };
        assert_eq!(headline(busy, Language::English), "It ended with exit code 6: another run holds the store's lock.");
        assert_eq!(headline(busy, Language::Chinese), "退出码 6（busy），原因见运行日志。");
        let killed = FailedRun { status: "KILL", ..FailedRun::default() };
        assert_eq!(headline(killed, Language::English), "It ended with KILL. Its log says why.");
        assert_eq!(headline(FailedRun::default(), Language::English), "Its log says why.");
    }
}
