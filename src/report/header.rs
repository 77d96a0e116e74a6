//! The header of a report: the lines `-- key: value` at the top of its SQL.
//!
//! `title`, `question` and `audience` stand once; `parameter`, `column`, `threshold` and `caveat` as often as there are
//! some. A line that begins with `--` and three blanks goes on with the line before. The header ends at the first other
//! line.

use super::ReportError;

/// What a report says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// A few words.
    pub title: String,
    /// The question that it answers.
    pub question: String,
    /// Who asks.
    pub audience: String,
    /// What can be chosen.
    pub parameters: Vec<Parameter>,
    /// What is in the result, in order: name and meaning.
    pub columns: Vec<(String, String)>,
    /// Where the limits come from.
    pub thresholds: Vec<String>,
    /// What the result does not say.
    pub caveats: Vec<String>,
}

/// Something that can be chosen: `$name` in the SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// What it must be.
    pub kind: ParameterKind,
    /// What holds where nothing is chosen; `None`: NULL.
    pub default: Option<String>,
    /// What it does.
    pub doc: String,
}

/// What a parameter must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// `2026-11-01`.
    Date,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Any text.
    Text,
}

const KINDS: &[(&str, ParameterKind)] = &[
    ("date", ParameterKind::Date),
    ("integer", ParameterKind::Integer),
    ("number", ParameterKind::Number),
    ("text", ParameterKind::Text),
];

impl ParameterKind {
    /// Its word in the header.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// What is wanted, in words that follow "is not".
    pub fn wants(self) -> &'static str {
        match self {
            ParameterKind::Date => "a date like 2026-11-01",
            ParameterKind::Integer => "a whole number",
            ParameterKind::Number => "a number",
            ParameterKind::Text => "a text",
        }
    }

    /// True where the text is one. The SQL casts it then.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            ParameterKind::Date => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
            ParameterKind::Integer => text.parse::<i64>().is_ok(),
            ParameterKind::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
            ParameterKind::Text => true,
        }
    }
}

impl Header {
    /// Reads the header of a report's SQL.
    ///
    /// # Errors
    /// Where a line is not of the form, or title or question is missing; `name` is the report's, for the message.
    pub fn parse(name: &str, sql: &str) -> Result<Header, ReportError> {
        let mut header = Header::default();
        for (number, key, value) in entries(sql) {
            let error = |problem: &str| ReportError::Header {
                report: name.to_owned(),
                line: number,
                problem: problem.to_owned(),
            };
            match key.as_str() {
                "title" => header.title = value,
                "question" => header.question = value,
                "audience" => header.audience = value,
                "parameter" => {
                    let parameter = parameter(&value);
                    header.parameters.push(parameter.ok_or_else(|| error("wanted: name kind [= default]: meaning"))?);
                }
                "column" => {
                    let (column, doc) = value.split_once(": ").ok_or_else(|| error("wanted: name: meaning"))?;
                    header.columns.push((column.trim().to_owned(), doc.trim().to_owned()));
                }
                "threshold" => header.thresholds.push(value),
                "caveat" => header.caveats.push(value),
                _ => return Err(error("no such key")),
            }
        }
        for (key, value) in [("title", &header.title), ("question", &header.question)] {
            if value.is_empty() {
                let problem = format!("{key} is missing");
                return Err(ReportError::Header { report: name.to_owned(), line: 1, problem });
            }
        }
        Ok(header)
    }

    /// The SQL below the header.
    pub fn body(sql: &str) -> &str {
        let header: usize = sql.split_inclusive('\n').take_while(|line| line.starts_with("--")).map(str::len).sum();
        &sql[header..]
    }
}

/// Line number, key and value of each entry, continuation lines joined.
fn entries(sql: &str) -> Vec<(usize, String, String)> {
    let mut entries: Vec<(usize, String, String)> = Vec::new();
    for (index, line) in sql.lines().enumerate() {
        let Some(text) = line.strip_prefix("--") else { break };
        if text.starts_with("   ")
            && let Some((_, _, value)) = entries.last_mut()
        {
            value.push(' ');
            value.push_str(text.trim());
            continue;
        }
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        entries.push((index + 1, key.trim().to_owned(), value.trim().to_owned()));
    }
    entries
}

/// `name kind [= default]: meaning`.
fn parameter(text: &str) -> Option<Parameter> {
    let (declaration, doc) = text.split_once(": ")?;
    let (typed, default) = match declaration.split_once('=') {
        Some((typed, default)) => (typed, Some(default.trim().to_owned())),
        None => (declaration, None),
    };
    let mut words = typed.split_whitespace();
    let (name, kind) = (words.next()?, words.next()?);
    let (_, kind) = KINDS.iter().find(|(word, _)| *word == kind)?;
    if words.next().is_some() || default.as_deref().is_some_and(|default| !kind.accepts(default)) {
        return None;
    }
    Some(Parameter { name: name.to_owned(), kind: *kind, default, doc: doc.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_to_its_end() {
        let sql = "-- title: T\n-- question: Q: really?\n-- parameter: n integer = 5: How many.\n\
                   -- parameter: since date: From.\n-- column: a: The a,\n--   all of it.\nselect 1\n-- title: not this\n";
        let header = Header::parse("x", sql).expect("header");
        assert_eq!((header.title.as_str(), header.question.as_str()), ("T", "Q: really?"));
        assert_eq!(header.columns, [("a".to_owned(), "The a, all of it.".to_owned())]);
        assert_eq!(header.parameters[0].default.as_deref(), Some("5"));
        assert_eq!(header.parameters[1].default, None);
        assert_eq!(Header::body(sql), "select 1\n-- title: not this\n");
    }

    #[test]
    fn a_line_of_another_form_is_named() {
        for (sql, line) in [
            ("-- titel: T", 1),
            ("-- title: T\n-- question: Q\n-- parameter: n many: x", 3),
            ("-- title: T\n-- question: Q\n-- parameter: n integer = few: x", 3),
            ("-- title: T\n-- question: Q\n-- column: a", 3),
            ("-- title: T", 1),
            ("select 1", 1),
        ] {
            match Header::parse("x", sql) {
                Err(ReportError::Header { line: at, .. }) => assert_eq!(at, line, "{sql}"),
                other => panic!("{sql}: {other:?}"),
            }
        }
    }

    #[test]
    fn kinds_accept_what_they_say() {
        assert!(ParameterKind::Date.accepts("2026-11-01") && !ParameterKind::Date.accepts("2026-02-30"));
        assert!(!ParameterKind::Date.accepts("2d") && !ParameterKind::Date.accepts("2026-11-01T00:00"));
        assert!(ParameterKind::Integer.accepts("-3") && !ParameterKind::Integer.accepts("3.5"));
        assert!(ParameterKind::Number.accepts("3.5") && !ParameterKind::Number.accepts("inf"));
    }
}
