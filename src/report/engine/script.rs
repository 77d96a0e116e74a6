//! A report as statements of an engine that end with one SELECT.

use super::definitions::Definitions;
use super::dialect::Engine;
use super::expand::{Cte, expand};
use super::words::{Kind, Word, text, trim, words};
use crate::report::ReportError;
use crate::report::arguments::Arguments;
use crate::report::catalogue::Report;
use crate::report::definition::literal;
use crate::report::header::Header;
use crate::text::Language;

/// Where the engine has the tables and may create others.
#[derive(Debug)]
pub(crate) struct Places {
    /// The name of a table, with `{table}` in place of ours.
    pub(crate) tables: String,
    /// The schema of intermediate tables; that of the session without one.
    pub(crate) scratch: Option<String>,
}

impl Default for Places {
    fn default() -> Places {
        Places { tables: Places::TABLE.to_owned(), scratch: None }
    }
}

impl Places {
    pub(crate) const TABLE: &str = "{table}";

    pub(super) fn table(&self, name: &str) -> String {
        self.tables.replace(Places::TABLE, name)
    }

    fn step(&self, report: &str, name: &str) -> String {
        let schema = self.scratch.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
        format!("{schema}{}_{name}", report.replace('-', "_"))
    }
}

/// Writes reports for an engine.
pub(crate) struct Scripts {
    pub(super) engine: &'static Engine,
    pub(super) definitions: Definitions,
}

impl Scripts {
    pub(crate) fn new(engine: &'static Engine) -> Result<Scripts, ReportError> {
        Ok(Scripts { engine, definitions: Definitions::of(engine)? })
    }

    /// The statements that run a report with these values, each with a semicolon.
    pub(crate) fn script(
        &self,
        report: &Report,
        arguments: &Arguments,
        places: &Places,
    ) -> Result<String, ReportError> {
        let engine = self.engine;
        let query = query(report, arguments)?;
        let expanded = expand(&self.definitions, &query).map_err(|problem| ReportError::Expand {
            report: report.name.clone(),
            engine: engine.name,
            problem,
        })?;
        let mut chain = Vec::new();
        let mut steps = Vec::new();
        let mut statements: Vec<String> = engine.settings.iter().map(|setting| (*setting).to_owned()).collect();
        let renderer = Renderer { engine, places, report: &report.name };
        for cte in &expanded.ctes {
            match engine.steps.filter(|(_, small)| cte.is_materialized || small.contains(&base_name(&cte.name))) {
                None => chain.push(cte),
                Some((create, _)) => {
                    let name = places.step(&report.name, &cte.name);
                    let select = renderer.select(&chain, &steps, &cte.query);
                    statements.push(format!("drop table if exists {name}"));
                    statements.push(format!("create table {name} {create}\n{select}"));
                    steps.push(cte.name.as_str());
                }
            }
        }
        statements.push(renderer.select(&chain, &steps, &expanded.query));
        statements.extend(steps.iter().rev().map(|step| format!("drop table {}", places.step(&report.name, step))));
        let statements: Vec<String> = statements.into_iter().map(|statement| statement + ";\n").collect();
        Ok(format!("-- {}: {}\n{}", report.name, arguments.summary(&[], Language::English), statements.join("\n")))
    }
}

/// Without the number of a second set of arguments.
fn base_name(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_')
}

/// The query of a report with its values, without a semicolon.
fn query(report: &Report, arguments: &Arguments) -> Result<Vec<Word>, ReportError> {
    let error = |line, problem| ReportError::Sql { report: report.name.clone(), line, problem };
    let lex = |sql: &str| words(sql).map_err(|problem| error(problem.line, problem.problem));
    let mut query = Vec::new();
    for word in lex(Header::body(&report.sql))? {
        match word.kind {
            Kind::Parameter => {
                let found = arguments.iter().find(|argument| argument.name == word.text);
                let argument = found.ok_or_else(|| error(1, format!("${} is not declared", word.text)))?;
                query.extend(lex(&literal(argument.kind, argument.value.as_deref()))?);
            }
            // A report is a single query: what follows is blank.
            Kind::Mark if word.text == ";" => {}
            _ => query.push(word),
        }
    }
    Ok(query)
}

pub(super) struct Renderer<'a> {
    pub(super) engine: &'a Engine,
    pub(super) places: &'a Places,
    pub(super) report: &'a str,
}

impl Renderer<'_> {
    /// A query with the common table expressions that it uses; `steps` are tables.
    pub(super) fn select(&self, chain: &[&Cte], steps: &[&str], query: &[Word]) -> String {
        let mut needed = vec![false; chain.len()];
        let mut open: Vec<&[Word]> = vec![query];
        while let Some(words) = open.pop() {
            for word in words.iter().filter(|word| word.kind == Kind::Cte) {
                if let Some(at) = chain.iter().position(|cte| cte.name == word.text)
                    && !std::mem::replace(&mut needed[at], true)
                {
                    open.push(&chain[at].query);
                }
            }
        }
        let needed = chain.iter().zip(needed).filter(|(_, is_needed)| *is_needed);
        let ctes: Vec<String> = needed
            .map(|(cte, _)| {
                let materialized = if cte.is_materialized { "materialized " } else { "" };
                format!("{} as {materialized}(\n{}\n)", cte.name, self.text(steps, &cte.query))
            })
            .collect();
        let with = if ctes.is_empty() { String::new() } else { format!("with {}\n\n", ctes.join(",\n\n")) };
        format!("{with}{}", self.text(steps, query))
    }

    fn text(&self, steps: &[&str], words: &[Word]) -> String {
        let placed = trim(words).iter().map(|word| {
            let text = match word.kind {
                Kind::Table => self.places.table(&word.text),
                Kind::Cte if steps.contains(&word.text.as_str()) => self.places.step(self.report, &word.text),
                _ => word.text.clone(),
            };
            Word::new(word.kind, text)
        });
        text(&self.engine.spelling.spell(&placed.collect::<Vec<_>>()))
    }
}
