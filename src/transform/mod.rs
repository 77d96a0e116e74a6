//! From pages of the API to typed rows and rejects.
//!
//! Owns which row an item becomes, how several walks are merged into one row, and what is recorded in `rejects`. A walk
//! is one complete fetch of a list, from its first page to its last. Pure functions of the pages, the tenant's zone and
//! the date: no clock, no disk, no network; no value is lost without a reject. Leaves out where pages come from
//! (`extract`) and where rows go (`load`).

mod census;
mod coverage;
mod day_list;
mod item_reader;
mod meetings;
mod page_deserializer;
mod page_scanner;
mod participants;
mod reject;
mod room_events;
mod rooms;
mod sample_batches;
mod sample_layout;
mod sent_fields;
mod typed_walk;
mod unknown_fields;
mod walk_parser;

#[cfg(test)]
mod tests;

pub(crate) use census::{census_daily_rows, census_user_rows};
#[cfg(test)]
pub(crate) use coverage::REASONS;
pub(crate) use coverage::{FetchState, Listing, coverage_rows};
pub(crate) use day_list::DayRows;
pub(crate) use item_reader::ListWalk;
pub(crate) use meetings::DateMeetings;
pub(crate) use page_deserializer::PageError;
pub(crate) use participants::{MeetingParticipants, Participant};
pub(crate) use reject::{Reject, reject_rows};
pub(crate) use room_events::{reservation_rows, room_alert_rows};
pub(crate) use rooms::room_rows;
pub use sample_batches::SampleBatches;
pub(crate) use sent_fields::{FieldCounts, SentFields};
pub use typed_walk::TypedWalk;
pub use walk_parser::WalkParser;
