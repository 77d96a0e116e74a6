//! The tables as data, and the parsers of Feishu's values.
//!
//! Owns every published table and column ([`TABLES`]), what a column's [`Kind`] means in Arrow, in DuckDB and in words,
//! the parsers ([`parse`]), and the keys of meetings and participants ([`identity`]). Pure functions: no clock, no
//! disk, no network, and no panic on any input. Leaves out reading pages (`transform`) and writing files (`load`).

pub(crate) mod arrow_schema;
pub(crate) mod cell;
mod column;
pub(crate) mod ddl;
pub(crate) mod dictionary;
pub(crate) mod identity;
mod kind;
pub(crate) mod meeting_keys;
mod named;
pub mod parse;
mod personal;
mod raw;
mod status;
pub(crate) mod tables;
mod time;
mod translation;
pub(crate) mod window;
mod zone;

pub use column::Storage;
pub(crate) use column::{Column, PARTITION_COLUMN, Table};
pub use kind::Kind;
pub(crate) use parse::Reason;
pub(crate) use personal::Personal;
pub use raw::Raw;
pub use status::Status;
pub(crate) use tables::{
    ADDRESS_BUILDINGS, BUILDINGS, CENSUS_DAILY, CENSUS_USERS, COVERAGE, INCIDENT_PARTICIPANTS, INCIDENTS,
    JUDGED_PARTICIPANTS, MEETINGS, META, MISALIGNED_PARTICIPANTS, PARTICIPANTS, PUBLISHED_FILES, REJECTS, RESERVATIONS,
    ROOM_ALERTS, ROOMS, RUNS, SCHEMA_MIGRATIONS, SCHEMA_VERSION, SECTIONS, STORED_AUDIO_STREAMS, STORED_CPU_MINUTES,
    STORED_LIMITS, STORED_MARKED_MINUTES, THRESHOLDS, unused_fields,
};
pub use tables::{QUALITY_SAMPLES, TABLES};
pub(crate) use time::{Moment, ParsedTime, civil_date, civil_date_text, days_of_local, utc_text};
pub(crate) use translation::{meaning_in, unit_in};
pub(crate) use window::TimeWindow;
pub use zone::TenantZone;
