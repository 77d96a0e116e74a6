//! Text on a terminal: how wide it is, where it is folded, columns beside one another.

/// Columns of a terminal that a character takes: 2 in East Asian scripts and for pictures, 0 for marks that join the
/// character before.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200d | 0x20d0..=0x20f0 | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a terminal that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The longest piece of a text that should not be broken: names of ours break behind underscores, text at blanks.
pub(super) fn longest_piece(text: &str) -> usize {
    text.split_inclusive(['_', ' ']).map(|piece| width(piece.trim_end())).max().unwrap_or_default()
}

/// A text in lines of at most `width` columns: broken at blanks and behind underscores, else anywhere.
pub(super) fn folded(text: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in text.split_inclusive(['_', ' ']) {
        if width(&line) + width(piece.trim_end()) > most && !line.trim().is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for c in piece.chars() {
            if width(&line) + char_width(c) > most && c != ' ' {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// A text cut to the width, with a mark where something is missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if width(&cut) + char_width(c) + 1 > most {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

/// A column of a grid.
#[derive(Debug, Clone)]
pub(super) struct GridColumn {
    /// What stands above it.
    pub(super) name: String,
    /// Its values, one a row.
    pub(super) values: Vec<String>,
    /// True where it is set to the right.
    pub(super) is_numeric: bool,
    /// Columns of the terminal that it has.
    pub(super) width: usize,
}

/// Blanks between two columns.
pub(super) const GAP: usize = 2;

/// Text that is longer is folded, where there is no room left.
const COMFORT: usize = 24;

impl GridColumn {
    /// A column as narrow as is comfortable.
    pub(super) fn new(name: &str, values: Vec<String>, is_numeric: bool, is_text: bool) -> GridColumn {
        let longest = values.iter().map(|value| width(value)).max().unwrap_or_default();
        let longest = if is_text { longest.min(COMFORT) } else { longest };
        GridColumn { name: name.to_owned(), width: longest.max(longest_piece(name)), values, is_numeric }
    }

    /// The width at which nothing is folded.
    fn wish(&self) -> usize {
        self.values.iter().map(|value| width(value)).max().unwrap_or_default().max(width(&self.name))
    }
}

/// Gives the room that is left to the columns that would use it, those that need least of it first: a name stays whole
/// before a topic does.
pub(super) fn spread(columns: &mut [GridColumn], most: usize) {
    let used: usize = columns.iter().map(|column| column.width).sum::<usize>() + GAP * columns.len().saturating_sub(1);
    let mut left = most.saturating_sub(used);
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| columns[*index].wish().saturating_sub(columns[*index].width));
    for index in order {
        let more = columns[index].wish().saturating_sub(columns[index].width).min(left);
        columns[index].width += more;
        left -= more;
    }
}

/// Names, a rule, and the rows. No lines but the one below the names: what is copied from a terminal should be the data.
pub(super) fn grid(columns: &[GridColumn]) -> String {
    let mut text = String::new();
    let names: Vec<Vec<String>> = columns.iter().map(|column| folded(&column.name, column.width)).collect();
    push_row(&mut text, columns, &names, true);
    let rule = columns.iter().map(|column| column.width).sum::<usize>() + GAP * columns.len().saturating_sub(1);
    text.push_str(&"-".repeat(rule));
    text.push('\n');
    for row in 0..columns.first().map_or(0, |column| column.values.len()) {
        let cells: Vec<Vec<String>> = columns.iter().map(|column| folded(&column.values[row], column.width)).collect();
        push_row(&mut text, columns, &cells, false);
    }
    text
}

/// One row of cells, each of some lines; names stand on the rule, values hang from the row's first line.
fn push_row(text: &mut String, columns: &[GridColumn], cells: &[Vec<String>], from_below: bool) {
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    for line in 0..height {
        let mut shown = String::new();
        for (column, lines) in columns.iter().zip(cells) {
            let at = if from_below { (line + lines.len()).checked_sub(height) } else { Some(line) };
            let part = at.and_then(|at| lines.get(at)).map_or("", String::as_str);
            let blanks = " ".repeat(column.width.saturating_sub(width(part)));
            match column.is_numeric {
                true => shown.extend([&blanks, part]),
                false => shown.extend([part, &blanks]),
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
    fn text_is_folded_at_blanks_and_behind_underscores() {
        assert_eq!(folded("affected_high_pct", 9), ["affected_", "high_pct"]);
        assert_eq!(folded("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(folded("季度规划会议", 8), ["季度规划", "会议"]);
        assert_eq!(folded("incomprehensible", 6), ["incomp", "rehens", "ible"]);
        assert_eq!(folded("", 6), [""]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!([cut("Weekly", 6), cut("Weekly call", 6), cut("季度规划", 6)], ["Weekly", "Weekl…", "季度…"]);
    }

    proptest! {
        #[test]
        fn folding_loses_no_letter_and_no_line_is_too_wide(text in "[a-z_ \u{4f1a}]{0,60}", most in 2_usize..30) {
            let lines = folded(&text, most);
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(lines.iter().all(|line| width(line) <= most), "{:?}", lines);
            prop_assert!(width(&cut(&text, most)) <= most);
        }
    }
}
