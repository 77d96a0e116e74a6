//! The open database: its row of `meta`, and queries whose failures are findings.

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;
use std::{fs, io};

use duckdb::Connection;

use super::context::{Result, VerifyContext};
use super::findings::{Check, Findings};
use super::registry::DATABASE;
use crate::load::{
    DuckdbErrorKind, LoadError, Reader, StorePaths, current, installed_checksum, stored_profile, without_appendix,
};
use crate::schema::Table;

/// Why a check was skipped for a table.
pub(super) const NO_TABLE: &str = "a table it needs is not as declared: see database-schema";

pub(super) struct Database {
    pub(super) connection: Reader,
    pub(super) meta: Meta,
    /// The tables that are as declared; others are not queried.
    pub(super) intact_tables: HashSet<&'static str>,
}

#[derive(Debug)]
pub(super) struct Meta {
    pub(super) generation: Option<i64>,
    pub(super) schema_version: Option<i64>,
    pub(super) run_id: Option<String>,
    pub(super) created_us: Option<i64>,
    pub(super) vcq_etl_version: Option<String>,
    pub(super) timezone: Option<String>,
    pub(super) user_id_type: Option<String>,
    pub(super) compact_bytes: Option<i64>,
    pub(super) compact_rows: Option<i64>,
    /// `None` also if an older program wrote the file.
    pub(super) definitions_sha256: Option<String>,
    /// `None` also if an older program wrote the file.
    pub(super) profile: Option<String>,
    /// The number of rows, which should be 1.
    pub(super) rows: i64,
}

pub(super) enum Opened {
    Missing,
    /// The reason.
    Damaged(String),
    Open(Box<Database>),
}

impl Database {
    pub(super) fn has(&self, tables: &[&Table]) -> bool {
        tables.iter().all(|table| self.intact_tables.contains(table.name))
    }

    /// All rows of a query whose columns are text; none if they are damaged.
    pub(super) fn rows(&self, sql: &str, object: &str, findings: &mut Findings) -> Result<Vec<TextRow>> {
        Ok(unless_damaged(text_rows(&self.connection, sql, &[]), object, findings)?.unwrap_or_default())
    }

    /// The numbers of a query's only row; `None` if they are damaged.
    pub(super) fn counts(&self, sql: &str, object: &str, findings: &mut Findings) -> Result<Option<Vec<u64>>> {
        unless_damaged(counts(&self.connection, sql), object, findings)
    }

    /// Reports the first of `count` violations. The query returns place, expected and found.
    pub(super) fn report_violations(
        &self,
        check: &'static Check,
        count: u64,
        sql: &str,
        findings: &mut Findings,
    ) -> Result {
        let sql = format!("select * from (\n{sql}) limit {}", findings.remaining(check));
        let rows = self.rows(&sql, check.name, findings)?;
        findings.found_unlisted(check, count.saturating_sub(rows.len() as u64));
        for row in rows {
            findings.found(check, text(&row, 0), text(&row, 1), text(&row, 2));
        }
        Ok(())
    }
}

/// Turns a failed query into a finding about `object`, or into an error if DuckDB ran out of memory or disk space.
pub(super) fn unless_damaged<T>(result: duckdb::Result<T>, object: &str, findings: &mut Findings) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_out_of_resources(&error) => Err(LoadError::duckdb("check", Path::new("vcq.duckdb"))(error)),
        Err(error) => {
            findings.found(
                &DATABASE,
                format!("vcq.duckdb, {object}"),
                "readable rows",
                without_appendix(error).to_string(),
            );
            Ok(None)
        }
    }
}

pub(super) fn is_out_of_resources(error: &duckdb::Error) -> bool {
    DuckdbErrorKind::classify(&error.to_string()) == DuckdbErrorKind::OutOfResources
}

/// Opens the published database. An error means that the system refuses access, or that a newer program wrote it.
pub(super) fn open(paths: &StorePaths, context: &VerifyContext<'_>) -> Result<Opened> {
    let path = paths.database();
    match fs::File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::Missing),
        other => drop(other.map_err(LoadError::io("read", &path))?),
    }
    let connection = match Reader::open(paths, context.database) {
        Ok(connection) => connection,
        Err(LoadError::Duckdb { source, .. }) => return Ok(Opened::Damaged(source.to_string())),
        Err(error) => return Err(error),
    };
    match current::check_known(&connection, &path) {
        Ok(()) => {}
        Err(error @ LoadError::NewerSchema { .. }) => return Err(error),
        Err(LoadError::ForeignDatabase { .. }) => {
            let markers = current::MARKER_TABLES.join(", ");
            return Ok(Opened::Damaged(format!("a database without one of the tables {markers}")));
        }
        Err(error) => {
            let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            return Ok(Opened::Damaged(format!("{error}{source}")));
        }
    }
    Ok(match read_meta(&connection) {
        Ok(meta) => Opened::Open(Box::new(Database { connection, meta, intact_tables: HashSet::new() })),
        Err(error) => Opened::Damaged(format!("cannot read its table meta: {error}")),
    })
}

fn read_meta(connection: &Connection) -> duckdb::Result<Meta> {
    let sql = "select max(generation), max(schema_version), max(run_id), max(epoch_us(created_utc)), \
               max(vcq_etl_version), max(timezone), max(user_id_type), max(compact_bytes), max(compact_rows), count(*) \
               from meta";
    let definitions_sha256 = installed_checksum(connection);
    let profile = stored_profile(connection);
    connection.query_row(sql, [], |row| {
        Ok(Meta {
            generation: row.get(0)?,
            schema_version: row.get(1)?,
            run_id: row.get(2)?,
            created_us: row.get(3)?,
            vcq_etl_version: row.get(4)?,
            timezone: row.get(5)?,
            user_id_type: row.get(6)?,
            compact_bytes: row.get(7)?,
            compact_rows: row.get(8)?,
            definitions_sha256,
            profile,
            rows: row.get(9)?,
        })
    })
}

pub(super) type TextRow = Vec<Option<String>>;

/// All rows of a query whose columns are text.
pub(super) fn text_rows(connection: &Connection, sql: &str, parameters: &[&str]) -> duckdb::Result<Vec<TextRow>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(duckdb::params_from_iter(parameters))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = row.as_ref().column_count();
        all.push((0..columns).map(|column| row.get(column)).collect::<duckdb::Result<TextRow>>()?);
    }
    Ok(all)
}

/// The numbers of a query's only row; NULL is 0.
pub(super) fn counts(connection: &Connection, sql: &str) -> duckdb::Result<Vec<u64>> {
    connection.query_row(sql, [], |row| {
        let columns = row.as_ref().column_count();
        (0..columns)
            .map(|column| row.get::<_, Option<i64>>(column))
            .map(|number| Ok(number?.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()))
            .collect()
    })
}

/// A value as shown in findings.
pub(super) fn or_null(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| "NULL".to_owned())
}

/// A column of a row as shown in findings.
pub(super) fn text(row: &TextRow, column: usize) -> String {
    or_null(row.get(column).and_then(Option::as_ref))
}
