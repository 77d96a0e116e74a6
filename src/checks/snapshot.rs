//! One consistent generation to look at, while runs may publish others.

use std::thread;
use std::time::{Duration, Instant};

use duckdb::Connection;

use super::checks::{DATABASE, MANIFEST};
use super::{Findings, Surroundings, manifest};
use crate::load::{LoadError, Manifest, StorePaths, connection, current, installed_checksum, lock};
use crate::schema::{META, PUBLISHED_FILES, SCHEMA_MIGRATIONS};

/// As a first publication leaves it that ended between the manifest and the database.
const NO_DATABASE: &str = "no file; the next vcq-etl sync makes it from parquet/, as vcq-etl rebuild does from raw/";
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// What was there at one moment.
pub(crate) struct Snapshot {
    /// The manifest; `None` where there is none that can be read.
    pub(crate) manifest: Option<Manifest>,
    /// True where the manifest is readable or nothing was published.
    pub(crate) is_readable: bool,
    /// The database of that moment: it stays, whatever is renamed over it.
    pub(crate) database: Option<Database>,
    /// Why manifest and database can't be compared: a publication is between the two.
    pub(crate) under_way: Option<String>,
    /// True where a publication ended between the two: the manifest is of a later generation than the database, and
    /// nobody is at work.
    pub(crate) is_behind: bool,
}

impl Snapshot {
    /// Why manifest and database can't be compared, where they can't.
    pub(crate) fn incomparable(&self) -> Option<&str> {
        const BEHIND: &str = "the database is of an older generation than the manifest: see generation";
        if self.is_behind { Some(BEHIND) } else { self.under_way.as_deref() }
    }
}

/// An open database and what it says of itself.
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) meta: Meta,
}

/// The row of `meta`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meta {
    pub(crate) generation: Option<i64>,
    pub(crate) schema_version: Option<i64>,
    pub(crate) run_id: Option<String>,
    pub(crate) created_us: Option<i64>,
    pub(crate) vcq_etl_version: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) user_id_type: Option<String>,
    pub(crate) compact_bytes: Option<i64>,
    pub(crate) compact_rows: Option<i64>,
    /// `None` also where an older program made the file.
    pub(crate) definitions_sha256: Option<String>,
    /// How many rows there are: one.
    pub(crate) rows: i64,
}

/// What could be opened.
enum Opened {
    Absent,
    Broken(String),
    Open(Box<Database>),
}

/// Takes a manifest and the database of the same generation; waits for a publication that is between the two.
pub(crate) fn take(
    paths: &StorePaths,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<Snapshot, LoadError> {
    let began = Instant::now();
    loop {
        let held_before = lock::holder(paths).is_some();
        let read = readable(Manifest::read(paths))?;
        let opened = open(paths, surroundings)?;
        let generation = |read: &Result<Option<Manifest>, LoadError>| match read {
            Ok(manifest) => manifest.as_ref().map(|manifest| manifest.generation),
            Err(_) => None,
        };
        let of_manifest = generation(&read);
        let of_database = match &opened {
            Opened::Open(database) => database.meta.generation.and_then(|generation| u64::try_from(generation).ok()),
            _ => None,
        };
        let is_quiet = !held_before
            && lock::holder(paths).is_none()
            && generation(&readable(Manifest::read(paths))?) == of_manifest;
        let under_way = match (of_manifest == of_database, is_quiet) {
            (true, _) | (false, true) => None,
            (false, false) if began.elapsed() < surroundings.patience => {
                thread::sleep(BETWEEN_TRIES);
                continue;
            }
            (false, false) => Some("a run was publishing all the while: run vcq-etl verify again".to_owned()),
        };
        let is_behind = under_way.is_none() && of_database.is_some() && of_manifest > of_database;
        return Ok(Snapshot { is_behind, ..settled(paths, read, opened, under_way, findings) });
    }
}

/// A damaged manifest is something to tell; one that the system or a newer program keeps from us is not.
fn readable(read: Result<Option<Manifest>, LoadError>) -> Result<Result<Option<Manifest>, LoadError>, LoadError> {
    match read {
        Err(error @ LoadError::CorruptManifest { .. }) => Ok(Err(error)),
        Err(error) => Err(error),
        Ok(manifest) => Ok(Ok(manifest)),
    }
}

fn settled(
    paths: &StorePaths,
    read: Result<Option<Manifest>, LoadError>,
    opened: Opened,
    under_way: Option<String>,
    findings: &mut Findings,
) -> Snapshot {
    let is_published = !matches!(opened, Opened::Absent);
    let mut is_readable = true;
    let manifest = match read {
        Ok(None) if is_published && under_way.is_none() => {
            is_readable = false;
            findings.examined(&MANIFEST, 1);
            findings.found(&MANIFEST, manifest::PLACE, "the manifest of what vcq.duckdb holds", "no file");
            None
        }
        Ok(manifest) => manifest,
        Err(error) => {
            is_readable = false;
            findings.examined(&MANIFEST, 1);
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            findings.found(&MANIFEST, manifest::PLACE, "a manifest", format!("something else: {source}"));
            None
        }
    };
    if manifest.is_some() || is_published {
        findings.examined(&DATABASE, 1);
    }
    let database = match opened {
        Opened::Open(database) => Some(*database),
        Opened::Broken(why) => {
            findings.found(&DATABASE, "vcq.duckdb", "a database of vcq-etl", why);
            None
        }
        Opened::Absent => {
            if manifest.is_some() && under_way.is_none() {
                findings.found(&DATABASE, "vcq.duckdb", "the database of what is published", NO_DATABASE);
            }
            None
        }
    };
    if paths.database_wal().exists() {
        findings.found(
            &DATABASE,
            "vcq.duckdb.wal",
            "no log beside a published database",
            "a log: somebody opened the database to write to it; the next vcq-etl sync removes it",
        );
    }
    Snapshot { manifest, is_readable, database, under_way, is_behind: false }
}

fn open(paths: &StorePaths, surroundings: &Surroundings<'_>) -> Result<Opened, LoadError> {
    let path = paths.database();
    // The system's refusal is no damage.
    match std::fs::File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Opened::Absent),
        other => drop(other.map_err(LoadError::io("read", &path))?),
    }
    let spill_dir = paths.query_work(std::process::id());
    let connection = match connection::open_read_only(&path, &spill_dir, surroundings.database) {
        Ok(connection) => connection,
        Err(LoadError::Duckdb { source, .. }) => return Ok(Opened::Broken(source.to_string())),
        Err(error) => return Err(error),
    };
    match current::check_known(&connection, &path) {
        Ok(()) => {}
        Err(error @ LoadError::NewerSchema { .. }) => return Err(error),
        Err(LoadError::ForeignDatabase { .. }) => {
            let signs = [META, PUBLISHED_FILES, SCHEMA_MIGRATIONS].map(|table| table.name).join(", ");
            return Ok(Opened::Broken(format!("a database without one of the tables {signs}")));
        }
        Err(error) => {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            return Ok(Opened::Broken(format!("{error}{source}")));
        }
    }
    let sql = "select max(generation), max(schema_version), max(run_id), max(epoch_us(created_utc)), \
               max(vcq_etl_version), max(timezone), max(user_id_type), max(compact_bytes), max(compact_rows), count(*) \
               from meta";
    let definitions_sha256 = installed_checksum(&connection);
    let read = connection.query_row(sql, [], |row| {
        Ok(Meta {
            generation: row.get(0)?,
            schema_version: row.get(1)?,
            run_id: row.get(2)?,
            created_us: row.get(3)?,
            vcq_etl_version: row.get(4)?,
            timezone: row.get(5)?,
            user_id_type: row.get(6)?,
            compact_bytes: row.get(7)?,
            compact_rows: row.get(8)?,
            definitions_sha256: definitions_sha256.clone(),
            rows: row.get(9)?,
        })
    });
    Ok(match read {
        Ok(meta) => Opened::Open(Box::new(Database { connection, meta })),
        Err(error) => Opened::Broken(format!("its table meta can't be read: {error}")),
    })
}
