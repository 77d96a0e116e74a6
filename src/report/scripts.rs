//! The scripts installed in every published database: files of shared definitions, split into statements, and reports.

use super::ReportError;
use super::definition::{MacroScope, definition, macro_name, signature};
use super::header::Header;
use super::meanings::{Kind, comment, report_comment};
use super::registry::{VIEWS, built_in};
use super::tokenizer::{Token, split_tokens};
use crate::load::{Relation, Script};
use crate::text::Language;

/// The shared definitions, then one macro per report, in the order of installation, with comments in this language.
pub(crate) fn scripts(language: Language) -> Result<Vec<Script>, ReportError> {
    let mut scripts = Vec::new();
    for view in VIEWS {
        scripts.extend(split_statements(view.name, view.sql, language)?);
    }
    for report in built_in() {
        let header = Header::parse(report.name, report.sql)?;
        let sql = definition(MacroScope::Database, report.name, &header, report.sql)? + ";\n";
        let name = macro_name(report.name);
        let comment = Some(report_comment(&name, &header, language));
        scripts.push(Script { name, sql, relation: None, parameters: signature(&header), comment });
    }
    Ok(scripts)
}

/// The statements of a file, each with the relation that it defines.
fn split_statements(file: &str, sql: &str, language: Language) -> Result<Vec<Script>, ReportError> {
    let error = |line, problem| ReportError::Sql { report: file.to_owned(), line, problem };
    let mut statements = Vec::new();
    let mut statement = Statement::default();
    for (_, token) in split_tokens(sql).map_err(|problem| error(problem.line, problem.problem))? {
        match token {
            Token::Blank(text) => statement.text.push_str(text),
            Token::Code(text) => statement.code(text),
            Token::Parameter(name) => statement.code(&format!("${name}")),
            Token::End => statements.extend(std::mem::take(&mut statement).into_script(file, language)),
        }
    }
    statements.extend(statement.into_script(file, language));
    Ok(statements)
}

/// The part of a statement read so far.
#[derive(Default)]
struct Statement {
    text: String,
    /// Where the code begins in the text, after leading comments.
    code_start: Option<usize>,
    /// The first code tokens, without the parameters of a macro.
    head: Vec<String>,
    /// The start of a macro's parameter list and the number of open parentheses.
    parentheses: Option<(usize, usize)>,
    /// The parameter list of a macro, once it is closed.
    parameters: Option<String>,
}

/// Number of tokens in `create or replace macro name as table`.
const HEAD_TOKENS: usize = 7;

impl Statement {
    fn code(&mut self, text: &str) {
        let at = self.text.len();
        self.code_start.get_or_insert(at);
        self.text.push_str(text);
        let is_open = self.parentheses.is_some() && self.parameters.is_none();
        match (text, self.parentheses) {
            ("(", None) if self.head.len() == 5 => self.parentheses = Some((at, 1)),
            ("(", Some((start, depth))) if is_open => self.parentheses = Some((start, depth + 1)),
            (")", Some((start, 1))) if is_open => self.parameters = Some(self.text[start..].to_owned()),
            (")", Some((start, depth))) if is_open => self.parentheses = Some((start, depth - 1)),
            _ if is_open => {}
            _ if self.head.len() < HEAD_TOKENS => self.head.push(text.to_owned()),
            _ => {}
        }
    }

    /// `None` if there is no code.
    fn into_script(self, file: &str, language: Language) -> Option<Script> {
        let (before, code) = self.text.split_at(self.code_start?);
        let (doc, sql) = (last_paragraph(before), code.trim_end().to_owned() + ";\n");
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let relation = match (head.as_slice(), &self.parameters) {
            (["create", "or", "replace", "view", name, ..], _) => Some(Relation::View((*name).to_owned())),
            (["create", "or", "replace", "macro", name, "as", "table"], Some(parameters)) => {
                Some(Relation::Macro { name: (*name).to_owned(), parameters: parameters.clone() })
            }
            _ => None,
        };
        let name = match head.as_slice() {
            ["create", "or", "replace", _, name, ..] => format!("{file}, {name}"),
            _ => file.to_owned(),
        };
        let kind = match head.as_slice() {
            ["create", "or", "replace", "view", ..] => Some(Kind::View),
            ["create", "or", "replace", "macro", _, "as", "table"] => Some(Kind::TableMacro),
            ["create", "or", "replace", "macro", ..] => Some(Kind::ScalarMacro),
            _ => None,
        };
        let parameters = self.parameters.unwrap_or_default();
        let comment = kind.zip(head.get(4)).map(|(kind, name)| comment(kind, name, &parameters, &doc, language));
        Some(Script { name, sql, relation, parameters, comment })
    }
}

/// The lines of a comment directly above a statement, as one.
fn last_paragraph(comments: &str) -> String {
    let lines = comments.trim_end_matches('\n').rsplit('\n');
    let mut lines: Vec<&str> = lines.map_while(|line| line.trim_start().strip_prefix("--")).collect();
    lines.reverse();
    lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn each_statement_has_its_relation() {
        let sql = "-- limits\ndelete from t; -- all\ninsert into t select ';)';\n\
                   create or replace macro twice(x) as (x * 2);\n\
                   create or replace macro some(a := null, b := cast(1 as int)) as table\n-- why\nselect a, (b);\n\
                   create or replace view everybody as select * from some(a := 1)\n";
        let found = split_statements("010", sql, Language::English).expect("statements");
        let found: Vec<_> = found.iter().map(|s| (s.name.as_str(), s.sql.as_str(), s.relation.clone())).collect();
        let some =
            Relation::Macro { name: "some".to_owned(), parameters: "(a := null, b := cast(1 as int))".to_owned() };
        assert_eq!(
            found,
            [
                ("010", "delete from t;\n", None),
                ("010", "insert into t select ';)';\n", None),
                ("010, twice", "create or replace macro twice(x) as (x * 2);\n", None),
                (
                    "010, some",
                    "create or replace macro some(a := null, b := cast(1 as int)) as table\n-- why\nselect a, (b);\n",
                    Some(some)
                ),
                (
                    "010, everybody",
                    "create or replace view everybody as select * from some(a := 1);\n",
                    Some(Relation::View("everybody".to_owned()))
                ),
            ]
        );
    }

    /// Name and text of every definition in a database.
    fn definitions(connection: &duckdb::Connection) -> Vec<(String, String)> {
        let sql = "select view_name, sql from duckdb_views() where not internal \
                   union all select function_name, array_to_string(parameters, ', ') || ' ' || macro_definition \
                   from duckdb_functions() where not internal order by all";
        let mut statement = connection.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<duckdb::Result<_>>().expect("texts")
    }

    #[test]
    fn installing_with_placeholders_gives_the_same_definitions_as_running_the_files() {
        let (installed, in_order) = (fixture::without_definitions(), fixture::without_definitions());
        fixture::install(&installed);
        for view in crate::report::registry::VIEWS {
            in_order.execute_batch(view.sql).expect("the file runs");
        }
        for report in
            crate::report::scripts(Language::English).expect("scripts").iter().filter(|s| s.name.starts_with("report_"))
        {
            in_order.execute_batch(&report.sql).expect("a report");
        }
        let found = definitions(&installed);
        assert_eq!(found, definitions(&in_order));
        assert!(found.len() > 60, "{}", found.len());
    }

    #[test]
    fn an_unterminated_quote_is_an_error_with_its_line() {
        let error = split_statements("010", "select 1;\nselect 'x", Language::English).expect_err("unterminated");
        assert!(matches!(error, ReportError::Sql { line: 2, .. }), "{error}");
    }
}
