//! What the current `vcq.duckdb` says about itself.

use std::path::Path;
use std::{fs, io};

use duckdb::Connection;

use super::compaction::Size;
use super::connection::{self, DatabaseOptions};
use super::definitions;
use super::error::{LoadError, Result};
use super::migration::{self, Applied};
use super::paths::StorePaths;

#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) generation: u64,
    vcq_etl_version: Option<String>,
    /// `None` also if an older program wrote the file.
    pub(crate) definitions_sha256: Option<String>,
    /// The size at the last rebuild.
    pub(crate) compact: Size,
    pub(crate) applied: Vec<Applied>,
    pub(crate) loaded: Vec<Loaded>,
}

/// A row of `published_files`.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) table: String,
    pub(crate) meeting_date: String,
    pub(crate) rows: u64,
    pub(crate) sha256: String,
}

/// The tables by which a database is recognised as one of vcq-etl.
const MARKER_TABLES: &[&str] = &["meta", "published_files", "schema_migrations"];

impl Current {
    pub(crate) fn is_from_this_version(&self) -> bool {
        self.vcq_etl_version.as_deref() == Some(env!("CARGO_PKG_VERSION"))
    }
}

/// Reads the current `vcq.duckdb`; `None` if there is none or it is damaged, so that it is rebuilt from Parquet. Fails
/// if it belongs to another program or a newer version, or if the system refuses to read it.
pub(crate) fn inspect(paths: &StorePaths, options: DatabaseOptions) -> Result<Option<Current>> {
    let path = paths.database();
    match fs::File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => drop(other.map_err(LoadError::io("read", &path))?),
    }
    let result =
        connection::open_read_only(&path, &paths.work().join("inspect-spill"), options).and_then(|connection| {
            check_known(&connection, &path)?;
            read(&connection).map_err(LoadError::duckdb("read", &path))
        });
    match result {
        Ok(current) => Ok(Some(current)),
        Err(
            error @ (LoadError::ForeignDatabase { .. }
            | LoadError::NewerSchema { .. }
            | LoadError::MigrationDrift { .. }),
        ) => Err(error),
        Err(error) => {
            tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "the database is damaged; rebuilding it from parquet/");
            Ok(None)
        }
    }
}

/// Returns an error if the database is not one of vcq-etl, or its schema is not known.
pub(crate) fn check_known(connection: &Connection, path: &Path) -> Result {
    let failed = || LoadError::duckdb("read", path);
    let tables: Vec<String> = connection
        .prepare("select table_name from duckdb_tables() where not internal and database_name = current_database()")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(failed())?;
    if !MARKER_TABLES.iter().all(|marker| tables.iter().any(|table| table == marker)) {
        return Err(LoadError::ForeignDatabase { path: path.to_path_buf() });
    }
    migration::check(&migration::applied(connection).map_err(failed())?, path)
}

fn read(connection: &Connection) -> duckdb::Result<Current> {
    let loaded = connection
        .prepare("select table_name, cast(meeting_date as varchar), rows, sha256 from published_files")?
        .query_map([], |row| {
            Ok(Loaded {
                table: row.get(0)?,
                meeting_date: row.get(1)?,
                rows: unsigned(row.get(2)?),
                sha256: row.get(3)?,
            })
        })?
        .collect::<duckdb::Result<Vec<_>>>()?;
    let applied = migration::applied(connection)?;
    let definitions_sha256 = definitions::installed_checksum(connection);
    connection.query_row("select generation, vcq_etl_version, compact_bytes, compact_rows from meta", [], |row| {
        Ok(Current {
            generation: unsigned(row.get(0)?),
            vcq_etl_version: row.get(1)?,
            definitions_sha256,
            compact: Size { bytes: unsigned(row.get(2)?), rows: unsigned(row.get(3)?) },
            applied,
            loaded,
        })
    })
}

/// Counts are never negative; NULL means unknown.
pub(crate) fn unsigned(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}
