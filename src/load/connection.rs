//! DuckDB connections, all with the same settings.

use std::path::Path;

use duckdb::{AccessMode, Config, Connection, Row};

use super::error::{LoadError, Result};
use super::held::DatabaseDates;

/// Every DuckDB from 1.2 to 2.x opens files of this storage version.
pub(crate) const STORAGE_VERSION: &str = "v1.2.0";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// An insert that keeps the order of its rows ran twice as fast with one thread as with two, for half the CPU.
    pub threads: u32,
    /// Inserts at the same time into a new database. Each needs about 100 MiB.
    pub inserts: u32,
    /// DuckDB's `memory_limit`, MiB. The process needs about 100 more.
    pub memory_limit_mib: u32,
    /// What a publication puts into `vcq.duckdb`.
    pub dates: DatabaseDates,
}

impl Default for DatabaseOptions {
    fn default() -> DatabaseOptions {
        DatabaseOptions { threads: 1, inserts: 1, memory_limit_mib: 128, dates: DatabaseDates::Full }
    }
}

impl DatabaseOptions {
    pub(super) fn config(self, spill_dir: &Path) -> duckdb::Result<Config> {
        // No downloads without the user's knowledge, and no dependency on an extension that a build may lack.
        Config::default()
            .with("autoinstall_known_extensions", "false")?
            .with("autoload_known_extensions", "false")?
            // This optimizer keeps every minute of a window in memory if two parts of a report read them: a report
            // over a year of twenty million samples takes ten seconds with it and three without.
            .with("disabled_optimizers", "common_subplan")?
            .with("storage_compatibility_version", STORAGE_VERSION)?
            .with("threads", self.threads.max(1).to_string())?
            .with("memory_limit", format!("{}MiB", self.memory_limit_mib))?
            .with("temp_directory", spill_dir.to_string_lossy())
    }
}

/// Opens a database read-only. DuckDB creates `spill_dir` when it needs it.
pub(crate) fn open_read_only(path: &Path, spill_dir: &Path, options: DatabaseOptions) -> Result<Connection> {
    options
        .config(spill_dir)
        .and_then(|config| config.access_mode(AccessMode::ReadOnly))
        .and_then(|config| Connection::open_with_flags(path, config))
        .map_err(LoadError::duckdb("open", path))
}

/// Opens a connection without a database file, to read Parquet files.
pub(crate) fn open_in_memory(spill_dir: &Path, options: DatabaseOptions) -> Result<Connection> {
    options
        .config(spill_dir)
        .and_then(Connection::open_in_memory_with_flags)
        .map_err(LoadError::duckdb("start", Path::new("DuckDB")))
}

/// All rows of a query without parameters.
pub(crate) fn rows<T, C: FromIterator<T>>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
) -> duckdb::Result<C> {
    connection.prepare(sql)?.query_map([], read)?.collect()
}
