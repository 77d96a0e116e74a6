//! What the store says about itself: the ledger after every night, the published database after a publication.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use super::truth::{Samples, Seat};

/// What the ledger knows of a participant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LedgerSeat {
    pub status: String,
    pub is_final: bool,
}

#[derive(Debug, Default)]
pub(super) struct Ledgered {
    /// By key: whether the participant list is final.
    pub meetings: BTreeMap<String, bool>,
    pub seats: Vec<(Seat, LedgerSeat)>,
}

/// A row of `coverage`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Covered {
    pub participant_key: String,
    pub meeting_key: String,
    pub status: String,
    pub reason: String,
    pub sample_count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Published {
    pub coverage: Vec<Covered>,
    pub meetings: BTreeSet<String>,
    /// Keys of `participants`.
    pub participants: BTreeSet<String>,
    /// By participant.
    pub samples: BTreeMap<String, Samples>,
}

/// The meeting and the join time of a participant's key, `<meeting>/<id>/<join>`, before `#2`.
pub(super) fn seat(participant_key: &str) -> Seat {
    let (before, join) = participant_key.rsplit_once('/').expect("a key of a participant");
    let meeting = before.rsplit_once('/').map_or(before, |(meeting, _)| meeting);
    (meeting.to_owned(), join.split('#').next().unwrap_or_default().to_owned())
}

fn ledger(store: &Path) -> Option<Connection> {
    let path = store.join("state/ledger.sqlite");
    path.exists().then(|| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a ledger"))
}

impl Ledgered {
    pub(super) fn read(store: &Path) -> Ledgered {
        let Some(connection) = ledger(store) else { return Ledgered::default() };
        let mut select = connection.prepare("select meeting_key, list_final from meetings").expect("a table");
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        let meetings = rows.map(|row| row.expect("a row")).collect();
        let mut select = connection.prepare("select base_key, status, is_final from participants").expect("a table");
        let rows = select.query_map([], |row| {
            let known = LedgerSeat { status: row.get(1)?, is_final: row.get(2)? };
            Ok((seat(&row.get::<_, String>(0)?), known))
        });
        let seats = rows.expect("rows").map(|row| row.expect("a row")).collect();
        Ledgered { meetings, seats }
    }
}

impl Published {
    pub(super) fn read(store: &Path) -> Published {
        let config = duckdb::Config::default().access_mode(duckdb::AccessMode::ReadOnly).expect("a mode");
        let connection =
            duckdb::Connection::open_with_flags(store.join("vcq.duckdb"), config).expect("a published database");
        let mut published = Published::default();
        let mut select = connection
            .prepare("select participant_key, meeting_key, status, coalesce(reason, ''), coalesce(sample_count, 0) from coverage")
            .expect("a table");
        let rows = select.query_map([], |row| {
            Ok(Covered {
                participant_key: row.get(0)?,
                meeting_key: row.get(1)?,
                status: row.get(2)?,
                reason: row.get(3)?,
                sample_count: row.get(4)?,
            })
        });
        published.coverage = rows.expect("rows").map(|row| row.expect("a row")).collect();
        let keys = |sql: &str| {
            let mut select = connection.prepare(sql).expect("a table");
            let rows = select.query_map([], |row| row.get::<_, String>(0)).expect("rows");
            let keys: Vec<String> = rows.map(|row| row.expect("a row")).collect();
            let count = keys.len();
            let keys: BTreeSet<String> = keys.into_iter().collect();
            assert_eq!(keys.len(), count, "a key is there twice: {sql}");
            keys
        };
        published.meetings = keys("select meeting_key from meetings");
        published.participants = keys("select participant_key from participants");
        let mut select = connection
            .prepare(
                "select participant_key, count(*), min(epoch(sample_time_utc))::bigint, max(epoch(sample_time_utc))::bigint
                 from quality_samples group by 1",
            )
            .expect("a table");
        let rows = select.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))));
        published.samples = rows.expect("rows").map(|row| row.expect("a row")).collect();
        published
    }
}

/// A digest of the raw files, the Parquet files, and the rows of the ledger. The files of the ledger and of
/// `vcq.duckdb` are left out: SQLite's log begins with random bytes, and DuckDB gives every file a random identifier.
pub(super) fn digest(store: &Path) -> String {
    let mut digest = Sha256::new();
    for folder in ["raw", "parquet"] {
        let mut files = Vec::new();
        collect(&store.join(folder), &mut files);
        files.sort();
        for file in files {
            digest.update(file.strip_prefix(store).expect("below").to_string_lossy().as_bytes());
            digest.update(std::fs::read(&file).expect("a file"));
        }
    }
    for row in ledger(store).iter().flat_map(rows) {
        digest.update(row.as_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// All rows of all tables, as text.
fn rows(connection: &Connection) -> Vec<String> {
    let tables = "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by 1";
    let mut select = connection.prepare(tables).expect("tables");
    let tables: Vec<String> =
        select.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect();
    let mut all = Vec::new();
    for table in tables {
        let mut select = connection.prepare(&format!("select * from \"{table}\"")).expect("a table");
        let width = select.column_count();
        let rows = select.query_map([], |row| {
            let values: Result<Vec<Value>, _> = (0..width).map(|column| row.get(column)).collect();
            Ok(format!("{table}: {:?}", values?))
        });
        all.extend(rows.expect("rows").map(|row| row.expect("a row")));
    }
    all.sort();
    all
}
