//! Generated rows and stores for the tests of this stage.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use arrow::array::RecordBatch;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::*;
use crate::schema::cell::{self, Cell, Row};
use crate::schema::{Column, Kind, PARTITION_COLUMN, RUNS, Storage, TABLES, Table};

/// 2026-11-01.
pub(crate) const DAY: i32 = 20_758;
pub(crate) const NOW_US: i64 = 1_795_284_000_000_000;
const DAY_US: i64 = 86_400_000_000;
/// Samples of one participant.
const MINUTES: usize = 60;

/// `rows` rows of a table as in its part: sorted by key, other values random from the seed, some NULL.
pub(crate) fn rows(table: &Table, meeting_date: i32, rows: usize, seed: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ (meeting_date as u64) << 32);
    (0..rows)
        .map(|n| table.columns.iter().map(|column| value(table, column, meeting_date, n, &mut random)).collect())
        .collect()
}

fn value(table: &Table, column: &Column, meeting_date: i32, n: usize, random: &mut ChaCha8Rng) -> Cell {
    let participant = n / if table.name == "quality_samples" { MINUTES } else { 1 };
    let minute_us = i64::from(meeting_date) * DAY_US + (n % MINUTES) as i64 * 60_000_000;
    if column.name == PARTITION_COLUMN {
        return Cell::Day(meeting_date);
    }
    if !column.required && random.random_ratio(1, 10) {
        return Cell::Null;
    }
    match column.kind {
        Kind::Id | Kind::Text if column.required => {
            Cell::Text(format!("705605196-{}/ou_{participant:08}/{}", minute_us / DAY_US, participant * 60))
        }
        Kind::Id => Cell::Text(format!("705605196-{}", participant / 10)),
        Kind::Text => Cell::Text(
            ["", "O'Neil \"quoted\"", "会议 \u{1F600}", "plain", "a\nb\0c"][random.random_range(0..4)].to_owned(),
        ),
        // Some sections have another minute than the sample.
        Kind::Instant if column.name == "audio_time_utc" && n.is_multiple_of(90) => {
            Cell::Micros(minute_us + 60_000_000)
        }
        Kind::Instant => Cell::Micros(minute_us),
        Kind::WallClock => Cell::Micros(minute_us + 8 * 3_600_000_000),
        Kind::OffsetMinutes => Cell::Whole(480),
        Kind::Flag => Cell::Flag(random.random_bool(0.5)),
        Kind::Day => Cell::Day(meeting_date),
        Kind::PictureHeight => Cell::Whole([180, 360, 720, 1080][random.random_range(0..4)]),
        Kind::Count | Kind::Seconds | Kind::Minutes => Cell::Whole(random.random_range(0..5_000)),
        _ => Cell::Real(f64::from(random.random_range(0..3_000_u32)) / 10.0),
    }
}

pub(crate) fn batch(table: &Table, meeting_date: i32, count: usize, seed: u64) -> RecordBatch {
    cell::file_batch(table, &rows(table, meeting_date, count, seed)).expect("rows match the schema")
}

/// A store in a temporary directory.
pub(crate) struct Store {
    pub(crate) paths: StorePaths,
    _dir: Option<tempfile::TempDir>,
}

impl Store {
    pub(crate) fn new() -> Store {
        Store::below("store")
    }

    pub(crate) fn below(name: &str) -> Store {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(&dir.path().join(name)).expect("open");
        Store { paths, _dir: Some(dir) }
    }

    /// A store that another process created and will remove.
    pub(crate) fn at(root: &Path) -> Store {
        Store { paths: StorePaths::existing(root).expect("existing"), _dir: None }
    }

    /// Stages one date: table name, number of rows, and the seed of their values.
    pub(crate) fn stage(&self, run_id: &str, meeting_date: i32, tables: &[(&str, usize, u64)]) -> DatePublication {
        let parts = tables
            .iter()
            .zip(0..)
            .filter_map(|((name, count, seed), n)| {
                let table = crate::schema::tables::table(name).expect("a table");
                let mut writer =
                    PartWriter::create(&self.paths.work(), table, meeting_date, run_id, n).expect("create");
                writer.write(&batch(table, meeting_date, *count, *seed)).expect("write");
                writer.finish().expect("finish")
            })
            .collect();
        DatePublication { meeting_date, parts }
    }

    /// Stages every table of a date with `count` rows each, except for those that a publication computes.
    pub(crate) fn stage_all(&self, run_id: &str, meeting_date: i32, count: usize, seed: u64) -> DatePublication {
        let tables: Vec<_> = staged_tables().map(|table| (table.name, count, seed)).collect();
        self.stage(run_id, meeting_date, &tables)
    }

    pub(crate) fn publish_with(&self, run_id: &str, dates: Vec<DatePublication>, definitions: Definitions<'_>) {
        self.try_publish_with(run_id, dates, definitions).expect("publish");
    }

    pub(crate) fn try_publish_with(
        &self,
        run_id: &str,
        dates: Vec<DatePublication>,
        definitions: Definitions<'_>,
    ) -> Result<Published, LoadError> {
        self.publication(run_id, dates, PublishMode::Update, definitions, &mut |_| ControlFlow::Continue(()))
    }

    pub(crate) fn publish(&self, run_id: &str, dates: Vec<DatePublication>) -> Published {
        self.try_publish(run_id, dates, PublishMode::Update, &mut |_| ControlFlow::Continue(())).expect("publish")
    }

    pub(crate) fn try_publish(
        &self,
        run_id: &str,
        dates: Vec<DatePublication>,
        mode: PublishMode,
        on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Published, LoadError> {
        self.publication(run_id, dates, mode, Definitions::NONE, on_step)
    }

    pub(crate) fn publication(
        &self,
        run_id: &str,
        dates: Vec<DatePublication>,
        mode: PublishMode,
        definitions: Definitions<'_>,
        on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> Result<Published, LoadError> {
        let publication = Publication { mode, definitions, ..update(run_id, dates) };
        publish(&self.paths, &publication, &mut |connection| Ok(vec![run_row(connection)?]), on_step)
    }

    /// Publishes with another setting of `database`.
    pub(crate) fn publish_into(&self, run_id: &str, dates: Vec<DatePublication>, into: DatabaseDates) -> Published {
        let database = DatabaseOptions { dates: into, ..DatabaseOptions::default() };
        let publication = Publication { database, ..update(run_id, dates) };
        let on_step = &mut |_| ControlFlow::Continue(());
        publish(&self.paths, &publication, &mut |connection| Ok(vec![run_row(connection)?]), on_step).expect("publish")
    }

    /// The rows of every Parquet table as sorted text, to compare two stores.
    pub(crate) fn contents(&self) -> BTreeMap<&'static str, Vec<String>> {
        let connection = open_published(&self.paths).expect("open");
        parquet_tables().map(|table| (table.name, table_lines(&connection, table.name))).collect()
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::read(&self.paths).expect("read").expect("published")
    }

    /// Parts on disk, relative to `parquet/`, sorted.
    pub(crate) fn parts_on_disk(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.paths.parquet(), &mut |path| {
            if path.extension().is_some_and(|extension| extension == "parquet") {
                let relative = path.strip_prefix(self.paths.parquet()).expect("below parquet");
                found.push(relative.to_string_lossy().into_owned());
            }
        });
        found.sort();
        found
    }

    /// Asserts that manifest, Parquet files, and database agree, cell by cell.
    pub(crate) fn assert_consistent(&self) {
        let manifest = self.manifest();
        let connection = open_published(&self.paths).expect("open");
        let generation: u64 = connection.query_row("select generation from meta", [], |row| row.get(0)).expect("meta");
        assert_eq!(generation, manifest.generation);
        for table in parquet_tables() {
            let files: Vec<String> = manifest
                .files
                .iter()
                .filter(|file| file.table == table.name)
                .map(|file| crate::schema::ddl::quoted(&self.paths.part(&file.path).to_string_lossy()))
                .collect();
            if files.is_empty() {
                assert_eq!(table_lines(&connection, table.name), [] as [&str; 0], "{}", table.name);
                continue;
            }
            let columns: Vec<String> = table
                .columns
                .iter()
                .map(|column| match column.kind {
                    Kind::Instant => format!("make_timestamp(epoch_us({0})) as {0}", column.name),
                    Kind::Day => format!("cast({0} as date) as {0}", column.name),
                    _ => column.name.to_owned(),
                })
                .collect();
            // Here the date comes from the Hive path, as for any other reader.
            let parquet = format!(
                "select {} from read_parquet([{}], hive_partitioning = true)",
                columns.join(", "),
                files.join(", ")
            );
            assert_same_rows(&connection, table, &parquet);
        }
        for table in TABLES.iter().filter(|table| table.storage == Storage::Reference) {
            let files: Vec<_> = manifest.files.iter().filter(|file| file.table == table.name).collect();
            assert_eq!(files.len(), 1, "{}", table.name);
            let file = crate::schema::ddl::quoted(&self.paths.part(&files[0].path).to_string_lossy());
            let parquet = format!("select {} from read_parquet({file})", parquet_columns(table));
            assert_same_rows(&connection, table, &parquet);
        }
        let published: Vec<String> = table_lines(&connection, "published_files");
        assert_eq!(published.len(), manifest.files.len());
        assert_eq!(table_lines(&connection, "runs").len(), 1);
        assert!(!self.paths.database_wal().exists());
    }
}

/// A publication that keeps the other dates.
fn update(run_id: &str, dates: Vec<DatePublication>) -> Publication<'_> {
    Publication {
        run_id,
        now_us: NOW_US,
        dates,
        mode: PublishMode::Update,
        timezone: "+08:00",
        user_id_type: "open_id",
        definitions: Definitions::NONE,
        reference_rows: &[],
        database: DatabaseOptions::default(),
    }
}

/// Asserts that a table has the rows of a query.
fn assert_same_rows(connection: &duckdb::Connection, table: &Table, parquet: &str) {
    let database = format!("from {}", table.name);
    for (one, other) in [(database.as_str(), parquet), (parquet, database.as_str())] {
        let sql = format!("select count(*) from (({one}) except all ({other}))");
        let extra: i64 = connection.query_row(&sql, [], |row| row.get(0)).expect("compare");
        assert_eq!(extra, 0, "{}: {one} has rows that {other} does not have", table.name);
    }
}

/// Defines everything in an open database with tables and rows, and fills the derived tables.
pub(crate) fn define(definitions: &Definitions<'_>, connection: &duckdb::Connection) {
    definitions.run(connection).expect("defined");
    for derived in definitions::DERIVED {
        connection.execute_batch(&definitions::replacement(derived, "true")).expect("derived");
    }
}

/// Opens `vcq.duckdb` read-only with two threads.
pub(crate) fn open_published(paths: &StorePaths) -> Result<Reader, LoadError> {
    open_published_with(paths, DatabaseOptions { threads: 2, ..DatabaseOptions::default() })
}

/// Opens `vcq.duckdb` for writing, as a client could before it was published read-only.
pub(crate) fn open_for_writing(paths: &StorePaths) -> duckdb::Connection {
    use std::os::unix::fs::PermissionsExt;
    for log in write_guard::logs(&paths.database()) {
        std::fs::remove_file(log).ok();
    }
    let writable = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(paths.database(), writable).expect("writable");
    duckdb::Connection::open(paths.database()).expect("open")
}

/// A row of `runs` whose totals come from the given connection.
fn run_row(connection: &duckdb::Connection) -> Result<Row, duckdb::Error> {
    let samples: i64 = connection.query_row("select count(*) from quality_samples", [], |row| row.get(0))?;
    Ok(RUNS
        .columns
        .iter()
        .map(|column| match (column.name, column.kind) {
            ("samples", _) => Cell::Whole(samples),
            ("finished_utc", _) => Cell::Null,
            (_, Kind::Instant) => Cell::Micros(NOW_US),
            (_, Kind::Id | Kind::Text) => Cell::Text("run".to_owned()),
            (_, Kind::FractionalSeconds) => Cell::Real(0.5),
            _ => Cell::Whole(0),
        })
        .collect())
}

pub(crate) fn parquet_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb)
}

/// Those whose rows are given to a publication.
pub(crate) fn staged_tables() -> impl Iterator<Item = &'static Table> {
    parquet_tables().filter(|table| !is_searched(table.name))
}

pub(crate) fn table_lines(connection: &duckdb::Connection, table: &str) -> Vec<String> {
    connection
        .prepare(&format!("select cast(columns(*) as varchar) from {table}"))
        .and_then(|mut statement| {
            let mut lines = statement
                .query_map([], |row| {
                    let width = row.as_ref().column_count();
                    (0..width).map(|n| row.get::<_, Option<String>>(n)).collect::<Result<Vec<_>, _>>()
                })?
                .map(|cells| cells.map(|cells| format!("{cells:?}")))
                .collect::<Result<Vec<_>, _>>()?;
            lines.sort();
            Ok(lines)
        })
        .expect("read the table")
}

fn walk(dir: &Path, found: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(dir).expect("list").flatten() {
        match entry.path() {
            path if path.is_dir() => walk(&path, found),
            path => found(&path),
        }
    }
}
