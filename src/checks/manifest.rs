//! The values of the manifest, without looking at the files.

use std::collections::HashSet;

use super::context::MAX_CLOCK_SKEW_US;
use super::findings::Findings;
use super::registry::{MANIFEST, MANIFEST_PATHS};
use crate::load::{Manifest, PublishedFile, is_run_id, part_folder};
use crate::schema::{SCHEMA_VERSION, TABLES, Table, civil_date, utc_text};

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
        let is_only_one = manifest.files.iter().filter(|other| other.table == file.table).count() == 1;
        check_values(file, is_only_one, findings);
        let is_known = table_of(file).is_some() && has_right_date(file);
        let folder = part_folder(&file.table, file.meeting_date.as_deref()) + "/";
        if !is_known || !file.path.strip_prefix(&folder).is_some_and(is_part_name) {
            let place = format!("{MANIFEST_PATH}, {}", of_date(&file.table, file.meeting_date.as_deref()));
            findings.found(&MANIFEST_PATHS, place, format!("{folder}part-<run>-<n>.parquet"), &file.path);
        }
        for (is_new, what) in [
            (paths.insert(file.path.as_str()), "path"),
            (parts.insert((file.table.as_str(), file.meeting_date.as_deref())), "table and date"),
        ] {
            if !is_new {
                let (expected, found) = (format!("every {what} once"), format!("a {what} twice"));
                findings.found(&MANIFEST_PATHS, format!("{MANIFEST_PATH}, {}", file.path), expected, found);
            }
        }
    }
    // The head has a finding about a manifest of another version.
    let has_dates = manifest.files.iter().any(|file| file.meeting_date.is_some());
    for table in TABLES.iter().filter(|table| table.is_in_parquet() && version == SCHEMA_VERSION) {
        let is_listed = manifest.files.iter().any(|file| file.table == table.name);
        if !is_listed && (has_dates || !table.is_dated()) {
            let place = format!("{MANIFEST_PATH}, {}", table.name);
            findings.found(&MANIFEST_PATHS, place, "a file of every table, even without rows", "no file");
        }
    }
}

/// A table and its date as shown in findings.
pub(super) fn of_date(table: &str, meeting_date: Option<&str>) -> String {
    meeting_date.map_or_else(|| table.to_owned(), |date| format!("{table} of {date}"))
}

/// Whether a file of a dated table has a date, and that of an undated one has none.
fn has_right_date(file: &PublishedFile) -> bool {
    match &file.meeting_date {
        Some(date) => civil_date(date).is_some() && table_of(file).is_none_or(Table::is_dated),
        None => table_of(file).is_none_or(|table| !table.is_dated()),
    }
}

fn check_values(file: &PublishedFile, is_only_one: bool, findings: &mut Findings) {
    let mut value = |name: &str, is_valid: bool, expected: &str, found: String| {
        if !is_valid {
            findings.found(&MANIFEST, format!("{MANIFEST_PATH}, {} of {}", name, file.path), expected, found);
        }
    };
    value("table", table_of(file).is_some(), "a table stored in Parquet", file.table.clone());
    let date = file.meeting_date.clone().unwrap_or_else(|| "null".to_owned());
    value("meeting_date", has_right_date(file), "a date YYYY-MM-DD, or null for an undated table", date);
    value("rows", file.rows > 0 || is_only_one, "1 or more, except in a table's only file", file.rows.to_string());
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
    TABLES.iter().find(|table| table.name == file.table && table.is_in_parquet())
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
