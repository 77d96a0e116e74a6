//! Fetches meetings, participants and quality pages from Feishu into the raw log.
//!
//! Owns the order of the requests, the decision when an answer is final, and all writing to raw log and ledger.
//! Promises that a response is on disk before it counts, that a unit (a participant, the participant list of a meeting)
//! is recorded as complete or as incomplete, and that nothing final is fetched again. Reads only keys, IDs, times and
//! item counts: what a metric means is left to `transform`. Times (`*_us`) are microseconds UTC; windows exclude their
//! end.

mod backlog;
mod catch_up;
mod commit;
mod concurrency;
mod daily;
mod detectors;
mod estimate;
mod events;
mod fetch;
mod finality;
mod identities;
mod items;
mod lost_files;
mod meeting_item;
mod meeting_list;
mod queue;
mod raw_ends;
mod reset_lists;
mod scheduler;
mod settings;
mod stop;
mod task;
mod unit_result;
mod walk;
mod window;
mod writer;

pub(crate) use catch_up::{CaughtUp, catch_up, catch_up_to};
pub(crate) use daily::{Also, DailyEstimate, DailyOutcome, day_query, endpoint_of, estimate_days};
pub(crate) use estimate::{Count, Estimate, EstimateInput, Limits, paced};
pub(crate) use events::{EventFile, ImportedEvents, event_items, read_events};
pub(crate) use identities::{Identities, Partly};
pub(crate) use items::{list_items, recorded_digest, walk_items};
pub(crate) use lost_files::{accept_losses, dates_with_lost_files, forget_index};
pub(crate) use raw_ends::{RawEnds, settle_raw_ends};
pub(crate) use reset_lists::reset_lists;
pub(crate) use scheduler::{Extracted, Scheduler};
pub(crate) use settings::{ExtractSettings, FetchScope};
pub(crate) use stop::Stop;
#[cfg(test)]
pub(crate) use unit_result::REASONS;
pub(crate) use unit_result::list_short_reason;
pub(crate) use writer::{ChangedLists, CheckpointWriter, WriteError};
