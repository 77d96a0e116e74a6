//! The current `vcq.duckdb` as the base of the next one: whether it is still the published file, and which objects
//! others created in it.

use std::collections::BTreeSet;

use super::connection::DatabaseOptions;
use super::current::{self, Current};
use super::draft::DraftFolder;
use super::error::{LoadError, Result};
use super::fingerprint::{self, Fingerprint};
use super::paths::StorePaths;
use super::writer;
use crate::files;

#[derive(Default)]
pub(super) struct Base {
    /// `None` if there is no database, or a damaged one.
    pub(super) current: Option<Current>,
    /// Tables, views and macros of a file that is not known to be the published one.
    objects: BTreeSet<String>,
    /// One clause each, for the summary.
    pub(super) notes: Vec<String>,
}

/// Reads the current database. Fails if it belongs to another program or a newer version.
pub(super) fn examine(paths: &StorePaths, options: DatabaseOptions) -> Result<Base> {
    let path = paths.database();
    let mut notes = Vec::new();
    let recorded = fingerprint::recorded(paths);
    let published = Fingerprint::of(&path).ok().filter(|found| recorded.contains(found));
    let writer = writer::of(&path);
    if let Some(writer) = &writer {
        notes.push(format!(
            "{writer} has vcq.duckdb open for writing; its changes are discarded: open the file read-only"
        ));
    } else if published.is_none() && !recorded.is_empty() && path.exists() {
        notes.push("vcq.duckdb was changed after it was published; it was rebuilt from parquet/".to_owned());
    }
    let current = match &writer {
        None => current::inspect(paths, &path, options)?,
        // DuckDB refuses to read a file that is open for writing.
        Some(_) => {
            let folder = DraftFolder::temporary_in(&paths.work())?;
            let copy = folder.path.join("vcq.duckdb");
            files::copy(&path, &copy).map_err(LoadError::io("copy the database to", &copy))?;
            current::inspect(paths, &copy, options)?
        }
    };
    let current = current.map(|mut current| {
        current.published = published.filter(|_| writer.is_none());
        current
    });
    let is_unknown = current.as_ref().is_some_and(|current| current.published.is_none());
    let objects = current.as_ref().filter(|_| is_unknown).map(|current| current.objects.clone()).unwrap_or_default();
    Ok(Base { current, objects, notes })
}

impl Base {
    /// The note about objects of others in the current database that the next one lacks.
    pub(super) fn dropped(&self, next: &BTreeSet<String>) -> Option<String> {
        let names: Vec<&str> = self.objects.difference(next).map(String::as_str).collect();
        (!names.is_empty()).then(|| {
            format!(
                "publishing replaced vcq.duckdb and dropped {}; to keep your own views, macros and tables, define them in SQL \
                 files in the directory views_dir",
                names.join(", ")
            )
        })
    }
}
