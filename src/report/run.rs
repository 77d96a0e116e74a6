//! Runs a report on an open database.
//!
//! A report of the program is run by its macro in the database, as anybody would run it in any client; one of somebody's
//! folder becomes a macro of the session first. Values are written as literals, so that a window is a constant that
//! reaches the scans.

use std::path::Path;

use duckdb::Connection;

use super::definition::{Life, definition, literal, session_macro_name};
use super::{Arguments, Cell, Report, ReportError, ResultSet, macro_name};
use crate::schema::ddl::quoted;

/// The query of a report with these values: what an analyst types.
pub(crate) fn call(report: &Report, arguments: &Arguments) -> String {
    let name = match report.file {
        None => macro_name(&report.name),
        Some(_) => session_macro_name(&report.name),
    };
    let values: Vec<String> = arguments
        .iter()
        .map(|argument| format!("{} := {}", argument.name, literal(argument.kind, argument.value.as_deref())))
        .collect();
    format!("select * from {name}({})", values.join(", "))
}

/// Runs the report.
///
/// # Errors
/// [`ReportError::NotInstalled`] on a database of another version, [`ReportError::UnknownProfile`],
/// [`ReportError::Run`] where DuckDB refuses, [`ReportError::NotScalar`].
pub(crate) fn run(connection: &Connection, report: &Report, arguments: &Arguments) -> Result<ResultSet, ReportError> {
    prepare(connection, report, arguments)?;
    let failed = |source| ReportError::run(report, source);
    let mut statement = connection.prepare(&call(report, arguments)).map_err(failed)?;
    let mut answered = statement.query([]).map_err(failed)?;
    let columns = answered.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
    let documented: Vec<&str> = report.header.columns.iter().map(|column| column.name.as_str()).collect();
    if let Some(path) = &report.file
        && columns != documented
    {
        let (path, documented) = (path.clone(), documented.join(", "));
        return Err(ReportError::OtherColumns { path, documented, found: columns.join(", ") });
    }
    let mut rows = Vec::new();
    while let Some(row) = answered.next().map_err(failed)? {
        let mut cells = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(failed)?;
            cells.push(Cell::of(value).ok_or_else(|| ReportError::NotScalar {
                report: report.name.clone(),
                column: column.clone(),
                found: value.data_type().to_string(),
            })?);
        }
        rows.push(cells);
    }
    Ok(ResultSet { columns, rows })
}

/// Runs the report into a Parquet file, which must not be there yet, and counts its rows.
///
/// # Errors
/// As [`run`], and [`ReportError::Parquet`] where the file can't be written.
pub(crate) fn write_parquet(
    connection: &Connection,
    report: &Report,
    arguments: &Arguments,
    path: &Path,
) -> Result<u64, ReportError> {
    prepare(connection, report, arguments)?;
    let failed = |source| ReportError::Parquet {
        report: report.name.clone(),
        path: path.to_path_buf(),
        source: Box::new(source),
    };
    let call = call(report, arguments);
    // What is wrong with the report is not the file's fault.
    connection.prepare(&call).map_err(|source| ReportError::run(report, source))?;
    let copy = format!("copy ({call}) to {} (format parquet, compression zstd)", quoted(&path.to_string_lossy()));
    Ok(connection.execute(&copy, []).map_err(failed)? as u64)
}

/// Makes sure that the report can be called, and that it judges by a profile that there is: without limits everything
/// would look good.
fn prepare(connection: &Connection, report: &Report, arguments: &Arguments) -> Result<(), ReportError> {
    let failed = |source| ReportError::run(report, source);
    match &report.file {
        Some(_) => {
            let sql = definition(Life::Session, &report.name, &report.header, &report.sql)?;
            connection.execute_batch(&sql).map_err(failed)?;
        }
        None => {
            let installed = installed_parameters(connection, &macro_name(&report.name)).map_err(failed)?;
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

/// The sets of limits in the database; none where it is of a version that had no limits.
fn profiles(connection: &Connection) -> duckdb::Result<Vec<String>> {
    let sql = "select count(*) > 0 from information_schema.tables where table_name = 'thresholds'";
    match connection.query_row(sql, [], |row| row.get(0))? {
        true => texts(connection, "select distinct profile from thresholds order by profile"),
        false => Ok(Vec::new()),
    }
}

/// The parameters of a table macro in the database; `None` where there is no such macro.
fn installed_parameters(connection: &Connection, name: &str) -> duckdb::Result<Option<Vec<String>>> {
    let of_macro =
        format!("duckdb_functions() where function_type = 'table_macro' and function_name = {}", quoted(name));
    if texts(connection, &format!("select function_name from {of_macro}"))?.is_empty() {
        return Ok(None);
    }
    texts(connection, &format!("select p from (select unnest(parameters) as p from {of_macro})")).map(Some)
}

fn texts(connection: &Connection, sql: &str) -> duckdb::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Why the report has no rows: what it says itself, and what the data say.
///
/// # Errors
/// [`ReportError::Run`].
pub(crate) fn why_no_rows(
    connection: &Connection,
    report: &Report,
    arguments: &Arguments,
) -> Result<String, ReportError> {
    let failed = |source| ReportError::run(report, source);
    let mut sentences: Vec<String> =
        (!report.header.empty.is_empty()).then(|| report.header.empty.clone()).into_iter().collect();
    if installed_parameters(connection, "why_no_rows").map_err(failed)?.is_some() {
        let values: Vec<String> = ["since", "until", "profile"]
            .into_iter()
            .filter_map(|name| Some(format!("{name} := {}", quoted(arguments.get(name)?))))
            .collect();
        let sql = format!("select sentence, is_of_minutes from why_no_rows({})", values.join(", "));
        let (sentence, is_of_minutes): (String, bool) =
            connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        // Where there is nothing at all, nothing else is to be said.
        if !is_of_minutes {
            return Ok(sentence);
        }
        // A report that judges nothing has its own reasons.
        if report.header.parameter("profile").is_some() {
            sentences.push(sentence);
        }
    }
    Ok(sentences.join(" "))
}

impl ReportError {
    /// DuckDB's refusal of a report.
    fn run(report: &Report, source: duckdb::Error) -> ReportError {
        match &report.file {
            Some(path) => ReportError::Own { path: path.clone(), source: Box::new(source) },
            None => ReportError::Run { report: report.name.clone(), source: Box::new(source) },
        }
    }
}
