//! What the views and macros, their columns and their parameters mean, and the comments that say it.
//!
//! A view or macro has its meaning in the comment above it in `sql/views`, a column or parameter in
//! `sql/views/dictionary.tsv` or in the table it comes from, a report in its header.

use std::collections::BTreeMap;

use super::header::Header;
use super::translation::in_language;
use crate::load::Comment;
use crate::schema::ddl::column_comment;
use crate::schema::{TABLES, unit_in};
use crate::text::Language;

/// Name, unit and meaning of columns; `$name` is a parameter, `relation.name` is one of a view or macro only.
const TEXTS: &str = include_str!("../../sql/views/dictionary.tsv");

/// Tables whose columns mean the same in views; the dictionary comes first.
const SOURCES: &[&str] =
    &["participants", "meetings", "coverage", "quality_samples", "buildings", "judged_participants"];

/// The meaning of a column or parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) unit: String,
    pub(super) doc: String,
}

impl Meaning {
    /// As in the comment of a table's column.
    fn comment(&self, language: Language) -> String {
        let (doc, unit) = (in_language(language, &self.doc), unit_in(language, &self.unit));
        if unit.is_empty() { doc.to_owned() } else { format!("{doc} [{unit}]") }
    }
}

pub(super) fn texts() -> impl Iterator<Item = (&'static str, Meaning)> {
    TEXTS.lines().skip(1).filter_map(|line| {
        let mut cells = line.split('\t');
        let (name, unit, doc) = (cells.next()?, cells.next()?, cells.next()?);
        Some((name, Meaning { unit: unit.to_owned(), doc: doc.to_owned() }))
    })
}

fn text(name: &str) -> Option<Meaning> {
    texts().find(|(known, _)| *known == name).map(|(_, meaning)| meaning)
}

pub(super) fn column_meaning(relation: &str, name: &str) -> Option<Meaning> {
    let of_table = || {
        let tables = SOURCES.iter().filter_map(|source| TABLES.iter().find(|table| table.name == *source));
        let column = tables.flat_map(|table| table.columns).find(|column| column.name == name)?;
        Some(Meaning { unit: column.kind.unit().to_owned(), doc: column.doc.to_owned() })
    };
    text(&format!("{relation}.{name}")).or_else(|| text(name)).or_else(of_table)
}

pub(super) fn parameter_meaning(relation: &str, name: &str) -> Option<Meaning> {
    text(&format!("{relation}.${name}"))
        .or_else(|| text(&format!("${name}")))
        .or_else(|| column_meaning(relation, name))
}

/// The comment of a view or macro of `sql/views`.
pub(super) fn comment(kind: Kind, name: &str, parameters: &str, doc: &str, language: Language) -> Comment {
    let mut text = in_language(language, doc).to_owned();
    let parameters = parameter_defaults(parameters);
    if !parameters.is_empty() {
        text.push_str(language.pick("\nParameters:", "\n参数："));
    }
    for (parameter, default) in parameters {
        let default = default.map(|default| format!(" := {default}")).unwrap_or_default();
        let meaning = parameter_meaning(name, &parameter).map(|meaning| meaning.comment(language)).unwrap_or_default();
        text.push_str(&format!("\n  {parameter}{default}: {meaning}"));
    }
    let mut columns = BTreeMap::new();
    if kind != Kind::ScalarMacro {
        for table in SOURCES.iter().rev().filter_map(|source| TABLES.iter().find(|table| table.name == *source)) {
            let comments =
                table.columns.iter().map(|column| (column.name.to_owned(), column_comment(column, language)));
            columns.extend(comments);
        }
        let shared = texts().filter(|(name, _)| !name.contains(['.', '$']));
        columns.extend(shared.map(|(column, meaning)| (column.to_owned(), meaning.comment(language))));
        let own =
            texts().filter_map(|(column, meaning)| Some((column.strip_prefix(name)?.strip_prefix('.')?, meaning)));
        columns.extend(own.map(|(column, meaning)| (column.to_owned(), meaning.comment(language))));
    }
    Comment { subject: format!("{} {name}", kind.subject()), text, columns, columns_heading: columns_heading(language) }
}

fn columns_heading(language: Language) -> &'static str {
    language.pick("Columns:", "列：")
}

/// The comment of the macro of a report.
pub(super) fn report_comment(name: &str, header: &Header, language: Language) -> Comment {
    let mut text = in_language(language, &header.question).to_owned();
    if !header.parameters.is_empty() {
        text.push_str(language.pick("\nParameters:", "\n参数："));
    }
    for parameter in &header.parameters {
        text.push_str(&format!("\n  {}: {}", parameter.name, in_language(language, &parameter.doc)));
    }
    let columns_heading = columns_heading(language);
    text.push_str(&format!("\n{columns_heading}"));
    for column in &header.columns {
        let meaning = Meaning { unit: column.unit.clone(), doc: column.doc.clone() };
        text.push_str(&format!("\n  {}: {}", column.name, meaning.comment(language)));
    }
    let subject = format!("{} {name}", Kind::TableMacro.subject());
    Comment { subject, text, columns: BTreeMap::new(), columns_heading }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    View,
    TableMacro,
    ScalarMacro,
}

impl Kind {
    pub(super) fn subject(self) -> &'static str {
        match self {
            Kind::View => "view",
            Kind::TableMacro => "macro table",
            Kind::ScalarMacro => "macro",
        }
    }
}

/// Names and defaults in `(since := null, x)`.
pub(super) fn parameter_defaults(parameters: &str) -> Vec<(String, Option<String>)> {
    let inside = parameters.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(parameters);
    let mut parts = vec![String::new()];
    let (mut depth, mut is_quoted) = (0_usize, false);
    for c in inside.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, parts.last_mut()) {
            (',', _) if depth == 0 && !is_quoted => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    let parameter = |part: String| match part.split_once(":=") {
        Some((name, default)) => (name.trim().to_owned(), Some(default.trim().to_owned())),
        None => (part.trim().to_owned(), None),
    };
    parts.into_iter().map(parameter).filter(|(name, _)| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_split_at_their_commas() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            parameter_defaults("(a, b := 'x,)', c := cast(1 as decimal(3, 1)))"),
            [
                ("a".to_owned(), None),
                ("b".to_owned(), some("'x,)'")),
                ("c".to_owned(), some("cast(1 as decimal(3, 1))"))
            ]
        );
        assert!(parameter_defaults("()").is_empty());
    }
}
