//! Answered pages in, typed rows and rejects out.
//!
//! Owns: which row an item becomes, how the answers of several walks make one row, and what lands in `rejects`.
//! Promises: pure functions of the pages, the tenant's zone and the date; no clock, no disk, no network; no value is
//! lost without a reject. Leaves out: where pages come from (`extract`) and where rows go (`load`).

mod coverage;
mod lists;
mod page;
mod reject;
mod samples;
mod slots;

pub use coverage::{Asked, Listing, coverage_rows};
pub use lists::{ListWalk, MeetingsOfDate, Participant, ParticipantsOfMeeting, Window};
pub use page::PageError;
pub use reject::{Reject, reject_rows};
pub use samples::{SampleBatches, TypedWalk, WalkParser};

use std::collections::BTreeMap;

/// Fields that the tables don't know, with how often they were seen. Nested ones are `section.field`.
pub type UnknownFields = BTreeMap<String, u64>;
