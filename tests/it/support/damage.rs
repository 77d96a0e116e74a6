//! Changes to the files of a store: bytes, manifest, database and ledger.

use std::fs;
use std::path::{Path, PathBuf};

use super::test_store::{make_read_only, open_for_writing};
use arrow::array::{Array, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::Float64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use vcq_etl::{PartWriter, QUALITY_SAMPLES};

/// The first sample that has a delay.
pub(super) const FIRST: &str = "rowid in (select min(rowid) from quality_samples where network_delay_ms is not null)";

pub(super) fn manifest(store: &Path) -> PathBuf {
    store.join("parquet/_manifest.json")
}

pub(super) fn database(store: &Path) -> PathBuf {
    store.join("vcq.duckdb")
}

pub(super) fn ledger(store: &Path) -> PathBuf {
    store.join("state/ledger.sqlite")
}

pub(super) fn ledger_sql(store: &Path, statement: &str) {
    let connection = rusqlite::Connection::open(ledger(store)).expect("opens");
    connection.execute_batch(statement).expect("changed");
}

/// The largest raw file of a kind.
pub(crate) fn raw_file(store: &Path, kind: &str) -> PathBuf {
    let folders = fs::read_dir(store.join("raw").join(kind)).expect("listed");
    let files = folders.flat_map(|folder| fs::read_dir(folder.expect("an entry").path()).expect("listed"));
    let path = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").path();
    files.map(path).max_by_key(|path| fs::metadata(path).expect("a file").len()).expect("a raw file")
}

/// The n-th published file of a table.
pub(crate) fn part(store: &Path, table: &str, n: usize) -> PathBuf {
    let all: Value = serde_json::from_slice(&fs::read(manifest(store)).expect("read")).expect("JSON");
    let files = all["files"].as_array().expect("files");
    let file = files.iter().filter(|file| file["table"] == table).nth(n).expect("a file");
    store.join("parquet").join(file["path"].as_str().expect("a path"))
}

pub(super) fn change_bytes(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("read");
    change(&mut bytes);
    fs::remove_file(path).and_then(|()| fs::write(path, bytes)).expect("written");
}

pub(crate) fn edit_manifest(store: &Path, change: impl FnOnce(&mut Value)) {
    let mut all: Value = serde_json::from_slice(&fs::read(manifest(store)).expect("read")).expect("JSON");
    change(&mut all);
    fs::write(manifest(store), all.to_string()).expect("written");
}

/// Changes the first file's entry.
pub(super) fn edit_file(store: &Path, change: impl FnOnce(&mut Value)) {
    edit_manifest(store, |all| change(&mut all["files"][0]));
}

/// Changes the published database in place.
pub(crate) fn sql(store: &Path, statements: &str) {
    let connection = open_for_writing(store);
    connection.execute_batch(statements).unwrap_or_else(|error| panic!("{statements}: {error}"));
    connection.execute_batch("checkpoint").expect("a checkpoint");
    connection.close().expect("closed");
    assert!(!store.join("vcq.duckdb.wal").exists(), "the change is in the file");
    make_read_only(store);
}

/// Writes a file's current size and checksum into the manifest, and returns them.
pub(super) fn update_checksum(store: &Path, path: &Path) -> (u64, String) {
    let bytes = fs::read(path).expect("read");
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let relative = path.strip_prefix(store.join("parquet")).expect("below parquet/").to_str().expect("text").to_owned();
    edit_manifest(store, |all| {
        let files = all["files"].as_array_mut().expect("files");
        let file = files.iter_mut().find(|file| file["path"] == relative.as_str()).expect("named");
        file["bytes"] = bytes.len().into();
        file["sha256"] = sha256.clone().into();
    });
    (bytes.len() as u64, sha256)
}

/// Changes one delay in a Parquet file. Returns its participant key.
pub(super) fn change_a_cell(store: &Path, path: &Path) -> String {
    let file = fs::File::open(path).expect("opens");
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("Parquet");
    let mut writer = PartWriter::create(&store.join(".work"), &QUALITY_SAMPLES, 0, "tampering", 0).expect("a part");
    let mut changed = None;
    for batch in batches {
        let batch = batch.expect("a batch");
        let position = batch.schema().index_of("network_delay_ms").expect("a column");
        let delays = batch.column(position).as_primitive::<Float64Type>();
        let row = (0..delays.len()).find(|row| delays.is_valid(*row)).filter(|_| changed.is_none());
        let batch = match row {
            None => batch,
            Some(row) => {
                changed = Some(batch.column(0).as_string::<i32>().value(row).to_owned());
                let other: Float64Array = delays
                    .iter()
                    .enumerate()
                    .map(|(n, delay)| delay.map(|ms| if n == row { 4_321.0 } else { ms }))
                    .collect();
                let mut columns = batch.columns().to_vec();
                columns[position] = std::sync::Arc::new(other);
                RecordBatch::try_new(batch.schema(), columns).expect("the same columns")
            }
        };
        writer.write(&batch).expect("written");
    }
    let staged = writer.finish().expect("finished").expect("rows");
    fs::rename(staged.path, path).expect("renamed");
    changed.expect("a delay")
}

/// Makes the same change in Parquet, manifest and database, so that they agree.
pub(crate) fn same_change_everywhere(store: &Path) {
    let path = part(store, "quality_samples", 0);
    let key = change_a_cell(store, &path);
    let (bytes, sha256) = update_checksum(store, &path);
    let relative = path.strip_prefix(store.join("parquet")).expect("below parquet/").display().to_string();
    sql(
        store,
        &format!(
            "update quality_samples set network_delay_ms = 4321 where participant_key = '{key}' and sample_time_utc = \
               (select min(sample_time_utc) from quality_samples where participant_key = '{key}' \
                and network_delay_ms is not null);
             update published_files set bytes = {bytes}, sha256 = '{sha256}' where path = '{relative}'"
        ),
    );
}

/// An incident with a valid id of 2 November.
pub(super) fn incident(meeting_date: &str, start: &str, end: &str) -> String {
    format!(
        "insert into incidents by name select '2026-11-02-acute-site-00000000' as incident_id, 'acute' as kind, \
         'site' as scope_kind, 'A' as scope, 'loss' as metric, 'both' as direction, 'minor' as severity, \
         {start} as start_time_utc, {start} as start_time_local, {end} as end_time_utc, {end} as end_time_local, \
         date '{meeting_date}' as meeting_date"
    )
}
