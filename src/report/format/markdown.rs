//! Markdown: a table in which all text is escaped.

use super::answer::Answer;
use crate::report::result::{Cell, ResultSet};
use crate::text::on_one_line;

pub(super) fn render(answer: &Answer<'_>) -> String {
    let header = &answer.report.header;
    let mut text = format!("## {}\n\n{}\n\n", escape(&header.title), escape(&header.question));
    let language = answer.report.language;
    let labels = language.pick(["Window: ", "Parameters: "], ["时间窗口：", "参数："]);
    for (label, value) in labels.into_iter().zip([answer.window, &answer.parameters()]) {
        if !value.is_empty() {
            text.push_str(&format!("{label}{}\n\n", escape(value)));
        }
    }
    let units = |name: &str| answer.column(name).map(|column| column.unit.clone()).unwrap_or_default();
    match answer.result.rows.is_empty() {
        true => {
            text.push_str(&format!("{}{}\n", language.pick("No rows. ", "没有结果。"), escape(answer.empty_reason)))
        }
        false => text.push_str(&table(answer.result, units)),
    }
    if !answer.next.is_empty() {
        text.push_str(&format!("\n{}{}\n", language.pick("Next: ", "下一步："), escape(answer.next)));
    }
    text
}

fn table(result: &ResultSet, units: impl Fn(&str) -> String) -> String {
    let heading = |name: &String| match units(name) {
        unit if unit.is_empty() => escape(name),
        unit => escape(&format!("{name} ({unit})")),
    };
    let mut text = row(result.columns.iter().map(heading));
    let rules = (0..result.columns.len()).map(|column| if result.is_numeric(column) { "---:" } else { "---" });
    text.push_str(&row(rules.map(str::to_owned)));
    let columns: Vec<Vec<String>> = (0..result.columns.len()).map(|column| result.display_column(column)).collect();
    for (at, cells) in result.rows.iter().enumerate() {
        text.push_str(&row(cells.iter().zip(&columns).map(|(cell, shown)| match cell {
            Cell::Text(text) => escape(text),
            Cell::Nested(value) => escape(&value.to_string()),
            // Escaped, because a small number is shown as <0.001.
            _ => escape(&shown[at]),
        })));
    }
    text
}

fn row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Escapes links, markup, HTML and cell separators.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::fixture;

    #[test]
    fn text_is_escaped() {
        insta::assert_snapshot!(table(&fixture(), |name| if name == "minutes" { "min".to_owned() } else { String::new() }), @r#"
        | topic | minutes (min) | poor_pct |
        | --- | ---: | ---: |
        | Weekly, "all" hands | 1200 | 12.5 |
        | =HYPERLINK("x") | -7 |  |
        | a\|b�\[31mred line &lt;b> |  | 0.50 |
        "#);
        assert_eq!(escape("[x](http://e.example) ![i](j)"), "\\[x\\](http://e.example) \\!\\[i\\](j)");
    }
}
