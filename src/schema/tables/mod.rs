//! The published tables, column by column.
//!
//! `_utc` columns are UTC instants; `_local` columns are the local time as Feishu sent it. The unit ends the column's
//! name. NULL means that Feishu sent nothing (absent, empty, `-`) or that the text could not be converted; then
//! `rejects` has the text. Ids are text, because some exceed 2^53.

mod buildings;
mod catalog;
mod census;
mod incidents;
mod lists;
mod quality;
mod store;
mod stored_minutes;

pub(crate) use buildings::{ADDRESS_BUILDINGS, BUILDINGS};
pub use catalog::TABLES;
#[cfg(test)]
pub(crate) use catalog::table;
pub(crate) use catalog::{SCHEMA_VERSION, unused_fields};
pub(crate) use census::{CENSUS_DAILY, CENSUS_USERS, RESERVATIONS, ROOM_ALERTS, ROOMS};
pub(crate) use incidents::{INCIDENT_PARTICIPANTS, INCIDENTS, JUDGED_PARTICIPANTS};
pub(crate) use lists::{MEETINGS, PARTICIPANTS};
pub use quality::QUALITY_SAMPLES;
pub(crate) use quality::SECTIONS;
pub(crate) use store::{
    COVERAGE, META, MISALIGNED_PARTICIPANTS, PUBLISHED_FILES, REJECTS, RUNS, SCHEMA_MIGRATIONS, THRESHOLDS,
};
pub(crate) use stored_minutes::{STORED_AUDIO_STREAMS, STORED_CPU_MINUTES, STORED_LIMITS, STORED_MARKED_MINUTES};
