//! The order in which a publication becomes visible: new parts, manifest, database, removal of old parts.
//!
//! The next database is built before the manifest is written, because the undated tables and the
//! incidents are exported from it. Stopping
//! between any two steps does no harm: until the manifest is renamed the new parts are orphans, and from then on the
//! next publication updates the database.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::base::{self, Base};
use super::build_partial::build_partial;
use super::cleanup::remove_if_empty;
use super::current::Current;
use super::error::{LoadError, Result};
use super::held::Held;
use super::manifest::{Manifest, PublishedFile};
use super::paths::{StorePaths, is_run_id};
use super::plan::{Naming, Plan};
use super::publication::{Publication, PublishMode, Published, RunRows};
use super::step::Step;
use super::{builder, checksum, durable, fingerprint, write_guard};
use crate::schema::{SCHEMA_VERSION, Storage, civil_date_text, utc_text};

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
    let mut base = match base::examine(paths, publication.database) {
        // A rebuilt database has the right migrations.
        Err(LoadError::MigrationDrift { .. }) if !publication.mode.trusts_published() => Base::default(),
        other => other?,
    };
    let current = base.current.take();
    let old = manifest_before(paths, publication, current.as_ref())?;
    let generation = old.as_ref().map(|manifest| manifest.generation).max(current.as_ref().map(|c| c.generation));
    let is_taken = |path: &str| paths.part(path).exists();
    let is_intact = |file: &PublishedFile| {
        let part = paths.part(&file.path);
        if publication.mode.trusts_published() {
            part.exists()
        } else {
            checksum::measure_file(&part).is_ok_and(|(_, sha256)| sha256 == file.sha256)
        }
    };
    let naming = Naming::new(publication.run_id, old.as_ref(), &is_taken, &is_intact);
    let mut plan = Plan::new(publication, old.as_ref(), &naming);
    let mut manifest = Manifest {
        generation: generation.unwrap_or_default() + 1,
        schema_version: SCHEMA_VERSION,
        run_id: publication.run_id.to_owned(),
        created_utc: utc_text(publication.now_us),
        database: Held::All,
        files: Vec::new(),
    };
    let mut begin = |step: Step| match on_step(step) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(LoadError::Stopped { step }),
    };

    begin(Step::PlaceParts)?;
    let (files_written, files_kept) = (plan.moves.len(), plan.kept.len());
    plan.add_empty_parts(paths, publication.run_id, &naming)?;
    place(paths, &plan.moves)?;
    manifest.files = plan.files.clone();
    manifest.database = Held::of_files(publication.database.dates, &manifest.files);

    begin(Step::BuildDatabase)?;
    let built = match manifest.database.is_all() {
        true => builder::build(paths, publication, &manifest, current.as_ref(), &naming, runs, None)?,
        false => {
            let manifests = (&manifest, old.as_ref());
            build_partial(paths, publication, manifests, current.as_ref(), &naming, runs)?
        }
    };

    begin(Step::WriteManifest)?;
    plan.files = built.files;
    let exported = plan.add_parts(built.exported);
    place(paths, &exported)?;
    manifest.files = plan.sorted_files();
    manifest.write(paths)?;

    begin(Step::RenameDatabase)?;
    let mut notes = std::mem::take(&mut base.notes);
    notes.extend(current.as_ref().and_then(Current::upgrade_note));
    notes.extend(base.dropped(&built.objects));
    notes.extend(built.problems);
    let has_database = manifest.database != Held::Nothing;
    notes.extend(match has_database {
        true => rename_database(paths, &built.path)?,
        false => remove_database(paths, &built.path)?,
    });

    begin(Step::RemoveOldParts)?;
    for part in &plan.kept {
        durable::remove_file(part)?;
    }
    for path in &plan.outdated(old.as_ref()) {
        let part = paths.part(path);
        durable::remove_file(&part)?;
        part.parent().into_iter().for_each(remove_if_empty);
    }
    // A sync does it when it begins.
    if !publication.mode.trusts_published() {
        paths.remove_orphans()?;
    }
    Ok(Published {
        generation: manifest.generation,
        dates_changed: plan.dates_changed(old.as_ref()),
        files_written,
        files_kept,
        duckdb_bytes: if has_database { built.bytes } else { 0 },
        notes,
        compacted: built.compacted,
        load_s: started.elapsed().as_secs_f64(),
    })
}

/// Renames the next database into place, read-only and without a log beside it. Returns what the user should know.
fn rename_database(paths: &StorePaths, next: &Path) -> Result<Vec<String>> {
    let database = paths.database();
    let mut notes = Vec::new();
    if write_guard::set(paths)? {
        notes.push("removed vcq.duckdb.wal, which another program left; its changes are discarded".to_owned());
    }
    write_guard::make_read_only(next);
    fingerprint::record(paths, next)?;
    durable::rename(next, &database)?;
    Ok(notes)
}

/// Removes the database, the links beside it, and the one that was built for the Parquet files only.
fn remove_database(paths: &StorePaths, scratch: &Path) -> Result<Vec<String>> {
    durable::remove_file(scratch)?;
    let database = paths.database();
    let had_database = database.exists();
    durable::remove_file(&database)?;
    write_guard::remove(paths)?;
    let note = "removed vcq.duckdb, because the setting database is off; the Parquet files are complete";
    Ok(Vec::from_iter(had_database.then(|| note.to_owned())))
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
            if part.meeting_date != Some(date.meeting_date) {
                let other = part.meeting_date.map_or_else(|| "not at all".to_owned(), civil_date_text);
                return refuse(format!("a part of {text} is dated {other}"));
            }
            if !tables.insert(part.table.name) {
                return refuse(format!("{} has two parts on {text}", part.table.name));
            }
        }
    }
    for (table, _) in publication.reference_rows {
        if table.storage != Storage::Reference {
            return refuse(format!("{} is not an undated table", table.name));
        }
    }
    Ok(())
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
