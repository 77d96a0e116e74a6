//! Layout of text for people: the width of the terminal, wrapping, labelled fields and small tables.
//!
//! Promises: widths are terminal columns, so an East Asian character counts as two.

use std::os::fd::AsFd;

use unicode_width::UnicodeWidthStr;

use super::language::Language;

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

/// Lines of Chinese text: they can end behind any character but an opening bracket, and never begin with a closing
/// one or a full stop. Latin words stay whole.
fn wrap_chinese(text: &str, max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (is_spaced, unit) in units(&glued(text)) {
        let space = if is_spaced { " " } else { "" };
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&unit),
            Some(line) if width(line) + space.len() + width(&unit) <= max => line.extend([space, &unit]),
            _ => lines.push(unit),
        }
    }
    lines.iter().map(|line| unglued(line)).collect()
}

/// The parts of a text that no line end divides, and whether a space precedes them.
pub(crate) fn units(text: &str) -> Vec<(bool, String)> {
    let mut units: Vec<(bool, String)> = Vec::new();
    for word in text.split_whitespace() {
        let mut before: Option<char> = None;
        for c in word.chars() {
            match units.last_mut() {
                Some((_, unit)) if before.is_some_and(|before| !can_break(before, c)) => unit.push(c),
                _ => units.push((before.is_none(), c.to_string())),
            }
            before = Some(c);
        }
    }
    units
}

/// True if a line of Chinese text can end between these characters.
fn can_break(before: char, behind: char) -> bool {
    let is_wide =
        |c: char| unicode_width::UnicodeWidthChar::width(c).is_some_and(|width| width > 1) || "“”‘’…—".contains(c);
    (is_wide(before) || is_wide(behind))
        && !"，。；：、！？）」』》”’%".contains(behind)
        && !"（「『《“‘".contains(before)
}

/// A text filled with blanks to this many columns.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Wraps a text to lines of at most `width` columns. It begins in column `indent`, and so do its further lines.
pub(crate) fn wrap_indented_to(text: &str, indent: usize, width: usize) -> String {
    wrap(text, width.saturating_sub(indent)).join(&format!("\n{:indent$}", ""))
}

/// Breaks a text of this language into lines.
pub(crate) fn wrap_in(language: Language, text: &str, max: usize) -> Vec<String> {
    match language {
        Language::English => wrap(text, max),
        Language::Chinese => wrap_chinese(text, max),
    }
}

/// An English text in this language, wrapped like [`wrap_indented_to`].
pub(crate) fn say_indented(language: Language, english: &str, indent: usize, width: usize) -> String {
    wrap_in(language, &language.say(english), width.saturating_sub(indent)).join(&format!("\n{:indent$}", ""))
}

/// A page of labelled fields, lines and tables. Its texts are given in English.
#[derive(Debug)]
pub(crate) struct TextPage {
    lines: Vec<String>,
    label_width: usize,
    width: usize,
    language: Language,
}

impl TextPage {
    /// A page of [`WIDTH`] columns.
    pub(crate) fn new(label_width: usize) -> TextPage {
        TextPage::with_width(label_width, WIDTH)
    }

    pub(crate) fn with_width(label_width: usize, width: usize) -> TextPage {
        TextPage { lines: Vec::new(), label_width, width, language: Language::English }
    }

    pub(crate) fn in_language(self, language: Language) -> TextPage {
        TextPage { language, ..self }
    }

    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// Adds a wrapped text behind its label.
    pub(crate) fn field(&mut self, label: &str, text: &str) {
        let label = self.said_line(label);
        self.name(&label, text);
    }

    /// The same with a name, which stays as it is.
    pub(crate) fn name(&mut self, name: &str, text: &str) {
        let (label_width, text) = (self.label_width, self.language.say(text));
        let lines = wrap_in(self.language, &text, self.width.saturating_sub(label_width));
        for (index, line) in lines.into_iter().enumerate() {
            self.push(&(padded(if index == 0 { name } else { "" }, label_width) + &line));
        }
    }

    /// Adds a line, which is not wrapped.
    pub(crate) fn line(&mut self, line: &str) {
        let line = self.said_line(line);
        self.push(&line);
    }

    /// A line in the language, with its indentation.
    fn said_line(&self, line: &str) -> String {
        let text = line.trim_start();
        format!("{}{}", &line[..line.len() - text.len()], self.language.say(text))
    }

    /// Adds the lines of a wrapped text.
    pub(crate) fn paragraph(&mut self, text: &str) {
        let text = self.language.say(text);
        wrap_in(self.language, &text, self.width).iter().for_each(|line| self.push(line));
    }

    /// Adds a line that is in the language already.
    pub(crate) fn push(&mut self, line: &str) {
        self.lines.push(line.trim_end().to_owned());
    }

    /// Adds rows of cells in the language, the first of them the headings. Every row has as many cells as `aligns`.
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
            self.push(&cells.collect::<Vec<_>>().join("  "));
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
    fn chinese_is_wrapped_behind_characters() {
        assert_eq!(wrap_chinese("无法读取文件。请稍后重试", 10), ["无法读取文", "件。请稍后", "重试"]);
        assert_eq!(wrap_chinese("无法读取（vcq.toml），请重试", 12), ["无法读取", "（vcq.toml），", "请重试"]);
        assert_eq!(wrap_chinese("运行 vcq-etl sync 后", 12), ["运行 vcq-etl", "sync 后"]);
        assert_eq!(wrap_chinese("", 4), [""]);
        let mut page = TextPage::with_width(8, 20).in_language(Language::Chinese);
        page.field("会议", "一二三四五六七八");
        assert_eq!(page.text(), "会议    一二三四五六\n        七八\n");
    }

    #[test]
    fn text_is_wrapped_at_white_space() {
        assert_eq!(wrap("one two\nthree", 7), ["one two", "three"]);
        assert_eq!(wrap("a-long-word", 4), ["a-long-word"]);
        assert_eq!(wrap("会议 会议", 8), ["会议", "会议"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("usually 0.4 %", 11), ["usually", "0.4 %"]);
        let text = wrap_indented_to(&"word ".repeat(20), 70, WIDTH);
        assert!(text.starts_with("word word\n") && text.lines().skip(1).all(|line| line.len() <= WIDTH), "{text}");
    }
}
