//! Parquet against the database: the same rows, value by value.
//!
//! A sum of hashes over all columns a date and table first, which takes no memory and needs no order; rows are looked at
//! one by one only where the sums differ.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use duckdb::Connection;

use super::checks::{FOOTERS, ROWS};
use super::database::{NO_TABLE, Shape, answered, is_lack, numbers, texts};
use super::files::{is_still_named, place};
use super::manifest::table_of;
use super::snapshot::Database;
use super::{Check, Findings};
use crate::load::{
    DatabaseOptions, LoadError, Manifest, PublishedFile, StagedPart, StorePaths, connection, parquet_columns,
};
use crate::schema::{PARTITION_COLUMN, Storage, TABLES, Table, ddl, utc_text};

/// Rows and the sum of their hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Sum {
    rows: String,
    hashes: Option<String>,
}

/// Compares every date of every table.
pub(crate) fn check(
    paths: &StorePaths,
    manifest: &Manifest,
    usable: &HashSet<String>,
    database: &Database,
    shape: &Shape,
    under_way: Option<&str>,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    if let Some(why) = under_way {
        findings.skip(&ROWS, why);
    }
    for table in TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb) {
        let mut in_database = match (under_way, shape.has(&[table])) {
            (None, true) => sums(database, table, findings)?,
            (None, false) => {
                findings.skip(&ROWS, NO_TABLE);
                None
            }
            (Some(_), _) => None,
        };
        let files = manifest.files.iter().filter(|file| table_of(file).is_some_and(|of| of.name == table.name));
        for file in files {
            let expected = in_database.as_mut().map(|sums| sums.remove(&file.meeting_date).unwrap_or_default());
            if !usable.contains(&file.path) {
                findings.skip(&ROWS, "files that are not as published were not compared: see files");
                continue;
            }
            let path = paths.part(&file.path);
            let found = match of_file(database, table, &path) {
                Ok(found) => found,
                Err(error) if is_lack(&error.to_string()) => return Err(LoadError::duckdb("read", &path)(error)),
                Err(_) if !path.exists() && !is_still_named(paths, &file.path)? => {
                    findings.skip(&ROWS, "some files were replaced by a run while they were checked");
                    continue;
                }
                Err(error) => {
                    findings.found(&FOOTERS, place(&file.path), "rows that can be read", error.to_string());
                    continue;
                }
            };
            findings.examined(&FOOTERS, 1);
            times(file, &found, findings);
            let Some(expected) = expected else { continue };
            findings.examined(&ROWS, file.rows);
            if found.sum != expected {
                let date = format!("try_cast({} as date)", ddl::quoted(&file.meeting_date));
                let sides = Sides {
                    connection: &database.connection,
                    table,
                    meeting_date: &file.meeting_date,
                    expected: (file_rows(table, &path), "Parquet"),
                    found: (format!("(select * from {} where {PARTITION_COLUMN} = {date})", table.name), "vcq.duckdb"),
                };
                if sides.differing(&ROWS, findings)? == 0 {
                    // Only the number of equal rows differs.
                    let place = format!("{} of {}", table.name, file.meeting_date);
                    let rows = if expected.rows.is_empty() { "0" } else { &expected.rows };
                    let found_rows = format!("{rows} rows in vcq.duckdb, some of them twice");
                    findings.found(&ROWS, place, format!("{} rows in Parquet", found.sum.rows), found_rows);
                }
            }
        }
        for (date, sum) in in_database.into_iter().flatten() {
            let place = format!("{} of {date}", table.name);
            findings.found(
                &ROWS,
                place,
                "no rows: the manifest names no file",
                format!("{} rows in vcq.duckdb", sum.rows),
            );
        }
    }
    Ok(())
}

/// What a file holds.
struct Found {
    sum: Sum,
    min_us: Option<i64>,
    max_us: Option<i64>,
}

fn times(file: &PublishedFile, found: &Found, findings: &mut Findings) {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let (min, max) = (found.min_us.map(utc_text), found.max_us.map(utc_text));
    if (&min, &max) != (&file.min_time_utc, &file.max_time_utc) {
        findings.found(
            &FOOTERS,
            place(&file.path),
            format!("times from {} to {}", shown(&file.min_time_utc), shown(&file.max_time_utc)),
            format!("from {} to {}", shown(&min), shown(&max)),
        );
    }
}

fn file_columns(table: &Table) -> String {
    table.file_columns().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

/// The rows of a file as they would stand in the database, the date apart.
fn file_rows(table: &Table, path: &Path) -> String {
    format!(
        "(select {} from read_parquet({}, hive_partitioning = false))",
        parquet_columns(table),
        ddl::quoted(&path.to_string_lossy())
    )
}

fn of_file(database: &Database, table: &Table, path: &Path) -> duckdb::Result<Found> {
    let time = if table.time_column.is_empty() { "null::timestamp" } else { table.time_column };
    let sql = format!(
        "select cast(count(*) as varchar), cast(sum(hash({})) as varchar), min(epoch_us({time})), max(epoch_us({time})) \
         from {}",
        file_columns(table),
        file_rows(table, path)
    );
    database.connection.query_row(&sql, [], |row| {
        Ok(Found { sum: Sum { rows: row.get(0)?, hashes: row.get(1)? }, min_us: row.get(2)?, max_us: row.get(3)? })
    })
}

/// The sums of every date in the database. A row without a date is told by the check of keys.
fn sums(
    database: &Database,
    table: &Table,
    findings: &mut Findings,
) -> Result<Option<BTreeMap<String, Sum>>, LoadError> {
    let sql = format!(
        "select cast({PARTITION_COLUMN} as varchar), cast(count(*) as varchar), cast(sum(hash({})) as varchar) \
         from {} where {PARTITION_COLUMN} is not null group by {PARTITION_COLUMN}",
        file_columns(table),
        table.name
    );
    let rows = answered(texts(&database.connection, &sql, &[]), table.name, findings)?;
    Ok(rows.map(|rows| {
        let sum = |row: Vec<Option<String>>| {
            let mut row = row.into_iter();
            let date = row.next().flatten().unwrap_or_default();
            (date, Sum { rows: row.next().flatten().unwrap_or_default(), hashes: row.next().flatten() })
        };
        rows.into_iter().map(sum).collect()
    }))
}

/// Two sets of rows of one table and date that should be the same.
pub(crate) struct Sides<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) table: &'static Table,
    pub(crate) meeting_date: &'a str,
    /// SQL for the rows that should be there, and where they are.
    pub(crate) expected: (String, &'a str),
    /// SQL for the rows that are there, and where they are.
    pub(crate) found: (String, &'a str),
}

impl Sides<'_> {
    /// Finds the rows in which the two differ; gives how many there are.
    pub(crate) fn differing(&self, check: &'static Check, findings: &mut Findings) -> Result<u64, LoadError> {
        let Sides { connection, table, meeting_date, expected, found } = self;
        let keys: Vec<&str> = table.key().map(|column| column.name).collect();
        let hashed =
            |rows: &str| format!("(select {}, hash({}) as row_hash from {rows})", keys.join(", "), file_columns(table));
        let shown_keys: Vec<String> =
            keys.iter().map(|key| format!("cast(coalesce(e.{key}, f.{key}) as varchar)")).collect();
        let same_key: Vec<String> = keys.iter().map(|key| format!("e.{key} = f.{key}")).collect();
        let differing = format!(
            "from {} e full join {} f on {} where e.row_hash is distinct from f.row_hash",
            hashed(&expected.0),
            hashed(&found.0),
            same_key.join(" and ")
        );
        let count = numbers(connection, &format!("select count(*) {differing}"));
        let count = answered(count, table.name, findings)?.map_or(0, |count| count[0]);
        let sql = format!("select {} {differing} limit {}", shown_keys.join(", "), findings.room(check));
        let first = answered(texts(connection, &sql, &[]), table.name, findings)?.unwrap_or_default();
        findings.found_more(check, count.saturating_sub(first.len() as u64));
        for key in first {
            let key: Vec<String> = key.into_iter().flatten().collect();
            let of_expected = answered(self.row(&expected.0, &keys, &key), table.name, findings)?.flatten();
            let of_found = answered(self.row(&found.0, &keys, &key), table.name, findings)?.flatten();
            let (should, is) = match (of_expected, of_found) {
                (Some(should), Some(is)) => values(table, &should, &is),
                (Some(_), None) => ("this row".to_owned(), "no such row".to_owned()),
                _ => ("no such row".to_owned(), "this row".to_owned()),
            };
            let place = format!("{} of {meeting_date}, {}", table.name, key.join(", "));
            findings.found(check, place, format!("{should} in {}", expected.1), format!("{is} in {}", found.1));
        }
        Ok(count)
    }

    /// One row as text.
    fn row(&self, rows: &str, keys: &[&str], key: &[String]) -> duckdb::Result<Option<Vec<Option<String>>>> {
        let by_key: Vec<String> = keys.iter().map(|name| format!("cast({name} as varchar) = ?")).collect();
        let columns: Vec<String> =
            self.table.file_columns().map(|column| format!("cast({} as varchar)", column.name)).collect();
        let sql = format!("select {} from {rows} where {} limit 1", columns.join(", "), by_key.join(" and "));
        let parameters: Vec<&str> = key.iter().map(String::as_str).collect();
        Ok(texts(self.connection, &sql, &parameters)?.into_iter().next())
    }
}

/// Compares two Parquet files of one table and date; `found` is published. Gives in how many rows they differ, and
/// tells them as findings of `check`.
///
/// # Errors
/// [`LoadError::Duckdb`] where DuckDB does not start or lacks memory.
pub(crate) fn compare_parts(
    paths: &StorePaths,
    options: DatabaseOptions,
    staged: &StagedPart,
    published: &PublishedFile,
    check: &'static Check,
    findings: &mut Findings,
) -> Result<u64, LoadError> {
    let connection = connection::open_in_memory(&paths.query_work(std::process::id()), options)?;
    let sides = Sides {
        connection: &connection,
        table: staged.table,
        meeting_date: &published.meeting_date,
        expected: (file_rows(staged.table, &staged.path), "raw/"),
        found: (file_rows(staged.table, &paths.part(&published.path)), "Parquet"),
    };
    let count = sides.differing(check, findings)?;
    if count == 0 && staged.rows != published.rows {
        let place = format!("{} of {}", staged.table.name, published.meeting_date);
        findings.found(check, place, format!("{} rows, as in raw/", staged.rows), format!("{} rows", published.rows));
        return Ok(1);
    }
    Ok(count)
}

/// The first values in which two rows differ.
fn values(table: &Table, expected: &[Option<String>], found: &[Option<String>]) -> (String, String) {
    const SHOWN: usize = 3;
    let differing: Vec<_> = table
        .file_columns()
        .zip(expected.iter().zip(found))
        .filter(|(_, (expected, found))| expected != found)
        .take(SHOWN)
        .collect();
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "NULL".to_owned());
    let expected: Vec<String> =
        differing.iter().map(|(column, (value, _))| format!("{} {}", column.name, shown(value))).collect();
    let found: Vec<String> =
        differing.iter().map(|(column, (_, value))| format!("{} {}", column.name, shown(value))).collect();
    (expected.join(", "), found.join(", "))
}
