//! Runs a report on an open database.
//!
//! A built-in report runs by its macro in the database, as in any DuckDB client; a custom report becomes a session
//! macro first. Values are written as literals so that the window is a constant that is pushed down to the scans.

use std::path::Path;

use duckdb::Connection;

use super::ReportError;
use super::arguments::Arguments;
use super::catalogue::Report;
use super::definition::{MacroScope, custom_macro_name, definition, literal, macro_name};
use super::history::short_history;
use super::page::chinese;
use super::result::{QueryError, ResultSet, query};
use crate::load::without_appendix;
use crate::schema::ddl::quoted;
use crate::text::Language;

/// The SQL that runs a report with these values.
pub(super) fn call_sql(report: &Report, arguments: &Arguments) -> String {
    let name = match report.file {
        None => macro_name(&report.name),
        Some(_) => custom_macro_name(&report.name),
    };
    let values: Vec<String> = arguments
        .iter()
        .map(|argument| format!("{} := {}", argument.name, literal(argument.kind, argument.value.as_deref())))
        .collect();
    format!("select * from {name}({})", values.join(", "))
}

/// Runs a report.
pub(crate) fn run(connection: &Connection, report: &Report, arguments: &Arguments) -> Result<ResultSet, ReportError> {
    run_where(connection, report, arguments, None)
}

/// Runs a report and returns the rows for which a condition is true, which is an SQL expression over its columns.
pub(crate) fn run_where(
    connection: &Connection,
    report: &Report,
    arguments: &Arguments,
    condition: Option<&str>,
) -> Result<ResultSet, ReportError> {
    prepare(connection, report, arguments)?;
    let mut sql = call_sql(report, arguments);
    if let Some(condition) = condition {
        // The line end ends a comment in the condition.
        let kind = format!("select column_type from (describe select (\n{condition}\n) as c from ({sql}))");
        let kind: String = connection.query_row(&kind, [], |row| row.get(0)).map_err(|e| run_error(report, e))?;
        if kind != "BOOLEAN" {
            return Err(ReportError::NotACondition { report: report.name.clone(), found: kind });
        }
        sql = format!("select * from ({sql}) where (\n{condition}\n)");
    }
    let result = query(connection, &sql).map_err(|error| match error {
        QueryError::Duckdb(source) => run_error(report, source),
        QueryError::NotScalar { column, found } => {
            ReportError::NotScalar { report: report.name.clone(), column, found }
        }
    })?;
    let documented: Vec<&str> = report.header.columns.iter().map(|column| column.name.as_str()).collect();
    match &report.file {
        Some(path) if result.columns != documented => Err(ReportError::ColumnMismatch {
            path: path.clone(),
            documented: documented.join(", "),
            found: result.columns.join(", "),
        }),
        _ => Ok(result),
    }
}

/// Runs a report into a Parquet file, which must not exist yet, and returns the number of rows.
pub(crate) fn write_parquet(
    connection: &Connection,
    report: &Report,
    arguments: &Arguments,
    path: &Path,
) -> Result<u64, ReportError> {
    prepare(connection, report, arguments)?;
    let call = call_sql(report, arguments);
    // Prepared separately so that an error in the report is not reported as an error of the file.
    connection.prepare(&call).map_err(|source| run_error(report, source))?;
    let copy = format!("copy ({call}) to {} (format parquet, compression zstd)", quoted(&path.to_string_lossy()));
    let rows = connection.execute(&copy, []).map_err(|source| ReportError::Parquet {
        report: report.name.clone(),
        path: path.to_path_buf(),
        source: Box::new(source),
    })?;
    Ok(rows as u64)
}

/// Ensures that the report can be called and that its profile exists; without thresholds every minute would be good.
fn prepare(connection: &Connection, report: &Report, arguments: &Arguments) -> Result<(), ReportError> {
    let failed = |source| run_error(report, source);
    match &report.file {
        Some(_) => {
            let sql = definition(MacroScope::Session, &report.name, &report.header, &report.sql)?;
            connection.execute_batch(&sql).map_err(failed)?;
        }
        None => {
            let installed = macro_parameters(connection, &macro_name(&report.name)).map_err(failed)?;
            let is_known = |name: &str| installed.iter().flatten().any(|known| known == name);
            if installed.is_none() || !report.header.parameters.iter().all(|parameter| is_known(&parameter.name)) {
                return Err(ReportError::NotInstalled { report: report.name.clone() });
            }
        }
    }
    if let Some(profile) = arguments.get("profile")
        && let known = profiles(connection).map_err(failed)?
        && !known.is_empty()
        && !known.iter().any(|name| name == profile)
    {
        return Err(ReportError::UnknownProfile { profile: profile.to_owned(), known });
    }
    Ok(())
}

/// The profiles in the database; empty for a version without thresholds.
fn profiles(connection: &Connection) -> duckdb::Result<Vec<String>> {
    let sql = "select count(*) > 0 from information_schema.tables where table_name = 'thresholds'";
    match connection.query_row(sql, [], |row| row.get(0))? {
        true => texts(connection, "select distinct profile from thresholds order by profile"),
        false => Ok(Vec::new()),
    }
}

/// The parameters of a table macro in the database; `None` if the macro does not exist.
fn macro_parameters(connection: &Connection, name: &str) -> duckdb::Result<Option<Vec<String>>> {
    let functions =
        format!("duckdb_functions() where function_type = 'table_macro' and function_name = {}", quoted(name));
    if texts(connection, &format!("select function_name from {functions}"))?.is_empty() {
        return Ok(None);
    }
    texts(connection, &format!("select p from (select unnest(parameters) as p from {functions})")).map(Some)
}

fn texts(connection: &Connection, sql: &str) -> duckdb::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Explains why a report has no rows, from its header and from the data, in the language of the report.
pub(crate) fn explain_empty(
    connection: &Connection,
    report: &Report,
    arguments: &Arguments,
) -> Result<String, ReportError> {
    let failed = |source| run_error(report, source);
    let say = |english: String| match report.language {
        Language::English => english,
        Language::Chinese => chinese(&english).unwrap_or(english),
    };
    let mut sentences: Vec<String> = Vec::new();
    if !report.header.empty.is_empty() {
        sentences.push(report.header.empty.clone());
    }
    if macro_parameters(connection, "why_no_rows").map_err(failed)?.is_some() {
        let values: Vec<String> = ["since", "until", "profile"]
            .into_iter()
            .filter_map(|name| Some(format!("{name} := {}", quoted(arguments.get(name)?))))
            .collect();
        let sql = format!("select sentence, is_of_minutes from why_no_rows({})", values.join(", "));
        let (sentence, is_of_minutes): (String, bool) =
            connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        // Without meetings, the reason of the report is irrelevant.
        if !is_of_minutes {
            return Ok(say(sentence));
        }
        // A report without verdicts has its own reasons.
        if report.header.parameter("profile").is_some() {
            sentences.push(say(sentence));
        }
    }
    if report.file.is_none() && report.name == "incidents" {
        let early = short_history(connection, arguments.get("since"), arguments.get("until")).map_err(failed)?;
        sentences.push(say(early));
        sentences.retain(|sentence| !sentence.is_empty());
    }
    Ok(sentences.join(report.language.pick(" ", "")))
}

pub(super) fn run_error(report: &Report, source: duckdb::Error) -> ReportError {
    let source = Box::new(without_appendix(source));
    match &report.file {
        Some(path) => ReportError::RunCustom { path: path.clone(), source },
        None => ReportError::Run { report: report.name.clone(), source },
    }
}
