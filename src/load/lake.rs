//! The published Parquet files as the tables of a database in memory: all dates, whatever `vcq.duckdb` holds.

use duckdb::Connection;

use super::connection::DatabaseOptions;
use super::current::{open_published_with, parquet_columns};
use super::error::{LoadError, Result};
use super::manifest::{Manifest, PublishedFile};
use super::paths::StorePaths;
use super::reader::Reader;
use crate::schema::{PARTITION_COLUMN, TABLES, ddl};

/// Opens the tables of all published dates: the database if it holds everything, otherwise the Parquet files, which
/// have no views, macros, buildings and judged participants.
pub(crate) fn open_complete(paths: &StorePaths, options: DatabaseOptions) -> Result<Reader> {
    match Manifest::read(paths) {
        Ok(Some(manifest)) if !manifest.database.is_all() => open_files(paths, &manifest.files, options),
        _ => open_published_with(paths, options),
    }
}

/// Opens files that a manifest lists.
pub(super) fn open_files(paths: &StorePaths, files: &[PublishedFile], options: DatabaseOptions) -> Result<Reader> {
    let reader = Reader::open_in_memory(paths, options)?;
    define_tables(&reader, paths, files).map_err(LoadError::duckdb("read", &paths.parquet()))?;
    Ok(reader)
}

/// Defines every table by its files; one without files is empty.
pub(crate) fn define_tables(
    connection: &Connection,
    paths: &StorePaths,
    files: &[PublishedFile],
) -> duckdb::Result<()> {
    for table in TABLES {
        let files: Vec<&PublishedFile> = files.iter().filter(|file| file.table == table.name).collect();
        if files.is_empty() {
            connection.execute_batch(&ddl::create_table(table))?;
            continue;
        }
        let quoted = |file: &&PublishedFile| ddl::quoted(&paths.part(&file.path).to_string_lossy());
        let date = |file: &&PublishedFile| match &file.meeting_date {
            Some(date) => format!("date {}", ddl::quoted(date)),
            None => "null".to_owned(),
        };
        let columns = parquet_columns(table);
        let select = match table.is_dated() {
            // From the manifest: a store in a directory named like `email=x` would get that as a column.
            true => {
                let dates = files.iter().map(date).collect::<Vec<_>>().join(", ");
                format!("select {columns}, ([{dates}])[cast(file_index as bigint) + 1] as {PARTITION_COLUMN}")
            }
            false => format!("select {columns}"),
        };
        connection.execute_batch(&format!(
            "create view {} as {select} from read_parquet([{}], hive_partitioning = false)",
            table.name,
            files.iter().map(quoted).collect::<Vec<_>>().join(", "),
        ))?;
    }
    Ok(())
}
