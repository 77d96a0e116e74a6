//! CSV (RFC 4180, line feeds), safe to open in a spreadsheet.

use crate::report::{Cell, ResultSet};

pub(super) fn render(result: &ResultSet) -> String {
    let mut text = line(result.columns.iter().map(|name| quoted(name)));
    for row in &result.rows {
        text.push_str(&line(row.iter().map(|cell| match cell {
            Cell::Text(text) => quoted(&without_formula(text)),
            cell => quoted(&cell.text()),
        })));
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// A spreadsheet runs a text that begins like a formula; an apostrophe before it keeps it a text.
fn without_formula(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::fixture;

    #[test]
    fn numbers_are_untouched_and_formulas_disarmed() {
        let expected = "topic,minutes,poor_pct\n\
            \"Weekly, \"\"all\"\" hands\",1200,12.5\n\
            \"'=HYPERLINK(\"\"x\"\")\",-7,\n\
            \"a|b\u{1b}[31mred\nline <b>\",,0.50\n";
        assert_eq!(render(&fixture()), expected);
    }

    #[test]
    fn every_start_of_a_formula_is_disarmed() {
        for start in ["=1", "+1", "-1", "@a", "\ta", "\ra"] {
            assert_eq!(without_formula(start), format!("'{start}"));
        }
        assert_eq!(without_formula("a=1"), "a=1");
        assert_eq!(without_formula(""), "");
    }
}
