//! The engines, and how each spells what is not a function: literals, types, quotes, the place of NULLs, limits.

use arrow::datatypes::{DataType, TimeUnit};

use super::words::{Kind, Word, closing, is_before, next, previous, trim};
use crate::report::registry::SqlFile;
use crate::schema::Kind as ColumnKind;

/// An engine that reads the Parquet dataset.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    /// What it lacks or means differently, by the names of DuckDB's functions.
    pub(super) definitions: &'static [SqlFile],
    /// Statements at the start of a script.
    pub(super) settings: &'static [&'static str],
    /// How a table is created from a query, if the engine writes a common table expression out wherever it is named.
    /// Then the materialized ones are tables, and these small ones, which are named very often.
    pub(super) steps: Option<(&'static str, &'static [&'static str])>,
    pub(super) spelling: Spelling,
}

#[derive(Debug)]
pub(super) struct Spelling {
    /// Makes a decimal literal a double.
    double_suffix: &'static str,
    /// Types in casts.
    types: &'static [(&'static str, &'static str)],
    /// Around names.
    quote: char,
    /// True if a backslash is special in literals, a doubled quote is not, and references to groups of a regular
    /// expression are `$1`.
    has_backslash_escapes: bool,
    /// True if NULLs do not come last by default.
    states_nulls: bool,
    /// True if a limit is a number without a type.
    has_plain_limits: bool,
}

const LAKE: SqlFile = SqlFile { name: "engines/lake", sql: include_str!("../../../sql/engines/lake.sql") };

pub(crate) static DUCKDB: Engine = Engine {
    name: "duckdb",
    definitions: &[LAKE],
    settings: &[],
    steps: None,
    spelling: Spelling {
        double_suffix: "",
        types: &[],
        quote: '"',
        has_backslash_escapes: false,
        states_nulls: false,
        has_plain_limits: false,
    },
};

pub(crate) static SPARK: Engine = Engine {
    name: "spark",
    definitions: &[LAKE, SqlFile { name: "engines/spark", sql: include_str!("../../../sql/engines/spark.sql") }],
    // Local times have no zone and UTC instants do: a difference between them needs the zone UTC. A division by 0 is
    // NULL, as in DuckDB.
    settings: &["set spark.sql.session.timeZone = UTC", "set spark.sql.ansi.enabled = false"],
    steps: Some(("using parquet as", &["limits"])),
    spelling: Spelling {
        double_suffix: "D",
        types: &[("varchar", "string")],
        quote: '`',
        has_backslash_escapes: true,
        states_nulls: true,
        has_plain_limits: true,
    },
};

impl Engine {
    /// The type of a column of a Parquet file.
    pub(super) fn column_type(&self, kind: ColumnKind) -> &'static str {
        match (self.name, kind.arrow()) {
            ("duckdb", _) => kind.duckdb(),
            (_, DataType::Utf8) => "string",
            (_, DataType::Boolean) => "boolean",
            (_, DataType::Int64) => "bigint",
            (_, DataType::Float64) => "double",
            (_, DataType::Date32) => "date",
            (_, DataType::Timestamp(TimeUnit::Microsecond, None)) => "timestamp_ntz",
            _ => "timestamp",
        }
    }

    /// A text as a literal.
    pub(super) fn literal(&self, text: &str) -> String {
        self.spelling.literal(&crate::schema::ddl::quoted(text))
    }

    /// A name that is not a plain word.
    pub(super) fn quoted_name(&self, name: &str) -> String {
        self.spelling.name(&format!("\"{}\"", name.replace('"', "\"\"")))
    }
}

impl Spelling {
    /// The words as the engine spells them.
    pub(super) fn spell(&self, words: &[Word]) -> Vec<Word> {
        let words = if self.has_plain_limits { plain_limits(words) } else { words.to_vec() };
        let words = if self.states_nulls { nulls_last(&words) } else { words };
        let spelled = words.iter().enumerate().map(|(at, word)| {
            let text = match word.kind {
                Kind::Number if word.text.contains('.') && !word.text.contains(['e', 'E']) => {
                    format!("{}{}", word.text, self.double_suffix)
                }
                Kind::Text => self.literal(&word.text),
                Kind::Quoted => self.name(&word.text),
                Kind::Name if is_type(&words, at) => {
                    let lower = word.text.to_ascii_lowercase();
                    let known = self.types.iter().find(|(name, _)| *name == lower);
                    known.map_or_else(|| word.text.clone(), |(_, spelled)| (*spelled).to_owned())
                }
                _ => word.text.clone(),
            };
            Word { kind: word.kind, text }
        });
        spelled.collect()
    }

    /// A literal in DuckDB's spelling.
    fn literal(&self, text: &str) -> String {
        let Some(inside) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) else {
            return text.to_owned();
        };
        if !self.has_backslash_escapes {
            return text.to_owned();
        }
        let inside = inside.replace("''", "'");
        let mut out = String::from("'");
        let mut characters = inside.chars().peekable();
        while let Some(c) = characters.next() {
            match (c, characters.peek()) {
                ('\\', Some(digit)) if digit.is_ascii_digit() => out.push('$'),
                // Otherwise the engine replaces a variable.
                ('$', Some('{')) => out.push_str("\\u0024"),
                ('\\', _) => out.push_str("\\\\"),
                ('\'', _) => out.push_str("\\'"),
                _ => out.push(c),
            }
        }
        out.push('\'');
        out
    }

    /// A quoted name in DuckDB's spelling.
    fn name(&self, text: &str) -> String {
        let inside = text.trim_matches('"').replace("\"\"", "\"");
        let quote = self.quote;
        format!("{quote}{}{quote}", inside.replace(quote, &format!("{quote}{quote}")))
    }
}

/// Whether a name is the type in `cast(x as name)`.
fn is_type(words: &[Word], at: usize) -> bool {
    previous(words, at).is_some_and(|before| words[before].is("as")) && is_before(words, at, ")")
}

/// `limit cast(5 as bigint)` becomes `limit 5`; NULL is no limit.
fn plain_limits(words: &[Word]) -> Vec<Word> {
    let mut out = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        out.push(words[at].clone());
        let cast = Some(at).filter(|at| words[*at].is("limit")).and_then(|at| next(words, at));
        let cast = cast.filter(|cast| words[*cast].is("cast"));
        if let Some(open) = cast.and_then(|cast| next(words, cast))
            && let Some(end) = closing(words, open)
            && let Some(keyword) = (open..end).rev().find(|at| words[*at].is("as"))
        {
            out.push(Word::new(Kind::Blank, " "));
            match trim(&words[open + 1..keyword]) {
                [value] if value.is("null") => out.push(Word::new(Kind::Name, "all")),
                value => out.extend(value.iter().cloned()),
            }
            at = end;
        }
        at += 1;
    }
    out
}

const FRAMES: &[&str] = &["rows", "range", "groups"];
const FRAME_STARTS: &[&str] = &["between", "unbounded", "current", "interval"];

/// Every key of every ORDER BY says that NULLs come last.
fn nulls_last(words: &[Word]) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    // For each open parenthesis, whether a sort key is being read.
    let mut keys = vec![false];
    for (at, word) in words.iter().enumerate() {
        let starts_frame =
            |next: usize| words[next].kind == Kind::Number || FRAME_STARTS.iter().any(|name| words[next].is(name));
        let is_frame = FRAMES.iter().any(|name| word.is(name)) && next(words, at).is_some_and(starts_frame);
        let is_end = is_frame || ["limit", "offset", "union"].iter().any(|name| word.is(name));
        let is_in_key = keys.last().copied().unwrap_or_default();
        if is_in_key && (word.is_mark(",") || word.is_mark(")") || is_end) {
            state_nulls(&mut out);
        }
        if word.is_mark("(") {
            keys.push(false);
        } else if word.is_mark(")") {
            keys.pop();
        } else if let Some(key) = keys.last_mut() {
            let is_order = word.is("by") && previous(words, at).is_some_and(|before| words[before].is("order"));
            *key = is_order || *key && !is_end;
        }
        out.push(word.clone());
    }
    if keys.last().copied().unwrap_or_default() {
        state_nulls(&mut out);
    }
    out
}

/// Adds NULLS LAST to the sort key that the words end with, unless it says where they come.
fn state_nulls(words: &mut Vec<Word>) {
    let length = trim(words).len() + words.iter().take_while(|word| word.kind == Kind::Blank).count();
    let is_stated = match (length.checked_sub(1), previous(words, length.saturating_sub(1))) {
        (Some(last), Some(before)) => words[before].is("nulls") && (words[last].is("last") || words[last].is("first")),
        _ => false,
    };
    if !is_stated {
        let blank = || Word::new(Kind::Blank, " ");
        let name = |text: &str| Word::new(Kind::Name, text);
        words.splice(length..length, [blank(), name("nulls"), blank(), name("last")]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::{text, words};
    use super::*;

    fn spark(sql: &str) -> String {
        text(&SPARK.spelling.spell(&words(sql).expect("sql")))
    }

    #[test]
    fn literals_types_and_names_are_those_of_the_engine() {
        assert_eq!(spark("100.0 * x + 5 + 1.5e3"), "100.0D * x + 5 + 1.5e3");
        assert_eq!(spark("cast(x as varchar) as varchar, \"a b`\""), "cast(x as string) as varchar, `a b```");
        assert_eq!(spark(r"'it''s \d' || '\1:${x}$'"), r"'it\'s \\d' || '$1:\u0024{x}$'");
        let same = "100.0 * x || '\\d' || cast(x as varchar) order by a limit cast(5 as bigint)";
        assert_eq!(text(&DUCKDB.spelling.spell(&words(same).expect("sql"))), same);
    }

    #[test]
    fn every_sort_key_says_where_nulls_come() {
        assert_eq!(
            spark(
                "row_number() over (partition by a, b order by f(c, d) desc, e) from t order by x, y nulls first limit cast(5 as bigint)"
            ),
            "row_number() over (partition by a, b order by f(c, d) desc nulls last, e nulls last) from t \
             order by x nulls last, y nulls first limit 5"
        );
        assert_eq!(
            spark("sum(x) over (order by q.rows range between 5 preceding and current row), y group by a, b"),
            "sum(x) over (order by q.rows nulls last range between 5 preceding and current row), y group by a, b"
        );
        assert_eq!(
            spark("max(x) over (order by a, b rows unbounded preceding)"),
            "max(x) over (order by a nulls last, b nulls last rows unbounded preceding)"
        );
        assert_eq!(
            spark("(select 1 order by a)\nlimit cast(null as bigint)"),
            "(select 1 order by a nulls last)\nlimit all"
        );
    }
}
