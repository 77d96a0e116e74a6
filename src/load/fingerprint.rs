//! Whether `vcq.duckdb` is still the file that was published.
//!
//! DuckDB raises a counter in one of the two headers at every checkpoint, after it has written the blocks, and until
//! then leaves the blocks of the last checkpoint alone. So size and headers tell whether a session changed the file,
//! and a copy made between two equal readings is the published one. `state/published.json` holds them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{LoadError, Result};
use super::paths::StorePaths;
use super::{checksum, durable};

/// The file header and two database headers.
const HEADER_BYTES: u64 = 3 * 4096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    bytes: u64,
    headers_sha256: String,
}

impl Fingerprint {
    pub(super) fn of(path: &Path) -> io::Result<Fingerprint> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut headers = Vec::new();
        file.take(HEADER_BYTES).read_to_end(&mut headers)?;
        Ok(Fingerprint { bytes, headers_sha256: checksum::sha256(&headers) })
    }
}

/// The published file, and before a rename also the one that replaces it.
#[derive(Default, Serialize, Deserialize)]
struct Record {
    files: Vec<Fingerprint>,
}

/// What may be published; empty if that is not known, as in a store of an older version.
pub(super) fn recorded(paths: &StorePaths) -> Vec<Fingerprint> {
    let text = std::fs::read(paths.published_record()).ok();
    text.and_then(|text| serde_json::from_slice::<Record>(&text).ok()).unwrap_or_default().files
}

/// Records the file that is about to be published, beside the one that is until the rename.
pub(super) fn record(paths: &StorePaths, next: &Path) -> Result {
    let path = paths.published_record();
    let next = Fingerprint::of(next).map_err(LoadError::io("read", next))?;
    let known = recorded(paths);
    let current = Fingerprint::of(&paths.database()).ok().filter(|current| known.contains(current));
    let record = Record { files: current.into_iter().chain([next]).collect() };
    let text = serde_json::to_vec(&record).map_err(|error| LoadError::io("write", &path)(error.into()))?;
    durable::replace(&paths.work(), &path, &text)
}
