//! Turns a report into a table macro: the same query, with its parameters as parameters of the macro.

use super::ReportError;
use super::header::{Header, Parameter, ParameterKind};
use super::tokenizer::{Token, split_tokens};
use crate::schema::ddl::quoted;

/// Where a macro is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MacroScope {
    /// In the database being written.
    Database,
    /// In the session only, because a database opened read-only accepts no other.
    Session,
}

/// The name of a report's macro: `report_worst_meetings` for `worst-meetings`.
pub(crate) fn macro_name(report: &str) -> String {
    format!("report_{}", report.replace('-', "_"))
}

/// The name of the session macro of a custom report. It differs from the built-in name so that a custom report can use
/// the built-in report of the same name.
pub(super) fn custom_macro_name(report: &str) -> String {
    format!("own_{}", macro_name(report))
}

/// `create macro` for a report, as one statement without a semicolon.
pub(super) fn definition(scope: MacroScope, report: &str, header: &Header, sql: &str) -> Result<String, ReportError> {
    let create = match scope {
        MacroScope::Database => format!("create or replace macro {}", macro_name(report)),
        MacroScope::Session => format!("create or replace temp macro {}", custom_macro_name(report)),
    };
    let query = query(report, header, sql)?;
    Ok(format!("{create}{} as table\n{query}", signature(header)))
}

/// The parameters of a report's macro with their defaults, in parentheses.
pub(super) fn signature(header: &Header) -> String {
    let parameter = |parameter: &Parameter| {
        format!("{} := {}", parameter.name, literal(parameter.kind, parameter.default.as_deref()))
    };
    format!("({})", header.parameters.iter().map(parameter).collect::<Vec<_>>().join(", "))
}

/// The query below the header, with `$name` replaced by `name`.
fn query(report: &str, header: &Header, sql: &str) -> Result<String, ReportError> {
    let body = Header::body(sql);
    let header_lines = sql[..sql.len() - body.len()].matches('\n').count();
    let error = |line: usize, problem: String| ReportError::Sql {
        report: report.to_owned(),
        line: header_lines + line,
        problem,
    };
    let tokens = split_tokens(body).map_err(|problem| error(problem.line, problem.problem))?;
    let mut query = String::with_capacity(body.len());
    // End of the last token that is not blank: trailing comments are removed so that a semicolon can be appended.
    let mut end = 0;
    let mut is_complete = false;
    for (line, token) in tokens {
        match token {
            Token::Blank(text) => {
                query.push_str(text);
                continue;
            }
            _ if is_complete => return Err(error(line, "a report must be a single query".to_owned())),
            Token::Code(text) => query.push_str(text),
            Token::End => {
                is_complete = true;
                continue;
            }
            Token::Parameter(name) => match header.parameter(name) {
                Some(_) => query.push_str(name),
                None => return Err(error(line, format!("${name} is not declared: -- parameter: {name} text: ..."))),
            },
        }
        end = query.len();
    }
    query.truncate(end);
    match query.trim_start() {
        "" => Err(error(1, "there is no query below the header".to_owned())),
        query => Ok(query.to_owned()),
    }
}

/// A parameter value as SQL. The kind has validated the text, so numbers need no quotes.
pub(super) fn literal(kind: ParameterKind, value: Option<&str>) -> String {
    match (kind, value) {
        (_, None) => "null".to_owned(),
        (ParameterKind::Integer | ParameterKind::Number, Some(text)) => text.to_owned(),
        (ParameterKind::Date | ParameterKind::Text, Some(text)) => quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "-- title: T\n-- question: Q?\n-- parameter: since date: From.\n\
        -- parameter: name text = it's: A name.\n-- parameter: top integer = 5: Rows.\n-- column: a: The a.\n";

    fn defined(body: &str) -> Result<String, String> {
        let sql = format!("{HEADER}{body}");
        let header = Header::parse("my-own", &sql).expect("header");
        definition(MacroScope::Database, "my-own", &header, &sql).map_err(|error| error.to_string())
    }

    #[test]
    fn a_report_becomes_a_macro_with_the_same_query() {
        let body = "select '$since' as a -- $since\nwhere $since is null or $name = '$'\nlimit $top;\n-- end\n";
        insta::assert_snapshot!(defined(body).expect("a macro"), @r"
        create or replace macro report_my_own(since := null, name := 'it''s', top := 5) as table
        select '$since' as a -- $since
        where since is null or name = '$'
        limit top
        ");
    }

    #[test]
    fn errors_name_the_line() {
        insta::assert_snapshot!(defined("select 1;\nselect 2").expect_err("two"), @"the SQL of the report my-own, line 8: a report must be a single query");
        insta::assert_snapshot!(defined("select\n$sinse").expect_err("unknown"), @"the SQL of the report my-own, line 8: $sinse is not declared: -- parameter: sinse text: ...");
        insta::assert_snapshot!(defined(" \n;").expect_err("nothing"), @"the SQL of the report my-own, line 7: there is no query below the header");
        insta::assert_snapshot!(defined("select 'a").expect_err("open"), @"the SQL of the report my-own, line 7: unterminated quote or comment");
    }
}
