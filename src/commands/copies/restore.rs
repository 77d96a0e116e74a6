//! `rebuild --from`: fills an empty store from its copy.
//!
//! What comes back: the Parquet files, `vcq.duckdb`, the history of runs, the settings of the store and its buildings.
//! On request also the raw log. What does not: the identity key, who is forgotten, alerts that were sent.

use std::path::Path;

use super::setup::CopySetup;
use super::{raw, store_id};
use crate::commands::error::SyncError;
use crate::commands::history::runs_in;
use crate::commands::identity::{IDENTITY, KEY_ID, TOPICS};
use crate::commands::open_store::open_and_lock;
use crate::commands::publish::definitions::Installed;
use crate::commands::republish::publish_same_rows;
use crate::commands::store_settings::TIMEZONE;
use crate::commands::store_setup::StoreSetup;
use crate::ledger::{Ledger, USER_ID_TYPE};
use crate::load::connection::open_in_memory;
use crate::load::{LoadError, Manifest, Published, StorePaths};
use crate::remote::{RemoteDataset, download, download_raw, find, open, raw_paths};
use crate::schema::SCHEMA_VERSION;
use crate::schema::ddl::quoted;

#[derive(Clone)]
pub(crate) struct RestoreSetup {
    pub store: StoreSetup,
    pub copy: CopySetup,
    /// Also the raw log.
    pub with_raw: bool,
}

#[derive(Debug)]
pub(crate) struct Restored {
    pub target: String,
    pub generation: u64,
    pub files: u64,
    /// Files that an earlier attempt had not fetched yet.
    pub fetched_files: u64,
    pub notes: Vec<String>,
}

/// The store may be missing, empty, or the rest of an earlier attempt.
pub(crate) async fn restore(setup: &RestoreSetup) -> Result<Restored, SyncError> {
    let store = &setup.store;
    let now_us = (store.now_us)();
    let (paths, _lock, mut notes) = open_and_lock(&store.store, "rebuild", now_us)?;
    let bucket = open(&setup.copy.target, &setup.copy.options)?;
    let dataset = find(&bucket).await?;
    if dataset.listing.schema_version > u64::from(SCHEMA_VERSION) {
        let (path, found) = (setup.copy.target.text().into(), dataset.listing.schema_version);
        return Err(LoadError::NewerSchema { path, found, known: SCHEMA_VERSION }.into());
    }
    let raw_in_copy = raw_paths(&bucket).await?;
    let expected_raw: &[String] = if setup.with_raw { &raw_in_copy } else { &[] };
    check_empty(&paths, &dataset, expected_raw)?;
    let fetched_raw = match setup.with_raw {
        true => download_raw(&bucket, paths.root(), &paths.work()).await?,
        false => 0,
    };
    let fetched_files = fetched_raw + download(&bucket, &dataset, &paths.parquet(), &paths.work()).await?;
    store_id::write(&paths, &dataset.store.store_id)?;
    if let Some(buildings) = &dataset.store.buildings {
        paths.write_buildings(buildings)?;
    }
    paths.write_manifest(&dataset.manifest)?;
    let ledger = Ledger::open(&paths.ledger())?;
    let published = tokio::task::block_in_place(|| publish_restored(&paths, &ledger, store, &dataset, now_us))?;
    notes.extend(published.notes);
    let has_left = !setup.with_raw && !raw_in_copy.is_empty();
    if has_left {
        raw::leave_in_copy(&ledger)?;
        notes.push(
            "the copy has the raw log, and it was not restored: later publications leave it there as it is, and forget and prune \
             do not change it. To restore it too, run vcq-etl rebuild --from with --with-raw into another empty store"
                .to_owned(),
        );
    }
    if setup.with_raw || has_left {
        notes.push(
            "before the next sync, put state/forgotten and state/expired back from a backup if there were such files"
                .to_owned(),
        );
    } else {
        notes.push(
            "the copy has no raw log: the restored dates cannot be rebuilt, and identities in them cannot be replaced. Before the \
         next sync, put state/forgotten and state/expired back from a backup if there were such files"
                .to_owned(),
        );
    }
    if dataset.store.identity.as_deref().is_some_and(|identity| identity == "pseudonym") {
        notes.push(
            "put state/identity.key back from a backup: the next sync needs it, because with a new key people would get other \
             tokens"
                .to_owned(),
        );
    }
    Ok(Restored {
        target: setup.copy.target.text().to_owned(),
        generation: published.generation,
        files: dataset.listing.files.len() as u64,
        fetched_files,
        notes,
    })
}

/// Returns an error if the store has data, unless it is that of the copy.
fn check_empty(paths: &StorePaths, dataset: &RemoteDataset, expected_raw: &[String]) -> Result<(), SyncError> {
    let mut has_data = raw::local_paths(paths)?.iter().any(|path| !expected_raw.contains(path));
    has_data |= match Manifest::read(paths)? {
        Some(manifest) => {
            (manifest.generation, &manifest.run_id) != (dataset.listing.generation, &dataset.listing.run_id)
        }
        None => paths.database().exists(),
    };
    match has_data {
        true => Err(SyncError::NotEmpty { store: paths.root().to_owned() }),
        false => Ok(()),
    }
}

/// Gives the ledger what the copy knows, and builds the database.
fn publish_restored(
    paths: &StorePaths,
    ledger: &Ledger,
    store: &StoreSetup,
    dataset: &RemoteDataset,
    now_us: i64,
) -> Result<Published, SyncError> {
    let manifest = Manifest::read(paths)?.ok_or_else(|| LoadError::MissingManifest { path: paths.manifest() })?;
    let part = |table: &str| manifest.files.iter().find(|file| file.table == table).map(|file| paths.part(&file.path));
    let meta = part("meta").map(|part| read_meta(paths, store, &part)).transpose()?;
    let (timezone, user_id_type) = meta.unwrap_or_default();
    let timezone = timezone.unwrap_or_else(|| store.zone.name().to_owned());
    let user_id_type = user_id_type.unwrap_or_else(|| store.user_id_type.clone());
    let of_store = &dataset.store;
    let identity = [
        (IDENTITY, of_store.identity.as_deref()),
        (TOPICS, of_store.topics.as_deref()),
        (KEY_ID, of_store.identity_key_id.as_deref()),
    ];
    let known = [(TIMEZONE, Some(timezone.as_str())), (USER_ID_TYPE, Some(user_id_type.as_str()))];
    for (name, value) in identity.into_iter().chain(known) {
        if let Some(value) = value {
            ledger.set_setting(name, value)?;
        }
    }
    if let Some(part) = part("runs") {
        for run in runs_in(&part, &paths.work(), store.database)? {
            ledger.record_run(&run)?;
        }
    }
    let installed = Installed::read_and_check(paths, &store.definitions)?;
    publish_same_rows(paths, ledger, &manifest.run_id, (&timezone, &user_id_type), &installed, store.database, now_us)
}

/// The time zone and the kind of user IDs of the store that was copied.
fn read_meta(
    paths: &StorePaths,
    store: &StoreSetup,
    part: &Path,
) -> Result<(Option<String>, Option<String>), SyncError> {
    let connection = open_in_memory(&paths.work(), store.database)?;
    let sql = format!("select timezone, user_id_type from read_parquet({})", quoted(&part.to_string_lossy()));
    let read = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(read.map_err(LoadError::duckdb("read", part))?)
}
