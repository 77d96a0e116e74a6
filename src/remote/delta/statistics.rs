//! The statistics of a file: rows, and the smallest and largest values of times and of keys that name no person.

use std::fs::File;
use std::path::Path;

use parquet::data_type::AsBytes;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value, json};

use crate::schema::{Column, Kind, Table};

/// Keys without personal data: a participant's key contains a user ID, and entries of a log outlive `forget`.
const KEYS: &[&str] = &["meeting_key", "incident_id"];

fn is_described(column: &Column) -> bool {
    column.personal.is_none() && (matches!(column.kind, Kind::Instant | Kind::WallClock) || KEYS.contains(&column.name))
}

/// The JSON of a file's statistics; `None` if they cannot be read. Readers do without them.
pub(super) fn statistics(file: &Path, table: &Table) -> Option<String> {
    let reader = SerializedFileReader::new(File::open(file).ok()?).ok()?;
    let metadata = reader.metadata();
    let (mut min, mut max, mut nulls) = (Map::new(), Map::new(), Map::new());
    for column in table.file_columns().filter(|column| is_described(column)) {
        let Some(range) = Range::of(metadata, column) else { continue };
        nulls.insert(column.name.to_owned(), json!(range.nulls));
        if let (Some(low), Some(high)) = (range.min, range.max) {
            min.insert(column.name.to_owned(), low.json(column.kind, false));
            max.insert(column.name.to_owned(), high.json(column.kind, true));
        }
    }
    let rows = metadata.file_metadata().num_rows();
    Some(json!({ "numRecords": rows, "minValues": min, "maxValues": max, "nullCount": nulls }).to_string())
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Microseconds(i64),
    Text(String),
}

impl Bound {
    /// Times have milliseconds in a log: a largest value is rounded up.
    fn json(&self, kind: Kind, is_max: bool) -> Value {
        match self {
            Bound::Text(text) => json!(text),
            Bound::Microseconds(us) => {
                let ms = if is_max { -(-us).div_euclid(1_000) } else { us.div_euclid(1_000) };
                let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
                let zone = if kind == Kind::Instant { "Z" } else { "" };
                json!(format!("{}.{:03}{zone}", time.strftime("%Y-%m-%dT%H:%M:%S"), ms.rem_euclid(1_000)))
            }
        }
    }
}

/// The values of one column in all row groups.
#[derive(Debug, Default)]
struct Range {
    nulls: u64,
    min: Option<Bound>,
    max: Option<Bound>,
}

impl Range {
    /// `None` if a row group does not say, or a text is cut off.
    fn of(metadata: &ParquetMetaData, column: &Column) -> Option<Range> {
        let mut range = Range::default();
        for group in metadata.row_groups() {
            let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column.name)?;
            let statistics = chunk.statistics()?;
            range.nulls += statistics.null_count_opt()?;
            if statistics.null_count_opt() == u64::try_from(group.num_rows()).ok() {
                continue;
            }
            let (low, high) = bounds(statistics)?;
            range.min = Some(range.min.map_or(low.clone(), |min| min.min(low)));
            range.max = Some(range.max.map_or(high.clone(), |max| max.max(high)));
        }
        Some(range)
    }
}

fn bounds(statistics: &Statistics) -> Option<(Bound, Bound)> {
    match statistics {
        Statistics::Int64(values) => {
            Some((Bound::Microseconds(*values.min_opt()?), Bound::Microseconds(*values.max_opt()?)))
        }
        Statistics::ByteArray(values) if values.min_is_exact() && values.max_is_exact() => {
            let text = |bytes: &[u8]| Some(Bound::Text(std::str::from_utf8(bytes).ok()?.to_owned()));
            Some((text(values.min_opt()?.as_bytes())?, text(values.max_opt()?.as_bytes())?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::TABLES;

    #[test]
    fn no_column_with_personal_data_is_described() {
        let described: Vec<String> = TABLES
            .iter()
            .flat_map(|table| table.file_columns().filter(|column| is_described(column)))
            .filter(|column| !matches!(column.kind, Kind::Instant | Kind::WallClock))
            .map(|column| column.name.to_owned())
            .collect();
        assert!(described.iter().all(|name| KEYS.contains(&name.as_str())), "{described:?}");
        assert!(
            TABLES
                .iter()
                .flat_map(|table| table.columns)
                .all(|column| { column.personal.is_none() || !is_described(column) })
        );
    }

    #[test]
    fn a_largest_time_is_rounded_up() {
        let us = 1_764_000_000_123_001;
        assert_eq!(Bound::Microseconds(us).json(Kind::Instant, false), "2025-11-24T16:00:00.123Z");
        assert_eq!(Bound::Microseconds(us).json(Kind::Instant, true), "2025-11-24T16:00:00.124Z");
        assert_eq!(Bound::Microseconds(us - 1).json(Kind::WallClock, true), "2025-11-24T16:00:00.123");
        assert_eq!(Bound::Microseconds(-1_500).json(Kind::WallClock, false), "1969-12-31T23:59:59.998");
    }
}
