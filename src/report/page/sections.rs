//! The sections below the tiles: one table each.

use serde_json::Value;

use super::incidents::{Incident, Incidents, Record};
use super::markup::{Markup, escaped};
use super::sentence::{next_step, place, problem};
use super::shown;
use super::story::severity_pill;
use super::table::{self, Column, Show, column, headed, table};
use super::words::chinese;
use crate::report::presentation::{ALWAYS_SHOWN, MIN_FOLDED};

/// The rows of a table of the page, by its name.
pub(super) type Rows<'a> = &'a dyn Fn(&str) -> Vec<Record>;

pub(super) fn card(name: &str, note: Option<Markup>, body: &str) -> String {
    let note = note.map(|note| format!("<p class=\"note\">{}</p>", note.render())).unwrap_or_default();
    format!(
        "<section class=\"card\" id=\"s-{name}\" aria-labelledby=\"h-{name}\"><h2 id=\"h-{name}\">{}</h2>{note}{body}</section>\n",
        Markup::word(&format!("s.{name}")).render()
    )
}

fn noted(name: &str, body: &str) -> String {
    card(name, Some(Markup::word(&format!("s.{name}.note"))), body)
}

/// A table, or a sentence where there are no rows.
fn table_or(name: &str, columns: &[Column], rows: &[Record], otherwise: &str) -> String {
    match rows.is_empty() {
        true => format!("<p class=\"quiet\">{}</p>", Markup::word(otherwise).render()),
        false => table(name, columns, rows, 10),
    }
}

const MAIN_CAUSE: Column = column("main_cause", Show::Markup(|row| cause_of(row, "main_cause")));

fn cause_of(row: &Record, key: &str) -> Markup {
    row.get(key).and_then(Value::as_str).map(table::cause).unwrap_or_default()
}

/// The state of a scope is that of the worst incident there, never an average.
const STATE: Column = column("state", Show::Markup(|row| Markup::html(row["state"].as_str().unwrap_or_default())));

fn with_state<'a>(rows: Vec<Record>, incident: impl Fn(&Record) -> Option<&'a Incident>) -> Vec<Record> {
    let with = |mut row: Record| {
        row.insert("state".to_owned(), state(incident(&row)).into());
        row
    };
    rows.into_iter().map(with).collect()
}

fn state(incident: Option<&Incident>) -> String {
    match incident {
        Some(incident) => {
            let (pill, problem) = (severity_pill(&incident.severity), problem(incident).render());
            format!("<a href=\"#incident-{}\">{pill}</a> <small class=\"why\">{problem}</small>", incident.no)
        }
        None => format!("<span class=\"soft nowrap\">{}</span>", Markup::word("severity.none").render()),
    }
}

/// The state of a site as a whole, and the worst of the other incidents there, which does not decide it.
fn state_of_site(incidents: &Incidents, site: &str) -> String {
    let also = incidents.also_at_site(site).map(|other| {
        let (place, problem) = (place(other), problem(other));
        let name = Markup::pair(format!("{}: {}", place.en, problem.en), format!("{}：{}", place.zh, problem.zh));
        let link = name.within(&format!("<a href=\"#incident-{}\">", other.no), "</a>");
        format!(" <small class=\"why\">{}</small>", Markup::fill("state.also", &[("incident", link)]).render())
    });
    format!("{}{}", state(incidents.of_site(site)), also.unwrap_or_default())
}

fn name_in<'a>(row: &'a Record, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn meetings(rows: Rows<'_>) -> String {
    let list: Vec<Record> = rows("meetings")
        .into_iter()
        .enumerate()
        .map(|(at, mut row)| {
            let topic = match name_in(&row, "topic") {
                "" => name_in(&row, "meeting_no").to_owned(),
                topic => super::markup::cut(topic, 300),
            };
            let topic = super::markup::outside(&topic);
            // A script makes it a link to the minutes.
            let link = format!("<span class=\"clamp\"><span data-meeting=\"{}\">{topic}</span></span>", at + 1);
            row.insert("topic".to_owned(), link.into());
            row
        })
        .collect();
    let columns = [
        column("topic", Show::Markup(|row| Markup::html(name_in(row, "topic")))),
        column("start", Show::When),
        column("organizer", Show::Text),
        column("participants", Show::Number(0)),
        column("affected", Show::Number(0)),
        column("n", Show::Number(0)),
        column("poor", Show::Number(0)),
        column("poor_pct", Show::Bar),
        column("verdict", Show::Group("verdict")),
        MAIN_CAUSE,
    ];
    noted("meetings", &table_or("meetings", &columns, &list, "all_good"))
}

pub(super) fn causes(rows: Rows<'_>) -> String {
    let columns = [
        column("cause", Show::Markup(|row| cause_of(row, "cause"))),
        column("poor", Show::Number(0)),
        headed("poor_pct", "cause_pct", Show::Bar),
        column("cpu_limited", Show::Number(0)),
        column("people", Show::Number(0)),
        column("meetings", Show::Number(0)),
        column("wifi_pct", Show::Percent(0)),
        column("todo", Show::Markup(todo)),
    ];
    let mut list = rows("causes");
    for row in &mut list {
        // Only the CPU has minutes that are not poor.
        if metric_of(name_in(row, "cause")).0 == "cpu" {
            let cpu_limited = cpu_limited(std::slice::from_ref(row));
            row.insert("cpu_limited".to_owned(), cpu_limited.into());
        }
    }
    if list.is_empty() {
        return noted("causes", &table_or("causes", &columns, &list, "all_good"));
    }
    let poor: i64 = list.iter().filter_map(|row| row.get("poor").and_then(Value::as_i64)).sum();
    let note = Markup::fill("s.causes.note", &[("n", shown::count(poor))]);
    let cpu_limited = match cpu_limited(&list) {
        0 => Markup::word("s.causes.cpu.none"),
        n => Markup::fill("s.causes.cpu", &[("n", shown::count(n))]),
    };
    let note = Markup::pair(format!("{} {}", note.en, cpu_limited.en), format!("{}{}", note.zh, cpu_limited.zh));
    card("causes", Some(note), &table("causes", &columns, &list, 14))
}

/// CPU-limited minutes that are not poor.
pub(super) fn cpu_limited(causes: &[Record]) -> i64 {
    let minutes = |row: &Record, name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
    causes.iter().map(|row| minutes(row, "minutes") - minutes(row, "poor")).sum()
}

/// The next step for a cause that occurred.
fn todo(row: &Record) -> Markup {
    if row.get("minutes").and_then(Value::as_i64) == Some(0) {
        return Markup::default();
    }
    let (metric, direction) = metric_of(name_in(row, "cause"));
    let step = step_beyond(row, &metric)
        .or_else(|| step_not_on_wifi(row, &metric))
        .or_else(|| next_step(&metric, direction))
        .unwrap_or_else(|| Markup::outside(name_in(row, "what_to_do")));
    step.within("<span class=\"clamp step\">", "</span>")
}

/// The next step where most minutes come from outside the people's own place, as in the report `diagnosis`.
fn step_beyond(row: &Record, metric: &str) -> Option<Markup> {
    let minutes = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
    let most = ["service_wide", "far_end", "capped"].into_iter().find(|name| 2 * minutes(name) > minutes("minutes"));
    // A slow computer is slow wherever the loss comes from.
    most.filter(|_| metric != "cpu").map(|name| Markup::word(&format!("todo.{name}")))
}

/// As in the report `diagnosis`.
fn step_not_on_wifi(row: &Record, metric: &str) -> Option<Markup> {
    let wifi_pct = row.get("wifi_pct").and_then(Value::as_f64)?;
    (matches!(metric, "loss" | "jitter") && wifi_pct < 50.0).then(|| Markup::word("todo.cable"))
}

/// The metric and the direction of a cause: `frame rate both ways` is `frame_rate` and `both`.
fn metric_of(label: &str) -> (String, &'static str) {
    let name = |text: &str| text.to_lowercase().replace(' ', "_");
    for (ending, direction) in [(" received", "received"), (" sent", "sent"), (" both ways", "both")] {
        if let Some(metric) = label.strip_suffix(ending) {
            return (name(metric), direction);
        }
    }
    (name(label), "both")
}

pub(super) fn sites(rows: Rows<'_>, incidents: &Incidents) -> String {
    let mut list = rows("sites");
    for row in &mut list {
        let state = state_of_site(incidents, name_in(row, "site"));
        row.insert("state".to_owned(), state.into());
    }
    let columns = [
        column("site", Show::Markup(site)),
        STATE,
        column("people", Show::Number(0)),
        column("hours", Show::Number(1)),
        column("n", Show::Number(0)),
        column("poor", Show::Number(0)),
        column("poor_pct", Show::Bar),
        column("of_all_poor_pct", Show::Percent(1)),
        column("affected_pct", Show::Percent(1)),
        MAIN_CAUSE,
        column("delay_p95_ms", Show::Ms),
        column("loss_in_p95_pct", Show::Percent(1)),
    ];
    let has_incident = |row: &Record| {
        let site = name_in(row, "site");
        incidents.of_site(site).is_some() || incidents.also_at_site(site).is_some()
    };
    let (shown, single) = fold_single(&list, &has_incident);
    let mut body = table_or("sites", &columns, &shown, "nothing");
    if !single.is_empty() {
        let poor = |rows: &[Record]| -> Markup { shown::count(rows.iter().map(|row| integer_in(row, "poor")).sum()) };
        let values = [("n", shown::count(single.len() as i64)), ("poor", poor(&single)), ("all", poor(&list))];
        body.push_str(&format!(
            "<details><summary id=\"h-sites-single\">{}</summary>{}</details>",
            Markup::fill("sites.single", &values).render(),
            table("sites-single", &columns, &single, 100)
        ));
    }
    noted("sites", &body)
}

/// The rows to show, and those with one person each, as the terminal folds them; a row with an incident is shown.
fn fold_single(rows: &[Record], has_incident: &dyn Fn(&Record) -> bool) -> (Vec<Record>, Vec<Record>) {
    let is_single = |row: &Record| integer_in(row, "people") <= 1 && !has_incident(row);
    let (mut shown, mut single) = (Vec::new(), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        let to = if at >= ALWAYS_SHOWN && is_single(row) { &mut single } else { &mut shown };
        to.push(row.clone());
    }
    match single.len() >= MIN_FOLDED {
        true => (shown, single),
        false => (rows.to_vec(), Vec::new()),
    }
}

fn integer_in(row: &Record, key: &str) -> i64 {
    row.get(key).and_then(Value::as_i64).unwrap_or_default()
}

/// A building or a network; home networks have a text of the page.
fn site(row: &Record) -> Markup {
    table::term(name_in(row, "site")).within("<span class=\"clamp name\">", "</span>")
}

pub(super) fn rooms(rows: Rows<'_>, incidents: &Incidents) -> String {
    let list = with_state(rows("rooms"), |row| incidents.of_scope("room", name_in(row, "room")));
    let columns = [
        column("room", Show::Name),
        STATE,
        column("network", Show::Group("network")),
        column("meetings", Show::Number(0)),
        column("n", Show::Number(0)),
        column("poor", Show::Number(0)),
        column("poor_pct", Show::Bar),
        column("days_affected", Show::Number(0)),
        MAIN_CAUSE,
        column("cpu_p95_pct", Show::Percent(0)),
        column("mos_p10", Show::Number(2)),
        column("minutes_missing", Show::Number(0)),
    ];
    noted("rooms", &table_or("rooms", &columns, &list, "nothing"))
}

pub(super) fn networks(rows: Rows<'_>, incidents: &Incidents) -> String {
    let list = with_state(rows("networks"), |row| incidents.of_scope("network_type", name_in(row, "network")));
    let columns = [
        column("network", Show::Group("network")),
        STATE,
        column("people", Show::Number(0)),
        column("n", Show::Number(0)),
        column("poor_pct", Show::Bar),
        column("streams", Show::Number(0)),
        column("audio_streams_pct", Show::Percent(1)),
        column("allowed_pct", Show::Percent(0)),
        column("affected_pct", Show::Percent(1)),
        column("delay_p95_ms", Show::Ms),
        column("mos_p10", Show::Number(2)),
    ];
    noted("networks", &table_or("networks", &columns, &list, "nothing"))
}

pub(super) fn versions(rows: Rows<'_>, incidents: &Incidents) -> String {
    let list = with_state(rows("versions"), |row| incidents.of_scope("app_version", name_in(row, "version")));
    let columns = [
        column("version", Show::Text),
        STATE,
        column("people", Show::Number(0)),
        column("n", Show::Number(0)),
        column("poor", Show::Number(0)),
        column("poor_pct", Show::Bar),
        MAIN_CAUSE,
        column("cpu_p95_pct", Show::Percent(0)),
        column("pairs", Show::Number(0)),
        column("paired_change_pp", Show::Change),
        column("t", Show::Number(1)),
    ];
    noted("versions", &table_or("versions", &columns, &list, "nothing"))
}

pub(super) fn cpu(rows: Rows<'_>) -> String {
    let columns = [
        column("name", Show::Name),
        column("device", Show::Text),
        column("version", Show::Text),
        headed("n", "cpu_n", Show::Number(0)),
        column("cpu", Show::Number(0)),
        column("cpu_pct", Show::Bar),
        headed("poor", "cpu_poor", Show::Number(0)),
        column("client_p95_pct", Show::Percent(0)),
        column("system_p95_pct", Show::Percent(0)),
        column("fps_out_cpu", Show::Number(0)),
        column("fps_out_else", Show::Number(0)),
    ];
    noted("cpu", &table_or("cpu", &columns, &rows("cpu"), "s.cpu.none"))
}

pub(super) fn coverage(rows: Rows<'_>, days: &[Record], banners: &str, census: &Markup) -> String {
    let reasons = [
        column("status", Show::Group("coverage")),
        column("rows", Show::Number(0)),
        column("expected_min", Show::Number(0)),
        column("samples", Show::Number(0)),
        column("missing_min", Show::Number(0)),
        column("reason", Show::Term),
    ];
    let by_day = [
        column("date", Show::Date),
        column("rows", Show::Number(0)),
        column("expected_min", Show::Number(0)),
        column("samples", Show::Number(0)),
        column("covered_pct", Show::Percent(1)),
        column("askable_pct", Show::Percent(1)),
        column("gate", Show::Markup(gate)),
    ];
    let body = format!(
        "{banners}<p class=\"census\">{}</p>{}<h3 id=\"h-coverage-days\">{}</h3>{}",
        census.render(),
        table_or("coverage", &reasons, &rows("reasons"), "nothing"),
        Markup::word("s.coverage.days").render(),
        table_or("coverage-days", &by_day, days, "nothing")
    );
    noted("coverage", &body)
}

fn gate(row: &Record) -> Markup {
    let (class, mark, text) = match (name_in(row, "status"), name_in(row, "gate")) {
        ("not_covered", _) => ("major", "▲", Markup::word("coverage.not_covered")),
        (_, "ok") => ("met", "✓", Markup::word("gate.ok")),
        (_, "gap") => ("major", "▲", Markup::word("gate.gap")),
        _ => return Markup::default(),
    };
    let text = text.render();
    Markup::html(format!("<span class=\"pill {class}\"><span aria-hidden=\"true\">{mark}</span> {text}</span>"))
}

pub(super) fn method(rows: Rows<'_>, profile: &str, min_n: u32) -> String {
    let limits =
        [column("metric", Show::Markup(metric)), column("value", Show::Markup(limit)), column("source", Show::Term)];
    let small = Markup::fill("s.method.small", &[("min_n", shown::count(min_n.into()))]);
    let paragraphs = ["s.method.incident", "s.method.poor", "s.method.affected", "s.method.mos"];
    let paragraphs = paragraphs.map(Markup::word).into_iter().chain([small]);
    let paragraphs: String = paragraphs.map(|text| format!("<p>{}</p>", text.render())).collect();
    let body = format!(
        "<div class=\"method\">{paragraphs}</div><details><summary id=\"h-limits\">{}</summary>{}</details>",
        Markup::fill("s.method.limits", &[("profile", Markup::html(escaped(profile)))]).render(),
        table("limits", &limits, &rows("limits"), 100)
    );
    card("method", None, &body)
}

fn metric(row: &Record) -> Markup {
    let name = name_in(row, "metric");
    let code = format!("<code>{}</code>", escaped(name));
    let translated = chinese(name).map(|text| format!("{} {code}", escaped(&text)));
    Markup::pair(code.clone(), translated.unwrap_or(code))
}

fn limit(row: &Record) -> Markup {
    let sign = match name_in(row, "poor_when") {
        "above" => "&gt; ",
        "at_or_above" => "≥ ",
        "below" => "&lt; ",
        _ => "",
    };
    let value = row.get("value").and_then(Value::as_f64).unwrap_or_default();
    let value = format!("{sign}{}", shown::number(value, if value.fract() == 0.0 { 0 } else { 1 }));
    let unit = name_in(row, "unit");
    let translated = chinese(unit).unwrap_or_else(|| unit.to_owned());
    let space = if unit == "%" { "" } else { " " };
    Markup::pair(format!("{value} {}", escaped(unit)), format!("{value}{space}{}", escaped(&translated)))
        .within("<span class=\"nowrap\">", "</span>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_step_for_a_cause_is_for_where_most_of_its_minutes_come_from() {
        let step = |cause: &str, service_wide: i64, far_end: i64, capped: i64| {
            let row = json!({
                "cause": cause, "minutes": 10, "service_wide": service_wide, "far_end": far_end, "capped": capped,
            });
            todo(row.as_object().expect("an object")).en
        };
        assert!(step("loss both ways", 6, 0, 0).contains("contact Feishu"));
        assert!(step("frame rate received", 5, 6, 6).contains("Another participant"));
        assert!(step("frame rate received", 0, 0, 6).contains("capped"));
        assert!(step("loss both ways", 5, 5, 5).contains("wifi"));
        assert!(step("CPU", 10, 10, 10).contains("computer"));
    }

    #[test]
    fn the_next_step_for_a_cause_on_wired_networks_does_not_name_the_wifi_first() {
        let step = |cause: &str, wifi_pct: f64| {
            let row = json!({ "cause": cause, "minutes": 10, "wifi_pct": wifi_pct });
            todo(row.as_object().expect("an object")).en
        };
        assert!(step("loss received", 0.0).contains("not on wifi: check network ports"));
        assert!(step("jitter sent", 81.6).contains("Check the wifi"));
        assert!(step("delay", 0.0).contains("VPN"));
    }

    #[test]
    fn places_with_one_person_are_folded_after_the_first_rows() {
        let row = |people: i64| json!({ "people": people }).as_object().expect("an object").clone();
        let people = |rows: &[Record]| rows.iter().map(|row| integer_in(row, "people")).collect::<Vec<_>>();
        let folded = |rows: &[i64], has_incident: bool| {
            let rows: Vec<Record> = rows.iter().map(|people| row(*people)).collect();
            let (shown, single) = fold_single(&rows, &|_| has_incident);
            (people(&shown), people(&single))
        };
        assert_eq!(folded(&[1, 9, 8, 1, 7, 1, 1], false), (vec![1, 9, 8, 7], vec![1, 1, 1]));
        assert_eq!(folded(&[1, 9, 8, 1, 7, 1], false), (vec![1, 9, 8, 1, 7, 1], vec![]));
        assert_eq!(folded(&[1, 9, 8, 1, 7, 1, 1], true), (vec![1, 9, 8, 1, 7, 1, 1], vec![]));
    }
}
