//! `_store.json`: which store writes below a prefix.

use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::error::RemoteError;
use super::layout::STORE_FILE;

/// The writer, and what only its ledger knows besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoreFile {
    pub store_id: String,
    /// The settings by which the files were written.
    pub identity: Option<String>,
    pub topics: Option<String>,
    /// The ID of the identity key, so that a restored store is not continued with another one. Nobody can derive the
    /// key from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_key_id: Option<String>,
    /// The text of `buildings.csv`.
    pub buildings: Option<String>,
}

impl StoreFile {
    /// Reads the file below a prefix; `None` if there is none.
    pub(super) async fn read(bucket: &Bucket) -> Result<Option<StoreFile>, RemoteError> {
        let Some(found) = bucket.read(STORE_FILE).await? else { return Ok(None) };
        let damaged = |source| RemoteError::Damaged { place: bucket.place(STORE_FILE), source };
        serde_json::from_slice(&found.bytes).map(Some).map_err(damaged)
    }

    /// Makes this store the writer, or returns [`RemoteError::Foreign`] if another one is.
    pub(super) async fn claim(&self, bucket: &Bucket) -> Result<(), RemoteError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        let mut found = StoreFile::read(bucket).await?;
        if found.is_none() {
            bucket.check_layout().await?;
            bucket.put_new(STORE_FILE, text.clone()).await?;
            // Where there are no conditional writes, two stores may have written: the second one stays.
            found = StoreFile::read(bucket).await?;
        }
        match found {
            Some(found) if found.store_id != self.store_id => Err(RemoteError::Foreign {
                target: bucket.target().to_owned(),
                found: found.store_id,
                expected: self.store_id.clone(),
            }),
            Some(found) if found == *self => Ok(()),
            _ => bucket.put(STORE_FILE, text).await,
        }
    }
}
