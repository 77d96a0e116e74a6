//! Compares a copy with the dataset of a store.

use std::fs;

use sha2::{Digest, Sha256};

use super::bucket::Bucket;
use super::checksum::checksum;
use super::dataset::LocalDataset;
use super::delta;
use super::error::RemoteError;
use super::layout::STORE_FILE;
use super::listing::{ListedFile, Listing, MANIFEST};
use super::raw::raw_objects;
use super::store_file::StoreFile;
use crate::text::hex;

/// One thing that differs, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub place: String,
    pub expected: String,
    pub found: String,
}

/// Returns how many objects were looked at, and what differs. `reads_files` compares every byte.
pub(crate) async fn compare(
    bucket: &Bucket,
    local: &LocalDataset<'_>,
    reads_files: bool,
) -> Result<(u64, Vec<Difference>), RemoteError> {
    let mut differences = Vec::new();
    let mut differs = |path: &str, expected: String, found: String| {
        if expected != found {
            differences.push(Difference { place: bucket.place(path), expected, found });
        }
    };
    let none = || "no such object".to_owned();
    let store = StoreFile::read(bucket).await?;
    let store_id = |store: StoreFile| match store.store_id.as_str() {
        "" => "no store ID: this store was never published".to_owned(),
        id => format!("store {id}"),
    };
    differs(STORE_FILE, store_id(local.store.clone()), store.map_or_else(none, store_id));
    let damaged = |source| RemoteError::Damaged { place: local.folder.join(MANIFEST).display().to_string(), source };
    let listing = Listing::parse(local.manifest.as_bytes()).map_err(damaged)?;
    let published = bucket.layout().published(local.manifest).map_err(damaged)?;
    let manifest = bucket.read(MANIFEST).await?;
    let found = manifest.map_or_else(none, |found| match Listing::parse(&found.bytes) {
        Ok(remote) if found.bytes == published.as_bytes() => generation(&remote),
        Ok(remote) if remote.generation == listing.generation => "the same generation with other files".to_owned(),
        Ok(remote) => generation(&remote),
        Err(_) => "not a JSON file that vcq-etl wrote".to_owned(),
    });
    differs(MANIFEST, generation(&listing), found);
    let present = bucket.list().await?;
    if delta::has_logs(&present) {
        for table in delta::differing_tables(bucket, &listing, &present).await? {
            let (expected, found) = ("the files of the manifest", "other files");
            differs(&format!("{table}/_delta_log"), expected.to_owned(), found.to_owned());
        }
    }
    let mut raw = Vec::new();
    if raw_objects(&present).next().is_some() {
        for path in &local.raw.paths {
            let path_of_file = local.raw.folder.join(path);
            let read = |source| RemoteError::RawFile { path: path_of_file.clone(), source };
            let (bytes, sha256) = match reads_files {
                true => checksum(&path_of_file).map_err(read)?,
                false => (fs::metadata(&path_of_file).map_err(read)?.len(), String::new()),
            };
            raw.push(ListedFile { path: path.clone(), bytes, sha256 });
        }
    }
    for file in listing.files.iter().chain(&raw) {
        let size = |bytes: &u64| format!("a file of {bytes} bytes");
        let found = present.get(&file.path);
        differs(&file.path, size(&file.bytes), found.map_or_else(none, size));
        if reads_files && found == Some(&file.bytes) {
            let mut digest = Sha256::new();
            let update = |piece: &[u8]| {
                digest.update(piece);
                Ok(())
            };
            bucket.fetch(&file.path, file.bytes, update).await?;
            let sha256 = |text: &str| format!("sha256 {text}");
            differs(&file.path, sha256(&file.sha256), sha256(&hex(&digest.finalize())));
        }
    }
    Ok(((listing.files.len() + raw.len()) as u64 + 2, differences))
}

fn generation(listing: &Listing) -> String {
    format!("generation {}", listing.generation)
}
