//! Publishing while the database holds only the newest dates, or none at all.
//!
//! What is published in Parquet must not depend on that. So what a publication computes from the rows of several dates
//! (incidents, undated tables, the totals of a run) comes from the Parquet files, or from a database with as many dates
//! as the search for incidents needs. Usually these are dates that are held, and one database serves both.

use std::collections::HashMap;

use super::builder::{Built, build, build_scratch};
use super::current::Current;
use super::error::Result;
use super::held::Held;
use super::lake;
use super::manifest::{Manifest, PublishedFile};
use super::partial::{Changes, Misaligned, Partial, changes};
use super::paths::StorePaths;
use super::plan::Naming;
use super::publication::{Publication, RunRows};
use crate::schema::{MISALIGNED_PARTICIPANTS, Storage, TABLES};

/// The arguments are those of [`build`], and the manifest before.
pub(super) fn build_partial(
    paths: &StorePaths,
    publication: &Publication<'_>,
    (manifest, old): (&Manifest, Option<&Manifest>),
    current: Option<&Current>,
    naming: &Naming<'_>,
    runs: RunRows<'_>,
) -> Result<Built> {
    let undated = TABLES.iter().filter(|table| table.storage == Storage::Reference);
    let undated = undated.filter_map(|table| naming.published(table.name, None));
    let files: Vec<PublishedFile> = manifest.files.iter().chain(undated).cloned().collect();
    let lake = lake::open_files(paths, &files, publication.database)?;
    let misaligned = naming.published(MISALIGNED_PARTICIPANTS.name, None);
    let changes = match (old, misaligned) {
        (Some(old), Some(_)) if publication.mode.trusts_published() => {
            changes(publication, (manifest, old), naming, &lake, &paths.parquet())?
        }
        _ => Changes::ALL,
    };
    let first_needed = changes.first_needed();
    let has_all_needed = match (&manifest.database, &first_needed) {
        (Held::Since(since), Some(needed)) => needed >= since,
        _ => false,
    };
    let partial = Partial {
        held: if has_all_needed { manifest.database.clone() } else { first_needed.map_or(Held::All, Held::Since) },
        lake: &lake,
        changes: Some(&changes),
        misaligned: misaligned.map(Misaligned::File),
        staged: HashMap::new(),
        is_scratch: !has_all_needed,
        exports_undated: has_all_needed || manifest.database == Held::Nothing,
    };
    if has_all_needed {
        return build(paths, publication, manifest, current, naming, runs, Some(&partial));
    }
    let (scratch, rows) = build_scratch(paths, publication, manifest, naming, runs, &partial)?;
    if manifest.database == Held::Nothing {
        return Ok(scratch);
    }
    let found: Vec<PublishedFile> = scratch.exported.iter().map(|part| part.file.clone()).collect();
    let files = scratch.files.into_iter().chain(found.iter().cloned()).collect();
    let manifest = Manifest { files, ..manifest.clone() };
    let partial = Partial {
        held: manifest.database.clone(),
        changes: None,
        misaligned: Some(Misaligned::Rows(rows)),
        staged: scratch.exported.iter().map(|part| (part.file.path.clone(), part.staged().to_owned())).collect(),
        is_scratch: false,
        exports_undated: true,
        ..partial
    };
    let mut built = build(paths, publication, &manifest, current, naming, runs, Some(&partial))?;
    built.files.retain(|file| !found.contains(file));
    built.exported.extend(scratch.exported);
    Ok(built)
}
