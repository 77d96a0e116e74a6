//! Runs a report on an open database.

use std::collections::BTreeMap;

use duckdb::Connection;

use super::{Cell, Header, Report, ReportError, ResultSet};

/// The values of a report's parameters: what was chosen, else the default; `None` for NULL.
pub type Arguments = BTreeMap<String, Option<String>>;

/// Checks what was chosen (`name=value` each) against the header and fills in the defaults.
///
/// # Errors
/// Where a name is unknown, or a value is not what the parameter wants.
pub fn arguments(report: &str, header: &Header, chosen: &[String]) -> Result<Arguments, ReportError> {
    let mut arguments: Arguments =
        header.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.default.clone())).collect();
    for text in chosen {
        let (name, value) = text.split_once('=').ok_or_else(|| ReportError::NotAssigned { text: text.clone() })?;
        let (name, value) = (name.trim(), value.trim());
        let Some(parameter) = header.parameters.iter().find(|parameter| parameter.name == name) else {
            return Err(ReportError::UnknownParameter {
                report: report.to_owned(),
                name: name.to_owned(),
                known: header.parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            });
        };
        // `since=` takes a default away.
        let value = (!value.is_empty()).then(|| value.to_owned());
        if let Some(text) = &value
            && !parameter.kind.accepts(text)
        {
            return Err(ReportError::BadParameter {
                report: report.to_owned(),
                name: name.to_owned(),
                text: text.clone(),
                wants: parameter.kind.wants(),
            });
        }
        arguments.insert(name.to_owned(), value);
    }
    Ok(arguments)
}

/// Runs the report. Parameters are bound as text; the SQL casts them, so that it runs in any client.
///
/// # Errors
/// Where DuckDB refuses the SQL, or returns what is no plain value.
pub fn run(connection: &Connection, report: &Report, arguments: &Arguments) -> Result<ResultSet, ReportError> {
    let failed = |source| ReportError::Run { report: report.name.to_owned(), source };
    let mut statement = connection.prepare(report.sql).map_err(failed)?;
    let values = (1..=statement.parameter_count())
        .map(|index| Ok(arguments.get(&statement.parameter_name(index)?).cloned().flatten()))
        .collect::<duckdb::Result<Vec<Option<String>>>>()
        .map_err(failed)?;
    let mut answered = statement.query(duckdb::params_from_iter(values)).map_err(failed)?;
    let columns = answered.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
    let mut rows = Vec::new();
    while let Some(row) = answered.next().map_err(failed)? {
        let mut cells = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(failed)?;
            cells.push(Cell::of(value).ok_or_else(|| ReportError::NotScalar {
                report: report.name.to_owned(),
                column: column.clone(),
                found: value.data_type().to_string(),
            })?);
        }
        rows.push(cells);
    }
    Ok(ResultSet { columns, rows })
}
