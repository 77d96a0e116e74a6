//! Reads what is published: opens the database, and selects from Parquet parts.

use duckdb::Connection;

use super::connection::{self, DatabaseOptions};
use super::current;
use super::error::{LoadError, Result};
use super::paths::StorePaths;
use crate::schema::{Kind, Table};

/// Opens `vcq.duckdb` read-only. The connection keeps showing the generation that is published now, whatever is
/// published later; neither side blocks the other.
pub(crate) fn open_published_with(paths: &StorePaths, options: DatabaseOptions) -> Result<Connection> {
    let path = paths.database();
    if !path.exists() {
        return Err(LoadError::NoDatabase { path });
    }
    let connection = connection::open_read_only(&path, &paths.query_work(std::process::id()), options)?;
    current::check_known(&connection, &path)?;
    Ok(connection)
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
