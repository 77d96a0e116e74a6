//! The files below `parquet/`, compared with the manifest.

use std::collections::HashSet;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use ::parquet::arrow::parquet_to_arrow_schema;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow::datatypes::Schema;

use super::context::Result;
use super::findings::Findings;
use super::manifest::{is_below, is_part_name, table_of};
use super::registry::{FILES, ORPHANS, PARQUET_ROWS, PARQUET_SCHEMA};
use crate::load::{LoadError, Manifest, PublishedFile, REFERENCE, StorePaths, checksum, list_folder, lock};
use crate::schema::{TABLES, Table, arrow_schema};

/// Why a file was skipped.
pub(super) const REPLACED: &str = "a run replaced some files while they were checked";

/// Checks size, checksum, rows and columns of every published file. Returns the paths of those with the published size
/// and checksum.
pub(super) fn check(
    paths: &StorePaths,
    manifest: Option<&Manifest>,
    findings: &mut Findings,
) -> Result<HashSet<String>> {
    let mut usable = HashSet::new();
    for file in manifest.iter().flat_map(|manifest| &manifest.files) {
        // The check of paths reports a path that leaves the directory; it is not opened.
        if !is_below(&file.path) {
            continue;
        }
        let place = place(&file.path);
        let path = paths.part(&file.path);
        let (bytes, sha256) = match checksum::measure_file(&path) {
            Ok(measured) => measured,
            Err(error) => {
                let found = match error.kind() {
                    ErrorKind::NotFound if is_still_listed(paths, &file.path)? => "no file",
                    ErrorKind::NotFound => {
                        findings.skip(&FILES, REPLACED);
                        continue;
                    }
                    ErrorKind::IsADirectory => "a directory",
                    _ => return Err(LoadError::io("read", &path)(error)),
                };
                findings.examined(&FILES, 1);
                findings.found(&FILES, place, format!("a file of {} bytes", file.bytes), found);
                continue;
            }
        };
        findings.examined(&FILES, 1);
        if bytes != file.bytes {
            findings.found(&FILES, place, format!("{} bytes", file.bytes), format!("{bytes} bytes"));
        } else if sha256 != file.sha256 {
            findings.found(&FILES, place, format!("sha256 {}", file.sha256), format!("sha256 {sha256}"));
        } else if let Some(table) = table_of(file) {
            // The Parquet reader gets only bytes with the published checksum.
            check_footer(&path, file, table, findings);
            usable.insert(file.path.clone());
        }
    }
    Ok(usable)
}

/// How findings name a part.
pub(super) fn place(relative: &str) -> String {
    format!("parquet/{relative}")
}

/// Whether the current manifest lists a part; if not, it was replaced meanwhile.
pub(super) fn is_still_listed(paths: &StorePaths, relative: &str) -> Result<bool> {
    match Manifest::read(paths) {
        Ok(manifest) => Ok(manifest.is_some_and(|manifest| manifest.files.iter().any(|file| file.path == relative))),
        // The check of the manifest reports it.
        Err(LoadError::CorruptManifest { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

fn check_footer(path: &Path, file: &PublishedFile, table: &Table, findings: &mut Findings) {
    let place = place(&file.path);
    findings.examined(&PARQUET_SCHEMA, 1);
    let (rows, schema) = match read_footer(path) {
        Ok(footer) => footer,
        Err(error) => return findings.found(&PARQUET_SCHEMA, place, "a Parquet file", format!("not one: {error}")),
    };
    if rows != file.rows {
        let found = format!("{rows} rows by its footer");
        findings.found(&PARQUET_ROWS, &place, format!("{} rows", file.rows), found);
    }
    for (expected, found) in schema_differences(table, &schema) {
        findings.found(&PARQUET_SCHEMA, &place, expected, found);
    }
}

fn read_footer(path: &Path) -> ::parquet::errors::Result<(u64, Schema)> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let metadata = reader.metadata().file_metadata();
    let schema = parquet_to_arrow_schema(metadata.schema_descr(), metadata.key_value_metadata())?;
    Ok((u64::try_from(metadata.num_rows()).unwrap_or_default(), schema))
}

/// The differences from the declared table: expected and found. Descriptions of columns may change between versions.
fn schema_differences(table: &Table, found: &Schema) -> Vec<(String, String)> {
    let unit = |field: &arrow::datatypes::Field| field.metadata().get("unit").cloned().unwrap_or_default();
    let shown = |field: &arrow::datatypes::Field| {
        let null = if field.is_nullable() { "" } else { ", not null" };
        format!("{} {} [{}]{null}", field.name(), field.data_type(), unit(field))
    };
    let declared = arrow_schema::file_schema(table);
    let mut differences = Vec::new();
    for field in declared.fields() {
        match found.field_with_name(field.name()) {
            Ok(other)
                if other.data_type() == field.data_type()
                    && other.is_nullable() == field.is_nullable()
                    && unit(other) == unit(field) => {}
            Ok(other) => differences.push((shown(field), shown(other))),
            Err(_) => differences.push((format!("the column {}", shown(field)), "no such column".to_owned())),
        }
    }
    for field in found.fields() {
        if declared.field_with_name(field.name()).is_err() {
            differences.push((format!("only columns of {}", table.name), format!("the column {}", shown(field))));
        }
    }
    differences
}

/// Files that the manifest does not list. The new parts of a run in progress do not count, nor do the old parts of a
/// publication that ended before it removed them (`is_behind`).
pub(super) fn check_orphans(
    paths: &StorePaths,
    manifest: Option<&Manifest>,
    is_behind: bool,
    findings: &mut Findings,
) -> Result {
    let was_locked = lock::holder(paths).is_some();
    let mut found = Vec::new();
    files_below(&paths.parquet(), "", &mut found)?;
    let generation = |manifest: Option<&Manifest>| manifest.map(|manifest| manifest.generation);
    let now = Manifest::read(paths).ok().flatten();
    // A run may have started, and ended, while the directories were listed.
    if was_locked || lock::holder(paths).is_some() || generation(now.as_ref()) != generation(manifest) {
        findings.skip(&ORPHANS, "a run in progress may be writing parts");
        return Ok(());
    }
    let listed: HashSet<&str> =
        manifest.iter().flat_map(|manifest| &manifest.files).map(|file| file.path.as_str()).collect();
    findings.examined(&ORPHANS, found.len() as u64);
    for relative in found.iter().filter(|relative| !listed.contains(relative.as_str())) {
        if is_behind && is_part(relative) {
            findings.skip(&ORPHANS, "parts of the previous generation still exist: see generation");
            continue;
        }
        let what = if is_part(relative) { "an unlisted part" } else { "a file that is not part of the store" };
        findings.found(&ORPHANS, place(relative), "only files that the manifest lists", what);
    }
    Ok(())
}

fn is_part(relative: &str) -> bool {
    let is_table = |name: &str, is_dated: bool| {
        TABLES.iter().any(|table| table.is_in_parquet() && table.is_dated() == is_dated && table.name == name)
    };
    let parts: Vec<&str> = relative.split('/').collect();
    match parts[..] {
        [REFERENCE, table, name] => is_table(table, false) && is_part_name(name),
        [table, _, name] => is_table(table, true) && is_part_name(name),
        _ => false,
    }
}

/// Files below a directory, relative to it, except for the manifest. Symbolic links are not followed.
fn files_below(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result {
    let mut paths = list_folder(folder)?;
    paths.sort();
    for path in paths {
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() && !path.is_symlink() {
            files_below(&path, &format!("{name}/"), found)?;
        } else if name != "_manifest.json" {
            found.push(name);
        }
    }
    Ok(())
}
