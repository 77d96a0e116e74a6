//! A store for one test case, beside others of the same test environment, and what must hold of it after kills and
//! faults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use duckdb::{AccessMode, Config, Connection};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vcq_etl::TABLES;
use vcq_simulator::{Endpoint, Outcome, TenantSpec};

use crate::support::fault_injection::{self, Fault, Operation};
use crate::support::test_env::{RunOutput, TestEnv, rows, unlimited};

/// Requests in flight to each list: as many units can be lost when a run is killed.
pub(crate) const CONCURRENCY: usize = 8;

/// Columns that say when and how often something was requested. `attempts` is compared as a sum.
const REQUEST_COLUMNS: &[(&str, &str)] =
    &[("coverage", "attempts, first_attempt_utc, last_attempt_utc, log_id"), ("rejects", "first_seen_utc")];
/// Tables about runs and publications, not about Feishu's answers.
const STORE_TABLES: &[&str] = &["runs", "meta", "published_files", "schema_migrations"];

/// Every other table, with a query of the columns that must be equal in two stores.
fn compared_tables() -> impl Iterator<Item = (&'static str, String)> {
    let answer_tables = TABLES.iter().filter(|table| !STORE_TABLES.contains(&table.name));
    answer_tables.map(|table| {
        let left_out = REQUEST_COLUMNS.iter().find(|(name, _)| *name == table.name);
        let exclude = left_out.map(|(_, columns)| format!("exclude ({columns})")).unwrap_or_default();
        (table.name, format!("select * {exclude} from {}", table.name))
    })
}

/// Number of rows and a hash of each table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<&'static str, String>);

impl Sums {
    pub(crate) fn read(connection: &Connection) -> Sums {
        let sum = |sql: &str| {
            let sql = format!("select count(*) || ' rows, ' || coalesce(sum(hash(one)), 0) from ({sql}) one");
            connection.query_row(&sql, [], |row| row.get(0)).expect("a sum")
        };
        Sums(compared_tables().map(|(name, sql)| (name, sum(&sql))).collect())
    }
}

/// The rows of each table, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tables {
    pub sums: Sums,
    lines: BTreeMap<&'static str, Vec<String>>,
}

impl Tables {
    pub(crate) fn read(connection: &Connection) -> Tables {
        let lines = |sql: &str| {
            let mut lines = rows(connection, sql);
            lines.sort();
            lines
        };
        Tables {
            sums: Sums::read(connection),
            lines: compared_tables().map(|(name, sql)| (name, lines(&sql))).collect(),
        }
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, expected: &Tables, of: &str) {
        for (name, lines) in &self.lines {
            let expected = &expected.lines[name];
            let more = lines.iter().find(|line| expected.binary_search(line).is_err());
            let less = expected.iter().find(|line| lines.binary_search(line).is_err());
            assert_eq!(
                (lines.len(), more, less),
                (expected.len(), None, None),
                "{of}: {name}: rows, one more, one less"
            );
        }
    }
}

/// What was requested: a participant's minutes, or a meeting's list.
pub(crate) type Unit = (Endpoint, String);

/// How often each unit was requested.
pub(crate) type RequestCounts = BTreeMap<Unit, u64>;

/// The smallest tenant with every unusual case, except those that only take time.
pub(crate) fn tiny_tenant() -> TenantSpec {
    TenantSpec { days: 2, people: 10, meetings_per_day: 1, ..TenantSpec::default() }
}

/// A test environment of the tiny tenant without a rate limit.
pub(crate) fn tiny_env() -> TestEnv {
    TestEnv::with(&tiny_tenant(), unlimited())
}

/// A store for one test case.
pub(crate) struct TestStore<'a> {
    pub env: &'a TestEnv,
    folder: TempDir,
    path: PathBuf,
    /// Home folder of the command, which has the calls that other stores share.
    home: PathBuf,
}

impl<'a> TestStore<'a> {
    /// A folder without a store yet.
    pub(crate) fn new(env: &'a TestEnv) -> TestStore<'a> {
        let folder = TempDir::new_in(env.home()).expect("a folder");
        let path = folder.path().canonicalize().expect("is there").join("store");
        TestStore { env, folder, path, home: env.home().to_owned() }
    }

    /// A folder `store` in the root of a disk, with a home folder beside it.
    pub(crate) fn on_disk(env: &'a TestEnv, root: &Path) -> TestStore<'a> {
        let root = root.canonicalize().expect("is there");
        TestStore { path: root.join("store"), home: root.join("home"), ..TestStore::new(env) }
    }

    /// A copy of another store.
    pub(crate) fn copy_of(other: &TestStore<'a>) -> TestStore<'a> {
        let test_store = TestStore::new(other.env);
        copy_folder(&other.path(), &test_store.path());
        test_store
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("operations")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = self.env.sync_command(&[]);
        self.place(&mut command);
        command.env("VCQ_CONCURRENCY", CONCURRENCY.to_string());
        // One date after another, so that the operations of two runs are nearly the same.
        command.env("VCQ_THREADS", "1");
        command
    }

    /// Lets a command use this store.
    pub(crate) fn place(&self, command: &mut Command) {
        command.env("VCQ_STORE", &self.path).env("HOME", &self.home);
    }

    /// Runs a command, with a fault if given, and logs its file operations.
    pub(crate) fn run(&self, mut command: Command, fault: Option<&Fault>) -> RunOutput {
        let _ = std::fs::remove_file(self.log());
        fault_injection::preload(&mut command, &self.path(), Some(&self.log()), fault);
        RunOutput::new(command.output().expect("the binary runs"))
    }

    pub(crate) fn sync(&self, fault: Option<&Fault>) -> RunOutput {
        self.run(self.command(), fault)
    }

    /// File operations of the last run.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        fault_injection::operations(&self.log(), &self.path())
    }

    /// The published database, if there is one.
    pub(crate) fn duckdb(&self) -> Option<Connection> {
        let path = self.path().join("vcq.duckdb");
        let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
        path.exists().then(|| Connection::open_with_flags(path, config).expect("vcq.duckdb opens"))
    }

    pub(crate) fn tables(&self) -> Tables {
        Tables::read(&self.duckdb().expect("something is published"))
    }

    pub(crate) fn attempts(&self) -> i64 {
        let connection = self.duckdb().expect("something is published");
        connection.query_row("select sum(attempts)::bigint from coverage", [], |row| row.get(0)).expect("a sum")
    }

    pub(crate) fn manifest(&self) -> Option<serde_json::Value> {
        let text = std::fs::read_to_string(self.path().join("parquet/_manifest.json")).ok()?;
        Some(serde_json::from_str(&text).expect("the manifest is whole"))
    }

    /// Checks what holds at every instant, whatever was killed: the manifest, its files and the database are whole, and
    /// the database is in one of the given states (any, if none is given).
    #[track_caller]
    pub(crate) fn assert_published_is_whole(&self, states: &[&Tables], of: &str) {
        let store = self.path();
        assert!(!store.join("vcq.duckdb.wal").exists(), "{of}: a write-ahead log is left beside the database");
        let manifest = self.manifest();
        let generation = manifest.as_ref().map_or(0, |manifest| manifest["generation"].as_u64().expect("a number"));
        for file in manifest.iter().flat_map(|manifest| manifest["files"].as_array().expect("a list")) {
            let path = store.join("parquet").join(file["path"].as_str().expect("a path"));
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{of}: {}: {error}", path.display()));
            let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(file["sha256"], sha256.as_str(), "{of}: {}", path.display());
        }
        let Some(connection) = self.duckdb() else { return };
        let loaded: u64 = connection.query_row("select generation from meta", [], |row| row.get(0)).expect("meta");
        assert!(loaded == generation || loaded + 1 == generation, "{of}: database {loaded}, manifest {generation}");
        let sums = Sums::read(&connection);
        if let Some(expected) = states.last()
            && states.iter().all(|state| state.sums != sums)
        {
            Tables::read(&connection).assert_same(expected, &format!("{of}: in none of the published states"));
        }
    }

    /// Checks what holds after a successful run: the store is equal to that of a run without faults, and no temporary
    /// files are left.
    #[track_caller]
    pub(crate) fn assert_complete_as(&self, expected: &Tables, of: &str) {
        self.assert_published_is_whole(&[expected], of);
        let store = self.path();
        let connection = self.duckdb().expect("published");
        let manifest = self.manifest().expect("published");
        let loaded: u64 = connection.query_row("select generation from meta", [], |row| row.get(0)).expect("meta");
        assert_eq!(manifest["generation"], loaded, "{of}");
        let mut named = BTreeSet::new();
        for table in TABLES.iter().filter(|table| table.is_in_parquet()) {
            let files = manifest["files"].as_array().expect("a list").iter().filter(|file| file["table"] == table.name);
            let paths: Vec<PathBuf> =
                files.map(|file| store.join("parquet").join(file["path"].as_str().expect("a path"))).collect();
            if paths.is_empty() {
                continue;
            }
            let list: Vec<String> = paths.iter().map(|path| format!("'{}'", path.display())).collect();
            named.extend(paths);
            let parquet = format!("from read_parquet([{}])", list.join(", "));
            let number = |sql: String| -> i64 { connection.query_row(&sql, [], |row| row.get(0)).expect("a number") };
            assert_eq!(
                number(format!("select count(*) {parquet}")),
                number(format!("select count(*) from {}", table.name))
            );
        }
        let parts: BTreeSet<PathBuf> = files_below(&store.join("parquet"))
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name != "_manifest.json"))
            .collect();
        assert_eq!(parts, named, "{of}: parts on disk, parts in the manifest");
        assert_eq!(files_below(&store.join(".work")), [] as [PathBuf; 0], "{of}: temporary files are left");
        let state = files_below(&store.join("state"));
        let state: Vec<_> = state.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert_eq!(state, ["ledger.sqlite", "lock", "published.json"], "{of}: state/");
    }

    /// A copy of the ledger, because reading it changes its files; `None` if there is none yet.
    fn ledger(&self) -> Option<(TempDir, rusqlite::Connection)> {
        let copy = TempDir::new_in(self.folder.path()).expect("a folder");
        let state = self.path().join("state");
        if !state.join("ledger.sqlite").exists() {
            return None;
        }
        for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-journal"] {
            if state.join(name).exists() {
                std::fs::copy(state.join(name), copy.path().join(name)).expect("a copy");
            }
        }
        let ledger = rusqlite::Connection::open(copy.path().join("ledger.sqlite")).expect("the ledger opens");
        Some((copy, ledger))
    }

    /// A number from the ledger; `None` if there is no ledger.
    pub(crate) fn query_ledger(&self, sql: &str) -> Option<i64> {
        let (_copy, ledger) = self.ledger()?;
        Some(ledger.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}")))
    }

    /// Bytes of each raw file that are in the ledger, by path below `raw/`.
    pub(crate) fn indexed(&self) -> BTreeMap<String, u64> {
        let Some((_copy, ledger)) = self.ledger() else { return BTreeMap::new() };
        let mut select = ledger.prepare("select path, indexed_bytes from raw_files").expect("the ledger's tables");
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))).expect("rows");
        rows.map(|row| row.expect("a row")).collect()
    }

    /// The units whose answer is final in the ledger. Read from a copy, so that the store stays as it was left.
    pub(crate) fn recorded(&self) -> BTreeSet<Unit> {
        let Some((_copy, ledger)) = self.ledger() else { return BTreeSet::new() };
        let has_tables: bool = ledger
            .query_row("select count(*) = 2 from sqlite_master where name in ('meetings', 'participants')", [], |row| {
                row.get(0)
            })
            .expect("the ledger is whole");
        if !has_tables {
            return BTreeSet::new();
        }
        let text = |endpoint: Endpoint, sql: &str| -> Vec<Unit> {
            let mut select = ledger.prepare(sql).expect("the ledger's tables");
            let rows = select.query_map([], |row| row.get::<_, String>(0)).expect("rows");
            rows.map(|unit| (endpoint, unit.expect("text"))).collect()
        };
        let mut units: BTreeSet<Unit> = BTreeSet::new();
        units.extend(text(
            Endpoint::ParticipantQualityList,
            "select m.meeting_no || '/' || p.id || '/' || p.join_s
             from participants p join meetings m using (meeting_key) where p.is_final and p.id is not null",
        ));
        units.extend(text(
            Endpoint::ParticipantList,
            "select meeting_no || '/' || (start_us / 60000000) from meetings where list_final",
        ));
        units
    }

    /// Requests to the simulator since the last call.
    pub(crate) fn take_request_counts(&self) -> RequestCounts {
        take_request_counts(self.env)
    }
}

/// Requests to the simulator since the last call, without meeting lists, which every run requests.
pub(crate) fn take_request_counts(env: &TestEnv) -> RequestCounts {
    let stats = env.simulator().stats();
    assert_eq!(stats.dropped, 0, "the simulator's log holds every call");
    env.simulator().reset_stats();
    let mut counts = RequestCounts::new();
    for call in &stats.log {
        // A window over a day is refused and requested again in another form: the refusal answers nothing.
        if matches!(call.outcome, Outcome::Code(_, 126_006)) {
            continue;
        }
        let text = |name: &str| call.param(name).unwrap_or_default();
        let unit = match call.endpoint {
            Endpoint::ParticipantQualityList => {
                let id = call.param("user_id").or(call.param("room_id")).unwrap_or_default();
                format!("{}/{id}/{}", text("meeting_no"), text("join_time"))
            }
            Endpoint::ParticipantList => {
                let start: i64 = text("meeting_start_time").parse().expect("seconds");
                format!("{}/{}", text("meeting_no"), start / 60)
            }
            _ => continue,
        };
        *counts.entry((call.endpoint, unit)).or_insert(0) += 1;
    }
    counts
}

pub(crate) fn sum_counts(mut one: RequestCounts, other: &RequestCounts) -> RequestCounts {
    for (unit, count) in other {
        *one.entry(unit.clone()).or_insert(0) += count;
    }
    one
}

/// The units of an endpoint that were requested more often than expected.
pub(crate) fn requested_again<'a>(
    counts: &'a RequestCounts,
    expected: &RequestCounts,
    endpoint: Endpoint,
) -> Vec<&'a str> {
    let more = |(unit, count): &(&Unit, &u64)| unit.0 == endpoint && *count > expected.get(unit).unwrap_or(&0);
    counts.iter().filter(more).map(|(unit, _)| unit.1.as_str()).collect()
}

/// Every file below a folder, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        match entry.expect("an entry").path() {
            path if path.is_dir() => files.extend(files_below(&path)),
            path => files.push(path),
        }
    }
    files.sort();
    files
}

/// Opens the published database for writing, which its mode and the links in place of a log prevent. Creates it if it
/// is gone.
pub(crate) fn open_for_writing(store: &Path) -> duckdb::Connection {
    use std::os::unix::fs::PermissionsExt;
    let database = store.join("vcq.duckdb");
    for log in ["vcq.duckdb.wal", "vcq.duckdb.wal.checkpoint"] {
        std::fs::remove_file(store.join(log)).ok();
    }
    if database.exists() {
        std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o600)).expect("writable");
    }
    duckdb::Connection::open(database).expect("opens")
}

/// Gives the database the mode of a published one again.
pub(crate) fn make_read_only(store: &Path) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o400);
    std::fs::set_permissions(store.join("vcq.duckdb"), mode).expect("read-only");
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (kind, target) = (entry.file_type().expect("a type"), to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target);
        } else if kind.is_symlink() {
            let link = std::fs::read_link(entry.path()).expect("a link");
            std::os::unix::fs::symlink(link, target).expect("a link");
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
