//! A message as plain text (e-mail, `alert check --dry-run`, the field `text` of a webhook) and as JSON.

use serde_json::{Value, json};

use super::message::{Entry, Message};
use crate::text::Language;

/// The words of the line about further rows.
pub(super) fn more_text(more: usize, command: &str, language: Language) -> String {
    match language {
        Language::English => format!("and {more} more: {command}"),
        Language::Chinese => format!("另有 {more} 条，完整列表：{command}"),
    }
}

/// The message with at most this number of entries.
pub(super) fn text_of(message: &Message, max_entries: usize) -> String {
    let mut text = message.title.clone();
    for entry in message.entries.iter().take(max_entries) {
        text.push('\n');
        if !is_in_title(message, entry) {
            text.push_str(&format!("{}\n", entry.headline));
        }
        for fact in &entry.facts {
            text.push_str(&format!("  {}\n", line(fact, message.language)));
        }
    }
    let more = hidden(message, max_entries);
    let more = (more > 0).then(|| more_text(more, &message.command, message.language));
    let closing = closing(message, max_entries).map(|fact| line(fact, message.language));
    let below: Vec<String> = more.into_iter().chain(closing).collect();
    if !below.is_empty() {
        text.push_str(&format!("\n{}\n", below.join("\n")));
    }
    text.push_str(&format!("\n{}\n", message.footer));
    text
}

fn line((label, fact): &(String, String), language: Language) -> String {
    match language {
        Language::English => format!("{label}: {fact}"),
        Language::Chinese => format!("{label}：{fact}"),
    }
}

/// Whether the title says what the row is.
pub(super) fn is_in_title(message: &Message, entry: &Entry) -> bool {
    message.entries.len() == 1 && message.more == 0 && message.title.ends_with(&entry.headline)
}

/// What stands below the rows, without the command of the line about further rows.
pub(super) fn closing(message: &Message, max_entries: usize) -> impl Iterator<Item = &(String, String)> {
    let has_command = hidden(message, max_entries) > 0;
    message.closing.iter().filter(move |(_, text)| !(has_command && *text == message.command))
}

/// Rows that are not among the first entries.
pub(super) fn hidden(message: &Message, max_entries: usize) -> usize {
    message.more + message.entries.len().saturating_sub(max_entries)
}

pub(crate) fn plain_text(message: &Message) -> String {
    text_of(message, usize::MAX)
}

/// What programs get: our fields, and the text that chat programs show.
pub(super) fn json_of(message: &Message) -> Value {
    json!({
        "text": plain_text(message),
        "title": message.title,
        "level": message.level,
        "rule": message.rule,
        "report": message.report,
        "language": message.language,
        "rows": message.entries.iter().map(|entry| &entry.row).collect::<Vec<_>>(),
        "more_rows": message.more,
        "command": message.command,
    })
}

#[cfg(test)]
mod tests {
    use super::super::compose::tests::{new, prepared};
    use super::super::compose::{MessageContext, compose};
    use super::super::incident::tests::{outage, with};
    use super::*;
    use crate::report::Cell;

    #[test]
    fn the_text_has_every_entry_and_says_how_many_are_left_out() {
        let critical = with(&[("severity", Cell::Text("critical".to_owned()))]);
        let message = compose(
            &prepared("incidents"),
            &new(&[outage(), critical]),
            MessageContext { language: Language::English },
        );
        insta::assert_snapshot!(text_of(&message, 1), @r"
        2 meeting quality incidents: 1 critical, 1 major
        Fri 20 Nov 09:40-12:06, Harbour House: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere 0.6 %
          Who: 7 people or rooms in 3 meetings; 412 of 660 minutes poor (62.4 %)
          Where: building Harbour House
          When: Fri 20 Nov 09:40-12:06, 2 h 26 min (2026)
          Compared: 62.4 % poor minutes; usually 0.4 %, elsewhere 0.6 %
          Details: vcq-etl report incident a1b2c3

        and 1 more: vcq-etl report run incidents --since 2026-11-18

        vcq-etl, rule outage; the same is not sent again for 12 h.
        ");
        let json = json_of(&message);
        assert_eq!(json["rows"][1]["severity"], "critical");
        assert_eq!(json["level"], "critical");
        assert_eq!(json["text"], plain_text(&message));
    }
}
