//! A file of shared definitions, cut into its statements, each with what it defines for others.

use super::ReportError;
use super::sql_text::{Piece, pieces};
use crate::load::{Relation, Script};

/// The statements of a file of definitions, in their order.
///
/// # Errors
/// Where a literal or a comment has no end.
pub(super) fn statements(file: &str, sql: &str) -> Result<Vec<Script>, ReportError> {
    let error = |line, problem| ReportError::Sql { report: file.to_owned(), line, problem };
    let mut statements = Vec::new();
    let mut statement = Statement::default();
    for (_, piece) in pieces(sql).map_err(|problem| error(problem.line, problem.problem))? {
        match piece {
            Piece::Blank(text) => statement.text.push_str(text),
            Piece::Code(text) => statement.code(text),
            Piece::Parameter(name) => statement.code(&format!("${name}")),
            Piece::End => statements.extend(std::mem::take(&mut statement).script(file)),
        }
    }
    statements.extend(statement.script(file));
    Ok(statements)
}

/// A statement up to a place in it.
#[derive(Default)]
struct Statement {
    text: String,
    /// Where in the text the code begins, and where each piece of its head ends.
    begins: Option<usize>,
    head: Vec<String>,
    /// The brackets behind the name: where they begin, how many are open, and the text once they are closed.
    brackets: Option<(usize, usize)>,
    parameters: Option<String>,
}

/// Pieces of code up to the `as table` of a macro without its brackets: `create or replace macro name as table`.
const HEAD: usize = 7;

impl Statement {
    fn code(&mut self, text: &str) {
        let at = self.text.len();
        self.begins.get_or_insert(at);
        self.text.push_str(text);
        let is_open = self.brackets.is_some() && self.parameters.is_none();
        match (text, self.brackets) {
            ("(", None) if self.head.len() == 5 => self.brackets = Some((at, 1)),
            ("(", Some((began, depth))) if is_open => self.brackets = Some((began, depth + 1)),
            (")", Some((began, 1))) if is_open => self.parameters = Some(self.text[began..].to_owned()),
            (")", Some((began, depth))) if is_open => self.brackets = Some((began, depth - 1)),
            _ if is_open => {}
            _ if self.head.len() < HEAD => self.head.push(text.to_owned()),
            _ => {}
        }
    }

    /// The script; none where there is only blank.
    fn script(self, file: &str) -> Option<Script> {
        let sql = self.text[self.begins?..].trim_end().to_owned() + ";\n";
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let relation = match (head.as_slice(), self.parameters) {
            (["create", "or", "replace", "view", name, ..], _) => Some(Relation::View((*name).to_owned())),
            (["create", "or", "replace", "macro", name, "as", "table"], Some(parameters)) => {
                Some(Relation::Macro { name: (*name).to_owned(), parameters })
            }
            _ => None,
        };
        let name = match head.as_slice() {
            ["create", "or", "replace", _, name, ..] => format!("{file}, {name}"),
            _ => file.to_owned(),
        };
        Some(Script { name, sql, relation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn each_statement_says_what_it_defines() {
        let sql = "-- limits\ndelete from t; -- all\ninsert into t select ';)';\n\
                   create or replace macro twice(x) as (x * 2);\n\
                   create or replace macro some(a := null, b := cast(1 as int)) as table\n-- why\nselect a, (b);\n\
                   create or replace view everybody as select * from some(a := 1)\n";
        let found = statements("010", sql).expect("statements");
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

    /// Every definition of a database, as it was read: name and text.
    fn defined(connection: &duckdb::Connection) -> Vec<(String, String)> {
        let sql = "select view_name, sql from duckdb_views() where not internal \
                   union all select function_name, array_to_string(parameters, ', ') || ' ' || macro_definition \
                   from duckdb_functions() where not internal order by all";
        let mut statement = connection.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<duckdb::Result<_>>().expect("texts")
    }

    #[test]
    fn stand_ins_leave_what_the_files_define_and_nothing_of_their_own() {
        let (installed, in_order) = (fixture::without_definitions(), fixture::without_definitions());
        fixture::install(&installed);
        for view in crate::report::VIEWS {
            in_order.execute_batch(view.sql).expect("a file runs by itself");
        }
        for report in crate::report::scripts().expect("scripts").iter().filter(|s| s.name.starts_with("report_")) {
            in_order.execute_batch(&report.sql).expect("a report");
        }
        let found = defined(&installed);
        assert_eq!(found, defined(&in_order));
        assert!(found.len() > 60, "{}", found.len());
    }

    #[test]
    fn what_has_no_end_is_an_error_with_its_line() {
        let error = statements("010", "select 1;\nselect 'x").expect_err("no end");
        assert!(matches!(error, ReportError::Sql { line: 2, .. }), "{error}");
    }
}
