//! Fetches a copy into an empty store.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::bucket::Bucket;
use super::checksum::checksum;
use super::error::RemoteError;
use super::listing::{ListedFile, Listing, MANIFEST, is_below};
use super::raw::{has_bytes, raw_to_fetch};
use super::store_file::StoreFile;
use crate::files;
use crate::text::hex;

/// A copy that can be fetched.
#[derive(Debug)]
pub(crate) struct RemoteDataset {
    pub listing: Listing,
    /// The text of `_manifest.json`.
    pub manifest: String,
    pub store: StoreFile,
}

/// Reads what is there. A copy without `_store.json`, or with paths that leave the directory, is no copy.
pub(crate) async fn find(bucket: &Bucket) -> Result<RemoteDataset, RemoteError> {
    let nothing = || RemoteError::NothingThere { target: bucket.target().to_owned() };
    let store = StoreFile::read(bucket).await?.ok_or_else(nothing)?;
    let found = bucket.read(MANIFEST).await?.ok_or_else(nothing)?;
    let damaged = |source| RemoteError::Damaged { place: bucket.place(MANIFEST), source };
    // JSON is UTF-8.
    let manifest = String::from_utf8_lossy(&found.bytes).into_owned();
    let foreign = || RemoteError::RemoteDamage { place: bucket.place(MANIFEST) };
    let manifest = bucket.layout().local(&manifest).map_err(damaged)?.ok_or_else(foreign)?;
    let listing = Listing::parse(manifest.as_bytes()).map_err(damaged)?;
    if let Some(file) = listing.files.iter().find(|file| !is_below(&file.path)) {
        return Err(RemoteError::RemoteDamage { place: bucket.place(&file.path) });
    }
    Ok(RemoteDataset { listing, manifest, store })
}

/// The raw files of a copy, relative to a store.
pub(crate) async fn raw_paths(bucket: &Bucket) -> Result<Vec<String>, RemoteError> {
    Ok(raw_to_fetch(bucket).await?.into_iter().map(|(file, _)| file.path).collect())
}

/// Fetches the raw log into the directory of a store, through files in `work`. Returns how many files were fetched.
pub(crate) async fn download_raw(bucket: &Bucket, store: &Path, work: &Path) -> Result<u64, RemoteError> {
    let files = raw_to_fetch(bucket).await?;
    if files.is_empty() {
        return Err(RemoteError::NoRaw { target: bucket.target().to_owned() });
    }
    let mut fetched = 0;
    for (file, has_checksum) in files {
        let to = store.join(&file.path);
        if !has_checksum || !has_bytes(&to, &file) {
            download_file(bucket, &file, &to, &work.join("fetched.raw.inprogress"), has_checksum).await?;
            fetched += 1;
        }
    }
    Ok(fetched)
}

/// Which store writes there, if any does. Returns an error if stores with and without a tenant would share the prefix.
pub(crate) async fn find_store(bucket: &Bucket) -> Result<Option<StoreFile>, RemoteError> {
    let found = StoreFile::read(bucket).await?;
    if found.is_none() {
        bucket.check_layout().await?;
    }
    Ok(found)
}

/// Fetches the parts into `folder`, through files in `work`. What is there with its bytes is kept. Returns how many
/// were fetched.
pub(crate) async fn download(
    bucket: &Bucket,
    dataset: &RemoteDataset,
    folder: &Path,
    work: &Path,
) -> Result<u64, RemoteError> {
    let mut fetched = 0;
    for file in &dataset.listing.files {
        let to = folder.join(&file.path);
        if checksum(&to).is_ok_and(|(bytes, sha256)| (bytes, &sha256) == (file.bytes, &file.sha256)) {
            continue;
        }
        download_file(bucket, file, &to, &work.join("fetched.parquet.inprogress"), true).await?;
        fetched += 1;
    }
    Ok(fetched)
}

async fn download_file(
    bucket: &Bucket,
    file: &ListedFile,
    to: &Path,
    temporary: &Path,
    has_checksum: bool,
) -> Result<(), RemoteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RemoteError::Write { path, source }
    };
    if let Some(parent) = to.parent() {
        files::create_folders(parent).map_err(failed(parent))?;
    }
    let mut output = files::create(temporary).map_err(failed(temporary))?;
    let mut digest = Sha256::new();
    let write = |piece: &[u8]| {
        digest.update(piece);
        output.write_all(piece).map_err(failed(temporary))
    };
    bucket.fetch(&file.path, file.bytes, write).await?;
    if has_checksum && hex(&digest.finalize()) != file.sha256 {
        return Err(RemoteError::RemoteDamage { place: bucket.place(&file.path) });
    }
    output.sync_all().map_err(failed(temporary))?;
    fs::rename(temporary, to).map_err(failed(to))?;
    // The name must survive a power cut as well.
    to.parent().map_or(Ok(()), |parent| File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed(parent)))
}
