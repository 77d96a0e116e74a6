//! Looks at a copy without changing it: for `verify --published` and `doctor`.

use std::path::Path;

use super::publish::{manifest_text, store_file};
use super::setup::CopySetup;
use super::{raw, store_id};
use crate::checks::{Check, Findings};
use crate::commands::error::SyncError;
use crate::ledger::Ledger;
use crate::load::{Manifest, StorePaths};
use crate::remote::{LocalDataset, RemoteError, StoreFile, compare, find_store, open};

const PUBLISHED_COPY: Check = Check {
    name: "published-copy",
    of: "files",
    means: "the copy in the object store belongs to this store and has its manifest and all its files",
    advice: "run vcq-etl publish, which uploads what is missing; a file with other bytes must be removed there first",
};

/// Adds what differs between the store and its copy. `reads_files` fetches every file.
pub(crate) async fn compare_copy(
    store: &Path,
    setup: &CopySetup,
    reads_files: bool,
    findings: &mut Findings,
) -> Result<(), SyncError> {
    let paths = StorePaths::existing(store)?;
    if Manifest::read(&paths)?.is_none() {
        findings.skip(&PUBLISHED_COPY, "nothing is published yet");
        return Ok(());
    }
    let manifest = manifest_text(&paths)?;
    let store_id = store_id::read(&paths)?.unwrap_or_default();
    let ledger = Ledger::open(&paths.ledger())?;
    let (store, folder) = (store_file(&paths, &ledger, store_id)?, paths.parquet());
    let bucket = open(&setup.target, &setup.options)?;
    let local = LocalDataset::to_compare(store, &manifest, &folder, raw::of_store(&paths, &ledger, setup.has_raw)?);
    let (examined, differences) = compare(&bucket, &local, reads_files).await?;
    findings.examined(&PUBLISHED_COPY, examined);
    for difference in differences {
        findings.found(&PUBLISHED_COPY, difference.place, difference.expected, difference.found);
    }
    Ok(())
}

/// Whether the target can be read, and may belong to the store: `Ok(false)` if another store publishes there.
pub(in crate::commands) async fn reachable(
    paths: Option<&StorePaths>,
    setup: &CopySetup,
) -> Result<Option<bool>, RemoteError> {
    let bucket = open(&setup.target, &setup.options)?;
    let Some(StoreFile { store_id: found, .. }) = find_store(&bucket).await? else { return Ok(None) };
    let own = paths.and_then(|paths| store_id::read(paths).ok().flatten());
    Ok(Some(own.as_ref() == Some(&found)))
}
