//! Parquet and the database compared row by row, value by value.
//!
//! First a sum of hashes over all columns per date and table, which needs little memory and no order; single rows only
//! if the sums differ.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use duckdb::Connection;

use super::context::Result;
use super::database::{Database, NO_TABLE, counts, is_out_of_resources, or_null, text_rows, unless_damaged};
use super::files::{REPLACED, is_still_listed, place};
use super::findings::{Check, Findings};
use super::manifest::{of_date, table_of};
use super::registry::{PARQUET_ROWS, ROWS};
use crate::load::{
    DatabaseOptions, LoadError, Manifest, PublishedFile, StagedPart, StorePaths, connection, parquet_columns,
    without_appendix,
};
use crate::schema::{PARTITION_COLUMN, SCHEMA_VERSION, TABLES, Table, ddl, utc_text};

/// The number of rows and the sum of their hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sum {
    rows: String,
    hashes: Option<String>,
}

impl Sum {
    fn of_no_rows() -> Sum {
        Sum { rows: "0".to_owned(), hashes: None }
    }
}

pub(super) fn check(
    paths: &StorePaths,
    manifest: &Manifest,
    usable: &HashSet<String>,
    database: &Database,
    incomparable: Option<&str>,
    findings: &mut Findings,
) -> Result {
    if let Some(why) = incomparable {
        findings.skip(&ROWS, why);
    }
    for table in TABLES.iter().filter(|table| table.is_in_parquet()) {
        let mut in_database = None;
        if incomparable.is_none() && database.has(&[table]) {
            in_database = read_sums(database, table, findings)?;
        } else {
            // The first reason is kept.
            findings.skip(&ROWS, NO_TABLE);
        }
        let files = manifest.files.iter().filter(|file| table_of(file).is_some_and(|of| of.name == table.name));
        for file in files {
            let is_held = manifest.database.has_file(file);
            let expected = in_database
                .as_mut()
                .filter(|_| is_held)
                .map(|sums| sums.remove(&file.meeting_date).unwrap_or_else(Sum::of_no_rows));
            if !usable.contains(&file.path) {
                findings.skip(&ROWS, "files that differ from the published ones were not compared: see files");
                continue;
            }
            let path = paths.part(&file.path);
            let found = match read_file(database, table, &path) {
                Ok(found) => found,
                Err(error) if is_out_of_resources(&error) => return Err(LoadError::duckdb("read", &path)(error)),
                Err(_) if !path.exists() && !is_still_listed(paths, &file.path)? => {
                    findings.skip(&ROWS, REPLACED);
                    continue;
                }
                Err(error) => {
                    findings.found(
                        &PARQUET_ROWS,
                        place(&file.path),
                        "readable rows",
                        without_appendix(error).to_string(),
                    );
                    continue;
                }
            };
            findings.examined(&PARQUET_ROWS, 1);
            check_times(file, &found, findings);
            let Some(expected) = expected else { continue };
            findings.examined(&ROWS, file.rows);
            if found.sum != expected {
                let date = |date: &String| format!("{PARTITION_COLUMN} = try_cast({} as date)", ddl::quoted(date));
                let condition = file.meeting_date.as_ref().map_or_else(|| "true".to_owned(), date);
                let sides = Sides {
                    connection: &database.connection,
                    table,
                    meeting_date: file.meeting_date.as_deref(),
                    expected: (file_rows(table, &path), "Parquet"),
                    found: (format!("(select * from {} where {condition})", table.name), "vcq.duckdb"),
                };
                if sides.report_differences(&ROWS, findings)? == 0 {
                    // Only the number of equal rows differs, or the table has no key.
                    let place = of_date(table.name, file.meeting_date.as_deref());
                    let found_rows = format!("{} rows in vcq.duckdb, but not the same ones", expected.rows);
                    findings.found(&ROWS, place, format!("{} rows in Parquet", found.sum.rows), found_rows);
                }
            }
        }
        // A manifest of an older version lists no undated files; its head has a finding about the version.
        let is_listed = |date: &Option<String>| date.is_some() || manifest.schema_version == SCHEMA_VERSION;
        for (date, sum) in in_database.into_iter().flatten().filter(|(date, _)| is_listed(date)) {
            let place = of_date(table.name, date.as_deref());
            let found = format!("{} rows in vcq.duckdb", sum.rows);
            findings.found(
                &ROWS,
                place,
                "no rows: the manifest lists no file, or the database does not hold the date",
                found,
            );
        }
    }
    Ok(())
}

struct FileRows {
    sum: Sum,
    min_us: Option<i64>,
    max_us: Option<i64>,
}

fn check_times(file: &PublishedFile, found: &FileRows, findings: &mut Findings) {
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let (min, max) = (found.min_us.map(utc_text), found.max_us.map(utc_text));
    if (&min, &max) != (&file.min_time_utc, &file.max_time_utc) {
        findings.found(
            &PARQUET_ROWS,
            place(&file.path),
            format!("times from {} to {}", shown(&file.min_time_utc), shown(&file.max_time_utc)),
            format!("from {} to {}", shown(&min), shown(&max)),
        );
    }
}

fn file_columns(table: &Table) -> String {
    table.file_columns().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

/// SQL for the rows of a file with the types of the database, without the date.
fn file_rows(table: &Table, path: &Path) -> String {
    format!(
        "(select {} from read_parquet({}, hive_partitioning = false))",
        parquet_columns(table),
        ddl::quoted(&path.to_string_lossy())
    )
}

fn read_file(database: &Database, table: &Table, path: &Path) -> duckdb::Result<FileRows> {
    let time = if table.time_column.is_empty() { "null::timestamp" } else { table.time_column };
    let sql = format!(
        "select cast(count(*) as varchar), cast(sum(hash({})) as varchar), min(epoch_us({time})), max(epoch_us({time})) \
         from {}",
        file_columns(table),
        file_rows(table, path)
    );
    database.connection.query_row(&sql, [], |row| {
        Ok(FileRows { sum: Sum { rows: row.get(0)?, hashes: row.get(1)? }, min_us: row.get(2)?, max_us: row.get(3)? })
    })
}

type Sums = BTreeMap<Option<String>, Sum>;

/// The sums of every date in the database, or of an undated table. The check of keys reports a row without a date.
fn read_sums(database: &Database, table: &Table, findings: &mut Findings) -> Result<Option<Sums>> {
    let by_date = format!("{PARTITION_COLUMN} is not null group by {PARTITION_COLUMN}");
    let (date, condition) = if table.is_dated() { (PARTITION_COLUMN, by_date.as_str()) } else { ("null", "true") };
    let sql = format!(
        "select cast({date} as varchar), cast(count(*) as varchar), cast(sum(hash({})) as varchar) \
         from {} where {condition}",
        file_columns(table),
        table.name
    );
    let sums = connection::rows(&database.connection, &sql, |row| {
        Ok((row.get(0)?, Sum { rows: row.get(1)?, hashes: row.get(2)? }))
    });
    unless_damaged(sums, table.name, findings)
}

/// Two sets of rows of one table and date that should be equal.
struct Sides<'a> {
    connection: &'a Connection,
    table: &'static Table,
    meeting_date: Option<&'a str>,
    /// SQL for the expected rows, and where they are.
    expected: (String, &'a str),
    /// SQL for the compared rows, and where they are.
    found: (String, &'a str),
}

impl Sides<'_> {
    /// Reports the rows that differ; returns how many.
    fn report_differences(&self, check: &'static Check, findings: &mut Findings) -> Result<u64> {
        let Sides { connection, table, meeting_date, expected, found } = self;
        // Both sides are of one date.
        let keys: Vec<&str> = table.key().map(|column| column.name).filter(|name| *name != PARTITION_COLUMN).collect();
        if keys.is_empty() {
            return Ok(0);
        }
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
        let count = counts(connection, &format!("select count(*) {differing}"));
        let count = unless_damaged(count, table.name, findings)?.map_or(0, |count| count[0]);
        let sql = format!("select {} {differing} limit {}", shown_keys.join(", "), findings.remaining(check));
        let first = unless_damaged(text_rows(connection, &sql, &[]), table.name, findings)?.unwrap_or_default();
        findings.found_unlisted(check, count.saturating_sub(first.len() as u64));
        for key in first {
            let key: Vec<String> = key.into_iter().flatten().collect();
            let expected_row = unless_damaged(self.row(&expected.0, &keys, &key), table.name, findings)?.flatten();
            let found_row = unless_damaged(self.row(&found.0, &keys, &key), table.name, findings)?.flatten();
            let (expected_text, found_text) = match (expected_row, found_row) {
                (Some(expected), Some(found)) => differing_values(table, &expected, &found),
                (Some(_), None) => ("this row".to_owned(), "no such row".to_owned()),
                _ => ("no such row".to_owned(), "this row".to_owned()),
            };
            let place = format!("{}, {}", of_date(table.name, *meeting_date), key.join(", "));
            let expected = format!("{expected_text} in {}", expected.1);
            findings.found(check, place, expected, format!("{found_text} in {}", found.1));
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
        Ok(text_rows(self.connection, &sql, &parameters)?.into_iter().next())
    }
}

/// Compares a staged with a published Parquet file of one table and date. Returns the number of rows that differ, and
/// reports them as findings of `check`.
pub(crate) fn compare_parts(
    paths: &StorePaths,
    options: DatabaseOptions,
    staged: &StagedPart,
    published: &PublishedFile,
    check: &'static Check,
    findings: &mut Findings,
) -> Result<u64> {
    let connection = connection::open_in_memory(&paths.query_work(std::process::id()), options)?;
    let sides = Sides {
        connection: &connection,
        table: staged.table,
        meeting_date: published.meeting_date.as_deref(),
        expected: (file_rows(staged.table, &staged.path), "raw/"),
        found: (file_rows(staged.table, &paths.part(&published.path)), "Parquet"),
    };
    let count = sides.report_differences(check, findings)?;
    if count == 0 && staged.rows != published.rows {
        let place = of_date(staged.table.name, published.meeting_date.as_deref());
        findings.found(check, place, format!("{} rows, as in raw/", staged.rows), format!("{} rows", published.rows));
        return Ok(1);
    }
    Ok(count)
}

/// The first values in which two rows differ.
fn differing_values(table: &Table, expected: &[Option<String>], found: &[Option<String>]) -> (String, String) {
    const MAX_VALUES: usize = 3;
    let differing: Vec<_> = table
        .file_columns()
        .zip(expected.iter().zip(found))
        .filter(|(_, (expected, found))| expected != found)
        .take(MAX_VALUES)
        .collect();
    let (expected, found): (Vec<String>, Vec<String>) = differing
        .iter()
        .map(|(column, (expected, found))| {
            let shown = |value: &Option<String>| format!("{} {}", column.name, or_null(value.as_ref()));
            (shown(expected), shown(found))
        })
        .unzip();
    (expected.join(", "), found.join(", "))
}
