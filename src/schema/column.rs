//! A column and a table, as values.

use super::{Kind, Personal};

/// The Hive partition column.
pub(crate) const PARTITION_COLUMN: &str = "meeting_date";

#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// JSON pointer into Feishu's item; empty for a derived column.
    pub source: &'static str,
    pub kind: Kind,
    /// True for a column of the key, which is never NULL.
    pub required: bool,
    /// One or two sentences for the data dictionary.
    pub doc: &'static str,
    /// What is personal in it.
    pub(crate) personal: Option<Personal>,
}

impl Column {
    pub const fn optional(name: &'static str, source: &'static str, kind: Kind, doc: &'static str) -> Column {
        Column { name, source, kind, required: false, doc, personal: None }
    }

    /// A column of the key that is a field of Feishu's item.
    pub const fn sourced_key(name: &'static str, source: &'static str, kind: Kind, doc: &'static str) -> Column {
        Column { name, source, kind, required: true, doc, personal: None }
    }

    pub const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Column {
        Column { name, source: "", kind, required: true, doc, personal: None }
    }

    /// A column without a field of its own in Feishu's items.
    pub const fn derived(name: &'static str, kind: Kind, doc: &'static str) -> Column {
        Column { name, source: "", kind, required: false, doc, personal: None }
    }

    /// The same column with personal values.
    pub(crate) const fn personal(self, class: Personal) -> Column {
        Column { personal: Some(class), ..self }
    }

    /// The field of a flat item; `None` for a derived column.
    pub fn field(&self) -> Option<&'static str> {
        self.source.strip_prefix('/')
    }
}

/// The partition column as every partitioned table has it.
pub(super) const MEETING_DATE: Column = Column::derived(
    PARTITION_COLUMN,
    Kind::Day,
    "Local calendar day on which the meeting started. The Hive partition column.",
);

/// Where a table is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In Parquet, one part for each meeting date, and in DuckDB.
    ParquetAndDuckdb,
    /// In DuckDB and, complete, in one part in `parquet/reference/<table>/`, even without rows.
    ///
    /// To publish another undated table, declare it with this storage, add its migration, and give its rows in
    /// `Publication::reference_rows`. Its part, the manifest, `published_files`, the removal of old parts and `verify`
    /// follow from the declaration. A table whose rows are not given stays as it is published.
    Reference,
    /// In DuckDB only: it describes the store, not the tenant.
    DuckdbOnly,
}

#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    pub storage: Storage,
    pub columns: &'static [Column],
    /// The columns by which the rows of a part are sorted.
    pub sort: &'static [&'static str],
    /// The column whose minimum and maximum are in the manifest; empty for none.
    pub time_column: &'static str,
}

impl Table {
    pub fn key(&self) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(|column| column.required)
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The columns of a Parquet file: without the partition column, which is in the path.
    pub fn file_columns(&self) -> impl Iterator<Item = &'static Column> {
        let is_dated = self.is_dated();
        self.columns.iter().filter(move |column| !(is_dated && column.name == PARTITION_COLUMN))
    }

    /// Whether it has one part for each meeting date.
    pub fn is_dated(&self) -> bool {
        self.storage == Storage::ParquetAndDuckdb
    }

    pub fn is_in_parquet(&self) -> bool {
        self.storage != Storage::DuckdbOnly
    }
}
