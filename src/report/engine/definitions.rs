//! The views and macros that a report can use, as words: the shared definitions, and those of an engine.

use std::collections::HashMap;

use super::dialect::Engine;
use super::words::{Kind, Word, list, next, trim, words};
use crate::report::ReportError;
use crate::report::registry::{SqlFile, VIEWS};

#[derive(Debug)]
pub(super) struct Macro {
    /// Names and defaults.
    pub(super) parameters: Vec<(String, Option<Vec<Word>>)>,
    pub(super) body: Vec<Word>,
}

#[derive(Debug, Default)]
pub(super) struct Definitions {
    /// By name and number of parameters.
    pub(super) scalars: HashMap<(String, usize), Macro>,
    pub(super) tables: HashMap<String, Macro>,
    pub(super) views: HashMap<String, Vec<Word>>,
}

impl Definitions {
    pub(super) fn of(engine: &Engine) -> Result<Definitions, ReportError> {
        let mut definitions = Definitions::default();
        for file in VIEWS.iter().chain(engine.definitions) {
            definitions.add(file)?;
        }
        Ok(definitions)
    }

    fn add(&mut self, file: &SqlFile) -> Result<(), ReportError> {
        let error = |line, problem| ReportError::Sql { report: file.name.to_owned(), line, problem };
        let words = words(file.sql).map_err(|problem| error(problem.line, problem.problem))?;
        for statement in words.split(|word| word.is_mark(";")) {
            // Others fill tables.
            self.define(trim(statement));
        }
        Ok(())
    }

    /// Adds a `create or replace view` or `macro`. `None` for another statement.
    fn define(&mut self, statement: &[Word]) -> Option<()> {
        let mut head = Vec::new();
        let mut at = 0;
        while head.len() < 5 {
            head.push(at);
            at = next(statement, at)?;
        }
        let is = |index: usize, name: &str| statement[head[index]].is(name);
        if !(is(0, "create") && is(1, "or") && is(2, "replace")) {
            return None;
        }
        let name = statement[head[4]].text.to_ascii_lowercase();
        if is(3, "view") {
            let body = next(statement, at)?;
            self.views.insert(name, statement[body..].to_vec());
            return Some(());
        }
        let (parameters, end) = list(statement, at)?;
        let parameters: Vec<_> = parameters.into_iter().filter_map(parameter).collect();
        let start = next(statement, next(statement, end)?)?;
        match statement[start].is("table") {
            true => {
                let body = trim(&statement[start + 1..]).to_vec();
                self.tables.insert(name, Macro { parameters, body });
            }
            false => {
                let body = statement[start..].to_vec();
                self.scalars.insert((name, parameters.len()), Macro { parameters, body });
            }
        }
        Some(())
    }
}

/// `name` or `name := default`.
pub(super) fn parameter(words: &[Word]) -> Option<(String, Option<Vec<Word>>)> {
    let name = words.first().filter(|word| word.kind == Kind::Name)?;
    let value = words.iter().position(|word| word.is_mark(":=")).map(|at| trim(&words[at + 1..]).to_vec());
    Some((name.text.to_ascii_lowercase(), value))
}
