//! Writes one Parquet part: takes rows, produces a file in `.work/` that is flushed to disk, and its checksum.
//!
//! Promises: the bytes depend on the rows only, not on the batch sizes, so an unchanged date is recognised by its
//! checksum; no file without rows, unless [`PartWriter::finish_even_if_empty`] wants one. Leaves out sorting: rows
//! arrive in the table's sort order.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use ::parquet::schema::types::ColumnPath;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{self, BatchCoalescer};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};

use super::checksum::HashingWriter;
use super::durable;
use super::error::{LoadError, Result};
use crate::files;
use crate::schema::{Table, arrow_schema, civil_date_text};

/// About DuckDB's own row groups (122,880), so that all its threads have work.
const ROW_GROUP_ROWS: usize = 131_072;
/// Rows per call of the encoder. Page boundaries depend on it, so it is fixed, and it divides a row group.
const CHUNK_ROWS: usize = 8_192;
/// Level 1 saves 3 % of a rebuild's CPU and makes files 3 % larger. Level 6 costs 4 % more CPU and saves almost
/// nothing. Levels above 9 cost ten times the CPU for 2 % smaller files.
const ZSTD_LEVEL: i32 = 3;
const WRITE_BUFFER_BYTES: usize = 1 << 18;

/// A finished part in `.work/`, not yet published.
#[derive(Debug, Clone)]
pub struct StagedPart {
    pub table: &'static Table,
    /// Days since 1970-01-01; `None` for an undated table.
    pub meeting_date: Option<i32>,
    /// Distinguishes the parts of a run.
    pub n: u32,
    pub path: PathBuf,
    pub rows: u64,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Smallest value of the table's time column, microseconds since 1970-01-01 UTC; `None` if all are NULL.
    pub min_time_utc_us: Option<i64>,
    pub max_time_utc_us: Option<i64>,
}

pub struct PartWriter {
    part: StagedPart,
    chunks: BatchCoalescer,
    time_position: Option<usize>,
    /// Created with the first rows: a table without rows has no file.
    writer: Option<ArrowWriter<HashingWriter<BufWriter<File>>>>,
}

impl PartWriter {
    /// `n` distinguishes the parts of a run; `work_dir` is the store's `.work/`.
    pub fn create(
        work_dir: &Path,
        table: &'static Table,
        meeting_date: impl Into<Option<i32>>,
        run_id: &str,
        n: u32,
    ) -> Result<PartWriter> {
        // Not `.parquet`: programs that read directories of Parquet files must not read a partly written one.
        let meeting_date = meeting_date.into();
        let date = meeting_date.map_or_else(|| "undated".to_owned(), civil_date_text);
        let name = format!("{}-{date}-{run_id}-{n}.inprogress", table.name);
        let schema = Arc::new(arrow_schema::file_schema(table));
        let time_position = schema.fields().iter().position(|field| field.name() == table.time_column);
        let part = StagedPart {
            table,
            meeting_date,
            n,
            path: work_dir.join(name),
            rows: 0,
            bytes: 0,
            sha256: String::new(),
            min_time_utc_us: None,
            max_time_utc_us: None,
        };
        Ok(PartWriter { part, chunks: BatchCoalescer::new(schema, CHUNK_ROWS), time_position, writer: None })
    }

    /// Adds rows that follow the previous ones in the table's sort order. The batch has the columns of
    /// [`arrow_schema::file_schema`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.update_times(batch);
        self.part.rows += batch.num_rows() as u64;
        let table = self.part.table.name;
        self.chunks.push_batch(batch.clone()).map_err(|source| LoadError::Rows { table, source })?;
        self.encode_completed()
    }

    /// Finishes the part and flushes it to disk; `None`, and no file, without rows.
    pub fn finish(mut self) -> Result<Option<StagedPart>> {
        self.encode_rest()?;
        if self.writer.is_none() { Ok(None) } else { self.close().map(Some) }
    }

    /// As [`PartWriter::finish`], but writes a file in any case.
    pub(crate) fn finish_even_if_empty(mut self) -> Result<StagedPart> {
        self.encode_rest()?;
        self.close()
    }

    fn encode_rest(&mut self) -> Result {
        let table = self.part.table.name;
        self.chunks.finish_buffered_batch().map_err(|source| LoadError::Rows { table, source })?;
        self.encode_completed()
    }

    fn close(mut self) -> Result<StagedPart> {
        self.writer()?;
        let mut part = self.part;
        let table = part.table.name;
        let Some(writer) = self.writer.take() else { return Ok(part) };
        let hashing = writer.into_inner().map_err(failure(table, &part.path))?;
        let file;
        (file, part.bytes, part.sha256) = hashing.finish().map_err(LoadError::io("write", &part.path))?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(LoadError::io("write", &part.path))?;
        Ok(part)
    }

    fn encode_completed(&mut self) -> Result {
        while let Some(chunk) = self.chunks.next_completed_batch() {
            let written = self.writer()?.write(&chunk);
            written.map_err(failure(self.part.table.name, &self.part.path))?;
        }
        Ok(())
    }

    /// The writer of the file, which is created if it is not there yet.
    fn writer(&mut self) -> Result<&mut ArrowWriter<HashingWriter<BufWriter<File>>>> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let StagedPart { table, path, .. } = &self.part;
                path.parent().map_or(Ok(()), durable::create_dir)?;
                let file = files::create(path).map_err(LoadError::io("create", path))?;
                let file = HashingWriter::new(BufWriter::with_capacity(WRITE_BUFFER_BYTES, file));
                ArrowWriter::try_new(file, self.chunks.schema(), Some(properties(table)))
                    .map_err(failure(table.name, path))?
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn update_times(&mut self, batch: &RecordBatch) {
        let Some(position) = self.time_position.filter(|&position| position < batch.num_columns()) else { return };
        let column = batch.column(position);
        if !matches!(column.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)) {
            return; // `push_batch` reports the wrong type.
        }
        let times = column.as_primitive::<TimestampMicrosecondType>();
        let part = &mut self.part;
        part.min_time_utc_us = part.min_time_utc_us.into_iter().chain(compute::min(times)).min();
        part.max_time_utc_us = part.max_time_utc_us.into_iter().chain(compute::max(times)).max();
    }
}

/// Separates I/O errors, which Parquet wraps, from errors in the rows.
fn failure<'a>(table: &'static str, path: &'a Path) -> impl Fn(ParquetError) -> LoadError + 'a {
    let parquet = move |source| LoadError::Parquet { table, path: path.to_path_buf(), source };
    move |error| match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => LoadError::io("write", path)(*source),
            Err(source) => parquet(ParquetError::External(source)),
        },
        source => parquet(source),
    }
}

fn properties(table: &Table) -> WriterProperties {
    let position = |name: &str| table.file_columns().position(|column| column.name == name);
    let sorting = table
        .sort
        .iter()
        .filter_map(|name| position(name))
        .map(|index| SortingColumn { column_idx: index as i32, descending: false, nulls_first: false })
        .collect();
    let metadata =
        arrow_schema::file_metadata(table).into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("vcq-etl ", env!("CARGO_PKG_VERSION")).to_owned())
        // Every reader supports version 1 pages.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // One page per column and row group is 3 % smaller than pages of 20,000 rows, and no reader skips pages.
        .set_data_page_row_count_limit(ROW_GROUP_ROWS)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_bloom_filter_enabled(false)
        .set_sorting_columns(Some(sorting))
        .set_key_value_metadata(Some(metadata));
    // Times grow by about a minute per row: the differences take a few bits, a dictionary is larger.
    for column in table.file_columns().filter(|column| matches!(column.kind.arrow(), DataType::Timestamp(..))) {
        let path = ColumnPath::from(column.name);
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;
    use crate::load::{checksum, fixture};
    use crate::schema::{QUALITY_SAMPLES, REJECTS};

    fn write_in(dir: &Path, batch: &RecordBatch, sizes: &[usize], n: u32) -> StagedPart {
        let mut writer = PartWriter::create(dir, &QUALITY_SAMPLES, fixture::DAY, "run", n).expect("create");
        let mut at = 0;
        for size in sizes.iter().cycle() {
            let size = (*size).min(batch.num_rows() - at);
            writer.write(&batch.slice(at, size)).expect("write");
            at += size;
            if at == batch.num_rows() {
                break;
            }
        }
        writer.finish().expect("finish").expect("rows")
    }

    #[test]
    fn the_bytes_depend_only_on_the_rows() {
        let dir = tempfile::tempdir().expect("temp dir");
        let batch = fixture::batch(&QUALITY_SAMPLES, fixture::DAY, 40_000, 7);
        let whole = write_in(dir.path(), &batch, &[batch.num_rows()], 0);
        let pieces = write_in(dir.path(), &batch, &[1, 777, 20_001, 5], 1);
        assert_eq!(whole.sha256, pieces.sha256);
        let bytes = std::fs::read(&pieces.path).expect("read");
        assert_eq!(bytes.len() as u64, pieces.bytes);
        assert_eq!(checksum::sha256(&bytes), pieces.sha256, "the checksum is that of the file");
        let other = fixture::batch(&QUALITY_SAMPLES, fixture::DAY, 40_000, 8);
        assert_ne!(write_in(dir.path(), &other, &[9_000], 2).sha256, whole.sha256);
    }

    #[test]
    fn without_rows_there_is_no_file() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut writer = PartWriter::create(dir.path(), &REJECTS, fixture::DAY, "run", 0).expect("create");
        writer.write(&fixture::batch(&REJECTS, fixture::DAY, 0, 0)).expect("write");
        assert!(writer.finish().expect("finish").is_none());
        assert_eq!(std::fs::read_dir(dir.path()).expect("list").count(), 0);
    }

    #[test]
    fn the_file_has_the_documented_properties() {
        let dir = tempfile::tempdir().expect("temp dir");
        let batch = fixture::batch(&QUALITY_SAMPLES, fixture::DAY, ROW_GROUP_ROWS + 10, 3);
        let part = write_in(dir.path(), &batch, &[50_000], 0);
        let reader = SerializedFileReader::new(File::open(&part.path).expect("open")).expect("read");
        let metadata = reader.metadata();
        assert_eq!(metadata.file_metadata().created_by(), Some(concat!("vcq-etl ", env!("CARGO_PKG_VERSION"))));
        let rows: Vec<i64> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
        assert_eq!(rows, [ROW_GROUP_ROWS as i64, 10]);
        let group = metadata.row_group(0);
        assert_eq!(group.sorting_columns().expect("sorted").len(), QUALITY_SAMPLES.sort.len());
        for column in group.columns() {
            assert!(matches!(column.compression(), Compression::ZSTD(_)), "{}", column.column_path());
            assert!(column.statistics().is_some() && column.bloom_filter_offset().is_none());
            let is_time = column.column_path().string().ends_with("_utc");
            assert_eq!(
                is_time,
                column.encodings().any(|encoding| encoding == Encoding::DELTA_BINARY_PACKED)
                    && !column.column_path().string().ends_with("_local"),
                "{}",
                column.column_path()
            );
        }
        let keys: Vec<&str> = metadata
            .file_metadata()
            .key_value_metadata()
            .expect("metadata")
            .iter()
            .map(|pair| pair.key.as_str())
            .collect();
        for (key, _) in arrow_schema::file_metadata(&QUALITY_SAMPLES) {
            assert!(keys.contains(&key.as_str()), "{key}");
        }
        assert!(part.min_time_utc_us < part.max_time_utc_us);
    }

    #[test]
    fn rows_of_another_table_are_rejected() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut writer = PartWriter::create(dir.path(), &REJECTS, fixture::DAY, "run", 0).expect("create");
        let wrong = fixture::batch(&QUALITY_SAMPLES, fixture::DAY, 3, 0);
        assert!(matches!(writer.write(&wrong), Err(LoadError::Rows { table: "rejects", .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported_as_such() {
        // Writing to /dev/full fails as on a full disk.
        let dir = tempfile::tempdir().expect("temp dir");
        let batch = fixture::batch(&QUALITY_SAMPLES, fixture::DAY, 10, 0);
        let writer = PartWriter::create(dir.path(), &QUALITY_SAMPLES, fixture::DAY, "run", 0).expect("create");
        std::os::unix::fs::symlink("/dev/full", &writer.part.path).expect("link");
        let mut writer = writer;
        let error = writer.write(&batch).and_then(|()| writer.finish().map(|_| ())).expect_err("full");
        assert!(matches!(&error, LoadError::DiskFull { path, .. } if path.starts_with(dir.path())), "{error:?}");
    }
}
