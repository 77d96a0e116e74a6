//! The database: schema, values and file format.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;

use super::connection::STORAGE_VERSION;
use super::draft::Draft;
use super::fixture::open_published;
use super::fixture::{self, DAY, NOW_US, Store, staged_tables};
use super::*;
use crate::schema::{SCHEMA_VERSION, TABLES, ddl};

/// Table, column, type, nullable and comment of every column of a database.
fn described(connection: &duckdb::Connection) -> Vec<(String, String, String, bool, Option<String>)> {
    connection
        .prepare(
            "select table_name, column_name, data_type, is_nullable, comment from duckdb_columns() \
             where not internal and database_name = current_database() order by table_name, column_index",
        )
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
                .collect()
        })
        .expect("describe")
}

fn migrated() -> (tempfile::TempDir, Draft) {
    let dir = tempfile::tempdir().expect("temp dir");
    let draft = Draft::open(dir.path(), DatabaseOptions::default()).expect("open");
    migration::apply(&draft, &[], NOW_US).expect("migrate");
    (dir, draft)
}

#[test]
fn the_migrations_result_in_exactly_the_declared_tables() {
    let (_dir, draft) = migrated();
    let found: BTreeSet<(String, String, String, bool)> = draft
        .connection
        .prepare("select table_name, column_name, data_type, is_nullable = 'YES' from information_schema.columns where table_catalog = current_database()")
        .and_then(|mut statement| {
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
        })
        .expect("information_schema");
    let declared: BTreeSet<(String, String, String, bool)> = TABLES
        .iter()
        .flat_map(|table| {
            table.columns.iter().map(|column| {
                (table.name.to_owned(), column.name.to_owned(), column.kind.duckdb().to_owned(), !column.required)
            })
        })
        .collect();
    let missing: Vec<_> = declared.difference(&found).collect();
    let undeclared: Vec<_> = found.difference(&declared).collect();
    assert!(
        missing.is_empty() && undeclared.is_empty(),
        "not in the migrations: {missing:#?}\nnot declared: {undeclared:#?}"
    );
}

#[test]
fn the_ddl_script_creates_the_same_database_as_a_publication() {
    let scripted = duckdb::Connection::open_in_memory().expect("open");
    scripted.execute_batch(&ddl::script()).expect("script");
    let store = Store::new();
    store.publish("r1", Vec::new());
    let published = open_published(&store.paths).expect("open");
    assert_eq!(described(&published), described(&scripted));
    assert!(described(&published).iter().all(|(.., comment)| comment.is_some()));
}

#[test]
fn every_file_of_the_migrations_folder_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<String> = fs::read_dir(folder)
        .expect("list")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let listed: Vec<String> =
        MIGRATIONS.iter().map(|migration| format!("{:04}_{}.sql", migration.version, migration.name)).collect();
    assert_eq!(files, listed);
    assert!(MIGRATIONS.iter().zip(1..).all(|(migration, n)| migration.version == n), "numbered consecutively from 1");
    assert_eq!(MIGRATIONS.last().map(|migration| migration.version), Some(SCHEMA_VERSION));
}

#[test]
fn no_statement_needs_the_icu_extension() {
    let words = [
        "timestamptz",
        "with time zone",
        "at time zone",
        "now(",
        "today(",
        "current_date",
        "current_timestamp",
        "set timezone",
    ];
    let mut texts = vec![("ddl::script()".to_owned(), ddl::script())];
    sql_files(Path::new(env!("CARGO_MANIFEST_DIR")), &mut texts);
    assert!(texts.len() > 1, "no .sql file found");
    for (name, text) in texts {
        let text = text.to_lowercase();
        for word in words {
            assert!(!text.contains(word), "{name} has {word}");
        }
    }
}

fn sql_files(dir: &Path, texts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("list").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if ["migrations", "sql", "checks", "reports", "views", "derived"].contains(&name.as_str()) {
                sql_files(&path, texts);
            }
        } else if name.ends_with(".sql") {
            texts.push((name, fs::read_to_string(&path).expect("read")));
        }
    }
}

#[test]
fn the_database_returns_the_published_rows() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 5_000, 4)]);
    let connection = open_published(&store.paths).expect("open");
    for table in staged_tables() {
        let columns: Vec<&str> = table.file_columns().map(|column| column.name).collect();
        let sql = format!("select {} from {} order by rowid", columns.join(", "), table.name);
        let mut statement = connection.prepare(&sql).expect("prepare");
        let batches: Vec<RecordBatch> = statement.query_arrow([]).expect("query").collect();
        let returned = arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("concat");
        let published = fixture::batch(table, DAY, 5_000, 4);
        assert_eq!(returned.num_rows(), published.num_rows());
        for ((expected, found), name) in published.columns().iter().zip(returned.columns()).zip(columns) {
            assert_eq!(&plain(expected), &plain(found), "{}.{name}", table.name);
        }
    }
}

/// Instants without time zone, as in the database.
fn plain(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        arrow::datatypes::DataType::Timestamp(..) => std::sync::Arc::new(
            array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<std::sync::Arc<str>>),
        ),
        _ => array.clone(),
    }
}

#[test]
fn meta_and_runs_are_written() {
    let store = Store::new();
    store.publish("r1", vec![store.stage("r1", DAY, &[("quality_samples", 9, 1)])]);
    let connection = open_published(&store.paths).expect("open");
    let meta: (i64, i64, String, i64, String, String, i64) = connection
        .query_row(
            "select generation, schema_version, run_id, epoch_us(created_utc), timezone, user_id_type, compact_rows from meta",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?)),
        )
        .expect("meta");
    assert_eq!(
        meta,
        (1, i64::from(SCHEMA_VERSION), "r1".to_owned(), NOW_US, "+08:00".to_owned(), "open_id".to_owned(), 9)
    );
    let runs: (i64, i64) = connection
        .query_row("select samples, epoch_us(started_utc) from runs", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("runs");
    assert_eq!(runs, (9, NOW_US), "the totals are counted over the new rows");
}

#[test]
fn the_file_has_the_documented_storage_version_and_is_compacted() {
    let store = Store::new();
    store.publish("r0", vec![store.stage("r0", DAY, &[("quality_samples", 50_000, 1)])]);
    for (run_id, is_due) in [("r1", false), ("r2", true)] {
        if is_due {
            // As if the file had been a tenth of its size when last compact.
            let connection = fixture::open_for_writing(&store.paths);
            connection.execute_batch("update meta set compact_bytes = compact_bytes // 10").expect("update");
            connection.close().expect("close");
            fingerprint::record(&store.paths, &store.paths.database()).expect("as published");
        }
        let published = store.publish(run_id, vec![store.stage(run_id, DAY + 1, &[("quality_samples", 100, 1)])]);
        assert_eq!(published.compacted, is_due, "{run_id}");
        let connection = open_published(&store.paths).expect("open");
        let version: String = connection
            .query_row(
                "select tags['storage_version'] from duckdb_databases() where database_name = current_database()",
                [],
                |row| row.get(0),
            )
            .expect("version");
        assert!(version.starts_with(STORAGE_VERSION), "{version}");
        assert!(described(&connection).iter().all(|(.., comment)| comment.is_some()), "comments are there");
        store.assert_consistent();
    }
}

#[test]
fn a_changed_or_newer_migration_is_an_error() {
    for (change, newer) in [
        ("update schema_migrations set sha256 = 'other'", false),
        ("insert into schema_migrations values (99, 'later', 'x', null, '9.9')", true),
    ] {
        let store = Store::new();
        store.publish("r1", vec![store.stage_all("r1", DAY, 3, 1)]);
        let connection = fixture::open_for_writing(&store.paths);
        connection.execute_batch(change).expect("change");
        connection.close().expect("close");
        let error = store
            .try_publish("r2", Vec::new(), PublishMode::Update, &mut |_| std::ops::ControlFlow::Continue(()))
            .expect_err("refused");
        match newer {
            true => assert!(matches!(error, LoadError::NewerSchema { found: 99, .. }), "{error}"),
            false => assert!(matches!(error, LoadError::MigrationDrift { version: 1, .. }), "{error}"),
        }
    }
}

#[test]
fn no_connection_loads_extensions() {
    let store = Store::new();
    assert!(matches!(open_published(&store.paths), Err(LoadError::NoDatabase { .. })));
    store.publish("r1", Vec::new());
    let connection = open_published(&store.paths).expect("open");
    for name in ["autoinstall_known_extensions", "autoload_known_extensions"] {
        let value: String = connection
            .query_row("select value from duckdb_settings() where name = ?", [name], |row| row.get(0))
            .expect("setting");
        assert_eq!(value, "false", "{name}");
    }
    assert!(connection.execute_batch("create table t (a int)").is_err(), "read-only");
}
