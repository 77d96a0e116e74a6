//! The manifest against the files below `parquet/`.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use ::parquet::arrow::parquet_to_arrow_schema;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow::datatypes::Schema;

use super::Findings;
use super::checks::{FILE_SCHEMA, FILES, FOOTERS, STRAYS};
use super::manifest::{is_below, is_part_name, table_of};
use crate::load::{LoadError, Manifest, PublishedFile, StorePaths, checksum, lock};
use crate::schema::{Storage, TABLES, Table, arrow_schema};

/// Why a file was not looked at.
const REPLACED: &str = "some files were replaced by a run while they were checked";

/// Checks size, checksum, rows and columns of every published file. Gives the paths of those that are as published, and
/// may be read further.
pub(crate) fn check(
    paths: &StorePaths,
    manifest: Option<&Manifest>,
    findings: &mut Findings,
) -> Result<HashSet<String>, LoadError> {
    let mut usable = HashSet::new();
    for file in manifest.iter().flat_map(|manifest| &manifest.files) {
        // A path that leaves the folder is told by the check of paths, and not followed.
        if !is_below(&file.path) {
            continue;
        }
        let place = place(&file.path);
        let path = paths.part(&file.path);
        let (bytes, sha256) = match checksum::measure_file(&path) {
            Ok(measured) => measured,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if is_still_named(paths, &file.path)? {
                    findings.examined(&FILES, 1);
                    findings.found(&FILES, place, format!("a file of {} bytes", file.bytes), "no file");
                } else {
                    findings.skip(&FILES, REPLACED);
                }
                continue;
            }
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                findings.found(&FILES, place, format!("a file of {} bytes", file.bytes), "a folder");
                continue;
            }
            Err(error) => return Err(LoadError::io("read", &path)(error)),
        };
        findings.examined(&FILES, 1);
        if bytes != file.bytes {
            findings.found(&FILES, place, format!("{} bytes", file.bytes), format!("{bytes} bytes"));
        } else if sha256 != file.sha256 {
            findings.found(&FILES, place, format!("sha256 {}", file.sha256), format!("sha256 {sha256}"));
        } else if let Some(table) = table_of(file) {
            // Only bytes that somebody vouches for are given to a reader of Parquet.
            footer(&path, file, table, findings);
            usable.insert(file.path.clone());
        }
    }
    Ok(usable)
}

/// How a part is named in findings.
pub(crate) fn place(relative: &str) -> String {
    format!("parquet/{relative}")
}

/// Whether a part that is not there should be: what the present manifest does not name was replaced meanwhile.
pub(crate) fn is_still_named(paths: &StorePaths, relative: &str) -> Result<bool, LoadError> {
    match Manifest::read(paths) {
        Ok(manifest) => Ok(manifest.is_some_and(|manifest| manifest.files.iter().any(|file| file.path == relative))),
        // Told by the check of the manifest; what was named is missing.
        Err(LoadError::CorruptManifest { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

fn footer(path: &Path, file: &PublishedFile, table: &Table, findings: &mut Findings) {
    findings.examined(&FILE_SCHEMA, 1);
    match read_footer(path) {
        Ok((rows, schema)) => {
            if rows != file.rows {
                findings.found(
                    &FOOTERS,
                    place(&file.path),
                    format!("{} rows", file.rows),
                    format!("{rows} rows by its footer"),
                );
            }
            for (expected, found) in schema_differences(table, &schema) {
                findings.found(&FILE_SCHEMA, place(&file.path), expected, found);
            }
        }
        Err(error) => findings.found(&FILE_SCHEMA, place(&file.path), "a Parquet file", format!("no such: {error}")),
    }
}

fn read_footer(path: &Path) -> Result<(u64, Schema), ParquetError> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let metadata = reader.metadata().file_metadata();
    let schema = parquet_to_arrow_schema(metadata.schema_descr(), metadata.key_value_metadata())?;
    Ok((u64::try_from(metadata.num_rows()).unwrap_or_default(), schema))
}

/// What is not as the table is declared: expected, found. The words of a column's description may change from version
/// to version.
fn schema_differences(table: &Table, found: &Schema) -> Vec<(String, String)> {
    let unit = |field: &arrow::datatypes::Field| field.metadata().get("unit").cloned().unwrap_or_default();
    let shown = |field: &arrow::datatypes::Field| {
        let null = if field.is_nullable() { "" } else { ", never NULL" };
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

/// Strays can't be told while the manifest is unknown.
pub(crate) fn skip_orphans(findings: &mut Findings) {
    findings.skip(&STRAYS, "which files are published is not known without the manifest");
}

/// Files that the manifest does not name. The parts of a run that is publishing are none, nor are the old ones of a
/// publication that ended before it came to remove them (`is_behind`).
pub(crate) fn orphans(
    paths: &StorePaths,
    manifest: Option<&Manifest>,
    is_behind: bool,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    const UNDER_WAY: &str = "a run holds the store: its parts may be on their way";
    if lock::holder(paths).is_some() {
        findings.skip(&STRAYS, UNDER_WAY);
        return Ok(());
    }
    let mut found = Vec::new();
    files_below(&paths.parquet(), "", &mut found)?;
    let generation = |manifest: Option<&Manifest>| manifest.map(|manifest| manifest.generation);
    let now = Manifest::read(paths).ok().flatten();
    // A run that came, and perhaps went, while the folders were listed.
    if lock::holder(paths).is_some() || generation(now.as_ref()) != generation(manifest) {
        findings.skip(&STRAYS, UNDER_WAY);
        return Ok(());
    }
    let named: HashSet<&str> =
        manifest.iter().flat_map(|manifest| &manifest.files).map(|file| file.path.as_str()).collect();
    findings.examined(&STRAYS, found.len() as u64);
    for relative in found.iter().filter(|relative| !named.contains(relative.as_str())) {
        if is_behind && is_a_part(relative) {
            findings.skip(&STRAYS, "parts of the generation before are still there: see generation");
            continue;
        }
        let what = if is_a_part(relative) { "a part that nobody names" } else { "a file that is not ours" };
        findings.found(&STRAYS, place(relative), "only what the manifest names", what);
    }
    Ok(())
}

fn is_a_part(relative: &str) -> bool {
    let is_table =
        |name: &str| TABLES.iter().any(|table| table.storage == Storage::ParquetAndDuckdb && table.name == name);
    let parts: Vec<&str> = relative.split('/').collect();
    matches!(parts[..], [table, _, name] if is_table(table) && is_part_name(name))
}

/// Files below a folder, relative to it, the manifest apart. Links are not followed.
fn files_below(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<(), LoadError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(LoadError::io("list the folder", folder)(error)),
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path(), &format!("{name}/"), found)?,
            _ if name == "_manifest.json" => {}
            _ => found.push(name),
        }
    }
    Ok(())
}
