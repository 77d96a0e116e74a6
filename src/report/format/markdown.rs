//! Markdown: a table that shows text as text, whatever a topic holds.

use super::Answer;
use crate::report::{Cell, ResultSet};
use crate::text::on_one_line;

pub(super) fn render(answer: &Answer<'_>) -> String {
    let header = &answer.report.header;
    let mut text = format!("## {}\n\n{}\n\n", escaped(&header.title), escaped(&header.question));
    let parameters = answer.arguments.text();
    if !parameters.is_empty() {
        text.push_str(&format!("Parameters: {}\n\n", escaped(&parameters)));
    }
    match answer.result.rows.is_empty() {
        true => text + &format!("No rows. {}\n", escaped(answer.why_no_rows)),
        false => text + &table(answer.result),
    }
}

fn table(result: &ResultSet) -> String {
    let mut text = row(result.columns.iter().map(|name| escaped(name)));
    let rules = (0..result.columns.len()).map(|column| if result.is_numeric(column) { "---:" } else { "---" });
    text.push_str(&row(rules.map(str::to_owned)));
    for cells in &result.rows {
        text.push_str(&row(cells.iter().map(|cell| match cell {
            Cell::Text(text) => escaped(text),
            cell => cell.text(),
        })));
    }
    text
}

fn row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Without links, markup, HTML or a broken table.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in on_one_line(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '!' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::fixture;

    #[test]
    fn text_stays_text() {
        insta::assert_snapshot!(table(&fixture()), @r#"
        | topic | minutes | poor_pct |
        | --- | ---: | ---: |
        | Weekly, "all" hands | 1200 | 12.5 |
        | =HYPERLINK("x") | -7 |  |
        | a\|b�\[31mred line &lt;b> |  | 0.50 |
        "#);
        assert_eq!(escaped("[x](http://e.example) ![i](j)"), "\\[x\\](http://e.example) \\!\\[i\\](j)");
    }
}
