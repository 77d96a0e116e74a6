//! The manifest of a dataset as far as a copy needs it, and which objects below a prefix are ours.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::schema::TABLES;

pub(super) const MANIFEST: &str = "_manifest.json";
/// Manifests of earlier generations.
pub(super) const HISTORY: &str = "_manifest/";
const REFERENCE: &str = "reference";

/// The fields of `_manifest.json` that are read here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Listing {
    pub generation: u64,
    pub schema_version: u64,
    pub run_id: String,
    pub files: Vec<ListedFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ListedFile {
    /// Relative to the manifest.
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

impl Listing {
    pub(super) fn parse(text: &[u8]) -> Result<Listing, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// Where the manifest of this generation stays.
    pub(super) fn history_path(&self) -> String {
        format!("{HISTORY}{}-{}.json", self.generation, self.run_id)
    }

    pub(super) fn by_path(&self) -> BTreeMap<&str, &ListedFile> {
        self.files.iter().map(|file| (file.path.as_str(), file)).collect()
    }
}

/// Whether an object has a name that only a copy gives: a part, or an earlier manifest. Others are left alone.
pub(super) fn is_ours(path: &str) -> bool {
    let mut names = path.split('/');
    let (first, last) = (names.next().unwrap_or_default(), names.next_back().unwrap_or_default());
    let is_table = |name: &str| TABLES.iter().any(|table| table.name == name);
    let is_part = last.starts_with("part-") && last.ends_with(".parquet");
    let is_manifest = path.starts_with(HISTORY) && last.ends_with(".json") && last.contains('-');
    is_manifest || (is_part && (first == REFERENCE || is_table(first)))
}

/// Whether a path of a manifest stays below the directory of the manifest.
pub(super) fn is_below(path: &str) -> bool {
    is_ours(path) && !path.contains('\\') && path.split('/').all(|name| !name.is_empty() && name != "." && name != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parts_and_earlier_manifests_are_ours() {
        for path in [
            "meetings/meeting_date=2026-11-01/part-r1-0.parquet",
            "reference/runs/part-r1-0.parquet",
            "_manifest/7-r1.json",
        ] {
            assert!(is_ours(path) && is_below(path), "{path}");
        }
        for path in [
            MANIFEST,
            "_store.json",
            "notes.txt",
            "others/meeting_date=2026-11-01/part-r1-0.parquet",
            "meetings/meeting_date=2026-11-01/mine.parquet",
            "part-r1-0.parquet",
        ] {
            assert!(!is_ours(path), "{path}");
        }
        assert!(!is_below("meetings/../../part-r1-0.parquet") && !is_below("/meetings/part-r1-0.parquet"));
    }
}
