//! What a publication is given and what it reports.

use std::error::Error;

use duckdb::Connection;

use super::connection::DatabaseOptions;
use super::definitions::Definitions;
use super::part_writer::StagedPart;
use crate::schema::Table;
use crate::schema::cell::Row;

/// Returns all rows of the table `runs`, given the next database after its dates are replaced. May be called twice.
pub(crate) type RunRows<'a> = &'a mut dyn FnMut(&Connection) -> Result<Vec<Row>, Box<dyn Error + Send + Sync>>;

/// What happens to the published dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishMode {
    /// Replaces the given dates and keeps the others.
    Update,
    /// As `Update`, but without trust in what is published: reads the files of the given dates, and rebuilds the
    /// database from Parquet.
    Recheck,
    /// Keeps only the given dates: a full rebuild. Needs no readable manifest, and trusts nothing either.
    Replace,
}

impl PublishMode {
    /// Whether published files are assumed to match the manifest and the database.
    pub(crate) fn trusts_published(self) -> bool {
        self == PublishMode::Update
    }

    /// The same trust, but keeping the dates that are not given.
    pub fn keeping_other_dates(self) -> PublishMode {
        if self == PublishMode::Replace { PublishMode::Recheck } else { self }
    }

    pub(crate) fn keeps_other_dates(self) -> bool {
        self != PublishMode::Replace
    }
}

#[derive(Clone)]
pub struct Publication<'a> {
    /// Letters, digits, `-` and `_` only, because it is part of file names.
    pub run_id: &'a str,
    /// Now, microseconds since 1970-01-01 UTC.
    pub now_us: i64,
    /// The dates to replace, each completely.
    pub dates: Vec<DatePublication>,
    pub mode: PublishMode,
    /// The tenant's, for `meta`, as is `user_id_type`.
    pub timezone: &'a str,
    pub user_id_type: &'a str,
    pub definitions: Definitions<'a>,
    /// The rows of undated tables that the caller derives from other data, complete and in the table's sort order. A
    /// table that is not given stays as it is published.
    pub reference_rows: &'a [(&'static Table, Vec<Row>)],
    pub database: DatabaseOptions,
}

/// All parts of one meeting date. A table without a part has no rows on that date.
#[derive(Debug, Clone)]
pub struct DatePublication {
    /// Days since 1970-01-01.
    pub meeting_date: i32,
    /// At most one part per table.
    pub parts: Vec<StagedPart>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    pub generation: u64,
    /// The dates with an added, removed or changed file: `YYYY-MM-DD`, in order.
    pub dates_changed: Vec<String>,
    pub files_written: usize,
    /// Given parts that were already published with the same bytes.
    pub files_kept: usize,
    pub duckdb_bytes: u64,
    /// True if `vcq.duckdb` was rebuilt from Parquet.
    pub compacted: bool,
    /// What the user should know, one clause each.
    pub notes: Vec<String>,
    pub load_s: f64,
}
