//! Layout of text for people: the width of the terminal, wrapping, labelled fields and small tables.
//!
//! Promises: widths are terminal columns, so an East Asian character counts as two.

use std::os::fd::AsFd;

use unicode_width::UnicodeWidthStr;

/// Width of a line if there is no terminal.
pub(crate) const WIDTH: usize = 80;

/// Columns of the terminal behind a stream; [`WIDTH`] if it is not a terminal.
pub(crate) fn terminal_width(stream: impl AsFd) -> u16 {
    terminal_size::terminal_size_of(stream).map_or(WIDTH as u16, |(width, _)| width.0)
}

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Stands for a space at which no line is broken; no text from outside contains this private character.
const GLUE: char = '\u{e000}';

/// A text in which numbers stay on the line of their percent sign, until [`unglued`].
pub(crate) fn glued(text: &str) -> String {
    text.replace(" %", &format!("{GLUE}%"))
}

pub(crate) fn unglued(text: &str) -> String {
    text.replace(GLUE, " ")
}

/// Breaks a text at white space into lines of at most `max` columns. A longer word gets a line of its own.
pub(crate) fn wrap(text: &str, max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in glued(text).split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if width(line) + 1 + width(word) <= max => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| unglued(line)).collect()
}

/// Wraps a text to [`WIDTH`]. It begins in column `indent`, and so do its further lines.
pub(crate) fn wrap_indented(text: &str, indent: usize) -> String {
    wrap_indented_to(text, indent, WIDTH)
}

/// The same, to lines of at most `width` columns.
pub(crate) fn wrap_indented_to(text: &str, indent: usize, width: usize) -> String {
    wrap(text, width.saturating_sub(indent)).join(&format!("\n{:indent$}", ""))
}

/// A page of labelled fields, lines and tables.
#[derive(Debug)]
pub(crate) struct TextPage {
    lines: Vec<String>,
    label_width: usize,
    width: usize,
}

impl TextPage {
    /// A page of [`WIDTH`] columns.
    pub(crate) fn new(label_width: usize) -> TextPage {
        TextPage::with_width(label_width, WIDTH)
    }

    pub(crate) fn with_width(label_width: usize, width: usize) -> TextPage {
        TextPage { lines: Vec::new(), label_width, width }
    }

    /// Adds a wrapped text behind its label.
    pub(crate) fn field(&mut self, label: &str, text: &str) {
        let label_width = self.label_width;
        for (index, line) in wrap(text, self.width.saturating_sub(label_width)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.line(&format!("{label:label_width$}{line}"));
        }
    }

    /// Adds a line as it is.
    pub(crate) fn line(&mut self, line: &str) {
        self.lines.push(line.trim_end().to_owned());
    }

    /// Adds rows of cells, the first of them the headings. Every row has as many cells as `aligns`.
    pub(crate) fn table(&mut self, aligns: &[Align], rows: &[Vec<String>]) {
        let column_width = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or_default();
        let widths: Vec<usize> = (0..aligns.len()).map(column_width).collect();
        for row in rows {
            let cells = row.iter().zip(aligns).zip(&widths).map(|((cell, align), column_width)| {
                let blanks = " ".repeat(column_width - width(cell));
                match align {
                    Align::Left => format!("{cell}{blanks}"),
                    Align::Right => format!("{blanks}{cell}"),
                }
            });
            self.line(&cells.collect::<Vec<_>>().join("  "));
        }
    }

    pub(crate) fn text(self) -> String {
        self.lines.join("\n") + "\n"
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let mut page = TextPage::new(0);
        page.table(
            &[Align::Left, Align::Right],
            &[row(["list", "calls"]), row(["会议", "12"]), row(["meeting_list", "1"])],
        );
        assert_eq!(page.text(), "list          calls\n会议             12\nmeeting_list      1\n");
    }

    #[test]
    fn text_is_wrapped_at_white_space() {
        assert_eq!(wrap("one two\nthree", 7), ["one two", "three"]);
        assert_eq!(wrap("a-long-word", 4), ["a-long-word"]);
        assert_eq!(wrap("会议 会议", 8), ["会议", "会议"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("usually 0.4 %", 11), ["usually", "0.4 %"]);
        let text = wrap_indented(&"word ".repeat(20), 70);
        assert!(text.starts_with("word word\n") && text.lines().skip(1).all(|line| line.len() <= WIDTH), "{text}");
    }
}
