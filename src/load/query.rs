//! Opening the published database to read it.

use duckdb::Connection;

use super::{DatabaseOptions, LoadError, StorePaths, connection, database};

/// Opens `vcq.duckdb` read-only, with two threads and 128 MiB. It shows the generation that is published now and keeps
/// showing it, whatever is published meanwhile; nobody waits for it.
///
/// # Errors
/// As [`open_published_with`].
#[cfg(test)]
pub(crate) fn open_published(paths: &StorePaths) -> Result<Connection, LoadError> {
    open_published_with(paths, DatabaseOptions { threads: 2, ..DatabaseOptions::default() })
}

/// Opens `vcq.duckdb` read-only with the given threads and memory.
///
/// # Errors
/// [`LoadError::NoDatabase`] before the first publication, [`LoadError::ForeignDatabase`], [`LoadError::NewerSchema`],
/// [`LoadError::MigrationDrift`], [`LoadError::Duckdb`] where the file can't be opened.
pub(crate) fn open_published_with(paths: &StorePaths, options: DatabaseOptions) -> Result<Connection, LoadError> {
    let path = paths.database();
    if !path.exists() {
        return Err(LoadError::NoDatabase { path });
    }
    let connection = connection::open_read_only(&path, &paths.query_work(std::process::id()), options)?;
    database::check_ours(&connection, &path)?;
    Ok(connection)
}

/// The generation that an open database shows.
///
/// # Errors
/// [`LoadError::Duckdb`].
pub(crate) fn generation_of(connection: &Connection, paths: &StorePaths) -> Result<u64, LoadError> {
    let generation = connection.query_row("select generation from meta", [], |row| row.get(0));
    generation.map_err(LoadError::duckdb("read the generation of", &paths.database()))
}
