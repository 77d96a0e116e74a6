//! The database's row of `meta` and the files it was loaded from, compared with the manifest.

use std::collections::BTreeMap;

use super::context::{Result, VerifyContext};
use super::database::{Database, Meta, TextRow, or_null, text, text_rows, unless_damaged};
use super::findings::Findings;
use super::manifest::{MANIFEST_PATH, parse_utc};
use super::registry::{GENERATION, PUBLISHED_FILES, ROWS};
use super::snapshot::Snapshot;
use crate::load::Manifest;
use crate::schema::{SCHEMA_VERSION, TenantZone, utc_text};

pub(super) fn check(
    database: &Database,
    snapshot: &Snapshot,
    context: &VerifyContext<'_>,
    findings: &mut Findings,
) -> Result {
    let meta = &database.meta;
    match (&snapshot.manifest, snapshot.incomparable()) {
        (Some(manifest), Some(why)) if snapshot.is_behind => {
            findings.examined(&GENERATION, 1);
            let expected = format!("{}, as in {MANIFEST_PATH}", manifest.generation);
            let found = meta.generation.unwrap_or_default();
            let found = format!("{found}: a run ended between manifest and database; the next vcq-etl sync fixes it");
            findings.found(&GENERATION, "vcq.duckdb, meta.generation", expected, found);
            findings.skip(&PUBLISHED_FILES, why);
        }
        (_, Some(why)) => [&GENERATION, &PUBLISHED_FILES].into_iter().for_each(|check| findings.skip(check, why)),
        (Some(manifest), None) => {
            check_generation(meta, manifest, findings);
            check_published_files(database, manifest, findings)?;
        }
        (None, None) => [&GENERATION, &PUBLISHED_FILES, &ROWS]
            .into_iter()
            .for_each(|check| findings.skip(check, "there is no manifest to compare with")),
    }
    check_settings(database, context, findings);
    Ok(())
}

/// The values that the manifest does not have.
fn check_settings(database: &Database, context: &VerifyContext<'_>, findings: &mut Findings) {
    let meta = &database.meta;
    let mut value = |name: &str, is_valid: bool, expected: &str, found: Option<&String>| {
        if !is_valid {
            findings.found(&GENERATION, format!("vcq.duckdb, meta.{name}"), expected, or_null(found));
        }
    };
    let zone = meta.timezone.as_ref();
    value("timezone", zone.is_some_and(|zone| TenantZone::parse(zone).is_ok()), "the tenant's time zone", zone);
    let (kind, expected) = (meta.user_id_type.as_ref(), context.user_id_type.as_ref());
    let is_kind = kind.is_some() && (expected.is_none() || kind == expected);
    value("user_id_type", is_kind, expected.map_or("the kind of user ids", String::as_str), kind);
    let version = meta.vcq_etl_version.as_ref();
    value("vcq_etl_version", version.is_some_and(|text| !text.is_empty()), "the version of the program", version);
    // An older schema has no such column.
    if meta.schema_version >= Some(i64::from(SCHEMA_VERSION)) {
        let sql = "select count(*) = 0 or bool_or(profile = ?) from thresholds";
        let is_known = |profile| database.connection.query_row(sql, [profile], |row| row.get(0)).unwrap_or(true);
        let profile = meta.profile.as_ref();
        value("profile", profile.is_some_and(is_known), "a profile of the table thresholds", profile);
    }
    for (name, number) in [("compact_bytes", meta.compact_bytes), ("compact_rows", meta.compact_rows)] {
        value(name, number >= Some(0), "0 or more", number.map(|number| number.to_string()).as_ref());
    }
}

fn check_generation(meta: &Meta, manifest: &Manifest, findings: &mut Findings) {
    findings.examined(&GENERATION, 1);
    for (name, expected, found) in [
        ("generation", manifest.generation.to_string(), meta.generation.map(|number| number.to_string())),
        ("run_id", manifest.run_id.clone(), meta.run_id.clone()),
        // The manifest has whole seconds.
        ("created_utc", manifest.created_utc.clone(), meta.created_us.map(utc_text)),
        ("schema_version", SCHEMA_VERSION.to_string(), meta.schema_version.map(|number| number.to_string())),
    ] {
        if found.as_ref() != Some(&expected) {
            let expected = format!("{expected}, as in {MANIFEST_PATH}");
            findings.found(&GENERATION, format!("vcq.duckdb, meta.{name}"), expected, or_null(found.as_ref()));
        }
    }
    if parse_utc(&manifest.created_utc).is_some() && meta.rows != 1 {
        findings.found(&GENERATION, "vcq.duckdb, meta", "1 row", format!("{} rows", meta.rows));
    }
}

fn check_published_files(database: &Database, manifest: &Manifest, findings: &mut Findings) -> Result {
    let sql = "select table_name, cast(meeting_date as varchar), path, cast(rows as varchar), \
               cast(bytes as varchar), sha256 from published_files";
    let Some(rows) = unless_damaged(text_rows(&database.connection, sql, &[]), "published_files", findings)? else {
        return Ok(());
    };
    let shown = |row: &TextRow| {
        let [table, date, rows, bytes, sha256] = [0, 1, 3, 4, 5].map(|column| text(row, column));
        format!("{table} of {date}: {rows} rows, {bytes} bytes, sha256 {sha256}")
    };
    let place = |path: &str| format!("vcq.duckdb, published_files, {path}");
    findings.examined(&PUBLISHED_FILES, manifest.files.len().max(rows.len()) as u64);
    let mut unmatched: BTreeMap<String, Vec<TextRow>> = BTreeMap::new();
    for row in rows {
        unmatched.entry(text(&row, 2)).or_default().push(row);
    }
    for file in &manifest.files {
        let (rows, bytes) = (file.rows.to_string(), file.bytes.to_string());
        let [table, path, rows, bytes, sha256] = [&file.table, &file.path, &rows, &bytes, &file.sha256].map(Some);
        let expected = [table, file.meeting_date.as_ref(), path, rows, bytes, sha256];
        let expected: TextRow = expected.into_iter().map(Option::<&String>::cloned).collect();
        let found = match unmatched.get_mut(&file.path).and_then(Vec::pop) {
            None => "no such row".to_owned(),
            Some(row) if row != expected => shown(&row),
            Some(_) => continue,
        };
        findings.found(&PUBLISHED_FILES, place(&file.path), shown(&expected), found);
    }
    for row in unmatched.into_values().flatten() {
        findings.found(&PUBLISHED_FILES, place(&text(&row, 2)), "only files of the manifest", shown(&row));
    }
    Ok(())
}
