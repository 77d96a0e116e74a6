//! The forms in which an answer is shown. Each file is one form, a function from an answer to text.

mod csv;
mod html;
mod json;
mod layout;
mod markdown;
mod table;

use super::{Arguments, Report, ReportColumn, ResultSet};
use crate::text::{in_json, on_lines};

/// What a report came to, with everything that a page about it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub report: &'a Report,
    /// The values of its parameters.
    pub arguments: &'a Arguments,
    pub result: &'a ResultSet,
    /// Why there are no rows, where there are none.
    pub why_no_rows: &'a str,
}

impl Answer<'_> {
    /// What the header says of a column of the result; a report of somebody's own may say nothing.
    fn column(&self, name: &str) -> Option<&ReportColumn> {
        self.report.header.columns.iter().find(|column| column.name == name)
    }
}

/// A form that is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Csv,
    /// For a program: an array of objects.
    Json,
    /// For a wiki or an issue.
    Markdown,
    /// For a browser or a mail: one page without script.
    Html,
}

/// A form that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text(Format),
    /// A Parquet file, which DuckDB writes.
    Parquet,
}

/// The forms: the name on the command line, the endings of a file that ask for it, the form.
pub(crate) const FORMS: &[(&str, &[&str], Form)] = &[
    ("table", &["txt"], Form::Text(Format::Table)),
    ("csv", &["csv"], Form::Text(Format::Csv)),
    ("json", &["json"], Form::Text(Format::Json)),
    ("markdown", &["md", "markdown"], Form::Text(Format::Markdown)),
    ("parquet", &["parquet"], Form::Parquet),
    ("html", &["html", "htm"], Form::Text(Format::Html)),
];

impl Form {
    /// The form that a file's name asks for by its ending.
    pub(crate) fn of_file(path: &std::path::Path) -> Option<Form> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        FORMS.iter().find(|(_, endings, _)| endings.contains(&ending.as_str())).map(|(_, _, form)| *form)
    }

    /// True where people read it, so that a sentence may stand in for no rows.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Form::Text(Format::Table | Format::Markdown | Format::Html))
    }
}

/// Rows as a table for a terminal of that width, without anything around it.
pub(crate) fn table(result: &ResultSet, width: u16) -> String {
    match result.rows.is_empty() {
        true => String::new(),
        false => on_lines(&table::body(result, |_| String::new(), usize::from(width))),
    }
}

impl Format {
    /// Renders an answer: for people with title and parameters around it, for programs alone. `width` is the number of
    /// columns of a terminal that a table may take.
    pub(crate) fn render(self, answer: &Answer<'_>, width: u16) -> String {
        match self {
            Format::Table => on_lines(&table::render(answer, usize::from(width))),
            Format::Csv => csv::render(answer.result),
            Format::Json => in_json(&json::render(answer.result)),
            Format::Markdown => on_lines(&markdown::render(answer)),
            Format::Html => on_lines(&html::render(answer)),
        }
    }
}

#[cfg(test)]
pub(super) fn fixture_report() -> Report {
    let sql = "-- id: r98\n-- title: Minutes & <topics>\n-- question: Which topics?\n-- audience: everybody\n\
        -- parameter: since date: First day.\n-- parameter: profile text = cqd: Limits.\n\
        -- column: topic: The topic.\n-- column: minutes min: How many.\n-- column: poor_pct %: Poor ones.\n\
        -- threshold: Own choice.\n-- caveat: Not all of it.\n-- empty: There are no topics.\nselect 1\n";
    Report {
        name: "topics".to_owned(),
        area: super::catalogue::OWN_AREA,
        sql: sql.to_owned(),
        header: super::Header::parse("topics", sql).expect("header"),
        file: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cell;
    use crate::text::is_terminal_control;
    use proptest::prelude::*;

    proptest! {
        /// Whatever a topic, a column's name or a chosen value holds, no form of a report makes a terminal do anything
        /// but print it.
        #[test]
        fn no_form_moves_a_terminal(
            texts in proptest::collection::vec(any::<String>(), 1..4), chosen in "[^\0]*", width in 20_u16..120
        ) {
            let columns = vec![texts[0].clone(), "n".to_owned()];
            let rows = texts.into_iter().map(|text| vec![Cell::Text(text), Cell::Integer(1)]).collect();
            let result = ResultSet { columns, rows };
            let report = fixture_report();
            let arguments = Arguments::choose("r", &report.header, &[("profile".to_owned(), chosen)]).expect("arguments");
            let answer = Answer { report: &report, arguments: &arguments, result: &result, why_no_rows: "" };
            for (name, _, form) in FORMS {
                let Form::Text(format) = form else { continue };
                let text = format.render(&answer, width);
                prop_assert!(!text.chars().any(|c| is_terminal_control(c) && c != '\n'), "{}: {}", name, text.escape_debug());
            }
        }
    }

    #[test]
    fn a_file_name_asks_for_its_form() {
        let of = |name: &str| Form::of_file(std::path::Path::new(name));
        assert_eq!(of("a/b.CSV"), Some(Form::Text(Format::Csv)));
        assert_eq!(of("b.md"), Some(Form::Text(Format::Markdown)));
        assert_eq!(of("b.parquet"), Some(Form::Parquet));
        assert_eq!(of("b.HTML"), Some(Form::Text(Format::Html)));
        assert_eq!(of("b.xlsx"), None);
        assert_eq!(of("csv"), None);
    }
}
