//! `parquet/_manifest.json`: which Parquet files are published.

use std::fs;
use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use super::durable;
use super::error::{LoadError, Result};
use super::held::{DatabaseDates, Held};
use super::paths::StorePaths;
use crate::schema::{MEETINGS, SCHEMA_VERSION, civil_date};

/// The published files and the publication that wrote them. The keys and their order are a public format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Grows by one with every publication.
    pub generation: u64,
    pub schema_version: u32,
    pub run_id: String,
    /// RFC 3339 UTC.
    pub created_utc: String,
    /// What `vcq.duckdb` holds.
    #[serde(default, skip_serializing_if = "Held::is_all")]
    pub database: Held,
    /// By table in the order of the data dictionary, then by date.
    pub files: Vec<PublishedFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedFile {
    pub table: String,
    /// `YYYY-MM-DD`; null for a table of `parquet/reference`.
    pub meeting_date: Option<String>,
    /// Relative to `parquet/`.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Smallest value of the table's time column, RFC 3339 UTC; null if all are NULL.
    pub min_time_utc: Option<String>,
    pub max_time_utc: Option<String>,
}

impl PublishedFile {
    /// The meeting date of a file with rows. A dated table without any row has one empty file, under the first date.
    pub(crate) fn date_with_rows(&self) -> Option<&str> {
        self.meeting_date.as_deref().filter(|_| self.rows > 0)
    }
}

impl Held {
    /// What a database of these files holds, by the setting.
    pub(super) fn of_files(setting: DatabaseDates, files: &[PublishedFile]) -> Held {
        let dated = |table: &PublishedFile| table.date_with_rows().and_then(civil_date);
        // Other lists may be dated by a day on which they were asked for.
        let newest = files.iter().filter(|file| file.table == MEETINGS.name).filter_map(dated).max();
        Held::of(setting, newest, files.iter().filter_map(dated).min())
    }

    pub(crate) fn has_file(&self, file: &PublishedFile) -> bool {
        self.has(&file.table, file.meeting_date.as_deref())
    }
}

/// What every version of the manifest contains.
#[derive(Deserialize)]
struct Version {
    schema_version: u64,
}

impl Manifest {
    /// Reads the manifest; `None` if nothing was published yet.
    pub(crate) fn read(paths: &StorePaths) -> Result<Option<Manifest>> {
        let path = paths.manifest();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LoadError::io("read", &path)(error)),
        };
        let corrupt = |source: serde_json::Error| LoadError::CorruptManifest {
            path: path.clone(),
            line: source.line(),
            column: source.column(),
            source,
        };
        // The version first: a later format is newer, not damaged.
        let Version { schema_version } = serde_json::from_slice(&bytes).map_err(corrupt)?;
        if schema_version > u64::from(SCHEMA_VERSION) {
            return Err(LoadError::NewerSchema { path, found: schema_version, known: SCHEMA_VERSION });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(corrupt)
    }

    /// Replaces the manifest. If this fails, the old one is still intact.
    pub(crate) fn write(&self, paths: &StorePaths) -> Result {
        let path = paths.manifest();
        let text = self.text().map_err(|error| LoadError::io("write", &path)(error.into()))?;
        durable::replace(&paths.work(), &path, text.as_bytes())
    }

    /// JSON with one file per line, so that two manifests can be compared with `diff`.
    fn text(&self) -> Result<String, serde_json::Error> {
        let mut head = self.clone();
        head.files.clear();
        let head = serde_json::to_string(&head)?;
        let lines = self.files.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let body = if lines.is_empty() { String::new() } else { format!("\n  {}\n", lines.join(",\n  ")) };
        // The head ends with the empty list of files.
        Ok(format!("{}{body}]}}\n", head.trim_end_matches("]}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let file = |date: &str| PublishedFile {
            table: "meetings".to_owned(),
            meeting_date: Some(date.to_owned()),
            path: format!("meetings/meeting_date={date}/part-r1-0.parquet"),
            rows: 3,
            bytes: 4096,
            sha256: "ab".repeat(32),
            min_time_utc: Some(format!("{date}T01:00:00Z")),
            max_time_utc: None,
        };
        Manifest {
            generation: 7,
            schema_version: SCHEMA_VERSION,
            run_id: "r1".to_owned(),
            created_utc: "2026-11-22T18:00:00Z".to_owned(),
            database: Held::All,
            files: vec![file("2026-11-01"), file("2026-11-02")],
        }
    }

    fn store() -> (tempfile::TempDir, StorePaths) {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        (dir, paths)
    }

    #[test]
    fn a_written_manifest_is_read_back() {
        let (_dir, paths) = store();
        assert_eq!(Manifest::read(&paths).expect("read"), None);
        for manifest in [sample(), Manifest { files: Vec::new(), ..sample() }] {
            manifest.write(&paths).expect("write");
            assert_eq!(Manifest::read(&paths).expect("read"), Some(manifest));
        }
        assert_eq!(fs::read_dir(paths.work()).expect("list").count(), 0, "no temporary file is left");
    }

    #[test]
    fn the_keys_and_their_order_are_fixed() {
        let text = sample().text().expect("text");
        let value: serde_json::Value = serde_json::from_str(&text).expect("json");
        let keys =
            |value: &serde_json::Value| -> Vec<String> { value.as_object().expect("object").keys().cloned().collect() };
        assert_eq!(keys(&value), ["generation", "schema_version", "run_id", "created_utc", "files"]);
        assert_eq!(
            keys(&value["files"][0]),
            ["table", "meeting_date", "path", "rows", "bytes", "sha256", "min_time_utc", "max_time_utc"]
        );
        assert_eq!(text.lines().count(), 4, "one file per line:\n{text}");
    }

    #[test]
    fn what_the_database_holds_is_named_unless_it_is_everything() {
        let partial = Manifest { database: Held::Since("2026-11-02".to_owned()), ..sample() };
        let text = partial.text().expect("text");
        assert!(text.lines().next().is_some_and(|head| head.contains(r#""database":"since 2026-11-02","files":["#)));
        assert_eq!(serde_json::from_str::<Manifest>(&text).expect("json"), partial);
        let last = |days| Held::of_files(DatabaseDates::Last { days }, &sample().files);
        assert_eq!((last(1), last(2)), (Held::Since("2026-11-02".to_owned()), Held::All));
    }

    #[test]
    fn the_error_about_a_damaged_manifest_names_the_file_and_the_position() {
        let (_dir, paths) = store();
        let text = sample().text().expect("text");
        for damaged in [&text[..text.len() / 2], "", "[]", "{\"schema_version\": 1}", "\0\0\0"] {
            fs::write(paths.manifest(), damaged).expect("write");
            let error = Manifest::read(&paths).expect_err("damaged");
            assert!(matches!(error, LoadError::CorruptManifest { .. }), "{error}");
            let message = error.to_string();
            assert!(message.contains("_manifest.json") && message.contains("line "), "{message}");
        }
        assert!(matches!(paths.remove_orphans(), Err(LoadError::CorruptManifest { .. })));
    }

    #[test]
    fn a_manifest_of_a_newer_version_is_not_reported_as_damaged() {
        let (_dir, paths) = store();
        fs::write(paths.manifest(), r#"{"schema_version": 99, "shape": "another"}"#).expect("write");
        assert!(matches!(Manifest::read(&paths), Err(LoadError::NewerSchema { found: 99, .. })));
    }
}
