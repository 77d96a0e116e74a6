//! The daily trend as bars of markup: readable without scripts, on paper and in a mail preview.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use super::incidents::{Incidents, Record};
use super::markup::Markup;
use super::period::Span;
use super::sentence::{counted, hours};
use super::shown::{self, number, parse_time, share};

/// Days with a label under each bar; with more only Mondays have one.
const LABELLED: usize = 16;

pub(super) fn trend(days: &[Record], holes: &[Date], incidents: &Incidents, span: &Span) -> String {
    let by_date: BTreeMap<Date, &Record> = days.iter().filter_map(|row| Some((date_of(row)?, row))).collect();
    let Some(first) = by_date.keys().next() else { return String::new() };
    // The bars begin with the period if the store has nothing before it.
    let mut day = if *first < span.since { span.trend_since } else { span.since };
    let mut all = Vec::new();
    while day < span.until {
        all.push(day);
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    let value = |row: &Record, key: &str| row.get(key).and_then(Value::as_f64);
    let most = days.iter().filter_map(|row| value(row, "poor_pct")).fold(1.0, f64::max);
    let mut html = format!("<ul class=\"trend\" style=\"--columns:{}\">", all.len());
    for day in &all {
        let mut class = Vec::new();
        if *day < span.since {
            class.push("earlier");
        }
        let row = by_date.get(day);
        let (label, bar) = match row {
            None => {
                let is_hole = holes.contains(day) || day < first;
                class.push(if is_hole { "hole" } else { "none" });
                (Markup::fill("trend.none", &[("date", shown::date(*day))]), String::new())
            }
            Some(row) => {
                let poor = value(row, "poor_pct");
                let n = |key: &str| value(row, key).unwrap_or_default() as i64;
                let values = [
                    ("date", shown::date(*day)),
                    ("poor", poor.map(share).unwrap_or_default()),
                    ("minutes", counted("minutes", n("n"))),
                    ("meetings", counted("meetings", n("meetings"))),
                    ("hours", hours(value(row, "hours").unwrap_or_default())),
                ];
                let text = if poor.is_some() { "trend.day" } else { "trend.few" };
                let height = poor.map_or(0.0, |poor| (100.0 * poor / most).max(1.0));
                let shown = match poor {
                    Some(poor) if all.len() <= LABELLED => number(poor, if poor >= 9.95 { 0 } else { 1 }),
                    _ => String::new(),
                };
                (Markup::fill(text, &values), format!("<i style=\"height:{height:.1}%\"><em>{shown}</em></i>"))
            }
        };
        if incidents
            .in_story()
            .any(|incident| incident.start.date() <= *day && *day <= incident.end.date() && !incident.is_chronic)
        {
            class.push("incident");
        }
        let is_labelled = all.len() <= LABELLED || day.weekday() == jiff::civil::Weekday::Monday;
        let weekday = shown::weekday(*day);
        let under = match is_labelled {
            false => Markup::default(),
            true if all.len() <= LABELLED => {
                Markup::pair(format!("{} {}", weekday.en, day.day()), format!("{} {}日", weekday.zh, day.day()))
            }
            true => Markup::pair(day.day().to_string(), format!("{}日", day.day())),
        };
        html.push_str(&format!(
            "<li class=\"{}\"><span class=\"plot\" aria-hidden=\"true\">{bar}</span><span class=\"label\" aria-hidden=\"true\">{}</span>\
             <span class=\"said\">{}</span></li>",
            class.join(" "),
            under.render(),
            label.render()
        ));
    }
    html.push_str("</ul>");
    html
}

fn date_of(row: &Record) -> Option<Date> {
    Some(parse_time(row.get("date")?.as_str()?)?.date())
}
