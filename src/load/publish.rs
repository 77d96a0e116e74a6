//! The order in which a publication becomes visible: new parts, manifest, database, old parts removed.
//!
//! Stopping between any two steps harms nothing: until the manifest is renamed the new parts are orphans, and from then
//! on the next publication brings the database after it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use duckdb::Connection;

use super::database::{self, Current};
use super::store::{part_path, remove_if_empty, wal_of};
use super::{DatabaseOptions, Definitions, LoadError, Manifest, PublishedFile, StagedPart, StorePaths, durable};
use crate::schema::cell::Row;
use crate::schema::{SCHEMA_VERSION, TABLES, civil_date_text, utc_text};

/// Gives all the rows of `runs`, worked out on the next database after its dates are replaced. It may be asked twice.
pub(crate) type RunsOf<'a> = &'a mut dyn FnMut(&Connection) -> Result<Vec<Row>, Box<dyn Error + Send + Sync>>;

/// What a publication starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The published dates stay, but those that are given.
    OverPublished,
    /// As above, but nothing published is taken on trust: the files of the given dates are read, and the database is built
    /// anew from Parquet.
    Mistrusting,
    /// Only the given dates stay: a full rebuild. Needs no manifest that can be read, and trusts nothing either.
    Afresh,
}

impl Start {
    /// Whether published bytes are taken for what the manifest and the database say of them.
    pub(crate) fn trusts(self) -> bool {
        self == Start::OverPublished
    }

    /// The same, but the dates that are not given stay.
    pub fn keeping_other_dates(self) -> Start {
        if self == Start::Afresh { Start::Mistrusting } else { self }
    }

    fn keeps_other_dates(self) -> bool {
        self != Start::Afresh
    }
}

#[derive(Debug, Clone)]
pub struct Publication<'a> {
    /// The run; letters, digits, `-` and `_`, because it is part of file names.
    pub run_id: &'a str,
    /// Now, microseconds since 1970-01-01 UTC.
    pub now_us: i64,
    /// The dates that are replaced, each as a whole.
    pub dates: Vec<DatePublication>,
    /// What becomes of the other dates.
    pub start: Start,
    /// The tenant's zone, for `meta`.
    pub timezone: &'a str,
    /// The kind of user id, for `meta`.
    pub user_id_type: &'a str,
    /// What is installed beside the rows.
    pub definitions: Definitions<'a>,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
}

/// All there is of one meeting date. A table without a part has no rows on that date.
#[derive(Debug, Clone)]
pub struct DatePublication {
    /// Days since 1970-01-01.
    pub meeting_date: i32,
    /// At most one part a table.
    pub parts: Vec<StagedPart>,
}

/// What a publication did.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub generation: u64,
    /// The dates in which a file came, went or changed: `YYYY-MM-DD`, in order.
    pub dates_changed: Vec<String>,
    /// Parts that are newly published.
    pub files_written: usize,
    /// Parts that were given and were already published with the same bytes.
    pub files_kept: usize,
    /// Size of `vcq.duckdb`.
    pub duckdb_bytes: u64,
    /// True where `vcq.duckdb` was built anew from Parquet and so has no holes.
    pub compacted: bool,
    pub load_s: f64,
}

/// The steps of the protocol. The caller is told before each and may stop there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Rename the new parts to their published names.
    PlaceParts,
    /// Rename the new manifest over the old one.
    WriteManifest,
    /// Build the next database aside.
    BuildDatabase,
    /// Rename it over the old one.
    RenameDatabase,
    /// Remove what the manifest no longer names.
    RemoveOldParts,
}

impl Step {
    /// Every step, in order.
    pub const ALL: &'static [Step] =
        &[Step::PlaceParts, Step::WriteManifest, Step::BuildDatabase, Step::RenameDatabase, Step::RemoveOldParts];

    /// The step in words.
    pub fn doing(self) -> &'static str {
        match self {
            Step::PlaceParts => "place the new parts",
            Step::WriteManifest => "write the manifest",
            Step::BuildDatabase => "build the database",
            Step::RenameDatabase => "publish the database",
            Step::RemoveOldParts => "remove the old parts",
        }
    }
}

/// Publishes the dates. Only for the holder of the lock. `on_step` is told each step before it is begun; pass
/// `&mut |_| ControlFlow::Continue(())` to go through.
///
/// # Errors
/// Every [`LoadError`]. What was published before stays whole; publishing again puts the rest right.
pub fn publish(
    paths: &StorePaths,
    publication: &Publication<'_>,
    runs: RunsOf<'_>,
    on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Published, LoadError> {
    let started = Instant::now();
    check(publication)?;
    let current = match database::inspect(paths, publication.database) {
        // Built anew, it has our migrations again.
        Err(LoadError::MigrationDrift { .. }) if !publication.start.trusts() => None,
        other => other?,
    };
    let old = published_before(paths, publication, current.as_ref())?;
    let generation = old.as_ref().map(|manifest| manifest.generation).max(current.as_ref().map(|c| c.generation));
    let is_intact = |file: &PublishedFile| {
        let part = paths.part(&file.path);
        if publication.start.trusts() {
            part.exists()
        } else {
            durable::sha256(&part).is_ok_and(|sum| sum == file.sha256)
        }
    };
    let plan = Plan::new(publication, old.as_ref(), &|path| paths.part(path).exists(), &is_intact);
    let manifest = Manifest {
        generation: generation.unwrap_or_default() + 1,
        schema_version: SCHEMA_VERSION,
        run_id: publication.run_id.to_owned(),
        created_utc: utc_text(publication.now_us),
        files: plan.files,
    };
    let mut begin = |step: Step| match on_step(step) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(LoadError::Stopped { step }),
    };

    begin(Step::PlaceParts)?;
    place(paths, &plan.moves)?;

    begin(Step::WriteManifest)?;
    manifest.write(paths)?;

    begin(Step::BuildDatabase)?;
    let built = database::build(paths, publication, &manifest, current.as_ref(), runs)?;

    begin(Step::RenameDatabase)?;
    // A log beside the file would be taken for its own, and keep it from opening.
    durable::remove_file(&wal_of(&paths.database()))?;
    durable::rename(&built.path, &paths.database())?;

    begin(Step::RemoveOldParts)?;
    for part in &plan.kept {
        durable::remove_file(part)?;
    }
    for path in &plan.outdated {
        let part = paths.part(path);
        durable::remove_file(&part)?;
        part.parent().into_iter().for_each(remove_if_empty);
    }
    if publication.start == Start::Afresh {
        paths.remove_orphans()?;
    }
    Ok(Published {
        generation: manifest.generation,
        dates_changed: plan.dates_changed.into_iter().collect(),
        files_written: plan.moves.len(),
        files_kept: plan.kept.len(),
        duckdb_bytes: built.bytes,
        compacted: built.compacted,
        load_s: started.elapsed().as_secs_f64(),
    })
}

/// The manifest to start from.
fn published_before(
    paths: &StorePaths,
    publication: &Publication<'_>,
    current: Option<&Current>,
) -> Result<Option<Manifest>, LoadError> {
    match (Manifest::read(paths), publication.start) {
        (Err(LoadError::CorruptManifest { .. }), Start::Afresh) => Ok(None),
        // Without the manifest, publishing one date would drop all the others.
        (Ok(None), start) if start.keeps_other_dates() && current.is_some_and(Current::holds_dates) => {
            Err(LoadError::MissingManifest { path: paths.manifest() })
        }
        (other, _) => other,
    }
}

/// Refuses a publication that contradicts itself.
fn check(publication: &Publication<'_>) -> Result<(), LoadError> {
    let run_id = publication.run_id;
    let refuse = |why: String| Err(LoadError::Inconsistent { run_id: run_id.to_owned(), why });
    if run_id.is_empty() || !run_id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return refuse("the run id can't be part of a file name".to_owned());
    }
    let mut dates = HashSet::new();
    for date in &publication.dates {
        let text = civil_date_text(date.meeting_date);
        if !dates.insert(date.meeting_date) {
            return refuse(format!("{text} is given twice"));
        }
        let mut tables = HashSet::new();
        for part in &date.parts {
            if part.meeting_date != date.meeting_date {
                return refuse(format!("a part of {} is of {}", text, civil_date_text(part.meeting_date)));
            }
            if !tables.insert(part.table.name) {
                return refuse(format!("{} has two parts on {text}", part.table.name));
            }
        }
    }
    Ok(())
}

/// What a publication does to the Parquet files, worked out before anything is touched.
struct Plan {
    files: Vec<PublishedFile>,
    /// From `.work/` to the path below `parquet/`.
    moves: Vec<(PathBuf, String)>,
    /// Staged parts that are published already.
    kept: Vec<PathBuf>,
    /// Paths below `parquet/` that the new manifest no longer names.
    outdated: Vec<String>,
    dates_changed: BTreeSet<String>,
}

impl Plan {
    /// `is_taken` tells whether there is a file with that path below `parquet/`, `is_intact` whether a published file has
    /// the bytes that it was published with.
    fn new(
        publication: &Publication<'_>,
        old: Option<&Manifest>,
        is_taken: &dyn Fn(&str) -> bool,
        is_intact: &dyn Fn(&PublishedFile) -> bool,
    ) -> Plan {
        let table_position = |name: &str| TABLES.iter().position(|table| table.name == name);
        let replaced: HashSet<String> =
            publication.dates.iter().map(|date| civil_date_text(date.meeting_date)).collect();
        let old_files = || old.iter().flat_map(|manifest| &manifest.files);
        let old_of: BTreeMap<(&str, &str), &PublishedFile> =
            old_files().map(|file| ((file.table.as_str(), file.meeting_date.as_str()), file)).collect();

        let mut plan = Plan {
            files: Vec::new(),
            moves: Vec::new(),
            kept: Vec::new(),
            outdated: Vec::new(),
            dates_changed: BTreeSet::new(),
        };
        if publication.start.keeps_other_dates() {
            plan.files.extend(old_files().filter(|file| !replaced.contains(&file.meeting_date)).cloned());
        }
        for part in publication.dates.iter().flat_map(|date| &date.parts) {
            let meeting_date = civil_date_text(part.meeting_date);
            match old_of.get(&(part.table.name, meeting_date.as_str())) {
                // The same bytes: the file that readers may have open stays.
                Some(same) if same.sha256 == part.sha256 && is_intact(same) => {
                    plan.kept.push(part.path.clone());
                    plan.files.push((*same).clone());
                }
                _ => {
                    // A published name is never used for other bytes.
                    let path = (part.n..)
                        .map(|n| part_path(part.table, part.meeting_date, publication.run_id, n))
                        .find(|path| !is_taken(path))
                        .unwrap_or_default();
                    plan.moves.push((part.path.clone(), path.clone()));
                    plan.files.push(published_file(part, meeting_date, path));
                }
            }
        }
        plan.files.sort_by(|a, b| {
            (table_position(&a.table), &a.meeting_date).cmp(&(table_position(&b.table), &b.meeting_date))
        });

        let named: HashSet<&str> = plan.files.iter().map(|file| file.path.as_str()).collect();
        let before: HashSet<&str> = old_files().map(|file| file.path.as_str()).collect();
        plan.outdated = before.difference(&named).map(|path| (*path).to_owned()).collect();
        plan.outdated.sort();
        plan.dates_changed = plan
            .files
            .iter()
            .filter(|file| !before.contains(file.path.as_str()))
            .chain(old_files().filter(|file| !named.contains(file.path.as_str())))
            .map(|file| file.meeting_date.clone())
            .collect();
        plan
    }
}

fn published_file(part: &StagedPart, meeting_date: String, path: String) -> PublishedFile {
    PublishedFile {
        table: part.table.name.to_owned(),
        meeting_date,
        path,
        rows: part.rows,
        bytes: part.bytes,
        sha256: part.sha256.clone(),
        min_time_utc: part.min_time_utc_us.map(utc_text),
        max_time_utc: part.max_time_utc_us.map(utc_text),
    }
}

/// Renames the parts into place and makes every new name durable.
fn place(paths: &StorePaths, moves: &[(PathBuf, String)]) -> Result<(), LoadError> {
    let mut folders = BTreeSet::new();
    for (staged, path) in moves {
        let part = paths.part(path);
        if let Some(partition) = part.parent() {
            durable::create_dir(partition)?;
            folders.extend(partition.ancestors().take_while(|dir| dir.starts_with(paths.parquet())).map(PathBuf::from));
        }
        std::fs::rename(staged, &part).map_err(LoadError::io("rename a finished part to", &part))?;
    }
    folders.iter().try_for_each(|folder| durable::sync_dir(folder))
}
