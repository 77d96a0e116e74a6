//! Markdown: a table in which all text is escaped.

use super::answer::Answer;
use crate::report::result::{Cell, ResultSet};
use crate::text::on_one_line;

pub(super) fn render(answer: &Answer<'_>) -> String {
    let header = &answer.report.header;
    let mut text = format!("## {}\n\n{}\n\n", escape(&header.title), escape(&header.question));
    let parameters = answer.arguments.summary();
    if !parameters.is_empty() {
        text.push_str(&format!("Parameters: {}\n\n", escape(&parameters)));
    }
    match answer.result.rows.is_empty() {
        true => text + &format!("No rows. {}\n", escape(answer.empty_reason)),
        false => text + &table(answer.result),
    }
}

fn table(result: &ResultSet) -> String {
    let mut text = row(result.columns.iter().map(|name| escape(name)));
    let rules = (0..result.columns.len()).map(|column| if result.is_numeric(column) { "---:" } else { "---" });
    text.push_str(&row(rules.map(str::to_owned)));
    for cells in &result.rows {
        text.push_str(&row(cells.iter().map(|cell| match cell {
            Cell::Text(text) => escape(text),
            Cell::Nested(value) => escape(&value.to_string()),
            cell => cell.text(),
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
        insta::assert_snapshot!(table(&fixture()), @r#"
        | topic | minutes | poor_pct |
        | --- | ---: | ---: |
        | Weekly, "all" hands | 1200 | 12.5 |
        | =HYPERLINK("x") | -7 |  |
        | a\|b�\[31mred line &lt;b> |  | 0.50 |
        "#);
        assert_eq!(escape("[x](http://e.example) ![i](j)"), "\\[x\\](http://e.example) \\!\\[i\\](j)");
    }
}
