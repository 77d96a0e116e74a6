//! A column and a table, as values.

use super::Kind;

/// One published column. Everything that is said of it anywhere is said here.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The name in Parquet and DuckDB.
    pub name: &'static str,
    /// Where the value stands in the vendor's item, as a JSON pointer; empty where we work it out.
    pub source: &'static str,
    pub kind: Kind,
    /// True where the column is part of the key and therefore never NULL.
    pub required: bool,
    /// One or two sentences for the data dictionary.
    pub doc: &'static str,
}

impl Column {
    /// A column that may be NULL.
    pub const fn optional(name: &'static str, source: &'static str, kind: Kind, doc: &'static str) -> Column {
        Column { name, source, kind, required: false, doc }
    }

    /// A column of the key.
    pub const fn key(name: &'static str, source: &'static str, kind: Kind, doc: &'static str) -> Column {
        Column { name, source, kind, required: true, doc }
    }

    /// The field of a flat item, without the pointer's slash; `None` where the value is worked out.
    pub fn field(&self) -> Option<&'static str> {
        self.source.strip_prefix('/')
    }
}

/// Where a table lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In Parquet, one part a meeting date, and in DuckDB.
    ParquetAndDuckdb,
    /// Only in DuckDB: it describes the store, not the tenant.
    DuckdbOnly,
}

#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The name in Parquet's folder and in DuckDB.
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    pub storage: Storage,
    /// The columns, in order.
    pub columns: &'static [Column],
    /// The names by which rows are sorted inside a part.
    pub sort: &'static [&'static str],
    /// The column whose smallest and largest value the manifest records; empty for none.
    pub time_column: &'static str,
}

impl Table {
    /// The columns that make the key.
    pub fn key(&self) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(|column| column.required)
    }

    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The columns that a Parquet file holds: all but the partition column, which is in the path.
    pub fn file_columns(&self) -> impl Iterator<Item = &'static Column> {
        let partitioned = self.storage == Storage::ParquetAndDuckdb;
        self.columns.iter().filter(move |column| !(partitioned && column.name == PARTITION_COLUMN))
    }
}

/// The Hive partition column.
pub(crate) const PARTITION_COLUMN: &str = "meeting_date";
