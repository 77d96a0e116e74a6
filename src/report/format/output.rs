//! The output formats by name and file extension.

use std::path::Path;

use super::answer::Answer;
use super::{csv, html, json, markdown, table as table_format};
use crate::report::result::ResultSet;
use crate::text::{Language, in_json, on_lines};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    Table,
    Csv,
    /// An array of objects.
    Json,
    Markdown,
    /// A page without scripts, for a browser or an e-mail.
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    Text(TextFormat),
    /// A Parquet file, written by DuckDB.
    Parquet,
    /// An Excel workbook.
    Xlsx,
}

/// The formats: name on the command line, file extensions, format.
pub(crate) const OUTPUT_FORMATS: &[(&str, &[&str], OutputFormat)] = &[
    ("table", &["txt"], OutputFormat::Text(TextFormat::Table)),
    ("csv", &["csv"], OutputFormat::Text(TextFormat::Csv)),
    ("json", &["json"], OutputFormat::Text(TextFormat::Json)),
    ("markdown", &["md", "markdown"], OutputFormat::Text(TextFormat::Markdown)),
    ("parquet", &["parquet"], OutputFormat::Parquet),
    ("html", &["html", "htm"], OutputFormat::Text(TextFormat::Html)),
    ("xlsx", &["xlsx"], OutputFormat::Xlsx),
];

impl OutputFormat {
    /// The format of a file, by its extension.
    pub(crate) fn from_path(path: &Path) -> Option<OutputFormat> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let (_, _, format) =
            OUTPUT_FORMATS.iter().find(|(_, extensions, _)| extensions.contains(&extension.as_str()))?;
        Some(*format)
    }

    /// True if a sentence may replace an empty result.
    pub(crate) fn is_human_readable(self) -> bool {
        matches!(self, OutputFormat::Text(TextFormat::Table | TextFormat::Markdown | TextFormat::Html))
    }
}

/// Rows as a table of at most `width` terminal columns, without title and parameters.
pub(crate) fn table(result: &ResultSet, width: u16, language: Language) -> String {
    match result.rows.is_empty() {
        true => String::new(),
        false => on_lines(&table_format::body(result, |_| String::new(), None, usize::from(width), language)),
    }
}

impl TextFormat {
    /// Renders an answer, with title and parameters if the format is for people. `width` is the maximum number of
    /// terminal columns of a table.
    pub(crate) fn render(self, answer: &Answer<'_>, width: u16) -> String {
        match self {
            TextFormat::Table => on_lines(&table_format::render(answer, usize::from(width))),
            TextFormat::Csv => csv::render(answer.result),
            TextFormat::Json => in_json(&json::render(answer.result)),
            TextFormat::Markdown => on_lines(&markdown::render(answer)),
            TextFormat::Html => on_lines(&html::render(answer)),
        }
    }
}

/// A CSV or JSON text that is written batch by batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextStream {
    is_json: bool,
    has_heading: bool,
    has_rows: bool,
}

impl TextStream {
    /// `None` for a format that needs all rows first.
    pub(crate) fn new(format: TextFormat) -> Option<TextStream> {
        match format {
            TextFormat::Csv | TextFormat::Json => {
                Some(TextStream { is_json: format == TextFormat::Json, has_heading: false, has_rows: false })
            }
            TextFormat::Table | TextFormat::Markdown | TextFormat::Html => None,
        }
    }

    /// The text of the next rows.
    pub(crate) fn batch(&mut self, result: &ResultSet) -> String {
        let mut text = String::new();
        if !self.is_json && !self.has_heading {
            text.push_str(&csv::heading(result));
        }
        self.has_heading = true;
        if result.rows.is_empty() {
            return text;
        }
        if self.is_json {
            text.push_str(if self.has_rows { ",\n" } else { "[\n" });
            text.push_str(&in_json(&json::rows(result)));
        } else {
            text.push_str(&csv::rows(result));
        }
        self.has_rows = true;
        text
    }

    /// What follows the last batch.
    pub(crate) fn end(self) -> &'static str {
        match (self.is_json, self.has_rows) {
            (true, true) => "\n]\n",
            (true, false) => "[]\n",
            (false, _) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::fixture_report;
    use crate::report::{Arguments, Cell};
    use crate::text::is_terminal_control;
    use proptest::prelude::*;

    proptest! {
        /// No topic, column name or parameter value can control a terminal, in any format.
        #[test]
        fn no_format_controls_a_terminal(
            texts in proptest::collection::vec(any::<String>(), 1..4), given in "[^\0]*", width in 20_u16..120
        ) {
            let columns = vec![texts[0].clone(), "n".to_owned()];
            let rows = texts.into_iter().map(|text| vec![Cell::Text(text), Cell::Integer(1)]).collect();
            let result = ResultSet { columns, rows };
            let report = fixture_report();
            let arguments = Arguments::resolve("r", &report.header, &[("profile".to_owned(), given)]).expect("arguments");
            let answer = Answer { report: &report, arguments: &arguments, result: &result, empty_reason: "", window: "", next: "" };
            for (name, _, format) in OUTPUT_FORMATS {
                let OutputFormat::Text(format) = format else { continue };
                let text = format.render(&answer, width);
                prop_assert!(!text.chars().any(|c| is_terminal_control(c) && c != '\n'), "{}: {}", name, text.escape_debug());
            }
        }
    }

    #[test]
    fn batches_join_to_the_whole_text() {
        let whole = crate::report::result::fixture();
        for (format, expected) in [(TextFormat::Csv, csv::render(&whole)), (TextFormat::Json, json::render(&whole))] {
            let mut stream = TextStream::new(format).expect("can be streamed");
            let mut text = String::new();
            for rows in [&whole.rows[..0], &whole.rows[..1], &whole.rows[1..], &whole.rows[..0]] {
                text.push_str(&stream.batch(&ResultSet { columns: whole.columns.clone(), rows: rows.to_vec() }));
            }
            assert_eq!(text + stream.end(), in_json(&expected), "{format:?}");
            assert_eq!(TextStream::new(format).expect("can be streamed").end().is_empty(), format == TextFormat::Csv);
        }
        assert!(TextStream::new(TextFormat::Table).is_none());
    }

    #[test]
    fn the_extension_of_a_file_selects_its_format() {
        let format = |name: &str| OutputFormat::from_path(Path::new(name));
        assert_eq!(format("a/b.CSV"), Some(OutputFormat::Text(TextFormat::Csv)));
        assert_eq!(format("b.md"), Some(OutputFormat::Text(TextFormat::Markdown)));
        assert_eq!(format("b.parquet"), Some(OutputFormat::Parquet));
        assert_eq!(format("b.HTML"), Some(OutputFormat::Text(TextFormat::Html)));
        assert_eq!(format("b.xlsx"), Some(OutputFormat::Xlsx));
        assert_eq!(format("b.xls"), None);
        assert_eq!(format("csv"), None);
    }
}
