//! The order in which a publication becomes visible: new parts, manifest, database, removal of old parts.
//!
//! Stopping between any two steps does no harm: until the manifest is renamed the new parts are orphans, and from then
//! on the next publication updates the database.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use super::cleanup::remove_if_empty;
use super::current::{self, Current};
use super::error::{LoadError, Result};
use super::manifest::{Manifest, PublishedFile};
use super::paths::{StorePaths, is_run_id, part_path};
use super::publication::{Publication, PublishMode, Published, RunRows};
use super::step::Step;
use super::{builder, checksum, durable};
use crate::schema::{SCHEMA_VERSION, TABLES, civil_date_text, utc_text};

/// Publishes the dates. Only for the holder of the lock. `on_step` is called before each step and may stop there.
///
/// After an error, what was published before is still intact, and the next publication completes what this one began.
pub fn publish(
    paths: &StorePaths,
    publication: &Publication<'_>,
    runs: RunRows<'_>,
    on_step: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Published> {
    let started = Instant::now();
    check_consistent(publication)?;
    let current = match current::inspect(paths, publication.database) {
        // A rebuilt database has the right migrations.
        Err(LoadError::MigrationDrift { .. }) if !publication.mode.trusts_published() => None,
        other => other?,
    };
    let old = manifest_before(paths, publication, current.as_ref())?;
    let generation = old.as_ref().map(|manifest| manifest.generation).max(current.as_ref().map(|c| c.generation));
    let is_intact = |file: &PublishedFile| {
        let part = paths.part(&file.path);
        if publication.mode.trusts_published() {
            part.exists()
        } else {
            checksum::measure_file(&part).is_ok_and(|(_, sha256)| sha256 == file.sha256)
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
    let built = builder::build(paths, publication, &manifest, current.as_ref(), runs)?;

    begin(Step::RenameDatabase)?;
    // DuckDB would treat a log next to the file as its own and fail to open it.
    durable::remove_file(&paths.database_wal())?;
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
    if publication.mode == PublishMode::Replace {
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

/// The manifest to update; `None` if there is none.
fn manifest_before(
    paths: &StorePaths,
    publication: &Publication<'_>,
    current: Option<&Current>,
) -> Result<Option<Manifest>> {
    match (Manifest::read(paths), publication.mode) {
        (Err(LoadError::CorruptManifest { .. }), PublishMode::Replace) => Ok(None),
        // Without the manifest, publishing one date would drop all the others.
        (Ok(None), mode) if mode.keeps_other_dates() && current.is_some_and(|current| !current.loaded.is_empty()) => {
            Err(LoadError::MissingManifest { path: paths.manifest() })
        }
        (other, _) => other,
    }
}

/// Refuses a publication that contradicts itself.
fn check_consistent(publication: &Publication<'_>) -> Result {
    let run_id = publication.run_id;
    let refuse = |why: String| Err(LoadError::Inconsistent { run_id: run_id.to_owned(), why });
    if !is_run_id(run_id) {
        return refuse("the run id cannot be part of a file name".to_owned());
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
                return refuse(format!("a part of {} is dated {}", text, civil_date_text(part.meeting_date)));
            }
            if !tables.insert(part.table.name) {
                return refuse(format!("{} has two parts on {text}", part.table.name));
            }
        }
    }
    Ok(())
}

/// What a publication does to the Parquet files, computed before anything is changed.
#[derive(Default)]
struct Plan {
    files: Vec<PublishedFile>,
    /// From `.work/` to the path below `parquet/`.
    moves: Vec<(PathBuf, String)>,
    /// Staged parts that are already published.
    kept: Vec<PathBuf>,
    /// Paths below `parquet/` that the new manifest no longer lists.
    outdated: Vec<String>,
    dates_changed: BTreeSet<String>,
}

impl Plan {
    /// `is_taken`: a file with that path exists below `parquet/`. `is_intact`: a published file has its published
    /// bytes.
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

        let mut plan = Plan::default();
        if publication.mode.keeps_other_dates() {
            plan.files.extend(old_files().filter(|file| !replaced.contains(&file.meeting_date)).cloned());
        }
        for part in publication.dates.iter().flat_map(|date| &date.parts) {
            let meeting_date = civil_date_text(part.meeting_date);
            match old_of.get(&(part.table.name, meeting_date.as_str())) {
                // The same bytes: keep the file, which readers may have open.
                Some(same) if same.sha256 == part.sha256 && is_intact(same) => {
                    plan.kept.push(part.path.clone());
                    plan.files.push((*same).clone());
                }
                _ => {
                    // A published name is never reused for other bytes.
                    let path = (part.n..)
                        .map(|n| part_path(part.table, part.meeting_date, publication.run_id, n))
                        .find(|path| !is_taken(path))
                        .unwrap_or_default();
                    plan.moves.push((part.path.clone(), path.clone()));
                    plan.files.push(PublishedFile {
                        table: part.table.name.to_owned(),
                        meeting_date,
                        path,
                        rows: part.rows,
                        bytes: part.bytes,
                        sha256: part.sha256.clone(),
                        min_time_utc: part.min_time_utc_us.map(utc_text),
                        max_time_utc: part.max_time_utc_us.map(utc_text),
                    });
                }
            }
        }
        plan.files.sort_by_cached_key(|file| (table_position(&file.table), file.meeting_date.clone()));

        let listed: HashSet<&str> = plan.files.iter().map(|file| file.path.as_str()).collect();
        let before: HashSet<&str> = old_files().map(|file| file.path.as_str()).collect();
        plan.outdated = before.difference(&listed).map(|path| (*path).to_owned()).collect();
        plan.outdated.sort();
        plan.dates_changed = plan
            .files
            .iter()
            .filter(|file| !before.contains(file.path.as_str()))
            .chain(old_files().filter(|file| !listed.contains(file.path.as_str())))
            .map(|file| file.meeting_date.clone())
            .collect();
        plan
    }
}

/// Renames the parts into place and flushes every new name to disk.
fn place(paths: &StorePaths, moves: &[(PathBuf, String)]) -> Result {
    let mut folders = BTreeSet::new();
    for (staged, path) in moves {
        let part = paths.part(path);
        if let Some(partition) = part.parent() {
            durable::create_dir(partition)?;
            folders.extend(partition.ancestors().take_while(|dir| dir.starts_with(paths.parquet())).map(PathBuf::from));
        }
        std::fs::rename(staged, &part).map_err(LoadError::io("rename a finished part to", &part))?;
    }
    folders.iter().try_for_each(|folder| durable::sync(folder))
}
