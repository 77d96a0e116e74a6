//! The published `vcq.duckdb`: opens it, and reads its metadata.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use duckdb::Connection;

use super::compaction::Size;
use super::connection::{DatabaseOptions, rows};
use super::definitions;
use super::error::{LoadError, Result};
use super::fingerprint::Fingerprint;
use super::held::{Held, is_searched};
use super::manifest::Manifest;
use super::migration::{self, Applied};
use super::paths::StorePaths;
use super::reader::Reader;
use crate::schema::{Kind, PARTITION_COLUMN, SCHEMA_VERSION, Table, ddl};

#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) generation: u64,
    vcq_etl_version: Option<String>,
    /// `None` also if an older program wrote the file.
    pub(crate) definitions_sha256: Option<String>,
    /// By which the incidents are judged; `None` also if an older program wrote the file.
    pub(crate) profile: Option<String>,
    /// At the last rebuild.
    pub(crate) compact: Size,
    pub(crate) applied: Vec<Applied>,
    pub(crate) loaded: Vec<Loaded>,
    /// Names of tables, views and macros.
    pub(super) objects: BTreeSet<String>,
    /// Set if the file is the published one, and nobody has it open for writing.
    pub(super) published: Option<Fingerprint>,
}

/// A row of `published_files`.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) table: String,
    pub(crate) meeting_date: Option<String>,
    pub(crate) rows: u64,
    pub(crate) sha256: String,
}

impl Loaded {
    /// As [`super::manifest::PublishedFile::date_with_rows`].
    pub(crate) fn date_with_rows(&self) -> Option<&str> {
        self.meeting_date.as_deref().filter(|_| self.rows > 0)
    }
}

/// The tables by which a database is recognised as one of vcq-etl.
pub(crate) const MARKER_TABLES: &[&str] = &["meta", "published_files", "schema_migrations"];

impl Current {
    pub(crate) fn is_from_this_version(&self) -> bool {
        self.vcq_etl_version.as_deref() == Some(env!("CARGO_PKG_VERSION"))
    }

    /// What the user should know if the tables are of an older schema.
    pub(super) fn upgrade_note(&self) -> Option<String> {
        let before = migration::newest(&self.applied).filter(|before| *before < i64::from(SCHEMA_VERSION))?;
        let version = self.vcq_etl_version.as_deref().unwrap_or("an older version");
        Some(format!("the tables of vcq-etl {version} were upgraded from schema {before} to {SCHEMA_VERSION}"))
    }
}

/// Reads the current `vcq.duckdb`; `None` if there is none or it is damaged, so that it is rebuilt from Parquet. Fails
/// if it belongs to another program or a newer version, or if the system refuses to read it.
///
/// `path` is the published file or a copy of it.
pub(super) fn inspect(paths: &StorePaths, path: &Path, options: DatabaseOptions) -> Result<Option<Current>> {
    use LoadError::{ForeignDatabase, MigrationDrift, NewerSchema};
    let database = paths.database();
    match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => drop(other.map_err(LoadError::io("read", path))?),
    }
    let result = Reader::open_file(paths, path, options).and_then(|reader| {
        check_known(&reader, &database)?;
        read(&reader).map_err(LoadError::duckdb("read", &database))
    });
    match result {
        Ok(current) => Ok(Some(current)),
        Err(error @ (ForeignDatabase { .. } | NewerSchema { .. } | MigrationDrift { .. })) => Err(error),
        Err(error) => {
            tracing::warn!(path = %database.display(), error = &error as &dyn std::error::Error, "the database is damaged; rebuilding it from parquet/");
            Ok(None)
        }
    }
}

/// Returns an error if the database is not one of vcq-etl, or its schema is not known.
pub(crate) fn check_known(connection: &Connection, path: &Path) -> Result {
    let failed = || LoadError::duckdb("read", path);
    let sql = "select table_name from duckdb_tables() where not internal and database_name = current_database()";
    let tables: Vec<String> = rows(connection, sql, |row| row.get(0)).map_err(failed())?;
    if !MARKER_TABLES.iter().all(|marker| tables.iter().any(|table| table == marker)) {
        return Err(LoadError::ForeignDatabase { path: path.to_path_buf() });
    }
    migration::check(&migration::applied(connection).map_err(failed())?, path)
}

fn read(connection: &Connection) -> duckdb::Result<Current> {
    let sql = "select table_name, cast(meeting_date as varchar), rows, sha256 from published_files";
    let loaded = rows(connection, sql, |row| {
        let (table, meeting_date, sha256) = (row.get(0)?, row.get(1)?, row.get(3)?);
        Ok(Loaded { table, meeting_date, rows: unsigned(row.get(2)?), sha256 })
    })?;
    let applied = migration::applied(connection)?;
    let loaded = without_dates_not_held(connection, loaded)?;
    let definitions_sha256 = definitions::installed_checksum(connection);
    let profile = definitions::stored_profile(connection);
    let objects = definitions::objects(connection)?;
    connection.query_row("select generation, vcq_etl_version, compact_bytes, compact_rows from meta", [], |row| {
        Ok(Current {
            generation: unsigned(row.get(0)?),
            vcq_etl_version: row.get(1)?,
            definitions_sha256,
            profile,
            compact: Size { bytes: unsigned(row.get(2)?), rows: unsigned(row.get(3)?) },
            applied,
            loaded,
            objects,
            published: None,
        })
    })
}

/// `published_files` has all files, and a database that holds the newest dates has rows from its first one on.
fn without_dates_not_held(connection: &Connection, mut loaded: Vec<Loaded>) -> duckdb::Result<Vec<Loaded>> {
    let tables: BTreeSet<&str> = loaded.iter().filter(|file| is_dated(file)).map(|file| file.table.as_str()).collect();
    let first = |table: &&str| format!("select min({PARTITION_COLUMN}) as first from {table}");
    let firsts = tables.iter().map(first).collect::<Vec<_>>().join(" union all ");
    if firsts.is_empty() {
        return Ok(loaded);
    }
    let sql = format!("select cast(min(first) as varchar) from ({firsts})");
    let first: Option<String> = connection.query_row(&sql, [], |row| row.get(0))?;
    loaded.retain(|file| !is_dated(file) || first.is_none() || file.meeting_date >= first);
    Ok(loaded)
}

/// The tables of incidents have the rows of all dates.
fn is_dated(file: &Loaded) -> bool {
    file.date_with_rows().is_some() && !is_searched(&file.table)
}

/// Counts are never negative; NULL means unknown.
pub(crate) fn unsigned(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// Opens `vcq.duckdb` read-only. The reader keeps showing the generation that is published now, whatever is
/// published later; neither side blocks the other.
pub(crate) fn open_published_with(paths: &StorePaths, options: DatabaseOptions) -> Result<Reader> {
    let path = paths.database();
    if !path.exists() {
        let is_off = Manifest::read(paths)
            .is_ok_and(|manifest| manifest.is_some_and(|manifest| manifest.database == Held::Nothing));
        return Err(if is_off { LoadError::DatabaseOff { path } } else { LoadError::NoDatabase { path } });
    }
    let reader = Reader::open(paths, options)?;
    check_known(&reader, &path)?;
    Ok(reader)
}

pub(crate) fn read_generation(connection: &Connection, paths: &StorePaths) -> Result<u64> {
    let generation = connection.query_row("select generation from meta", [], |row| row.get(0));
    generation.map_err(LoadError::duckdb("read the generation of", &paths.database()))
}

/// The columns of a table's Parquet file as SQL expressions of the database's types.
pub(crate) fn parquet_columns(table: &Table) -> String {
    let columns = table.file_columns().map(|column| match column.kind {
        // Both functions are in every build; a cast of an instant to TIMESTAMP would need ICU for a zone.
        Kind::Instant => format!("make_timestamp(epoch_us({0})) as {0}", column.name),
        _ => column.name.to_owned(),
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// A condition on dates in ascending order. The range lets DuckDB skip row groups before it looks at the list.
pub(super) fn on_dates(dates: &[&str]) -> String {
    let literals: Vec<String> = dates.iter().map(|date| date_literal(date)).collect();
    match (literals.first(), literals.last()) {
        (Some(first), Some(last)) => {
            format!("{PARTITION_COLUMN} between {first} and {last} and {PARTITION_COLUMN} in ({})", literals.join(", "))
        }
        _ => "false".to_owned(),
    }
}

pub(super) fn date_literal(meeting_date: &str) -> String {
    format!("date {}", ddl::quoted(meeting_date))
}
