//! `publish`: copies the published dataset of a store.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use super::setup::CopySetup;
use super::{raw, store_id};
use crate::commands::error::SyncError;
use crate::commands::identity;
use crate::commands::open_store::open_and_lock;
use crate::commands::setup::Now;
use crate::event::{Event, Listener};
use crate::ledger::Ledger;
use crate::load::{LoadError, Manifest, StorePaths};
use crate::remote::{Copied, LocalDataset, OnUpload, StoreFile, Uploaded, copy, open_for_writing};

/// The ledger's setting for the target of the last copy.
const PUBLISHED_TO: &str = "published_to";

#[derive(Clone)]
pub(crate) struct PublishSetup {
    pub store: PathBuf,
    pub copy: CopySetup,
    pub listener: Arc<dyn Listener>,
    pub now_us: Now,
}

/// Also returns what the user should know.
pub(crate) async fn publish_copy(setup: &PublishSetup) -> Result<(Copied, Vec<String>), SyncError> {
    StorePaths::existing(&setup.store)?;
    let now_us = (setup.now_us)();
    let (paths, _lock, notes) = open_and_lock(&setup.store, "publish", now_us)?;
    let ledger = Ledger::open(&paths.ledger())?;
    if !ledger.replacing()?.is_empty() {
        return Err(SyncError::Replacing { store: paths.root().to_owned() });
    }
    match copy_dataset(&paths, &ledger, &setup.copy, &setup.listener, now_us).await? {
        Some(copied) => Ok((copied, notes)),
        None => Err(LoadError::NoDatabase { path: paths.manifest() }.into()),
    }
}

/// Copies the dataset; `None` if nothing is published yet. Only for the holder of the lock.
pub(super) async fn copy_dataset(
    paths: &StorePaths,
    ledger: &Ledger,
    setup: &CopySetup,
    listener: &Arc<dyn Listener>,
    now_us: i64,
) -> Result<Option<Copied>, SyncError> {
    // Also checks that it is a manifest of this version.
    if Manifest::read(paths)?.is_none() {
        return Ok(None);
    }
    let manifest = manifest_text(paths)?;
    let store = store_file(paths, ledger, store_id::read_or_make(paths)?)?;
    let bucket = open_for_writing(&setup.target, &setup.options)?;
    // Before the first request: a run that is killed may have copied something.
    ledger.set_setting(PUBLISHED_TO, setup.target.text())?;
    let folder = paths.parquet();
    let (manifest, has_delta_logs) = (manifest.as_str(), setup.has_delta_logs);
    let on_upload = progress(listener);
    let raw = raw::of_store(paths, ledger, setup.has_raw)?;
    let local = LocalDataset {
        store,
        manifest,
        folder: &folder,
        has_delta_logs,
        raw,
        keep_us: setup.keep_us(),
        now_us,
        on_upload,
    };
    Ok(Some(copy(&bucket, &local).await?))
}

fn progress(listener: &Arc<dyn Listener>) -> OnUpload {
    let listener = Arc::clone(listener);
    Arc::new(move |uploaded| {
        let Uploaded { files, of_files, bytes, of_bytes } = uploaded;
        listener.on_event(&Event::Uploading { files, of_files, bytes, of_bytes });
    })
}

pub(super) fn manifest_text(paths: &StorePaths) -> Result<String, LoadError> {
    fs::read_to_string(paths.manifest()).map_err(LoadError::io("read", &paths.manifest()))
}

/// What the copy says about the store.
pub(super) fn store_file(paths: &StorePaths, ledger: &Ledger, store_id: String) -> Result<StoreFile, SyncError> {
    let recorded = identity::recorded(paths, ledger)?;
    let buildings = match fs::read_to_string(paths.buildings()) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        text => Some(text.map_err(LoadError::io("read", &paths.buildings()))?),
    };
    Ok(StoreFile {
        store_id,
        identity: recorded.identity.map(|identity| identity.name().to_owned()),
        topics: recorded.topics.map(|topics| topics.name().to_owned()),
        identity_key_id: ledger.setting(identity::KEY_ID)?,
        buildings,
    })
}

/// What to say when something was replaced or removed in a store that has a copy.
pub(in crate::commands) fn note_of_copy(ledger: &Ledger) -> Result<Option<String>, SyncError> {
    Ok(ledger.setting(PUBLISHED_TO)?.map(|target| {
        format!(
            "the copy in {target} is unchanged until the next vcq-etl publish, which keeps the replaced files there for \
             publish_keep; vcq-etl publish --keep 0s removes them at once"
        )
    }))
}
