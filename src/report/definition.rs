//! A report as a table macro: the same text, its parameters become those of the macro.

use super::sql_text::{Piece, pieces};
use super::{Header, ParameterKind, ReportError};
use crate::schema::ddl::quoted;

/// How a macro is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// In the database that is written.
    Published,
    /// In the session only: a database that is open for reading takes no other.
    Session,
}

/// The name of a report's macro: `report_worst_meetings` for `worst-meetings`.
pub(crate) fn macro_name(report: &str) -> String {
    format!("report_{}", report.replace('-', "_"))
}

/// The name of the macro that a report of somebody's folder is in a session. It is another one, so that such a report can
/// build on the program's own of that name.
pub(super) fn session_macro_name(report: &str) -> String {
    format!("own_{}", macro_name(report))
}

/// `create macro` for a report, as one statement without its end.
///
/// # Errors
/// Where the text uses a parameter that the header does not declare, is more than one statement, or has no end to a
/// literal.
pub(super) fn definition(life: Life, report: &str, header: &Header, sql: &str) -> Result<String, ReportError> {
    let create = match life {
        Life::Published => format!("create or replace macro {}", macro_name(report)),
        Life::Session => format!("create or replace temp macro {}", session_macro_name(report)),
    };
    let parameters: Vec<String> = header
        .parameters
        .iter()
        .map(|parameter| format!("{} := {}", parameter.name, literal(parameter.kind, parameter.default.as_deref())))
        .collect();
    let query = query(report, header, sql)?;
    Ok(format!("{create}({}) as table\n{query}", parameters.join(", ")))
}

/// The query below the header, with bare names for parameters.
fn query(report: &str, header: &Header, sql: &str) -> Result<String, ReportError> {
    let body = Header::body(sql);
    let lines_above = sql[..sql.len() - body.len()].matches('\n').count();
    let error = |line: usize, problem: String| ReportError::Sql {
        report: report.to_owned(),
        line: lines_above + line,
        problem,
    };
    let pieces = pieces(body).map_err(|problem| error(problem.line, problem.problem))?;
    let mut query = String::with_capacity(body.len());
    // Up to here the query means something: comments after it go, so that whoever adds a semicolon ends the statement.
    let mut end = 0;
    let mut is_over = false;
    for (line, piece) in pieces {
        match piece {
            Piece::Blank(text) => {
                query.push_str(text);
                continue;
            }
            _ if is_over => return Err(error(line, "a report is one query, and here another begins".to_owned())),
            Piece::Code(text) => query.push_str(text),
            Piece::End => {
                is_over = true;
                continue;
            }
            Piece::Parameter(name) => match header.parameters.iter().any(|parameter| parameter.name == name) {
                true => query.push_str(name),
                false => return Err(error(line, format!("${name} is not declared: -- parameter: {name} text: ..."))),
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

/// A parameter's value as SQL. The kind has accepted the text, so that numbers can stand bare.
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

    fn made(body: &str) -> Result<String, String> {
        let sql = format!("{HEADER}{body}");
        let header = Header::parse("my-own", &sql).expect("header");
        definition(Life::Published, "my-own", &header, &sql).map_err(|error| error.to_string())
    }

    #[test]
    fn a_report_becomes_a_macro_of_the_same_text() {
        let body = "select '$since' as a -- $since\nwhere $since is null or $name = '$'\nlimit $top;\n-- end\n";
        insta::assert_snapshot!(made(body).expect("a macro"), @r"
        create or replace macro report_my_own(since := null, name := 'it''s', top := 5) as table
        select '$since' as a -- $since
        where since is null or name = '$'
        limit top
        ");
    }

    #[test]
    fn what_is_no_single_query_is_named_with_its_line() {
        insta::assert_snapshot!(made("select 1;\nselect 2").expect_err("two"), @"the SQL of the report my-own, line 8: a report is one query, and here another begins");
        insta::assert_snapshot!(made("select\n$sinse").expect_err("unknown"), @"the SQL of the report my-own, line 8: $sinse is not declared: -- parameter: sinse text: ...");
        insta::assert_snapshot!(made(" \n;").expect_err("nothing"), @"the SQL of the report my-own, line 7: there is no query below the header");
        insta::assert_snapshot!(made("select 'a").expect_err("open"), @"the SQL of the report my-own, line 7: what begins here has no end");
    }
}
