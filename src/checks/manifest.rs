//! The values of the manifest, without looking at the files.

use std::collections::HashSet;

use super::context::MAX_CLOCK_SKEW_US;
use super::findings::Findings;
use super::registry::{MANIFEST, MANIFEST_PATHS};
use crate::load::{Manifest, PublishedFile, is_run_id};
use crate::schema::{PARTITION_COLUMN, SCHEMA_VERSION, Storage, TABLES, Table, civil_date, utc_text};

/// How findings name the manifest.
pub(super) const MANIFEST_PATH: &str = "parquet/_manifest.json";

pub(super) fn check(manifest: &Manifest, now_us: i64, findings: &mut Findings) {
    findings.examined(&MANIFEST, 1 + manifest.files.len() as u64);
    findings.examined(&MANIFEST_PATHS, manifest.files.len() as u64);
    let mut head = |name: &str, is_valid: bool, expected: String, found: &dyn ToString| {
        if !is_valid {
            findings.found(&MANIFEST, format!("{MANIFEST_PATH}, {name}"), expected, found.to_string());
        }
    };
    head("generation", manifest.generation > 0, "1 or more".to_owned(), &manifest.generation);
    let version = manifest.schema_version;
    head("schema_version", version == SCHEMA_VERSION, SCHEMA_VERSION.to_string(), &version);
    head("run_id", is_run_id(&manifest.run_id), "letters, digits, - and _".to_owned(), &manifest.run_id);
    let latest = now_us.saturating_add(MAX_CLOCK_SKEW_US);
    let created = parse_utc(&manifest.created_utc);
    let expected = format!("a UTC time not after {}", utc_text(latest));
    head("created_utc", created.is_some_and(|at| at <= latest), expected, &manifest.created_utc);

    let (mut paths, mut parts) = (HashSet::new(), HashSet::new());
    for file in &manifest.files {
        check_values(file, findings);
        let is_known = civil_date(&file.meeting_date).is_some() && table_of(file).is_some();
        let folder = format!("{}/{PARTITION_COLUMN}={}/", file.table, file.meeting_date);
        if !is_known || !file.path.strip_prefix(&folder).is_some_and(is_part_name) {
            let place = format!("{MANIFEST_PATH}, {} of {}", file.table, file.meeting_date);
            findings.found(&MANIFEST_PATHS, place, format!("{folder}part-<run>-<n>.parquet"), &file.path);
        }
        for (is_new, what) in [
            (paths.insert(file.path.as_str()), "path"),
            (parts.insert((file.table.as_str(), file.meeting_date.as_str())), "table and date"),
        ] {
            if !is_new {
                let (expected, found) = (format!("every {what} once"), format!("a {what} twice"));
                findings.found(&MANIFEST_PATHS, format!("{MANIFEST_PATH}, {}", file.path), expected, found);
            }
        }
    }
}

fn check_values(file: &PublishedFile, findings: &mut Findings) {
    let mut value = |name: &str, is_valid: bool, expected: &str, found: String| {
        if !is_valid {
            findings.found(&MANIFEST, format!("{MANIFEST_PATH}, {} of {}", name, file.path), expected, found);
        }
    };
    value("table", table_of(file).is_some(), "a table stored in Parquet", file.table.clone());
    value("meeting_date", civil_date(&file.meeting_date).is_some(), "a date YYYY-MM-DD", file.meeting_date.clone());
    value("rows", file.rows > 0, "1 or more", file.rows.to_string());
    let is_sum = file.sha256.len() == 64 && file.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    value("sha256", is_sum, "64 lower-case hexadecimal digits", file.sha256.clone());
    let (min, max) = (&file.min_time_utc, &file.max_time_utc);
    let is_valid = match (min, max) {
        (None, None) => true,
        (Some(min), Some(max)) => parse_utc(min).zip(parse_utc(max)).is_some_and(|(min, max)| min <= max),
        _ => false,
    };
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
    let found = format!("{} and {}", shown(min), shown(max));
    value("min_time_utc", is_valid, "UTC times, the first not after the last", found);
}

/// The table of an entry; `None` if there is none in Parquet.
pub(super) fn table_of(file: &PublishedFile) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == file.table && table.storage == Storage::ParquetAndDuckdb)
}

/// Whether the path of an entry stays below `parquet/`, so that it is safe to open.
pub(super) fn is_below(path: &str) -> bool {
    !path.is_empty()
        && std::path::Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// `part-<run>-<n>.parquet`.
pub(super) fn is_part_name(name: &str) -> bool {
    let middle = name.strip_prefix("part-").and_then(|name| name.strip_suffix(".parquet"));
    let Some((run_id, number)) = middle.and_then(|middle| middle.rsplit_once('-')) else { return false };
    is_run_id(run_id) && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// Microseconds of an RFC 3339 time in UTC.
pub(super) fn parse_utc(text: &str) -> Option<i64> {
    let at: jiff::Timestamp = text.parse().ok()?;
    text.ends_with('Z').then(|| at.as_microsecond())
}
