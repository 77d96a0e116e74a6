//! CSV (RFC 4180, line feeds), safe to open in a spreadsheet.

use crate::report::{Cell, ResultSet};
use crate::text::on_lines;

pub(super) fn render(result: &ResultSet) -> String {
    let mut text = line(result.columns.iter().map(|name| quoted(&harmless(name))));
    for row in &result.rows {
        text.push_str(&line(row.iter().map(|cell| match cell {
            Cell::Text(text) => quoted(&harmless(text)),
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

/// A spreadsheet runs a text that begins like a formula, blanks before it or not and in full width too; an apostrophe
/// before it keeps it a text. Controls go: they mean nothing to a spreadsheet, and much to a terminal.
fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(STARTS);
    let text = inside(&on_lines(text));
    if is_formula { format!("'{text}") } else { text }
}

/// The starts of a formula, in full width too.
const STARTS: [char; 9] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{2212}'];

/// Where a spreadsheet's own separator is a semicolon, our quotes do not hold a text together: it goes on in the next cell
/// behind each semicolon, and in the next row behind each line end.
fn inside(text: &str) -> String {
    let mut inside = String::with_capacity(text.len());
    let mut begins_a_cell = false;
    for c in text.chars() {
        if begins_a_cell && STARTS.contains(&c) {
            inside.push('\'');
        }
        begins_a_cell = matches!(c, ';' | '\n') || (begins_a_cell && (c.is_whitespace() || c == '"'));
        inside.push(c);
    }
    inside
}

fn quoted(text: &str) -> String {
    if text.contains([',', ';', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
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
            \"a|b\u{fffd}[31mred\nline <b>\",,0.50\n";
        assert_eq!(render(&fixture()), expected);
    }

    #[test]
    fn every_start_of_a_formula_is_disarmed() {
        for start in ["=1", "+1", "-1", "@a", "  =1", "\u{3000}=1", "＝1", "＋1", "－1", "＠a", "\u{2212}1"] {
            assert_eq!(harmless(start), format!("'{start}"));
        }
        // A blank that a spreadsheet strips, and line ends, before it.
        for start in ["\t=1", "\r=1", "\n=1", "\tx"] {
            assert!(harmless(start).starts_with('\''), "{start:?}");
        }
        // Behind what is another separator somewhere.
        assert_eq!(harmless("a;=1; -b\n@c"), "a;'=1; '-b\n'@c");
        assert_eq!(harmless("a;\"=1"), "a;\"'=1");
        assert_eq!(harmless("a-b; c=1, -2"), "a-b; c=1, -2");
        assert_eq!(harmless("a=1"), "a=1");
        assert_eq!(harmless(""), "");
    }

    #[test]
    fn a_columns_name_is_disarmed_too_and_times_and_numbers_are_ours() {
        let result = ResultSet {
            columns: vec!["=1+1".to_owned(), "b".to_owned(), "c".to_owned()],
            rows: vec![vec![Cell::Time("2026-11-02".to_owned()), Cell::Decimal("-0.50".to_owned()), Cell::Flag(true)]],
        };
        assert_eq!(render(&result), "'=1+1,b,c\n2026-11-02,-0.50,true\n");
    }

    #[test]
    fn no_cell_leaves_its_quotes() {
        for text in ["a\"b", "a\r\nb", "a,b", "\"", "a\nb", "a;b"] {
            let cell = quoted(&harmless(text));
            assert!(cell.starts_with('"') && cell.ends_with('"'), "{cell:?}");
            assert_eq!(cell[1..cell.len() - 1].replace("\"\"", "").matches('"').count(), 0, "{cell:?}");
        }
    }
}
