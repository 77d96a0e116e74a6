//! The undated tables of `parquet/reference`.
//!
//! They are exported from the next database, so that both have the same rows. The publication itself computes most of
//! them; the rows of the others are given by the caller, or stay.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;

use super::current::parquet_columns;
use super::draft::Draft;
use super::error::{LoadError, Result};
use super::manifest::PublishedFile;
use super::part_writer::{PartWriter, StagedPart};
use super::paths::StorePaths;
use crate::schema::cell::Row;
use crate::schema::{
    ADDRESS_BUILDINGS, META, MISALIGNED_PARTICIPANTS, RUNS, Storage, TABLES, THRESHOLDS, Table, arrow_schema, ddl,
};

/// Those that a publication computes from the other tables, the settings and the run.
const COMPUTED: [&str; 5] =
    [RUNS.name, THRESHOLDS.name, ADDRESS_BUILDINGS.name, MISALIGNED_PARTICIPANTS.name, META.name];

fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.storage == Storage::Reference)
}

/// Replaces the rows that are given. In a new database (`is_new`), the tables that are not given get their published
/// rows.
pub(super) fn fill(
    draft: &Draft,
    paths: &StorePaths,
    given: &[(&'static Table, Vec<Row>)],
    published: &dyn Fn(&Table) -> Option<PublishedFile>,
    is_new: bool,
) -> Result {
    for (table, rows) in given {
        draft.replace_rows(table, rows)?;
    }
    let is_given = |table: &Table| given.iter().any(|(given, _)| given.name == table.name);
    for table in tables().filter(|table| is_new && !COMPUTED.contains(&table.name) && !is_given(table)) {
        if let Some(file) = published(table) {
            let sql = format!(
                "insert into {} by name select {} from read_parquet({}, hive_partitioning = false)",
                table.name,
                parquet_columns(table),
                ddl::quoted(&paths.part(&file.path).to_string_lossy())
            );
            draft.execute("load the undated tables into", &sql)?;
        }
    }
    Ok(())
}

/// Stages the part of every undated table.
pub(super) fn export(draft: &Draft, work_dir: &Path, run_id: &str) -> Result<Vec<StagedPart>> {
    tables().map(|table| export_table(draft, table, work_dir, run_id)).collect()
}

fn export_table(draft: &Draft, table: &'static Table, work_dir: &Path, run_id: &str) -> Result<StagedPart> {
    let mut part = PartWriter::create(work_dir, table, None, run_id, 0)?;
    export_rows(draft, table, "true", &mut part)?;
    part.finish_even_if_empty()
}

/// Writes the rows of a table that meet a condition.
pub(super) fn export_rows(draft: &Draft, table: &'static Table, condition: &str, part: &mut PartWriter) -> Result {
    let columns: Vec<&str> = table.file_columns().map(|column| column.name).collect();
    // The other columns follow, so that equal rows are always in the same order.
    let order: Vec<&str> = table.sort.iter().chain(&columns).copied().collect();
    let sql =
        format!("select {} from {} where {condition} order by {}", columns.join(", "), table.name, order.join(", "));
    let failed = || LoadError::duckdb("read a table to be exported from", &draft.path);
    let mut statement = draft.connection.prepare(&sql).map_err(failed())?;
    for batch in statement.query_arrow([]).map_err(failed())? {
        let batch = file_batch(table, &batch).map_err(|source| LoadError::Rows { table: table.name, source })?;
        part.write(&batch)?;
    }
    Ok(())
}

/// Gives rows of the database the types of the table's file: instants are UTC there.
fn file_batch(table: &Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = Arc::new(arrow_schema::file_schema(table));
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| -> ArrayRef {
        match field.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
                Arc::new(column.as_primitive::<TimestampMicrosecondType>().clone().with_timezone(Arc::clone(zone)))
            }
            _ => Arc::clone(column),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns)
}
