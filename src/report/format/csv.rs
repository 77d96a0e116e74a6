//! CSV (RFC 4180, line feeds), safe to open in a spreadsheet.

use crate::report::result::{Cell, ResultSet};
use crate::text::{csv_line, on_lines};

pub(super) fn render(result: &ResultSet) -> String {
    heading(result) + &rows(result)
}

pub(super) fn heading(result: &ResultSet) -> String {
    csv_line(result.columns.iter().map(|name| neutralise(name)))
}

pub(super) fn rows(result: &ResultSet) -> String {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => neutralise(text),
        Cell::Nested(value) => neutralise(&value.to_string()),
        cell => cell.text(),
    };
    result.rows.iter().map(|row| csv_line(row.iter().map(cell))).collect()
}

/// Prevents formula injection: a spreadsheet evaluates text that begins like a formula, even after blanks or in full
/// width, unless an apostrophe precedes it. Control characters are removed because they could control a terminal.
fn neutralise(text: &str) -> String {
    let safe = neutralise_inside(&on_lines(text));
    if is_formula(text) { format!("'{safe}") } else { safe }
}

/// Whether a spreadsheet takes a text for a formula.
pub(super) fn is_formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(FORMULA_STARTS)
}

/// Characters that begin a formula, including their full-width forms.
const FORMULA_STARTS: [char; 9] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}'];

/// A spreadsheet whose separator is a semicolon ignores our quotes: text after a semicolon is the next cell, and text
/// after a line break the next row.
fn neutralise_inside(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut at_cell_start = false;
    for c in text.chars() {
        if at_cell_start && FORMULA_STARTS.contains(&c) {
            safe.push('\'');
        }
        at_cell_start = matches!(c, ';' | '\n') || (at_cell_start && (c.is_whitespace() || c == '"'));
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::fixture;

    #[test]
    fn numbers_are_unchanged_and_formulas_neutralised() {
        let expected = "topic,minutes,poor_pct\n\
            \"Weekly, \"\"all\"\" hands\",1200,12.5\n\
            \"'=HYPERLINK(\"\"x\"\")\",-7,\n\
            \"a|b\u{fffd}[31mred\nline <b>\",,0.50\n";
        assert_eq!(render(&fixture()), expected);
    }

    #[test]
    fn every_start_of_a_formula_is_neutralised() {
        for start in ["=1", "+1", "-1", "@a", "  =1", "\u{3000}=1", "＝1", "＋1", "－1", "＠a", "\u{2212}1"] {
            assert_eq!(neutralise(start), format!("'{start}"));
        }
        // Preceded by a tab or a line break, which a spreadsheet strips.
        for start in ["\t=1", "\r=1", "\n=1", "\tx"] {
            assert!(neutralise(start).starts_with('\''), "{start:?}");
        }
        // After a separator of another locale.
        assert_eq!(neutralise("a;=1; -b\n@c"), "a;'=1; '-b\n'@c");
        assert_eq!(neutralise("a;\"=1"), "a;\"'=1");
        assert_eq!(neutralise("a-b; c=1, -2"), "a-b; c=1, -2");
        assert_eq!(neutralise("a=1"), "a=1");
        assert_eq!(neutralise(""), "");
    }

    #[test]
    fn column_names_are_neutralised_and_times_and_numbers_are_not() {
        let result = ResultSet {
            columns: vec!["=1+1".to_owned(), "b".to_owned(), "c".to_owned()],
            rows: vec![vec![Cell::Time("2026-11-02".to_owned()), Cell::Decimal("-0.50".to_owned()), Cell::Flag(true)]],
        };
        assert_eq!(render(&result), "'=1+1,b,c\n2026-11-02,-0.50,true\n");
    }

    #[test]
    fn cells_are_quoted() {
        for text in ["a\"b", "a\r\nb", "a,b", "\"", "a\nb", "a;b"] {
            let line = csv_line([neutralise(text)]);
            let cell = line.trim_end_matches('\n');
            assert!(cell.starts_with('"') && cell.ends_with('"'), "{cell:?}");
            assert_eq!(cell[1..cell.len() - 1].replace("\"\"", "").matches('"').count(), 0, "{cell:?}");
        }
    }
}
