//! A message as an interactive card of Feishu.
//!
//! Text from outside (names, topics) cannot format the card or mention anybody: what has a meaning in the card's
//! Markdown is written as a character reference.

use serde_json::{Value, json};

use super::message::{Level, Message};
use super::render::{closing, hidden, is_in_title, more_text};

/// Feishu refuses a body of 20 KB; the rest is for the signature.
pub(super) const MAX_BYTES: usize = 19_000;

/// The card with as many entries as fit.
pub(super) fn card(message: &Message) -> Value {
    let mut entries = message.entries.len();
    loop {
        let card = with_entries(message, entries);
        if entries == 0 || card.to_string().len() <= MAX_BYTES {
            return card;
        }
        entries -= 1;
    }
}

fn with_entries(message: &Message, entries: usize) -> Value {
    let mut elements = Vec::new();
    for entry in message.entries.iter().take(entries) {
        if !elements.is_empty() {
            elements.push(json!({"tag": "hr"}));
        }
        if !is_in_title(message, entry) {
            elements.push(markdown(&format!("**{}**", escaped(&entry.headline))));
        }
        let facts: Vec<String> = entry.facts.iter().map(fact).collect();
        if !facts.is_empty() {
            elements.push(markdown(&facts.join("\n")));
        }
    }
    let more = hidden(message, entries);
    let more = (more > 0).then(|| escaped(&more_text(more, &message.command, message.language)));
    let below: Vec<String> = more.into_iter().chain(closing(message, entries).map(fact)).collect();
    if !below.is_empty() {
        elements.push(json!({"tag": "hr"}));
        elements.push(markdown(&below.join("\n")));
    }
    elements.push(json!({"tag": "note", "elements": [{"tag": "plain_text", "content": message.footer}]}));
    json!({
        "config": {"wide_screen_mode": true},
        "header": {"template": colour(message.level), "title": {"tag": "plain_text", "content": message.title}},
        "elements": elements,
    })
}

fn fact((label, text): &(String, String)) -> String {
    format!("**{}**  {}", escaped(label), escaped(text))
}

fn markdown(content: &str) -> Value {
    json!({"tag": "div", "text": {"tag": "lark_md", "content": content}})
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::Critical => "red",
        Level::Major => "orange",
        Level::Minor => "yellow",
        Level::Info => "blue",
    }
}

/// Characters with a meaning in the card's Markdown as character references.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '*' | '_' | '~' | '`' | '[' | ']' | '#' | '\\' | '|' => {
                safe.push_str(&format!("&#{};", u32::from(c)));
            }
            '\n' | '\r' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Match;
    use super::super::compose::tests::{new, prepared};
    use super::super::compose::{MessageContext, compose};
    use super::super::incident::tests::{outage, with};
    use super::*;
    use crate::report::Cell;
    use crate::text::Language;

    fn message(rows: &[Match], language: Language) -> Message {
        compose(&prepared("incidents"), &new(rows), MessageContext { language })
    }

    #[test]
    fn a_card_of_one_incident() {
        let card = card(&message(&[outage()], Language::Chinese));
        insta::assert_snapshot!(format!("{card:#}"), @r#"
        {
          "config": {
            "wide_screen_mode": true
          },
          "header": {
            "template": "orange",
            "title": {
              "tag": "plain_text",
              "content": "11月20日（周五）09:40–12:06，Harbour House：收发双向抖动过大，影响 7 位人员（含会议室）、3 场会议"
            }
          },
          "elements": [
            {
              "tag": "div",
              "text": {
                "tag": "lark_md",
                "content": "**影响范围**  7 位人员（含会议室）、3 场会议；660 个有效分钟中有 412 个质差分钟（62.4%）\n**位置**  楼宇 Harbour House\n**时间**  2026年11月20日（周五）09:40–12:06，持续 2 小时 26 分钟\n**对比**  质差率 62.4%；此前 28 天为 0.4%，同期其他人为 0.6%\n**查看详情**  vcq-etl report incident a1b2c3"
              }
            },
            {
              "tag": "note",
              "elements": [
                {
                  "tag": "plain_text",
                  "content": "vcq-etl，规则“outage”；12 小时内不重复发送。"
                }
              ]
            }
          ]
        }
        "#);
    }

    #[test]
    fn a_topic_cannot_mention_everybody_or_format_the_card() {
        let name = "<at id=all></at> **x** [a](https://x.example)\n# y";
        let row = with(&[("scope_name", Cell::Text(name.to_owned())), ("summary", Cell::Null)]);
        let rows = [row.clone(), row];
        let text = with_entries(&message(&rows, Language::English), 2)["elements"].to_string();
        assert!(!text.contains("<at") && !text.contains("**x") && !text.contains("[a]"), "{text}");
        assert!(text.contains("&#60;at id=all&#62;"), "{text}");
    }

    #[test]
    fn a_card_is_cut_to_what_feishu_accepts_and_says_so() {
        let long = with(&[("scope_name", Cell::Text("楼".repeat(5_000))), ("summary", Cell::Null)]);
        let rows: Vec<_> = (0..200).map(|_| long.clone()).collect();
        let message = message(&rows, Language::English);
        let card = card(&message);
        let text = card.to_string();
        assert!(text.len() <= MAX_BYTES && text.len() > MAX_BYTES / 2, "{} bytes", text.len());
        let entries = card["elements"].as_array().expect("a list").iter().filter(|e| e["tag"] == "hr").count();
        assert!(text.contains(&format!("and {} more: ", 200 - entries)), "{entries}: {text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_rows_make_a_card_of_less_than_20_kb(names in proptest::collection::vec("\\PC{0,300}", 1..60)) {
            let rows: Vec<_> = names.iter()
                .map(|name| with(&[("scope_name", Cell::Text(name.clone())), ("summary", Cell::Text(name.clone()))]))
                .collect();
            prop_assert!(card(&message(&rows, Language::Chinese)).to_string().len() <= MAX_BYTES);
        }
    }
}
