//! Pages of text for people: facts behind headings, and small tables, 80 columns wide.

use crate::cli::console::{counted, folded};

/// Width of a line.
pub(super) const WIDTH: usize = 80;
/// Width of a fact's heading.
const HEADING: usize = 16;

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    lines: Vec<String>,
}

impl Page {
    /// Adds a fact behind its heading, folded.
    pub(super) fn fact(&mut self, heading: &str, text: &str) {
        for (index, line) in folded(text, WIDTH - HEADING).into_iter().enumerate() {
            let heading = if index == 0 { heading } else { "" };
            self.lines.push(format!("{heading:HEADING$}{line}").trim_end().to_owned());
        }
    }

    /// Adds a line as it is.
    pub(super) fn line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    pub(super) fn table(&mut self, sides: &[Side], rows: &[Vec<String>]) {
        self.lines.extend(aligned(sides, rows));
    }

    pub(super) fn text(self) -> String {
        self.lines.join("\n") + "\n"
    }
}

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Rows, the first of them the heading, as lines without blanks at their ends. Every row has as many cells as `sides`.
fn aligned(sides: &[Side], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..sides.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(sides).zip(&widths).map(|((cell, side), width)| match side {
            Side::Left => format!("{cell:width$}"),
            Side::Right => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// `nothing`, `2026-11-02`, `3 dates from 2026-11-02 to 2026-11-06`; the dates are in order.
pub(super) fn date_range(dates: &[String]) -> String {
    match dates {
        [] => "nothing".to_owned(),
        [date] => date.clone(),
        [first, .., last] => format!("{} from {first} to {last}", counted(dates.len() as u64, "date")),
    }
}

/// A text of somebody else's on one line: what would move the cursor becomes a blank.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let lines = aligned(&[Side::Left, Side::Right], &[row(["list", "calls"]), row(["meeting_list", "1"])]);
        assert_eq!(lines, ["list          calls", "meeting_list      1"]);
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\u{1b}[2J\nb"), "a [2J b");
    }
}
