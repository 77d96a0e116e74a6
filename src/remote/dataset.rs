//! What is copied: the published dataset of a store.

use std::path::Path;
use std::sync::Arc;

use super::progress::OnUpload;
use super::raw::RawFiles;
use super::store_file::StoreFile;

/// The dataset of a store, which does not change while it is copied.
pub(crate) struct LocalDataset<'a> {
    pub store: StoreFile,
    /// The text of `_manifest.json`.
    pub manifest: &'a str,
    /// The directory of the manifest.
    pub folder: &'a Path,
    /// Whether the copy gets Delta logs. One that has them keeps them.
    pub has_delta_logs: bool,
    pub raw: RawFiles,
    /// How long replaced parts stay, microseconds.
    pub keep_us: i64,
    pub now_us: i64,
    pub on_upload: OnUpload,
}

impl LocalDataset<'_> {
    /// For a reader, which removes nothing.
    pub(crate) fn to_compare<'a>(
        store: StoreFile,
        manifest: &'a str,
        folder: &'a Path,
        raw: RawFiles,
    ) -> LocalDataset<'a> {
        let on_upload: OnUpload = Arc::new(|_| ());
        LocalDataset { store, manifest, folder, has_delta_logs: false, raw, keep_us: i64::MAX, now_us: 0, on_upload }
    }
}
