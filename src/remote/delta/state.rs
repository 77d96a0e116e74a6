//! What the log of a table says: which files the table has after which version. `_delta.json` keeps it for all tables,
//! so that a publication reads only entries that are newer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::bucket::Bucket;
use super::super::error::RemoteError;
use crate::schema::Table;

pub(super) const STATE: &str = "_delta.json";
const LOG: &str = "_delta_log/";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableState {
    /// `None` before the first version.
    pub version: Option<u64>,
    #[serde(default)]
    pub metadata: Option<Value>,
    /// Relative to the table.
    #[serde(default)]
    pub files: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct States {
    tables: BTreeMap<String, TableState>,
}

impl States {
    /// What was kept; a file that cannot be read only costs time, because the logs are read instead.
    pub(super) async fn read(bucket: &Bucket, present: &BTreeMap<String, u64>) -> Result<States, RemoteError> {
        if !present.contains_key(STATE) {
            return Ok(States::default());
        }
        let found = bucket.read(STATE).await?;
        Ok(found.and_then(|found| serde_json::from_slice(&found.bytes).ok()).unwrap_or_default())
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    pub(super) fn set(&mut self, table: &Table, state: TableState) {
        self.tables.insert(table.name.to_owned(), state);
    }

    /// The state of a table after all entries of its log.
    pub(super) async fn current(
        &self,
        bucket: &Bucket,
        table: &Table,
        present: &BTreeMap<String, u64>,
    ) -> Result<TableState, RemoteError> {
        let mut state = self.tables.get(table.name).cloned().unwrap_or_default();
        let versions = versions(table, present);
        // Somebody has removed the log: it begins again.
        if state.version > versions.last().copied() {
            state = TableState::default();
        }
        let next = |state: &TableState| state.version.map_or(0, |version| version + 1);
        for version in versions.range(next(&state)..) {
            let path = entry_path(table, *version);
            let broken = || RemoteError::DeltaLog { place: bucket.place(&path) };
            // An entry that is missing leaves the files of the table unknown.
            if *version != next(&state) {
                return Err(broken());
            }
            let found = bucket.read(&path).await?.ok_or_else(broken)?;
            state.apply(&found.bytes).ok_or_else(broken)?;
        }
        Ok(state)
    }
}

impl TableState {
    /// Adds an entry. Returns `None` if it is not one.
    fn apply(&mut self, entry: &[u8]) -> Option<()> {
        for line in std::str::from_utf8(entry).ok()?.lines() {
            let action: Value = serde_json::from_str(line).ok()?;
            if let Some(path) = action["add"]["path"].as_str() {
                self.files.insert(path.to_owned());
            } else if let Some(path) = action["remove"]["path"].as_str() {
                self.files.remove(path);
            } else if action["metaData"].is_object() {
                self.metadata = Some(action["metaData"].clone());
            }
        }
        self.version = Some(self.version.map_or(0, |version| version + 1));
        Some(())
    }
}

/// The directory of a table in the dataset, with a slash.
pub(super) fn root(table: &Table) -> String {
    if table.is_dated() { format!("{}/", table.name) } else { format!("reference/{}/", table.name) }
}

pub(super) fn entry_path(table: &Table, version: u64) -> String {
    format!("{}{LOG}{version:020}.json", root(table))
}

/// The versions of a table's log.
pub(super) fn versions(table: &Table, present: &BTreeMap<String, u64>) -> BTreeSet<u64> {
    let folder = format!("{}{LOG}", root(table));
    let below = present.range(folder.clone()..).map_while(|(path, _)| path.strip_prefix(&folder));
    let version = |name: &str| match name.strip_suffix(".json")? {
        digits if digits.len() == 20 => digits.parse().ok(),
        _ => None,
    };
    below.filter_map(version).collect()
}
