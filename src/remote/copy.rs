//! The order of a copy: claim the prefix, new parts, raw files, Delta logs, the manifest's copy for history, the
//! manifest, removal of parts that were replaced long enough ago.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::bucket::{Bucket, Found};
use super::checksum::checksum;
use super::dataset::LocalDataset;
use super::delta;
use super::error::RemoteError;
use super::listing::{ListedFile, Listing, MANIFEST, is_ours};
use super::progress::Counter;
use super::raw::{RawChanges, raw_objects};
use super::replaced_parts::{REPLACED, ReplacedParts};

/// Files sent at the same time. Each is in memory, up to 16 MiB of it.
const CONCURRENCY: usize = 4;

/// What a copy did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Copied {
    pub target: String,
    pub tenant: Option<String>,
    pub generation: u64,
    /// Files of the dataset.
    pub files: u64,
    pub uploaded_files: u64,
    pub uploaded_bytes: u64,
    /// Versions added to Delta logs; `None` for a copy without them.
    pub delta_versions: Option<u64>,
    /// The raw log; `None` for a copy without it.
    pub raw: Option<CopiedRaw>,
    /// Replaced parts and manifests that were removed.
    pub removed_files: u64,
    /// Those that stay for now.
    pub replaced_files: u64,
    /// Requests, without retries.
    pub requests: u64,
    /// False if the object store has no conditional writes.
    pub conditional_writes: bool,
}

/// What a copy did with the raw log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CopiedRaw {
    pub uploaded_files: u64,
    pub uploaded_bytes: u64,
    pub removed_files: u64,
}

/// Makes the copy equal to the local dataset. Only for the holder of the store's lock.
pub(crate) async fn copy(bucket: &Bucket, local: &LocalDataset<'_>) -> Result<Copied, RemoteError> {
    let damaged = |source| RemoteError::Damaged { place: local.folder.join(MANIFEST).display().to_string(), source };
    let listing = Listing::parse(local.manifest.as_bytes()).map_err(damaged)?;
    let manifest = bucket.layout().published(local.manifest).map_err(damaged)?;
    local.store.claim(bucket).await?;
    let before = bucket.read(MANIFEST).await?;
    check_older(bucket, before.as_ref(), &listing)?;
    let present = bucket.list().await?;

    let missing = |file: &&ListedFile| present.get(&file.path) != Some(&file.bytes);
    let missing: Vec<ListedFile> = listing.files.iter().filter(missing).cloned().collect();
    let uploaded_bytes: u64 = missing.iter().map(|file| file.bytes).sum();
    let uploaded_files = missing.len() as u64;
    let has_raw = local.raw.is_copied || raw_objects(&present).next().is_some();
    let raw = match has_raw {
        true => RawChanges::find(bucket, &local.raw, &present).await?,
        false => RawChanges::default(),
    };
    let raw_bytes: u64 = raw.uploads.iter().map(|file| file.bytes).sum();
    let raw_files = raw.uploads.len() as u64;
    let counter = Counter::start(uploaded_files + raw_files, uploaded_bytes + raw_bytes, &local.on_upload);
    upload_all(bucket, local.folder, missing, &counter).await?;
    let mut copied_raw = None;
    if has_raw {
        raw.begin(bucket).await?;
        upload_all(bucket, &local.raw.folder, raw.uploads.clone(), &counter).await?;
        let removed_files = raw.finish(bucket).await?;
        copied_raw = Some(CopiedRaw { uploaded_files: raw_files, uploaded_bytes: raw_bytes, removed_files });
    }
    let delta_versions = match local.has_delta_logs || delta::has_logs(&present) {
        true => Some(delta::publish(bucket, local, &listing, &present).await?),
        false => None,
    };

    if before.as_ref().is_none_or(|before| before.bytes != manifest.as_bytes()) {
        bucket.put(&listing.history_path(), manifest.clone()).await?;
        bucket.replace(MANIFEST, manifest, before.as_ref().map(|before| &before.version)).await?;
    }
    let (removed_files, replaced_files) = remove_replaced(bucket, local, &listing, &present).await?;
    bucket.remove_unfinished();
    Ok(Copied {
        target: bucket.target().to_owned(),
        tenant: bucket.layout().tenant().map(ToOwned::to_owned),
        generation: listing.generation,
        files: listing.files.len() as u64,
        uploaded_files,
        uploaded_bytes,
        delta_versions,
        raw: copied_raw,
        removed_files,
        replaced_files,
        requests: bucket.requests(),
        conditional_writes: bucket.has_conditions(),
    })
}

/// A copy that is ahead has data that this store has lost. A manifest that cannot be read is replaced.
fn check_older(bucket: &Bucket, before: Option<&Found>, local: &Listing) -> Result<(), RemoteError> {
    let remote = before.and_then(|before| Listing::parse(&before.bytes).ok());
    match remote.filter(|remote| remote.generation > local.generation) {
        Some(remote) => Err(RemoteError::Newer {
            target: bucket.target().to_owned(),
            remote: remote.generation,
            local: local.generation,
        }),
        None => Ok(()),
    }
}

/// Sends the files; the first error ends it.
async fn upload_all(
    bucket: &Bucket,
    folder: &Path,
    files: Vec<ListedFile>,
    counter: &Counter,
) -> Result<(), RemoteError> {
    let permits = Arc::new(Semaphore::new(CONCURRENCY));
    let mut uploads = JoinSet::new();
    for file in files {
        let (bucket, permits, from) = (bucket.clone(), Arc::clone(&permits), folder.join(&file.path));
        let counter = counter.clone();
        uploads.spawn(async move {
            let _permit = permits.acquire().await;
            upload(&bucket, &file, from, &counter).await
        });
    }
    while let Some(ended) = uploads.join_next().await {
        ended.map_err(|_| RemoteError::Panicked)??;
    }
    Ok(())
}

async fn upload(bucket: &Bucket, file: &ListedFile, from: PathBuf, counter: &Counter) -> Result<(), RemoteError> {
    // Damage must not spread: what has another checksum is not the published file.
    let (bytes, sha256) = checksum(&from).map_err(|source| RemoteError::LocalFile { path: from.clone(), source })?;
    if (bytes, sha256.as_str()) != (file.bytes, file.sha256.as_str()) {
        return Err(RemoteError::LocalDamage { path: from });
    }
    bucket.upload(&file.path, &from, file.bytes, |bytes| counter.sent(bytes)).await?;
    counter.file_sent();
    Ok(())
}

/// Removes what no manifest has named for the given time. Returns how many objects were removed and how many stay.
async fn remove_replaced(
    bucket: &Bucket,
    local: &LocalDataset<'_>,
    listing: &Listing,
    present: &BTreeMap<String, u64>,
) -> Result<(u64, u64), RemoteError> {
    let named = listing.by_path();
    let current = listing.history_path();
    let is_unnamed = |path: &&String| is_ours(path) && !named.contains_key(path.as_str()) && **path != current;
    let unnamed: BTreeSet<String> = present.keys().filter(is_unnamed).cloned().collect();
    let known = match present.contains_key(REPLACED) {
        true => ReplacedParts::read(bucket).await?,
        false => ReplacedParts::default(),
    };
    let next = known.next(&unnamed, local.now_us);
    // Before the removal, which may be refused.
    if next != known {
        bucket.put(REPLACED, next.text()).await?;
    }
    let due = next.due(local.keep_us, local.now_us);
    if !due.is_empty() {
        bucket.remove(&due).await?;
    }
    Ok((due.len() as u64, (next.len() - due.len()) as u64))
}
