//! Tables: rows of a report as markup. Rows beyond a limit are folded by the style sheet; scripts only add sorting.

use serde_json::Value;

use super::incidents::Record;
use super::markup::{Markup, cut, escaped};
use super::shown::{self, number, parse_time, percent};
use super::words::{chinese, find};

/// Characters of a text cell; topics can have any length.
const MAX_TEXT: usize = 300;

/// How a column shows its value.
#[derive(Clone, Copy)]
pub(super) enum Show {
    Text,
    /// A name, which has a minimum width.
    Name,
    /// Text of the store that has a Chinese form.
    Term,
    Number(usize),
    /// A difference in percentage points, with its sign.
    Change,
    Percent(usize),
    Ms,
    /// A percentage with a bar in proportion to the largest of the column.
    Bar,
    Date,
    When,
    /// A value with a text in this group, for example a status.
    Group(&'static str),
    /// Markup made by the section.
    Markup(fn(&Record) -> Markup),
}

pub(super) struct Column {
    key: &'static str,
    head: &'static str,
    show: Show,
}

pub(super) const fn column(key: &'static str, show: Show) -> Column {
    Column { key, head: key, show }
}

pub(super) const fn headed(key: &'static str, head: &'static str, show: Show) -> Column {
    Column { key, head, show }
}

impl Column {
    fn is_right(&self) -> bool {
        matches!(self.show, Show::Number(_) | Show::Percent(_) | Show::Ms | Show::Bar | Show::Change)
    }

    fn class(&self) -> &'static str {
        match self.show {
            _ if self.is_right() => " class=\"num\"",
            Show::Term => " class=\"wide\"",
            _ => "",
        }
    }
}

/// A table with its first `limit` rows, and a control that shows the others.
pub(super) fn table(name: &str, columns: &[Column], rows: &[Record], limit: usize) -> String {
    let head: String = columns
        .iter()
        .map(|column| {
            let label = Markup::word(&format!("c.{}", column.head)).render();
            format!("<th scope=\"col\" data-key=\"{}\"{}>{label}</th>", column.key, column.class())
        })
        .collect();
    let most: Vec<f64> = columns
        .iter()
        .map(|column| rows.iter().filter_map(|row| value(row, column.key)?.as_f64()).fold(0.0, f64::max))
        .collect();
    // One row more takes as much space as the control.
    let is_long = rows.len() > limit + 1;
    let body: String = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let cells: String = columns.iter().zip(&most).map(|(column, most)| cell(column, row, *most)).collect();
            let class = if is_long && at >= limit { " class=\"beyond\"" } else { "" };
            format!("<tr{class}>{cells}</tr>\n")
        })
        .collect();
    let (before, after) = match is_long {
        true => (expander(name), expander_label(name, rows.len())),
        false => Default::default(),
    };
    format!(
        "{before}<div class=\"scroll\"><table id=\"t-{name}\" data-limit=\"{}\" aria-labelledby=\"h-{name}\">\
         <thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{after}",
        if is_long { limit } else { rows.len() }
    )
}

/// The control that the style sheet reads: the folded rows follow it.
pub(super) fn expander(name: &str) -> String {
    format!("<input type=\"checkbox\" class=\"away expander\" id=\"all-{name}\">")
}

pub(super) fn expander_label(name: &str, rows: usize) -> String {
    let all = Markup::fill("show_all", &[("n", shown::count(rows as i64))]).render();
    let fewer = Markup::word("show_less").render();
    format!(
        "<label class=\"more\" for=\"all-{name}\"><span class=\"folded\">{all}</span><span class=\"unfolded\">{fewer}</span></label>"
    )
}

fn value<'a>(row: &'a Record, key: &str) -> Option<&'a Value> {
    row.get(key).filter(|value| !value.is_null())
}

fn cell(column: &Column, row: &Record, most: f64) -> String {
    let class = column.class();
    let hidden = "<span class=\"few\">–</span>";
    let number_of = || value(row, column.key).and_then(Value::as_f64);
    let text_of = || match value(row, column.key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
        None => None,
    };
    let markup = match column.show {
        Show::Number(decimals) => number_of().map_or(String::new(), |value| number(value, decimals)),
        Show::Change => number_of().map_or_else(
            || hidden.to_owned(),
            |value| {
                let sign = if value > 0.0 { "+" } else { "" };
                Markup::fill("pp", &[("n", Markup::html(format!("{sign}{}", number(value, 1))))]).render()
            },
        ),
        Show::Percent(decimals) => number_of().map_or_else(|| hidden.to_owned(), |value| percent(value, decimals)),
        Show::Ms => number_of().map_or(String::new(), |value| format!("{}\u{a0}ms", number(value, 0))),
        Show::Bar => number_of().map_or_else(|| hidden.to_owned(), |value| bar(value, most)),
        Show::Date | Show::When => {
            let text = text_of().unwrap_or_default();
            let shown = parse_time(&text).map(|time| match column.show {
                Show::Date => shown::date(time.date()),
                _ => shown::when(time),
            });
            let shown = shown.unwrap_or_default().render();
            return format!("<td data-value=\"{}\"><span class=\"nowrap\">{shown}</span></td>", escaped(&text));
        }
        Show::Group(group) => text_of().map_or(String::new(), |text| grouped(group, &text).render()),
        Show::Term => {
            text_of().map_or(String::new(), |text| format!("<span class=\"clamp\">{}</span>", term(&text).render()))
        }
        Show::Text | Show::Name => text_of().map_or(String::new(), |text| {
            let name = if matches!(column.show, Show::Name) { " name" } else { "" };
            format!("<span class=\"clamp{name}\">{}</span>", super::markup::outside(&cut(&text, MAX_TEXT)))
        }),
        Show::Markup(show) => show(row).render(),
    };
    format!("<td{class}>{markup}</td>")
}

fn bar(value: f64, most: f64) -> String {
    let width = if most > 0.0 && value > 0.0 { (100.0 * value / most).max(3.0) } else { 0.0 };
    format!("<span class=\"bar\"><i style=\"width:{width:.1}%\"></i><span>{}</span></span>", percent(value, 1))
}

/// The text of a value, else the value itself.
pub(super) fn grouped(group: &str, value: &str) -> Markup {
    find(&format!("{group}.{value}")).map_or_else(|| Markup::outside(value), Markup::of)
}

/// Text of the store with its Chinese form, where it has one.
pub(super) fn term(text: &str) -> Markup {
    let english = Markup::outside(&cut(text, MAX_TEXT));
    match chinese(text) {
        Some(chinese) => Markup::pair(english.en, super::markup::outside(&chinese)),
        None => english,
    }
}

/// A cause with its colour.
pub(super) fn cause(label: &str) -> Markup {
    let metric = label.split(' ').next().unwrap_or_default().to_lowercase();
    let class = match metric.as_str() {
        "loss" | "delay" | "jitter" | "frame" | "cpu" => metric.as_str(),
        _ => "other",
    };
    let name = grouped("cause", label).render();
    Markup::html(format!("<span class=\"nowrap\"><i class=\"swatch {class}\"></i>{name}</span>"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn records(rows: Value) -> Vec<Record> {
        rows.as_array().expect("rows").iter().map(|row| row.as_object().expect("a row").clone()).collect()
    }

    #[test]
    fn hidden_values_and_hostile_names_are_shown() {
        let columns = [column("site", Show::Name), column("poor_pct", Show::Bar), column("n", Show::Number(0))];
        let rows = records(json!([
            { "site": "<img src=x onerror=alert(1)>", "poor_pct": null, "n": 12345 },
            { "site": "B", "poor_pct": 4.0, "n": 9 },
        ]));
        let html = table("sites", &columns, &rows, 10);
        assert!(!html.contains("<img") && html.contains("&lt;img src=x onerror=alert(1)&gt;"));
        assert!(html.contains("12,345") && html.contains("–") && html.contains("width:100.0%"));
        assert!(!html.contains("expander"));
    }

    #[test]
    fn rows_beyond_the_limit_are_folded_but_in_the_document() {
        let rows: Vec<Record> = (0..12).flat_map(|n| records(json!([{ "n": n }]))).collect();
        let html = table("sites", &[column("n", Show::Number(0))], &rows, 10);
        assert_eq!(html.matches("<tr class=\"beyond\">").count(), 2);
        assert!(html.contains("id=\"all-sites\"") && html.contains("for=\"all-sites\""));
        assert!(html.find("id=\"all-sites\"") < html.find("<table"));
        assert_eq!(table("sites", &[column("n", Show::Number(0))], &rows[..11], 10).matches("beyond").count(), 0);
    }

    #[test]
    fn a_reason_has_both_languages() {
        assert_eq!(
            term("not requested yet").render(),
            "<span lang=\"en\"><bdi>not requested yet</bdi></span><span lang=\"zh\"><bdi>尚未获取</bdi></span>"
        );
        assert_eq!(term("connection reset").render(), "<bdi>connection reset</bdi>");
    }
}
