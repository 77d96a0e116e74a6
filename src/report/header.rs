//! The header of a report: the lines `-- key: value` at the top of its SQL.
//!
//! `parameter`, `column`, `threshold` and `caveat` may repeat; the others appear at most once. A line that begins with
//! `--` and three spaces continues the previous line. The header ends at the first line that does not begin with `--`.

use super::ReportError;
use super::identity::Identity;
use super::presentation::Presentation;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The number of the report, like `r02`; custom reports may have none.
    pub id: String,
    pub title: String,
    pub question: String,
    pub audience: String,
    pub parameters: Vec<Parameter>,
    /// The columns of the result, in order.
    pub columns: Vec<ReportColumn>,
    /// Rules and thresholds, with their sources.
    pub thresholds: Vec<String>,
    pub caveats: Vec<String>,
    /// Shown if there are no rows.
    pub empty: String,
    /// How a terminal shows the result.
    pub presentation: Presentation,
    /// Which rows are the same problem.
    pub identity: Identity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportColumn {
    pub name: String,
    /// Empty if the values have no unit.
    pub unit: String,
    pub doc: String,
}

/// A parameter: `$name` in the SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub kind: ParameterKind,
    /// `None` is NULL.
    pub default: Option<String>,
    /// The allowed values; empty if all values of the kind are allowed.
    pub choices: Vec<String>,
    pub is_required: bool,
    pub doc: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// `2026-11-01`.
    Date,
    Integer,
    Number,
    Text,
}

const KINDS: &[(&str, ParameterKind)] = &[
    ("date", ParameterKind::Date),
    ("integer", ParameterKind::Integer),
    ("number", ParameterKind::Number),
    ("text", ParameterKind::Text),
];

impl ParameterKind {
    /// Its name in the header.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The expected value, to be used after "is not".
    fn expected(self) -> &'static str {
        match self {
            ParameterKind::Date => "a date like 2026-11-01",
            ParameterKind::Integer => "a whole number from 1",
            ParameterKind::Number => "a number",
            ParameterKind::Text => "text",
        }
    }

    /// True for a valid value, which can then be written as an SQL literal.
    fn accepts(self, text: &str) -> bool {
        match self {
            ParameterKind::Date => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
            // Row limits, numbers of days and minimum counts: no value below one makes sense.
            ParameterKind::Integer => text.parse::<i64>().is_ok_and(|number| number > 0),
            ParameterKind::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
            // DuckDB takes SQL as a null-terminated string.
            ParameterKind::Text => !text.contains('\0'),
        }
    }
}

impl Parameter {
    pub(super) fn accepts(&self, text: &str) -> bool {
        self.kind.accepts(text) && (self.choices.is_empty() || self.choices.iter().any(|choice| choice == text))
    }

    /// The expected value, to be used after "is not".
    pub(super) fn expected(&self) -> String {
        match self.choices.is_empty() {
            true => self.kind.expected().to_owned(),
            false => format!("one of {}", self.choices.join(", ")),
        }
    }
}

const KEYS: &[&str] = &[
    "id",
    "title",
    "question",
    "audience",
    "parameter",
    "column",
    "threshold",
    "caveat",
    "empty",
    "table",
    "grid",
    "fold",
    "next",
    "key",
    "span",
    "grows",
];

impl Header {
    /// Parses the header of a report; `report` is its name, for errors.
    pub fn parse(report: &str, sql: &str) -> Result<Header, ReportError> {
        let error = |line, problem| ReportError::Header { report: report.to_owned(), line, problem };
        let mut header = Header::default();
        for (line, key, value) in entries(sql) {
            header.add(&key, value).map_err(|problem| error(line, problem))?;
        }
        if let Some(name) = header.named_columns().find(|name| header.column(name).is_none()) {
            let problem =
                format!("there is no column {name:?}, which table, grid, fold, next, key, span or grows names");
            return Err(error(1, problem));
        }
        let required = [
            ("title", header.title.is_empty()),
            ("question", header.question.is_empty()),
            ("column", header.columns.is_empty()),
        ];
        match required.into_iter().find(|(_, is_missing)| *is_missing) {
            Some((key, _)) => Err(error(1, format!("-- {key}: is missing"))),
            None => Ok(header),
        }
    }

    /// The columns that its other entries name.
    fn named_columns(&self) -> impl Iterator<Item = &str> {
        self.presentation.columns().chain(self.identity.columns())
    }

    fn add(&mut self, key: &str, value: String) -> Result<(), String> {
        if value.is_empty() {
            return Err("expected: -- key: value".to_owned());
        }
        let single = match key {
            "id" => &mut self.id,
            "title" => &mut self.title,
            "question" => &mut self.question,
            "audience" => &mut self.audience,
            "empty" => &mut self.empty,
            "parameter" => {
                let parameter =
                    parameter(&value).ok_or("expected: -- parameter: name kind [= default [| other]]: meaning")?;
                if self.parameter(&parameter.name).is_some() {
                    return Err(format!("the parameter {} is declared twice", parameter.name));
                }
                self.parameters.push(parameter);
                return Ok(());
            }
            "column" => {
                let column = column(&value).ok_or("expected: -- column: name [unit]: meaning")?;
                if self.columns.iter().any(|other| other.name == column.name) {
                    return Err(format!("the column {} is declared twice", column.name));
                }
                self.columns.push(column);
                return Ok(());
            }
            "threshold" => {
                self.thresholds.push(value);
                return Ok(());
            }
            "caveat" => {
                self.caveats.push(value);
                return Ok(());
            }
            "key" | "span" | "grows" => return self.identity.add(key, &value),
            key if KEYS.contains(&key) => return self.presentation.add(key, &value),
            _ => return Err(format!("there is no key {key:?}; the keys are {}", KEYS.join(", "))),
        };
        if !single.is_empty() {
            return Err(format!("{key} appears twice"));
        }
        *single = value;
        Ok(())
    }

    /// The SQL below the header.
    pub(super) fn body(sql: &str) -> &str {
        let header: usize = sql.split_inclusive('\n').take_while(|line| line.starts_with("--")).map(str::len).sum();
        &sql[header..]
    }

    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    pub fn column(&self, name: &str) -> Option<&ReportColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Line number, key and value of each entry, with continuation lines joined.
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

/// `name [unit]: meaning`.
fn column(text: &str) -> Option<ReportColumn> {
    let (declaration, doc) = text.split_once(": ")?;
    let (name, unit) = declaration.trim().split_once(char::is_whitespace).unwrap_or((declaration.trim(), ""));
    let (name, unit, doc) = (name.to_owned(), unit.trim().to_owned(), doc.trim().to_owned());
    (!name.is_empty()).then_some(ReportColumn { name, unit, doc })
}

/// `name kind [needed]: meaning`, `name kind = default: meaning`, or `name kind = default | other: meaning`.
fn parameter(text: &str) -> Option<Parameter> {
    let (declaration, doc) = text.split_once(": ")?;
    let (typed, values) = match declaration.split_once('=') {
        Some((typed, values)) => (typed, values.split('|').map(|value| value.trim().to_owned()).collect()),
        None => (declaration, Vec::new()),
    };
    let mut words = typed.split_whitespace();
    let (name, kind) = (words.next()?, words.next()?);
    let (_, kind) = KINDS.iter().find(|(word, _)| *word == kind)?;
    let is_valid_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_required = match words.next() {
        None => false,
        Some("needed") if values.is_empty() => true,
        Some(_) => return None,
    };
    if words.next().is_some() || !is_valid_name || !values.iter().all(|value| !value.is_empty() && kind.accepts(value))
    {
        return None;
    }
    Some(Parameter {
        name: name.to_owned(),
        kind: *kind,
        default: values.first().cloned(),
        choices: if values.len() > 1 { values } else { Vec::new() },
        is_required,
        doc: doc.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_to_its_end() {
        let sql = "-- id: r99\n-- title: T\n-- question: Q: really?\n-- parameter: n integer = 5: How many.\n\
                   -- parameter: since date needed: From.\n-- parameter: by_what text = a | b c: By.\n-- column: a: The a,\n--   all of it.\n\
                   -- column: mos MOS est.: An estimate: low is bad.\n-- empty: Nothing.\nselect 1\n-- title: not this\n";
        let header = Header::parse("x", sql).expect("header");
        assert_eq!((header.id.as_str(), header.title.as_str(), header.question.as_str()), ("r99", "T", "Q: really?"));
        let column = |name: &str, unit: &str, doc: &str| ReportColumn {
            name: name.to_owned(),
            unit: unit.to_owned(),
            doc: doc.to_owned(),
        };
        let columns = [column("a", "", "The a, all of it."), column("mos", "MOS est.", "An estimate: low is bad.")];
        assert_eq!(header.columns, columns);
        assert_eq!(header.empty, "Nothing.");
        assert_eq!(header.parameters[0].default.as_deref(), Some("5"));
        let since = header.parameter("since").expect("since");
        assert!(since.default.is_none() && since.is_required && !header.parameters[0].is_required);
        let by_what = header.parameter("by_what").expect("by_what");
        assert_eq!((by_what.default.as_deref(), by_what.choices.join(",").as_str()), (Some("a"), "a,b c"));
        assert!(by_what.accepts("b c") && !by_what.accepts("b"));
        assert_eq!(Header::body(sql), "select 1\n-- title: not this\n");
    }

    #[test]
    fn an_invalid_line_is_named() {
        let top = "-- title: T\n-- question: Q\n-- column: a: A.\n";
        for (sql, line, problem) in [
            ("-- titel: T".to_owned(), 1, "there is no key \"titel\""),
            ("-- title: T\n-- what it is for".to_owned(), 2, "expected: -- key: value"),
            (format!("{top}-- parameter: n many: x"), 4, "expected: -- parameter"),
            (format!("{top}-- parameter: n integer = few: x"), 4, "expected: -- parameter"),
            (format!("{top}-- parameter: N integer: x"), 4, "expected: -- parameter"),
            (format!("{top}-- parameter: n text wanted: x"), 4, "expected: -- parameter"),
            (format!("{top}-- parameter: n text needed = x: x"), 4, "expected: -- parameter"),
            (format!("{top}-- parameter: n text = a |: x"), 4, "expected: -- parameter"),
            (format!("{top}-- parameter: n text: x\n-- parameter: n date: x"), 5, "the parameter n is declared twice"),
            (format!("{top}-- column: b"), 4, "expected: -- column"),
            (format!("{top}-- column: a ms: Again."), 4, "the column a is declared twice"),
            (format!("{top}-- title: T"), 4, "title appears twice"),
            (format!("{top}-- next: report list\n-- next: report list"), 5, "next appears twice"),
            (format!("{top}-- grid: a by b"), 4, "expected: -- grid: column x column: column"),
            (format!("{top}-- fold: a"), 4, "expected: -- fold: column: words"),
            (format!("{top}-- next: report user {{b}}"), 1, "there is no column \"b\""),
            ("-- title: T".to_owned(), 1, "-- question: is missing"),
            ("-- title: T\n-- question: Q\nselect 1".to_owned(), 1, "-- column: is missing"),
            ("select 1".to_owned(), 1, "-- title: is missing"),
            (String::new(), 1, "-- title: is missing"),
        ] {
            match Header::parse("x", &sql) {
                Err(ReportError::Header { line: at, problem: found, .. }) => {
                    assert_eq!(at, line, "{sql}");
                    assert!(found.starts_with(problem), "{sql}: {found}");
                }
                other => panic!("{sql}: {other:?}"),
            }
        }
    }

    #[test]
    fn kinds_accept_their_values() {
        assert!(ParameterKind::Date.accepts("2026-11-01") && !ParameterKind::Date.accepts("2026-02-30"));
        assert!(!ParameterKind::Date.accepts("2d") && !ParameterKind::Date.accepts("2026-11-01T00:00"));
        assert!(ParameterKind::Integer.accepts("3") && !ParameterKind::Integer.accepts("3.5"));
        assert!(!ParameterKind::Integer.accepts("0") && !ParameterKind::Integer.accepts("-3"));
        assert!(ParameterKind::Number.accepts("3.5") && !ParameterKind::Number.accepts("inf"));
        assert!(ParameterKind::Text.accepts("it's; --") && !ParameterKind::Text.accepts("a\0b"));
    }
}
