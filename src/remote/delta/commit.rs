//! Adds a version to the log of each table that a publication changes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::bucket::Bucket;
use super::super::dataset::LocalDataset;
use super::super::error::RemoteError;
use super::super::listing::{ListedFile, Listing};
use super::actions::{self, Publication};
use super::state::{STATE, States, TableState, entry_path, root, versions};
use super::statistics::statistics;
use crate::schema::{TABLES, Table};

fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.is_in_parquet())
}

/// Whether the copy has logs. They must be continued: readers would look for files that are gone.
pub(in crate::remote) fn has_logs(present: &BTreeMap<String, u64>) -> bool {
    tables().any(|table| !versions(table, present).is_empty())
}

/// Makes the logs equal to the listing, whose files are there. Returns how many versions were written.
pub(in crate::remote) async fn publish(
    bucket: &Bucket,
    local: &LocalDataset<'_>,
    listing: &Listing,
    present: &BTreeMap<String, u64>,
) -> Result<u64, RemoteError> {
    let publication = Publication {
        store_id: &local.store.store_id,
        tenant: bucket.layout().tenant(),
        generation: listing.generation,
        run_id: &listing.run_id,
        now_ms: local.now_us.div_euclid(1_000),
    };
    let known = States::read(bucket, present).await?;
    let mut next = States::default();
    let mut written = 0;
    for table in tables() {
        let mut state = known.current(bucket, table, present).await?;
        let files = files_of(table, listing);
        if let Some(entry) = entry(table, &mut state, &files, local, &publication) {
            let version = state.version.unwrap_or_default();
            // Refused if another writer has written this version.
            bucket.replace(&entry_path(table, version), entry, None).await?;
            written += 1;
        }
        next.set(table, state);
    }
    if next != known {
        bucket.put(STATE, next.text()).await?;
    }
    Ok(written)
}

/// The tables whose log names other files than the listing.
pub(in crate::remote) async fn differing_tables(
    bucket: &Bucket,
    listing: &Listing,
    present: &BTreeMap<String, u64>,
) -> Result<Vec<&'static str>, RemoteError> {
    let known = States::read(bucket, present).await?;
    let mut differing = Vec::new();
    for table in tables() {
        let state = known.current(bucket, table, present).await?;
        if !state.files.iter().eq(files_of(table, listing).keys()) {
            differing.push(table.name);
        }
    }
    Ok(differing)
}

/// The files of a table by their path in it. The empty file of a dated table has no place in it.
fn files_of<'a>(table: &Table, listing: &'a Listing) -> BTreeMap<String, &'a ListedFile> {
    let root = root(table);
    let file = |file: &'a ListedFile| Some((file.path.strip_prefix(&root)?.to_owned(), file));
    listing.files.iter().filter_map(file).collect()
}

/// The next entry, and the state after it; `None` if nothing changed.
fn entry(
    table: &Table,
    state: &mut TableState,
    files: &BTreeMap<String, &ListedFile>,
    local: &LocalDataset<'_>,
    publication: &Publication<'_>,
) -> Option<String> {
    let before = state.metadata.as_ref();
    let created_ms = before.and_then(|before| before["createdTime"].as_i64()).unwrap_or(publication.now_ms);
    let metadata = actions::metadata(table, publication, created_ms);
    let mut changes: Vec<Value> = Vec::new();
    if state.version.is_none() {
        changes.push(actions::protocol());
    }
    if before != Some(&metadata) {
        changes.push(json!({ "metaData": metadata }));
    }
    changes.extend(
        state.files.iter().filter(|path| !files.contains_key(*path)).map(|path| actions::remove(path, publication)),
    );
    changes.extend(files.iter().filter(|(path, _)| !state.files.contains(*path)).map(|(path, file)| {
        let statistics = statistics(&local.folder.join(&file.path), table);
        actions::add(path, file.bytes, statistics, publication)
    }));
    if changes.is_empty() {
        return None;
    }
    *state = TableState {
        version: Some(state.version.map_or(0, |version| version + 1)),
        metadata: Some(metadata),
        files: files.keys().cloned().collect(),
    };
    let lines = [actions::commit_info(publication), actions::transaction(publication)].into_iter().chain(changes);
    Some(lines.map(|action| format!("{action}\n")).collect())
}
