//! Columns in a terminal. Unlike `text::wrap`, cells are also broken inside words, after underscores if possible.

use unicode_width::UnicodeWidthChar;

use crate::text::{glued, unglued, width};

/// Wraps each line of a text at spaces to lines of at most `max_width` columns. A longer word is split after an
/// underscore, if any.
pub(super) fn wrap_cell(text: &str, max_width: usize) -> Vec<String> {
    let lines = text.split('\n').flat_map(|line| wrap_line(&glued(line), max_width));
    lines.map(|line| unglued(&line)).collect()
}

fn wrap_line(text: &str, max_width: usize) -> Vec<String> {
    let max_width = max_width.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        let is_too_wide = width(word.trim_end()) > max_width;
        let parts: Vec<&str> = if is_too_wide { word.split_inclusive('_').collect() } else { vec![word] };
        for part in parts {
            if width(&line) + width(part.trim_end()) > max_width && !line.trim().is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            for c in part.chars() {
                if width(&line) + c.width().unwrap_or(0) > max_width && c != ' ' {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                }
                line.push(c);
            }
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Truncates a text to the width, with an ellipsis.
pub(super) fn truncate(text: &str, max_width: usize) -> String {
    if width(text) <= max_width {
        return text.to_owned();
    }
    let mut truncated = String::new();
    for c in text.chars() {
        if width(&truncated) + c.width().unwrap_or(0) + 1 > max_width {
            break;
        }
        truncated.push(c);
    }
    truncated + "…"
}

/// A column of a grid.
#[derive(Debug, Clone)]
pub(super) struct GridColumn {
    pub(super) name: String,
    /// Unit or clock, below the name; may be empty.
    pub(super) unit: String,
    /// One per row.
    pub(super) values: Vec<String>,
    /// Numeric columns are right-aligned.
    pub(super) is_numeric: bool,
    /// In terminal columns.
    pub(super) width: usize,
}

/// Spaces between two columns.
pub(super) const GAP: usize = 2;

/// Longer text of several words may be wrapped.
const COMFORTABLE_WIDTH: usize = 24;

/// Longer words may be broken. Feishu IDs are shorter, because people copy them.
const MAX_WORD_WIDTH: usize = 40;

impl GridColumn {
    /// A column at its minimum width: its name on two lines at most, its numbers and words unbroken.
    pub(super) fn new(name: &str, unit: &str, values: Vec<String>, is_numeric: bool, is_text: bool) -> GridColumn {
        let min_width = |value: &str| match is_text {
            true => longest_line(value).min(COMFORTABLE_WIDTH).max(longest_word(value).min(MAX_WORD_WIDTH)),
            false => width(value),
        };
        let values_width = values.iter().map(|value| min_width(value)).max().unwrap_or_default();
        let name_width = (1..).find(|max_width| *max_width >= width(name) || wraps_after_underscore(name, *max_width));
        let width = values_width.max(name_width.unwrap_or_default()).max(width(unit));
        GridColumn { name: name.to_owned(), unit: unit.to_owned(), width, values, is_numeric }
    }

    /// The width at which no value is wrapped.
    pub(super) fn full_width(&self) -> usize {
        self.values.iter().map(|value| longest_line(value)).max().unwrap_or_default().max(self.width)
    }

    /// The additional width at which nothing is wrapped.
    fn missing_width(&self) -> usize {
        self.full_width().max(width(&self.name)).saturating_sub(self.width)
    }
}

/// The width of the longest line of a cell.
fn longest_line(text: &str) -> usize {
    text.split('\n').map(width).max().unwrap_or_default()
}

/// The width of the longest word that must not be broken; scripts with wide characters can be broken anywhere.
fn longest_word(text: &str) -> usize {
    let words = text.split([' ', '\n']).filter(|word| word.chars().all(|c| c.width() == Some(1)));
    words.map(width).max().unwrap_or_default()
}

/// True if a name wraps to two lines at that width and the first ends with an underscore.
fn wraps_after_underscore(name: &str, max_width: usize) -> bool {
    let lines = wrap_cell(name, max_width);
    lines.len() == 2 && lines[0].ends_with('_')
}

/// The width of columns side by side.
pub(super) fn total_width(columns: &[GridColumn]) -> usize {
    columns.iter().map(|column| column.width).sum::<usize>() + GAP * columns.len().saturating_sub(1)
}

/// Distributes the remaining width to the columns that need it, smallest need first.
pub(super) fn spread(columns: &mut [GridColumn], max_width: usize) {
    let mut left = max_width.saturating_sub(total_width(columns));
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| columns[*index].missing_width());
    for index in order {
        let more = columns[index].missing_width().min(left);
        columns[index].width += more;
        left -= more;
    }
}

/// Names, units, a rule and the rows. No other lines, so that text copied from a terminal is the data.
pub(super) fn grid(columns: &[GridColumn]) -> String {
    let mut text = String::new();
    let names: Vec<Vec<String>> = columns.iter().map(|column| wrap_cell(&column.name, column.width)).collect();
    push_row(&mut text, columns, &names, true);
    if columns.iter().any(|column| !column.unit.is_empty()) {
        let units: Vec<Vec<String>> = columns.iter().map(|column| vec![column.unit.clone()]).collect();
        push_row(&mut text, columns, &units, true);
    }
    text.push_str(&"-".repeat(total_width(columns)));
    text.push('\n');
    for row in 0..columns.first().map_or(0, |column| column.values.len()) {
        let cells: Vec<Vec<String>> =
            columns.iter().map(|column| wrap_cell(&column.values[row], column.width)).collect();
        push_row(&mut text, columns, &cells, false);
    }
    text
}

/// One row of wrapped cells; names are aligned at the bottom, values at the top.
fn push_row(text: &mut String, columns: &[GridColumn], cells: &[Vec<String>], at_bottom: bool) {
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    for line in 0..height {
        let mut shown = String::new();
        for (column, lines) in columns.iter().zip(cells) {
            let at = if at_bottom { (line + lines.len()).checked_sub(height) } else { Some(line) };
            let part = at.and_then(|at| lines.get(at)).map_or("", String::as_str);
            let padding = " ".repeat(column.width.saturating_sub(width(part)));
            match column.is_numeric {
                true => shown.extend([&padding, part]),
                false => shown.extend([part, &padding]),
            }
            shown.push_str(&" ".repeat(GAP));
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_wraps_at_spaces_and_after_underscores() {
        assert_eq!(wrap_cell("affected_high_pct", 9), ["affected_", "high_pct"]);
        assert_eq!(wrap_cell("of a min_participants", 18), ["of a", "min_participants"]);
        assert_eq!(wrap_cell("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap_cell("季度规划会议", 8), ["季度规划", "会议"]);
        assert_eq!(wrap_cell("incomprehensible", 6), ["incomp", "rehens", "ible"]);
        assert_eq!(wrap_cell("", 6), [""]);
        assert_eq!(wrap_cell("usually 0.4 %", 11), ["usually", "0.4 %"]);
    }

    #[test]
    fn truncated_text_ends_with_an_ellipsis() {
        assert_eq!(
            [truncate("Weekly", 6), truncate("Weekly call", 6), truncate("季度规划", 6)],
            ["Weekly", "Weekl…", "季度…"]
        );
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_letter_and_no_line_is_too_wide(text in "[a-z_ \u{4f1a}]{0,60}", max_width in 2_usize..30) {
            let lines = wrap_cell(&text, max_width);
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(lines.iter().all(|line| width(line) <= max_width), "{:?}", lines);
            prop_assert!(width(&truncate(&text, max_width)) <= max_width);
        }
    }
}
