//! The formats of a card.

use serde_json::{Map, Value, json};

use super::model::{Card, CardIncident};
use super::strip::{Strip, legend};
use super::words::Words;
use crate::text::{Language, in_json, on_lines, on_one_line, padded, width, wrap_in};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardFormat {
    Text,
    Json,
    Markdown,
}

/// What the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CardLayout {
    pub width: u16,
    /// Otherwise ASCII only, except for names and topics.
    pub is_utf8: bool,
}

/// Columns of the labels, in English and in Chinese.
const LABEL_WIDTHS: [usize; 2] = [15, 12];

/// Incidents of a card that are shown.
const INCIDENTS: usize = 3;

/// Lines for a ticket are not longer, however wide the terminal is.
const MAX_LINE: usize = 100;

/// `command` completes the words of a command.
pub(crate) fn render(
    card: &Card,
    format: CardFormat,
    layout: CardLayout,
    command: &dyn Fn(&[String]) -> String,
) -> String {
    match format {
        CardFormat::Text => on_lines(&text(card, layout, command)),
        CardFormat::Json => in_json(&json(card, command)),
        CardFormat::Markdown => on_lines(&markdown(card, layout, command)),
    }
}

fn text(card: &Card, layout: CardLayout, command: &dyn Fn(&[String]) -> String) -> String {
    let (max_width, words) = (usize::from(layout.width), card.words);
    let [english, chinese] = LABEL_WIDTHS;
    let label_width = words.0.pick(english, chinese);
    let mut lines = wrap_in(words.0, &on_one_line(&card.title), max_width);
    lines.extend(wrap_in(words.0, &subtitle(card), max_width));
    lines.push(String::new());
    let mut field = |label: &str, text: &str| {
        for (index, line) in wrap_in(words.0, text, max_width.saturating_sub(label_width)).into_iter().enumerate() {
            lines.push(padded(if index == 0 { label } else { "" }, label_width) + &line);
        }
    };
    for (index, line) in happened(card, command).iter().enumerate() {
        field(&if index == 0 { words.label("happened") } else { String::new() }, line);
    }
    for (label, text) in fields(card) {
        field(&words.label(label), &text);
    }
    lines.extend(strip_lines(&card.strips, layout, words));
    lines.push(String::new());
    for (next, shows) in &card.next {
        let shows = words.say(shows);
        // A command is not wrapped, so that it can be copied.
        lines.push(match words.0 {
            Language::English => format!("Next: {}  ({shows})", command(next)),
            Language::Chinese => format!("下一步：{}  （{shows}）", command(next)),
        });
    }
    lines.push(String::new());
    lines.push(words.say("card.ticket"));
    lines.extend(ticket_lines(card, max_width));
    lines.join("\n") + "\n"
}

/// `ou_5f3a; 2026-11-12 to 2026-11-18, local time; profile cqd`.
fn subtitle(card: &Card) -> String {
    let profile = card.words.fill("card.profile", &[("profile", &card.profile)]);
    let parts = [card.id.as_str(), card.window.as_str(), &profile].into_iter().filter(|part| !part.is_empty());
    card.words.clauses(&parts.map(on_one_line).collect::<Vec<_>>())
}

fn happened(card: &Card, command: &dyn Fn(&[String]) -> String) -> Vec<String> {
    let words = card.words;
    if card.incidents.is_empty() {
        let sentences = [words.say("card.no_incident"), card.short_history.clone()].join(words.0.pick(". ", "。"));
        return vec![sentences.trim_end_matches(['.', ' ', '。']).to_owned()];
    }
    let mut lines = Vec::new();
    for incident in card.incidents.iter().take(INCIDENTS) {
        let severity = words.value("severity", &incident.severity);
        lines.push(words.fill("card.with_cause", &[("name", &severity), ("cause", &incident.summary)]));
    }
    if card.incidents.len() > INCIDENTS {
        let list = command(&["report", "run", "incidents"].map(str::to_owned));
        let more = (card.incidents.len() - INCIDENTS).to_string();
        lines.push(words.fill("card.more_incidents", &[("n", &more), ("command", &list)]));
    }
    lines
}

fn fields(card: &Card) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("verdict", card.verdict.clone()),
        ("main_causes", card.main_causes.clone()),
        ("compared", card.comparison.text(card.words)),
    ];
    fields.extend(card.facts.iter().map(|(label, text)| (*label, on_one_line(text))));
    fields
}

fn strip_lines(strips: &[Strip], layout: CardLayout, words: Words) -> Vec<String> {
    if strips.is_empty() {
        return Vec::new();
    }
    let max_width = usize::from(layout.width);
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let label_width = longest(&mut strips.iter().map(|strip| width(&strip.label))).min(max_width * 2 / 5);
    let note_width = longest(&mut strips.iter().map(|strip| width(&strip.note)));
    let room = max_width.saturating_sub(label_width + note_width + 4).max(10);
    let scale = Strip::scale(strips, room);
    let mut lines = vec![String::new()];
    for strip in strips {
        let label = shortened(&strip.label, label_width, layout.is_utf8);
        let blanks = " ".repeat(label_width - width(&label));
        let before = " ".repeat(note_width - width(&strip.note));
        let line = format!("{label}{blanks}  {before}{}  {}", strip.note, strip.text(scale, layout.is_utf8));
        lines.push(line.trim_end().to_owned());
    }
    lines.extend(wrap_in(words.0, &legend(strips, scale, layout.is_utf8, words), max_width));
    lines
}

/// A label of at most `max_width` columns.
fn shortened(label: &str, max_width: usize, is_utf8: bool) -> String {
    let ending = if is_utf8 { "\u{2026}" } else { "~" };
    let mut text = on_one_line(label);
    if width(&text) <= max_width {
        return text;
    }
    while width(&text) + 1 > max_width && text.pop().is_some() {}
    text + ending
}

/// Plain text: no characters that draw, so that any ticket system shows it.
fn ticket_lines(card: &Card, max_width: usize) -> Vec<String> {
    let words = card.words;
    let program = format!("vcq-etl {}", env!("CARGO_PKG_VERSION"));
    let profile = words.fill("card.profile", &[("profile", &card.profile)]);
    let source = ("source", [program, profile].join(words.0.pick(", ", "，")));
    let lines = card.ticket.iter().chain(std::iter::once(&source));
    let line = |label: &str, text: &str| {
        words.fill("card.with_cause", &[("name", &words.label(label)), ("cause", &on_one_line(text))])
    };
    lines.flat_map(|(label, text)| wrap_in(words.0, &line(label, text), max_width.min(MAX_LINE))).collect()
}

fn markdown(card: &Card, layout: CardLayout, command: &dyn Fn(&[String]) -> String) -> String {
    let mut text = format!("## {}\n\n{}\n\n", escape(&card.title), escape(&subtitle(card)));
    let (words, colon) = (card.words, card.words.0.pick(": ", "："));
    for line in happened(card, command) {
        text.push_str(&format!("- **{}**{colon}{}\n", words.label("happened"), escape(&line)));
    }
    for (label, fact) in fields(card) {
        text.push_str(&format!("- **{}**{colon}{}\n", words.label(label), escape(&fact)));
    }
    let strips = strip_lines(&card.strips, layout, words);
    if !strips.is_empty() {
        text.push_str(&format!("\n```\n{}\n```\n", fenced(&strips[1..])));
    }
    text.push('\n');
    for (next, shows) in &card.next {
        let (typed, shows) = (command(next).replace('`', "'"), words.say(shows));
        text.push_str(&match words.0 {
            Language::English => format!("Next: `{typed}` ({shows})\n\n"),
            Language::Chinese => format!("下一步：`{typed}`（{shows}）\n\n"),
        });
    }
    text + &format!("{}\n\n```\n{}\n```\n", words.say("card.ticket"), fenced(&ticket_lines(card, MAX_LINE)))
}

/// Lines that cannot end a fenced block.
fn fenced(lines: &[String]) -> String {
    lines.join("\n").replace("```", "'''")
}

/// Escapes links, markup and HTML.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in on_one_line(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '!' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

fn json(card: &Card, command: &dyn Fn(&[String]) -> String) -> String {
    let rounded = |pct: Option<f64>| pct.map(|pct| (pct * 10.0).round() / 10.0);
    let incident = |incident: &CardIncident| {
        json!({
            "incident_id": incident.incident_id, "severity": incident.severity, "kind": incident.kind,
            "summary": incident.summary,
        })
    };
    let causes = card
        .causes
        .iter()
        .map(|cause| json!({ "cause": cause.cause, "minutes": cause.minutes, "poor_minutes": cause.poor }));
    let causes: Vec<Value> = causes.collect();
    let facts: Map<String, Value> =
        card.facts.iter().map(|(label, text)| ((*label).to_owned(), text.as_str().into())).collect();
    let strips: Vec<Value> = card
        .strips
        .iter()
        .map(|strip| {
            json!({
                "label": strip.label, "start_local": strip.start.to_string(), "minutes": strip.text(1, false),
            })
        })
        .collect();
    let (comparison, next) = (&card.comparison, card.next.iter().map(|(words, _)| command(words)).collect::<Vec<_>>());
    let object = json!({
        "card": card.kind, "id": card.id, "title": card.title, "window": card.window, "profile": card.profile,
        "incidents": card.incidents.iter().map(incident).collect::<Vec<_>>(), "verdict": card.verdict,
        "judged_minutes": comparison.judged_minutes, "poor_minutes": comparison.poor_minutes,
        "cpu_minutes": comparison.cpu_minutes,
        "poor_pct": rounded(comparison.here.poor), "usual_poor_pct": rounded(comparison.usual.poor),
        "elsewhere_poor_pct": rounded(comparison.elsewhere.poor),
        "cpu_pct": rounded(comparison.here.cpu), "usual_cpu_pct": rounded(comparison.usual.cpu),
        "elsewhere_cpu_pct": rounded(comparison.elsewhere.cpu), "causes": causes, "facts": facts,
        "strips": strips, "next": next, "ticket": ticket_lines(card, usize::MAX).join("\n"),
    });
    format!("{object:#}\n")
}
