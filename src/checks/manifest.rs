//! The manifest by itself: is each entry of the form that it should have.

use std::collections::HashSet;

use super::checks::{MANIFEST, PATHS};
use super::{CLOCK_SLACK_US, Findings};
use crate::load::{Manifest, PublishedFile};
use crate::schema::{PARTITION_COLUMN, SCHEMA_VERSION, Storage, TABLES, Table, utc_text};

/// The manifest in findings.
pub(crate) const PLACE: &str = "parquet/_manifest.json";

/// Checks every value of the manifest.
pub(crate) fn check(manifest: &Manifest, now_us: i64, findings: &mut Findings) {
    findings.examined(&MANIFEST, 1 + manifest.files.len() as u64);
    findings.examined(&PATHS, manifest.files.len() as u64);
    let mut head = |name: &str, holds: bool, expected: String, found: &dyn ToString| {
        if !holds {
            findings.found(&MANIFEST, format!("{PLACE}, {name}"), expected, found.to_string());
        }
    };
    head("generation", manifest.generation > 0, "1 or more".to_owned(), &manifest.generation);
    let version = manifest.schema_version;
    head("schema_version", version == SCHEMA_VERSION, SCHEMA_VERSION.to_string(), &version);
    head("run_id", is_run_id(&manifest.run_id), "letters, digits, - and _".to_owned(), &manifest.run_id);
    let latest = now_us.saturating_add(CLOCK_SLACK_US);
    let created = micros(&manifest.created_utc);
    let expected = format!("a UTC time not after {}", utc_text(latest));
    head("created_utc", created.is_some_and(|at| at <= latest), expected, &manifest.created_utc);

    let (mut paths, mut parts) = (HashSet::new(), HashSet::new());
    for file in &manifest.files {
        entry(file, findings);
        if let Some(expected) = wrong_path(file) {
            findings.found(&PATHS, format!("{PLACE}, {} of {}", file.table, file.meeting_date), expected, &file.path);
        }
        for (is_new, what) in [
            (paths.insert(file.path.as_str()), "path"),
            (parts.insert((file.table.as_str(), file.meeting_date.as_str())), "table and date"),
        ] {
            if !is_new {
                let expected = format!("every {what} once");
                findings.found(&PATHS, format!("{PLACE}, {}", file.path), expected, format!("a {what} twice"));
            }
        }
    }
}

fn entry(file: &PublishedFile, findings: &mut Findings) {
    let mut value = |name: &str, holds: bool, expected: &str, found: String| {
        if !holds {
            findings.found(&MANIFEST, format!("{PLACE}, {} of {}", name, file.path), expected, found);
        }
    };
    value("table", table_of(file).is_some(), "a table that is kept in Parquet", file.table.clone());
    value("meeting_date", is_date(&file.meeting_date), "a date YYYY-MM-DD", file.meeting_date.clone());
    value("rows", file.rows > 0, "1 or more", file.rows.to_string());
    let is_sum = file.sha256.len() == 64 && file.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    value("sha256", is_sum, "64 lower-case hexadecimal digits", file.sha256.clone());
    let (min, max) = (&file.min_time_utc, &file.max_time_utc);
    let holds = match (min, max) {
        (None, None) => true,
        (Some(min), Some(max)) => micros(min).zip(micros(max)).is_some_and(|(min, max)| min <= max),
        _ => false,
    };
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
    value(
        "min_time_utc",
        holds,
        "UTC times, the first not after the last",
        format!("{} and {}", shown(min), shown(max)),
    );
}

/// The table of an entry, where it is one that is kept in Parquet.
pub(crate) fn table_of(file: &PublishedFile) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == file.table && table.storage == Storage::ParquetAndDuckdb)
}

/// What the path should be, where it is not.
fn wrong_path(file: &PublishedFile) -> Option<String> {
    let folder = format!("{}/{PARTITION_COLUMN}={}/", file.table, file.meeting_date);
    let is_right = is_date(&file.meeting_date)
        && table_of(file).is_some()
        && file.path.strip_prefix(&folder).is_some_and(is_part_name);
    (!is_right).then(|| format!("{folder}part-<run>-<n>.parquet"))
}

/// Whether the path of an entry may be followed: it stays below `parquet/` whatever else is wrong with it.
pub(crate) fn is_below(path: &str) -> bool {
    !path.is_empty()
        && std::path::Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// `part-<run>-<n>.parquet`.
pub(crate) fn is_part_name(name: &str) -> bool {
    let middle = name.strip_prefix("part-").and_then(|name| name.strip_suffix(".parquet"));
    let Some((run_id, number)) = middle.and_then(|middle| middle.rsplit_once('-')) else { return false };
    is_run_id(run_id) && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

fn is_run_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == text)
}

/// Microseconds of an RFC 3339 time in UTC.
pub(crate) fn micros(text: &str) -> Option<i64> {
    let at: jiff::Timestamp = text.parse().ok()?;
    text.ends_with('Z').then(|| at.as_microsecond())
}
