//! A consistent generation to look at, while runs may publish others.

use std::thread;
use std::time::{Duration, Instant};

use super::context::{Result, VerifyContext};
use super::database::{self, Database, Opened};
use super::findings::Findings;
use super::manifest::MANIFEST_PATH;
use super::registry::{DATABASE, MANIFEST};
use crate::load::{Held, LoadError, Manifest, StorePaths, lock};

const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The store at one moment.
pub(super) struct Snapshot {
    /// `None` if there is none or it cannot be read.
    pub(super) manifest: Option<Manifest>,
    /// True if the manifest can be read, or nothing was published.
    pub(super) is_readable: bool,
    /// It stays the same, whatever is renamed over its file.
    pub(super) database: Option<Database>,
    /// A publication is between manifest and database.
    in_progress: bool,
    /// A publication ended between manifest and database: the manifest has a later generation, and no run is active.
    pub(super) is_behind: bool,
}

impl Snapshot {
    /// Why manifest and database cannot be compared; `None` if they can.
    pub(super) fn incomparable(&self) -> Option<&str> {
        if self.is_behind {
            Some("the database has an older generation than the manifest: see generation")
        } else {
            self.in_progress.then_some("a run was publishing all the time: run vcq-etl verify again")
        }
    }
}

/// Reads the manifest and the database of the same generation; waits for a publication that is between the two.
pub(super) fn take(paths: &StorePaths, context: &VerifyContext<'_>, findings: &mut Findings) -> Result<Snapshot> {
    let started = Instant::now();
    loop {
        let was_locked = lock::holder(paths).is_some();
        let read = read_manifest(paths)?;
        let opened = database::open(paths, context)?;
        let of_manifest = generation(&read);
        let of_database = match &opened {
            Opened::Open(database) => database.meta.generation.and_then(|generation| u64::try_from(generation).ok()),
            Opened::Missing if is_without_database(&read) => of_manifest,
            _ => None,
        };
        let is_quiet =
            !was_locked && lock::holder(paths).is_none() && generation(&read_manifest(paths)?) == of_manifest;
        let in_progress = match (of_manifest == of_database, is_quiet) {
            (true, _) | (false, true) => false,
            (false, false) if started.elapsed() < context.max_wait => {
                thread::sleep(RETRY_DELAY);
                continue;
            }
            (false, false) => true,
        };
        let is_behind = !in_progress && of_database.is_some() && of_manifest > of_database;
        return Ok(Snapshot { is_behind, ..assemble(paths, read, opened, in_progress, findings) });
    }
}

type ReadManifest = std::result::Result<Option<Manifest>, serde_json::Error>;

/// A damaged manifest is a finding; one that the system refuses to read, or of a newer program, is an error.
fn read_manifest(paths: &StorePaths) -> Result<ReadManifest> {
    match Manifest::read(paths) {
        Err(LoadError::CorruptManifest { source, .. }) => Ok(Err(source)),
        Err(error) => Err(error),
        Ok(manifest) => Ok(Ok(manifest)),
    }
}

fn generation(read: &ReadManifest) -> Option<u64> {
    read.as_ref().ok()?.as_ref().map(|manifest| manifest.generation)
}

/// Whether there should be no database.
fn is_without_database(read: &ReadManifest) -> bool {
    matches!(read, Ok(Some(manifest)) if manifest.database == Held::Nothing)
}

fn assemble(
    paths: &StorePaths,
    read: ReadManifest,
    opened: Opened,
    in_progress: bool,
    findings: &mut Findings,
) -> Snapshot {
    let is_published = !matches!(opened, Opened::Missing);
    let is_without = is_without_database(&read);
    let problem = match &read {
        Ok(None) if is_published && !in_progress => {
            Some(("the manifest of the files in vcq.duckdb", "no file".to_owned()))
        }
        Ok(_) => None,
        Err(error) => Some(("a manifest", format!("damaged: {error}"))),
    };
    let is_readable = problem.is_none();
    if let Some((expected, found)) = problem {
        findings.examined(&MANIFEST, 1);
        findings.found(&MANIFEST, MANIFEST_PATH, expected, found);
    }
    let manifest = read.ok().flatten();
    if manifest.is_some() || is_published {
        findings.examined(&DATABASE, 1);
    }
    let database = match opened {
        Opened::Open(_) | Opened::Damaged(_) if is_without => {
            if !in_progress {
                let found = "a file; the next vcq-etl sync or rebuild removes it";
                findings.found(&DATABASE, "vcq.duckdb", "no file: the store was published with database = off", found);
            }
            None
        }
        Opened::Open(database) => Some(*database),
        Opened::Damaged(why) => {
            findings.found(&DATABASE, "vcq.duckdb", "a database of vcq-etl", why);
            None
        }
        Opened::Missing => {
            if manifest.is_some() && !in_progress && !is_without {
                // A first publication ended between manifest and database.
                let found = "no file; the next vcq-etl sync builds it from parquet/, vcq-etl rebuild from raw/";
                findings.found(&DATABASE, "vcq.duckdb", "the published database", found);
            }
            None
        }
    };
    if paths.database_wal().exists() {
        findings.found(
            &DATABASE,
            "vcq.duckdb.wal",
            "no write-ahead log next to a published database",
            "a log: another program opened the database for writing; the next vcq-etl sync removes it",
        );
    }
    Snapshot { manifest, is_readable, database, in_progress, is_behind: false }
}
