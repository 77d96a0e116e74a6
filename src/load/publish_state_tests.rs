//! The publish protocol as a state machine: random publications, stops before any step, leftover files, orphans,
//! readers and full rebuilds, compared with a model of two maps: the contents of the manifest and of the database.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::fixture::open_published;
use super::fixture::{DAY, Store, parquet_tables};
use super::paths::wal_of;
use super::*;
use crate::schema::{Kind, Table, civil_date_text, ddl};

/// An event in the life of a store.
#[derive(Debug, Clone)]
enum Operation {
    /// A run publishes dates and may stop before a step.
    Publish { dates: BTreeMap<i32, Vec<(usize, usize, u64)>>, mode: PublishMode, stop: Option<Step> },
    /// A crashed run left files in `.work/`.
    Leftover,
    /// A crashed run left an unlisted part.
    Orphan { date: i32, table: usize },
    /// A run starts: opens the store, empties `.work/`, removes orphans.
    Begin,
    /// A reader opens the database and keeps it open.
    Read,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let parts = prop::collection::vec((0..5_usize, 1..25_usize, 0..3_u64), 0..4);
    let dates = prop::collection::btree_map(0..4_i32, parts, 0..3);
    let mode = prop_oneof![5 => Just(PublishMode::Update), 1 => Just(PublishMode::Replace)];
    let stop = prop::option::weighted(0.4, prop::sample::select(Step::ALL));
    let operation = prop_oneof![
        6 => (dates, mode, stop).prop_map(|(dates, mode, stop)| Operation::Publish { dates, mode, stop }),
        1 => Just(Operation::Leftover),
        1 => (0..5_i32, 0..5_usize).prop_map(|(date, table)| Operation::Orphan { date, table }),
        2 => Just(Operation::Begin),
        2 => Just(Operation::Read),
    ];
    prop::collection::vec(operation, 2..8)
}

/// Rows and the sum of their hashes, by date and table.
type Content = BTreeMap<(String, &'static str), (u64, String)>;

/// A generation and its content.
#[derive(Debug, Clone, Default, PartialEq)]
struct Generation {
    number: u64,
    content: Content,
}

/// The expected state.
struct Model {
    parts: duckdb::Connection,
    /// The manifest, from the moment it is renamed.
    manifest: Option<Generation>,
    /// The database, from the moment it is renamed.
    database: Option<Generation>,
    /// Readers, with what they saw when they opened the database.
    readers: Vec<(Reader, Generation)>,
}

fn columns(table: &Table, in_parquet: bool) -> String {
    let columns: Vec<String> = table
        .file_columns()
        .map(|column| match column.kind {
            Kind::Instant if in_parquet => format!("make_timestamp(epoch_us({}))", column.name),
            _ => column.name.to_owned(),
        })
        .collect();
    columns.join(", ")
}

fn content_of(connection: &duckdb::Connection) -> Content {
    let mut content = Content::new();
    for table in parquet_tables() {
        let sql = format!(
            "select cast(meeting_date as varchar), count(*), cast(sum(hash({})) as varchar) from {} group by 1",
            columns(table, false),
            table.name
        );
        let mut select = connection.prepare(&sql).expect("sql");
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("query");
        for row in rows {
            let (date, rows, hashes): (String, u64, String) = row.expect("row");
            content.insert((date, table.name), (rows, hashes));
        }
    }
    content
}

fn generation_of(connection: &duckdb::Connection) -> Generation {
    let number = connection.query_row("select generation from meta", [], |row| row.get(0)).expect("meta");
    Generation { number, content: content_of(connection) }
}

/// The content of a staged part once it is in the database.
fn content_of_part(connection: &duckdb::Connection, part: &StagedPart) -> (u64, String) {
    let sql = format!(
        "select count(*), cast(sum(hash({})) as varchar) from read_parquet({}, hive_partitioning = false)",
        columns(part.table, true),
        ddl::quoted(&part.path.to_string_lossy())
    );
    connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("part")
}

impl Model {
    fn apply(&mut self, store: &Store, n: usize, operation: &Operation) {
        match operation {
            Operation::Publish { dates, mode, stop } => self.publish(store, &format!("r{n}"), dates, *mode, *stop),
            Operation::Leftover => {
                fs::create_dir_all(store.paths.work().join(format!("database-crashed{n}/spill"))).expect("created");
                fs::write(store.paths.work().join("vcq.duckdb.inprogress"), "half").expect("written");
                fs::write(store.paths.work().join("_manifest.json.inprogress"), "{").expect("written");
            }
            Operation::Orphan { date, table } => {
                let table = parquet_tables().nth(*table).expect("a table");
                let path =
                    store.paths.part(&super::paths::part_path(table, Some(DAY + date), &format!("crashed{n}"), 0));
                fs::create_dir_all(path.parent().expect("a folder")).expect("created");
                fs::write(path, "never listed").expect("written");
            }
            Operation::Begin => begin(store, self),
            Operation::Read => {
                if let Some(database) = &self.database {
                    let reader = open_published(&store.paths).expect("open");
                    self.readers.push((reader, database.clone()));
                }
            }
        }
    }

    fn publish(
        &mut self,
        store: &Store,
        run_id: &str,
        dates: &BTreeMap<i32, Vec<(usize, usize, u64)>>,
        mode: PublishMode,
        stop: Option<Step>,
    ) {
        let names: Vec<&str> = parquet_tables().map(|table| table.name).collect();
        let mut content = match (&self.manifest, mode) {
            (Some(manifest), PublishMode::Update) => manifest.content.clone(),
            _ => Content::new(),
        };
        let mut publications = Vec::new();
        for (date, parts) in dates {
            // At most one part a table.
            let parts: BTreeMap<&str, (usize, u64)> =
                parts.iter().map(|(table, rows, seed)| (names[*table], (*rows, *seed))).collect();
            let list: Vec<_> = parts.iter().map(|(name, (rows, seed))| (*name, *rows, *seed)).collect();
            let staged = store.stage(run_id, DAY + date, &list);
            content.retain(|(of, _), _| *of != civil_date_text(DAY + date));
            for part in &staged.parts {
                content.insert((civil_date_text(DAY + date), part.table.name), content_of_part(&self.parts, part));
            }
            publications.push(staged);
        }
        let number = [&self.manifest, &self.database].into_iter().flatten().map(|generation| generation.number).max();
        let next = Generation { number: number.unwrap_or_default() + 1, content };
        let result = store.try_publish(run_id, publications, mode, &mut |step| match Some(step) == stop {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert_eq!(result.is_ok(), stop.is_none(), "{result:?}");
        let is_listed = !matches!(stop, Some(Step::PlaceParts | Step::BuildDatabase | Step::WriteManifest));
        let is_loaded = matches!(stop, None | Some(Step::RemoveOldParts));
        if is_listed {
            self.manifest = Some(next.clone());
        }
        if is_loaded {
            self.database = Some(next);
        }
        if stop.is_none() {
            assert_eq!(self.manifest, self.database, "after a completed publication both are equal");
        }
    }

    /// Checks what must be true after every operation.
    fn check(&self, store: &Store) {
        let manifest = Manifest::read(&store.paths).expect("the manifest is readable at any moment");
        assert_eq!(manifest.as_ref().map(|of| of.generation), self.manifest.as_ref().map(|of| of.number));
        let listed: BTreeMap<(String, &str), u64> = manifest
            .iter()
            .flat_map(|manifest| &manifest.files)
            .filter_map(|file| Some(((file.date_with_rows()?.to_owned(), file.table.as_str()), file.rows)))
            .collect();
        let expected: BTreeMap<(String, &str), u64> = self
            .manifest
            .iter()
            .flat_map(|manifest| &manifest.content)
            .map(|((date, table), (rows, _))| ((date.clone(), *table), *rows))
            .collect();
        assert_eq!(listed, expected);
        for file in manifest.iter().flat_map(|manifest| &manifest.files) {
            let found = fs::metadata(store.paths.part(&file.path)).map(|metadata| metadata.len()).ok();
            assert_eq!(found, Some(file.bytes), "{} is listed and must exist", file.path);
        }
        assert!(!wal_of(&store.paths.database()).exists(), "no log beside a published database");
        match &self.database {
            Some(database) => {
                let reader = open_published(&store.paths).expect("a reader can always open the database");
                assert_eq!(&generation_of(&reader), database, "a reader sees one complete generation");
            }
            None => assert!(!store.paths.database().exists()),
        }
        for (reader, seen) in &self.readers {
            assert_eq!(&generation_of(reader), seen, "an open reader keeps its snapshot");
        }
    }
}

/// The first steps of every run.
fn begin(store: &Store, model: &Model) {
    StorePaths::open(store.paths.root()).expect("open");
    store.paths.clean_work().expect("clean");
    store.paths.remove_orphans().expect("orphans");
    // Open readers of this process keep their directories.
    let own = store.paths.query_work(std::process::id());
    let found = fs::read_dir(store.paths.work()).expect("list").map(|entry| entry.expect("an entry").path());
    let left: Vec<_> = found.filter(|path| *path != own).collect();
    assert!(left.is_empty(), "nothing is left in .work: {left:?}");
    let manifest = Manifest::read(&store.paths).expect("readable");
    assert_eq!(manifest.is_some(), model.manifest.is_some());
    let listed = manifest.map_or(0, |manifest| manifest.files.len());
    assert_eq!(store.parts_on_disk().len(), listed, "parts and manifest agree");
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 64, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn the_store_follows_its_model(operations in operations()) {
        let store = Store::new();
        let parts = duckdb::Connection::open_in_memory().expect("DuckDB");
        let mut model = Model { parts, manifest: None, database: None, readers: Vec::new() };
        // A large date, so that databases are updated instead of rebuilt.
        let base = BTreeMap::from([(9, (0..5).map(|table| (table, 200, 1)).collect())]);
        model.publish(&store, "base", &base, PublishMode::Update, None);
        for (n, operation) in operations.iter().enumerate() {
            model.apply(&store, n, operation);
            model.check(&store);
        }
        // Whatever happened, the next completed run restores consistency.
        begin(&store, &model);
        let last = BTreeMap::from([(1, vec![(0, 3, 7)])]);
        model.publish(&store, "last", &last, PublishMode::Update, None);
        model.check(&store);
        begin(&store, &model);
        store.assert_consistent();
    }
}
