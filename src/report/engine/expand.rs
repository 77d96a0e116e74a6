//! Writes out the views and macros that a query uses: each becomes a common table expression, one for each set of
//! arguments, after those that it uses; scalar macros are written in place.

use std::collections::{HashMap, HashSet};

use super::definitions::{Definitions, parameter};
use super::words::{Kind, Word, closing, is_after, is_before, list, next, previous, text, trim};
use crate::schema::TABLES;

/// A query without views and macros.
#[derive(Debug)]
pub(super) struct Expanded {
    /// Each uses only those before it.
    pub(super) ctes: Vec<Cte>,
    pub(super) query: Vec<Word>,
}

#[derive(Debug)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) query: Vec<Word>,
    pub(super) is_materialized: bool,
}

/// Why a query cannot be expanded.
type Problem = String;

/// Queries and macros inside one another; reports have ten.
const MAX_DEPTH: usize = 50;
/// Words of all scalar macros that are written out. A macro that uses a value twice doubles it each time that it is
/// nested.
const MAX_WORDS: usize = 1_000_000;

pub(super) fn expand(definitions: &Definitions, query: &[Word]) -> Result<Expanded, Problem> {
    let mut expander = Expander {
        definitions,
        ctes: Vec::new(),
        names: HashMap::new(),
        taken: TABLES.iter().map(|table| table.name.to_owned()).collect(),
        open: Vec::new(),
        depth: 0,
    };
    let query = expander.flat(query, None)?;
    Ok(Expanded { ctes: expander.ctes, query })
}

struct Expander<'a> {
    definitions: &'a Definitions,
    ctes: Vec<Cte>,
    /// The name of the expression of a view or of a macro with its arguments.
    names: HashMap<String, String>,
    taken: HashSet<String>,
    /// The views and macros that are being expanded.
    open: Vec<String>,
    depth: usize,
}

/// The scalar macros that are being written out.
#[derive(Default)]
struct Scalars {
    /// Within the body of one of these, its name is a function of the engine.
    open: Vec<(String, usize)>,
    depth: usize,
    words: usize,
}

impl Expander<'_> {
    /// Moves the common table expressions of a query to the others, and expands the rest. `owner` is the view or macro.
    fn flat(&mut self, words: &[Word], owner: Option<&str>) -> Result<Vec<Word>, Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("queries are nested too deeply".to_owned());
        }
        let flat = self.flat_query(words, owner);
        self.depth -= 1;
        flat
    }

    fn flat_query(&mut self, words: &[Word], owner: Option<&str>) -> Result<Vec<Word>, Problem> {
        let words = trim(words);
        if !words.first().is_some_and(|word| word.is("with")) {
            return self.query(words);
        }
        let malformed = || "WITH is followed by something other than names, AS and queries".to_owned();
        let mut own = HashMap::new();
        let mut at = next(words, 0).ok_or_else(malformed)?;
        loop {
            let name = words[at].text.to_ascii_lowercase();
            at = next(words, at).filter(|at| words[*at].is("as")).ok_or_else(malformed)?;
            at = next(words, at).ok_or_else(malformed)?;
            let is_materialized = words[at].is("materialized");
            if is_materialized {
                at = next(words, at).ok_or_else(malformed)?;
            }
            let end = Some(at).filter(|at| words[*at].is_mark("(")).and_then(|at| closing(words, at));
            let end = end.ok_or_else(malformed)?;
            let query = self.flat(&renamed(&words[at + 1..end], &own), owner)?;
            let unique = self.unique(&owner.map_or_else(|| name.clone(), |owner| format!("{owner}_{name}")));
            own.insert(name, unique.clone());
            self.ctes.push(Cte { name: unique, query, is_materialized });
            at = next(words, end).ok_or_else(malformed)?;
            if !words[at].is_mark(",") {
                return self.query(&renamed(&words[at..], &own));
            }
            at = next(words, at).ok_or_else(malformed)?;
        }
    }

    fn unique(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        loop {
            // The names never end.
            let name = names.next().unwrap_or_default();
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Replaces the views, macros and tables that a query without WITH names.
    fn query(&mut self, words: &[Word]) -> Result<Vec<Word>, Problem> {
        let words = self.scalars(words, &mut Scalars::default())?;
        let mut out = Vec::with_capacity(words.len());
        let mut at = 0;
        while at < words.len() {
            let word = &words[at];
            let name = word.text.to_ascii_lowercase();
            if word.is("with") && is_after(&words, at, "(") {
                return Err("a query inside another one begins with WITH".to_owned());
            }
            if word.is_mark(":=") {
                return Err(format!("a macro is called elsewhere than after FROM or JOIN: {}", around(&words, at)));
            }
            if word.kind != Kind::Name || !is_relation(&words, at) {
                out.push(word.clone());
                at += 1;
                continue;
            }
            if let Some(open) = next(&words, at).filter(|next| words[*next].is_mark("(")) {
                if let Some(definition) = self.definitions.tables.get(&name) {
                    let (arguments, end) = list(&words, open).ok_or("a parenthesis is not closed")?;
                    let mut values: Vec<(String, Vec<Word>)> = Vec::new();
                    for (parameter, default) in &definition.parameters {
                        values.push((parameter.clone(), default.clone().unwrap_or_default()));
                    }
                    for argument in arguments {
                        let given = parameter(argument).and_then(|(name, value)| Some((name, value?)));
                        let (given, value) = given.ok_or_else(|| format!("{name} is called without := for a value"))?;
                        let known = values.iter_mut().find(|(parameter, _)| *parameter == given);
                        known.ok_or_else(|| format!("{name} has no parameter {given}"))?.1 = value;
                    }
                    let list: Vec<String> =
                        values.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
                    let body = substitute(&definition.body, &values.into_iter().collect());
                    let relation = self.cte(&name, format!("{name}({})", list.join(",")), &body)?;
                    push_relation(&mut out, relation, &words, (at, end));
                    at = end + 1;
                    continue;
                }
            } else if let Some(body) = self.definitions.views.get(&name) {
                let relation = self.cte(&name, name.clone(), body)?;
                push_relation(&mut out, relation, &words, (at, at));
                at += 1;
                continue;
            } else if !is_before(&words, at, ".") && TABLES.iter().any(|table| table.name == name) {
                push_relation(&mut out, Word::new(Kind::Table, name), &words, (at, at));
                at += 1;
                continue;
            }
            out.push(word.clone());
            at += 1;
        }
        Ok(out)
    }

    /// The name of the expression of a view or macro, which is added the first time.
    fn cte(&mut self, name: &str, key: String, body: &[Word]) -> Result<Word, Problem> {
        if let Some(known) = self.names.get(&key) {
            return Ok(Word::new(Kind::Cte, known.clone()));
        }
        if self.open.contains(&key) {
            return Err(format!("{name} uses itself"));
        }
        self.open.push(key.clone());
        let query = self.flat(body, Some(name))?;
        self.open.pop();
        let unique = self.unique(name);
        self.ctes.push(Cte { name: unique.clone(), query, is_materialized: false });
        self.names.insert(key, unique.clone());
        Ok(Word::new(Kind::Cte, unique))
    }

    /// Writes out the scalar macros.
    fn scalars(&self, words: &[Word], state: &mut Scalars) -> Result<Vec<Word>, Problem> {
        state.words += words.len();
        if state.depth > MAX_DEPTH || state.words > MAX_WORDS {
            return Err("macros are nested too deeply".to_owned());
        }
        let mut out = Vec::with_capacity(words.len());
        let mut at = 0;
        while at < words.len() {
            let word = &words[at];
            let bracket = next(words, at).filter(|next| words[*next].is_mark("("));
            if let (Kind::Name, Some(bracket), false) = (word.kind, bracket, is_after(words, at, "."))
                && let (arguments, end) = list(words, bracket).ok_or("a parenthesis is not closed")?
                && let key = (word.text.to_ascii_lowercase(), arguments.len())
                && let Some(definition) = self.definitions.scalars.get(&key)
            {
                if state.open.contains(&key) {
                    out.push(Word::new(Kind::Function, word.text.clone()));
                    at += 1;
                    continue;
                }
                state.depth += 1;
                let mut values = HashMap::new();
                for ((parameter, _), argument) in definition.parameters.iter().zip(arguments) {
                    values.insert(parameter.clone(), self.scalars(argument, state)?);
                }
                state.open.push(key);
                let body = self.scalars(&substitute(&definition.body, &values), state)?;
                state.open.pop();
                state.depth -= 1;
                out.push(Word::mark("("));
                out.extend(body);
                out.push(Word::mark(")"));
                at = end + 1;
                continue;
            }
            out.push(word.clone());
            at += 1;
        }
        Ok(out)
    }
}

/// Whether a relation is named here: after FROM or JOIN, but not in `is distinct from` and `extract(hour from t)`.
pub(super) fn is_relation(words: &[Word], at: usize) -> bool {
    let Some(before) = previous(words, at) else { return false };
    if words[before].is("join") {
        return true;
    }
    let earlier = previous(words, before);
    let is_distinct = earlier.is_some_and(|earlier| words[earlier].is("distinct"));
    let is_extract = earlier
        .and_then(|field| previous(words, field))
        .filter(|open| words[*open].is_mark("("))
        .and_then(|open| previous(words, open))
        .is_some_and(|function| words[function].is("extract"));
    words[before].is("from") && !is_distinct && !is_extract
}

/// The query with its own common table expressions by their unique names.
fn renamed(words: &[Word], own: &HashMap<String, String>) -> Vec<Word> {
    let mut out = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        match own.get(&word.text.to_ascii_lowercase()) {
            Some(unique)
                if word.kind == Kind::Name
                    && is_relation(words, at)
                    && !is_before(words, at, "(")
                    && !is_before(words, at, ".") =>
            {
                push_relation(&mut out, Word::new(Kind::Cte, unique.clone()), words, (at, at));
            }
            _ => out.push(word.clone()),
        }
    }
    out
}

/// What can follow a relation that has no alias.
const AFTER_RELATIONS: &[&str] = &[
    "where",
    "group",
    "having",
    "order",
    "limit",
    "on",
    "using",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "semi",
    "anti",
    "union",
    "except",
    "intersect",
    "window",
    "offset",
    "qualify",
];

/// Puts a relation in place of the words of the one that they name. Its columns may be called by the name before, so
/// that stays its alias.
fn push_relation(out: &mut Vec<Word>, relation: Word, words: &[Word], (name, end): (usize, usize)) {
    out.push(relation);
    let has_alias = next(words, end).is_some_and(|next| {
        let word = &words[next];
        word.kind == Kind::Quoted || word.kind == Kind::Name && !AFTER_RELATIONS.iter().any(|other| word.is(other))
    });
    if !has_alias {
        let blank = || Word::new(Kind::Blank, " ");
        out.extend([blank(), Word::new(Kind::Name, "as"), blank(), words[name].clone()]);
    }
}

/// The body of a macro with values in place of its parameters. As in DuckDB, a bare name of a parameter is the
/// parameter; `t.name`, `name(...)`, `as name` and `name := ...` are others.
fn substitute(body: &[Word], values: &HashMap<String, Vec<Word>>) -> Vec<Word> {
    let mut out = Vec::with_capacity(body.len());
    for (at, word) in body.iter().enumerate() {
        let value = values.get(&word.text.to_ascii_lowercase()).filter(|_| word.kind == Kind::Name);
        let is_other = |_: &&Vec<Word>| {
            let is_alias = previous(body, at).is_some_and(|before| body[before].is("as"));
            is_alias || is_after(body, at, ".") || [".", "(", ":="].iter().any(|mark| is_before(body, at, mark))
        };
        match value.filter(|value| !is_other(value)) {
            None => out.push(word.clone()),
            Some(value) if is_atom(value) => out.extend(value.iter().cloned()),
            Some(value) => {
                out.push(Word::mark("("));
                out.extend(value.iter().cloned());
                out.push(Word::mark(")"));
            }
        }
    }
    out
}

/// Whether an expression needs no parentheses.
fn is_atom(words: &[Word]) -> bool {
    let last = words.len().saturating_sub(1);
    let is_name = |word: &Word| word.kind == Kind::Name;
    match words {
        [_] => true,
        [table, dot, column] => is_name(table) && dot.is_mark(".") && is_name(column),
        [open, ..] if open.is_mark("(") => closing(words, 0) == Some(last),
        _ => false,
    }
}

/// The words around one, for messages.
fn around(words: &[Word], at: usize) -> String {
    text(&words[at.saturating_sub(4)..words.len().min(at + 4)]).split_whitespace().collect::<Vec<_>>().join(" ")
}
