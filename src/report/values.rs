//! The rows of a report for people: what the project says is in their language, as on the page. Names of columns and
//! what comes from outside stay. Formats for programs never come here.

use std::borrow::Cow;

use super::headings::words;
use super::incident_text::sentence;
use super::page::chinese;
use super::result::{Cell, ResultSet};
use crate::schema::unit_in;
use crate::text::Language;

/// What an incident is composed from.
const OF_INCIDENT: &[&str] =
    &["summary", "kind", "scope_kind", "scope_name", "metric", "direction", "start_time_local"];

pub(crate) fn in_words(result: &ResultSet, language: Language) -> Cow<'_, ResultSet> {
    if language == Language::English {
        return Cow::Borrowed(result);
    }
    let mut said = result.clone();
    let at = |name: &str| result.columns.iter().position(|column| column == name);
    let summary = at("summary").filter(|_| OF_INCIDENT.iter().all(|name| at(name).is_some()));
    for (row, shown) in result.rows.iter().zip(&mut said.rows) {
        for ((column, cell), shown) in result.columns.iter().zip(row).zip(shown.iter_mut()) {
            if let Cell::Text(text) = cell {
                *shown = Cell::Text(value(column, text));
            }
        }
        if let Some(summary) = summary {
            let column = |name: &str| at(name).and_then(|at| row.get(at)).map(Cell::text).unwrap_or_default();
            shown[summary] = Cell::Text(sentence(&column, language));
        }
    }
    Cow::Owned(said)
}

fn value(column: &str, text: &str) -> String {
    let language = Language::Chinese;
    match column {
        // Of thresholds and measures.
        "unit" => chinese(text).unwrap_or_else(|| unit_in(language, text).to_owned()),
        column => words(column, text, language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn own_words_are_said_and_names_stay() {
        let columns = ["topic", "main_cause", "verdict", "site", "n"].map(str::to_owned).to_vec();
        let row = |verdict: &str, site: &str| {
            vec![text("no clear change"), text("jitter both ways"), text(verdict), text(site), Cell::Integer(1)]
        };
        let result = ResultSet {
            columns,
            rows: vec![row("no clear change", "home, by 192.0.2.0/24"), row("better", "too few")],
        };
        assert_eq!(*in_words(&result, Language::English), result);
        let said = in_words(&result, Language::Chinese);
        let expected = [
            vec![
                text("no clear change"),
                text("双向抖动"),
                text("无明显变化"),
                text("家庭网络 192.0.2.0/24"),
                Cell::Integer(1),
            ],
            vec![text("no clear change"), text("双向抖动"), text("变好"), text("too few"), Cell::Integer(1)],
        ];
        assert_eq!(said.rows, expected);
        assert_eq!([value("unit", "h"), value("unit", "days of 7"), value("unit", "%")], ["小时", "天（7 天内）", "%"]);
    }
}
