//! The forms in which a result is shown. Each file is one form, a function from a result to text.

mod csv;
mod json;
mod markdown;
mod table;

use super::ResultSet;
use crate::schema::in_json;

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
            Format::Json => in_json(&json::render(result)),
            Format::Markdown => markdown::render(result),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cell;
    use crate::schema::is_obeyed;
    use proptest::prelude::*;

    proptest! {
        /// Whatever a topic holds, no form of a report makes a terminal do anything but print it.
        #[test]
        fn no_form_moves_a_terminal(texts in proptest::collection::vec(any::<String>(), 1..4), width in 20_u16..120) {
            let rows = texts.into_iter().map(|text| vec![Cell::Text(text), Cell::Integer(1)]).collect();
            let result = ResultSet { columns: vec!["topic".to_owned(), "n".to_owned()], rows };
            for (name, format) in FORMATS {
                let text = format.render(&result, width);
                prop_assert!(!text.chars().any(|c| is_obeyed(c) && c != '\n'), "{}: {}", name, text.escape_debug());
            }
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
