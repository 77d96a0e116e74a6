//! The forms in which a result is shown. Each file is one form, a function from a result to text.

mod csv;
mod json;
mod markdown;
mod table;

use super::ResultSet;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    /// For a spreadsheet.
    Csv,
    /// For a program: an array of objects.
    Json,
    /// For a wiki or an issue.
    Markdown,
}

/// The forms' names on the command line.
pub const FORMATS: &[(&str, Format)] =
    &[("table", Format::Table), ("csv", Format::Csv), ("json", Format::Json), ("markdown", Format::Markdown)];

impl Format {
    /// The form that a file's name asks for by its ending.
    pub fn of_file(path: &std::path::Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Format::Csv),
            "json" => Some(Format::Json),
            "md" | "markdown" => Some(Format::Markdown),
            _ => None,
        }
    }

    /// True where people read it, so that a sentence may stand in for no rows.
    pub fn is_for_people(self) -> bool {
        matches!(self, Format::Table | Format::Markdown)
    }

    /// Renders a result; `width` is the number of columns that a table may take.
    pub fn render(self, result: &ResultSet, width: u16) -> String {
        match self {
            Format::Table => table::render(result, width),
            Format::Csv => csv::render(result),
            Format::Json => json::render(result),
            Format::Markdown => markdown::render(result),
        }
    }
}

/// Text from outside on one line of a terminal or a page: blanks for line ends and tabs, a replacement mark for
/// everything that a terminal obeys (escape sequences) or that turns the reading order of what follows.
pub fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_harmless_moves_a_terminal(text in any::<String>()) {
            let clean = harmless(&text);
            prop_assert!(!clean.chars().any(char::is_control));
            prop_assert_eq!(clean.chars().count(), text.chars().count());
        }
    }

    #[test]
    fn a_file_name_asks_for_its_form() {
        let of = |name: &str| Format::of_file(std::path::Path::new(name));
        assert_eq!(of("a/b.CSV"), Some(Format::Csv));
        assert_eq!(of("b.md"), Some(Format::Markdown));
        assert_eq!(of("b.txt"), None);
        assert_eq!(of("csv"), None);
    }
}
