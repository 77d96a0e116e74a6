//! `raw/` in a copy: the raw log, from which a lost store is rebuilt. Readers of the tables do not use it.
//!
//! A raw file grows, loses a truncated end, or is replaced (`forget`): its object is overwritten whole, and what the
//! store no longer has is removed at once. `_raw.json` has the checksums. An object that is about to change is not in
//! it, so that a checksum there is always that of its object.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::checksum::checksum;
use super::error::RemoteError;
use super::listing::ListedFile;

const RAW: &str = "raw/";
const SUFFIX: &str = ".jsonl.zst";
const RAW_OBJECTS: &str = "_raw.json";

/// The raw files of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawFiles {
    /// Whether the copy gets them. One that has them keeps them.
    pub is_copied: bool,
    /// The directory of the store.
    pub folder: PathBuf,
    /// Relative to the store: `raw/...`.
    pub paths: Vec<String>,
    /// The store was restored without its raw files: those in the copy stay.
    pub keeps_others: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RawObject {
    bytes: u64,
    sha256: String,
    /// Which local file it was: inode and time of the last change. Saves reading it again.
    local: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct RawObjects {
    files: BTreeMap<String, RawObject>,
}

impl RawObjects {
    /// Without a file that can be read, every raw file is compared by sending it.
    async fn read(bucket: &Bucket) -> Result<RawObjects, RemoteError> {
        let found = bucket.read(RAW_OBJECTS).await?;
        Ok(found.and_then(|found| serde_json::from_slice(&found.bytes).ok()).unwrap_or_default())
    }

    async fn write(&self, bucket: &Bucket) -> Result<(), RemoteError> {
        bucket.put(RAW_OBJECTS, serde_json::to_string(self).unwrap_or_default() + "\n").await
    }
}

/// Whether an object is a raw file that stays below `raw/`.
fn is_raw(path: &str) -> bool {
    let is_plain = |name: &str| !name.is_empty() && name != "." && name != "..";
    path.starts_with(RAW) && path.ends_with(SUFFIX) && !path.contains('\\') && path.split('/').all(is_plain)
}

/// The raw files in a copy, with their sizes.
pub(super) fn raw_objects(present: &BTreeMap<String, u64>) -> impl Iterator<Item = (&String, u64)> {
    present.iter().filter(|(path, _)| is_raw(path)).map(|(path, bytes)| (path, *bytes))
}

/// What has to be done to the raw files of a copy.
#[derive(Debug, Default)]
pub(super) struct RawChanges {
    known: RawObjects,
    next: RawObjects,
    pub uploads: Vec<ListedFile>,
    removals: Vec<String>,
}

impl RawChanges {
    pub(super) async fn find(
        bucket: &Bucket,
        raw: &RawFiles,
        present: &BTreeMap<String, u64>,
    ) -> Result<RawChanges, RemoteError> {
        let known =
            if present.contains_key(RAW_OBJECTS) { RawObjects::read(bucket).await? } else { RawObjects::default() };
        let mut changes = RawChanges { known, ..RawChanges::default() };
        let local_paths: BTreeSet<&String> = raw.paths.iter().collect();
        for path in &raw.paths {
            let file = raw.folder.join(path);
            let read = |source| RemoteError::RawFile { path: file.clone(), source };
            let object = changes.known.files.get(path).filter(|object| present.get(path) == Some(&object.bytes));
            let metadata = fs::metadata(&file).map_err(read)?;
            let local = format!("{}-{}.{:09}", metadata.ino(), metadata.mtime(), metadata.mtime_nsec());
            let next = match object.filter(|object| (object.bytes, &object.local) == (metadata.len(), &local)) {
                Some(object) => object.clone(),
                None => {
                    let (bytes, sha256) = checksum(&file).map_err(read)?;
                    if object.is_none_or(|object| (object.bytes, &object.sha256) != (bytes, &sha256)) {
                        changes.uploads.push(ListedFile { path: path.clone(), bytes, sha256: sha256.clone() });
                    }
                    RawObject { bytes, sha256, local }
                }
            };
            changes.next.files.insert(path.clone(), next);
        }
        let is_local = |path: &String| local_paths.contains(path);
        for (path, _) in raw_objects(present).filter(|(path, _)| !is_local(path)) {
            match (raw.keeps_others, changes.known.files.get(path)) {
                (false, _) => changes.removals.push(path.clone()),
                (true, Some(object)) => drop(changes.next.files.insert(path.clone(), object.clone())),
                (true, None) => {}
            }
        }
        Ok(changes)
    }

    /// Before the uploads: takes the objects that change out of `_raw.json`.
    pub(super) async fn begin(&self, bucket: &Bucket) -> Result<(), RemoteError> {
        let mut unchanged = self.known.clone();
        self.uploads.iter().map(|file| &file.path).chain(&self.removals).for_each(|path| {
            unchanged.files.remove(path);
        });
        if unchanged != self.known { unchanged.write(bucket).await } else { Ok(()) }
    }

    /// After the uploads. Returns how many objects were removed.
    pub(super) async fn finish(&self, bucket: &Bucket) -> Result<u64, RemoteError> {
        if !self.removals.is_empty() {
            bucket.remove(&self.removals).await?;
        }
        if self.next != self.known || !self.uploads.is_empty() {
            self.next.write(bucket).await?;
        }
        Ok(self.removals.len() as u64)
    }
}

/// The raw files of a copy. One that is being replaced has no checksum: its records have their own.
pub(super) async fn raw_to_fetch(bucket: &Bucket) -> Result<Vec<(ListedFile, bool)>, RemoteError> {
    let present = bucket.list().await?;
    let known = RawObjects::read(bucket).await?;
    let file = |(path, bytes): (&String, u64)| {
        let known = known.files.get(path).filter(|object| object.bytes == bytes);
        let sha256 = known.map(|object| object.sha256.clone()).unwrap_or_default();
        (ListedFile { path: path.clone(), bytes, sha256 }, known.is_some())
    };
    Ok(raw_objects(&present).map(file).collect())
}

/// Whether a local raw file has this checksum and size.
pub(super) fn has_bytes(path: &Path, file: &ListedFile) -> bool {
    checksum(path).is_ok_and(|(bytes, sha256)| (bytes, &sha256) == (file.bytes, &file.sha256))
}
