//! A table for a terminal. Where it would not fit without breaking words, each row becomes a list of its values.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Row, Table, TableStyle};

use crate::report::{Cell, ResultSet};
use crate::schema::on_one_line;

/// Blanks between two columns.
const GAP: u16 = 2;

/// A word of text from outside that is longer may be broken; Chinese has no blanks to break at.
const BREAKABLE: usize = 12;

/// Marks where a name may be broken; it takes no room and is taken out of the result.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// No lines but the one below the names: what is copied from a terminal should be the data.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('-'));

pub(super) fn render(result: &ResultSet, width: u16) -> String {
    if result.rows.is_empty() {
        return String::new();
    }
    let cells: Vec<Vec<String>> =
        result.rows.iter().map(|row| row.iter().map(|cell| on_one_line(&cell.text())).collect()).collect();
    if narrowest(result, &cells) > usize::from(width) { records(result, &cells) } else { grid(result, &cells, width) }
}

fn grid(result: &ResultSet, cells: &[Vec<String>], width: u16) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).force_no_tty();
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(result.columns.clone());
    let names: Vec<bool> = (0..result.columns.len()).map(|column| has_names(cells, column)).collect();
    for row in cells {
        let breakable = row.iter().zip(&names).map(|(text, is_name)| match is_name {
            true => text.replace('_', &format!("_{ZERO_WIDTH_SPACE}")),
            false => text.clone(),
        });
        table.add_row(Row::from(breakable.collect::<Vec<_>>()));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        let is_last = index + 1 == result.columns.len();
        column.set_padding((0, if is_last { 0 } else { GAP }));
        if names[index] {
            column.set_delimiter(ZERO_WIDTH_SPACE);
        }
        if result.is_numeric(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> =
        table.lines().map(|line| line.replace(ZERO_WIDTH_SPACE, "").trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// True where a column holds names of ours (`network_delay_ms`): no blanks, but underscores to break after.
fn has_names(cells: &[Vec<String>], column: usize) -> bool {
    let values = || cells.iter().filter_map(|row| row.get(column));
    values().all(|text| !text.contains(' ')) && values().any(|text| text.contains('_'))
}

/// The width below which a word would be broken that should not be.
fn narrowest(result: &ResultSet, cells: &[Vec<String>]) -> usize {
    let longest_word = |text: &str| text.split(' ').map(|word| word.chars().count()).max().unwrap_or_default();
    let of_column = |column: usize| {
        let values = cells.iter().zip(&result.rows).filter_map(|(texts, row)| {
            let longest = longest_word(texts.get(column)?);
            Some(if matches!(row.get(column)?, Cell::Text(_)) { longest.min(BREAKABLE) } else { longest })
        });
        values.max().unwrap_or_default().max(longest_word(&result.columns[column]))
    };
    let columns = result.columns.len();
    (0..columns).map(of_column).sum::<usize>() + usize::from(GAP) * columns.saturating_sub(1)
}

fn records(result: &ResultSet, cells: &[Vec<String>]) -> String {
    let width = result.columns.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (index, row) in cells.iter().enumerate() {
        text.push_str(&format!("{}.\n", index + 1));
        for (name, value) in result.columns.iter().zip(row) {
            text.push_str(format!("  {name:width$}  {value}").trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::fixture;

    #[test]
    fn numbers_stand_right_and_missing_values_are_empty() {
        insta::assert_snapshot!(render(&fixture(), 80), @r#"
        topic                 minutes  poor_pct
        ---------------------------------------
        Weekly, "all" hands      1200      12.5
        =HYPERLINK("x")            -7
        a|b�[31mred line <b>               0.50
        "#);
    }

    #[test]
    fn a_narrow_terminal_wraps_words() {
        let table = render(&fixture(), 40);
        assert!(table.lines().all(|line| line.chars().count() <= 40), "{table}");
        assert!(table.contains("poor_pct"), "{table}");
    }

    #[test]
    fn what_does_not_fit_becomes_a_list_of_values() {
        let columns: Vec<String> = (0..9).map(|index| format!("a_long_column_{index}")).collect();
        let row: Vec<Cell> = (0..9).map(Cell::Integer).collect();
        let text = render(&ResultSet { columns, rows: vec![row] }, 80);
        assert!(text.starts_with("1.\n  a_long_column_0  0\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }
}
