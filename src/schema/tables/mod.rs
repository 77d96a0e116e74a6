//! The published tables: contract 1, column by column.
//!
//! What holds everywhere. `_utc` columns are UTC instants; `_local` columns are the wall clock that the vendor printed.
//! The unit ends the column's name. NULL means that the vendor sent nothing (absent, empty, `-`) or that the text could
//! not be typed; in the second case `rejects` holds the text. Ids are text, because some pass 2^53. `meeting_date` is the
//! local day of the meeting's start: the partition column, in the path of a Parquet file and not in the file.
//! A change that removes or re-types a column raises [`SCHEMA_VERSION`]; so does a new one.

mod buildings;
mod definitions;
mod lists;
mod quality;
mod store;

use super::{Column, Kind, Table};

pub(crate) use buildings::{ADDRESS_BUILDINGS, BUILDINGS};
pub(crate) use definitions::{MISALIGNED_PARTICIPANTS, THRESHOLDS};
pub(crate) use lists::{MEETINGS, PARTICIPANTS};
pub use quality::QUALITY_SAMPLES;
pub(crate) use quality::{SECTIONS, Section};
pub(crate) use store::{COVERAGE, META, PUBLISHED_FILES, REJECTS, RUNS, SCHEMA_MIGRATIONS};

/// The version of the tables: the number of the last file in `migrations/`.
pub(crate) const SCHEMA_VERSION: u32 = 2;

/// Every table, in the order of the data dictionary.
pub const TABLES: &[Table] = &[
    MEETINGS,
    PARTICIPANTS,
    QUALITY_SAMPLES,
    COVERAGE,
    REJECTS,
    RUNS,
    THRESHOLDS,
    BUILDINGS,
    ADDRESS_BUILDINGS,
    MISALIGNED_PARTICIPANTS,
    META,
    PUBLISHED_FILES,
    SCHEMA_MIGRATIONS,
];

/// Documented fields that no column holds: known, so that they do not count as schema drift.
pub(crate) const UNUSED_FIELDS: &[&str] = &["reserved_rooms"];

/// The table of that name.
#[cfg(test)]
pub(crate) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

const MEETING_DATE: Column = Column::optional(
    "meeting_date",
    "",
    Kind::Day,
    "Local day of the meeting's start, as the vendor printed it. The Hive partition column.",
);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::schema::{PARTITION_COLUMN, Storage};

    #[test]
    fn names_are_unique_and_carry_their_unit() {
        let mut tables = HashSet::new();
        for table in TABLES {
            assert!(tables.insert(table.name), "{} twice", table.name);
            let mut names = HashSet::new();
            for column in table.columns {
                assert!(names.insert(column.name), "{}.{} twice", table.name, column.name);
                if let Some(ending) = column.kind.name_ending() {
                    assert!(column.name.ends_with(ending), "{}.{} must end in {ending}", table.name, column.name);
                }
            }
        }
    }

    #[test]
    fn docs_are_sentences_and_sources_are_pointers() {
        for table in TABLES {
            assert!(table.doc.ends_with('.'), "{}", table.name);
            for column in table.columns {
                assert!(column.doc.ends_with('.'), "{}.{}", table.name, column.name);
                assert!(column.source.is_empty() || column.source.starts_with('/'), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn a_source_feeds_one_column_of_a_kind() {
        for table in TABLES {
            let mut seen = HashSet::new();
            for column in table.columns.iter().filter(|column| !column.source.is_empty()) {
                assert!(seen.insert((column.source, column.kind)), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn sort_and_time_columns_exist_and_parquet_tables_end_in_the_partition() {
        for table in TABLES {
            for name in table.sort.iter().chain((!table.time_column.is_empty()).then_some(&table.time_column)) {
                assert!(table.position(name).is_some(), "{}.{name}", table.name);
            }
            assert!(table.key().next().is_some() || table.name == "meta", "{} has no key", table.name);
            if table.storage == Storage::ParquetAndDuckdb {
                assert!(table.position(PARTITION_COLUMN).is_some(), "{}", table.name);
            }
        }
    }
}
