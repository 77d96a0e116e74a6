//! The tables as data, and the one place that knows how the vendor's text becomes a value.
//!
//! Owns: every published table and column ([`TABLES`]), what a column's [`Kind`] means in Arrow, in DuckDB and in
//! words, the parsers of contract 2 ([`parse`]), and the keys that name a meeting or a participant ([`identity`]). Also
//! what makes text from outside safe to read ([`readable`]) and to show ([`on_one_line`]).
//! Promises: pure functions of their arguments, no clock, no disk, no network, and no panic on any input.
//! Leaves out: reading pages (`transform`), writing files (`load`).

pub mod arrow_schema;
pub mod cell;
mod column;
pub mod ddl;
pub mod dictionary;
pub mod identity;
mod kind;
pub mod parse;
mod raw;
mod readable;
mod shown;
mod status;
mod tables;
mod time;
mod zone;

pub use column::{Column, PARTITION_COLUMN, Storage, Table};
pub use kind::Kind;
pub use parse::Reason;
pub use raw::Raw;
pub use readable::readable;
pub use shown::{in_json, is_obeyed, on_lines, on_one_line};
pub use status::Status;
pub use tables::{
    ADDRESS_BUILDINGS, BUILDINGS, COVERAGE, MEETINGS, META, MISALIGNED_PARTICIPANTS, PARTICIPANTS, PUBLISHED_FILES,
    QUALITY_SAMPLES, REJECTS, RUNS, SCHEMA_MIGRATIONS, SCHEMA_VERSION, SECTIONS, Section, TABLES, THRESHOLDS,
    UNUSED_FIELDS, table,
};
pub use time::{Clock, Moment, civil_date, civil_date_text, days_of_local, utc_text};
pub use zone::{TenantZone, ZoneError};
