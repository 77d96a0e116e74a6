//! FetchScope the vendor and writes down the answers.
//!
//! Owns: the walk meetings -> participants -> quality pages, the raw log, and the ledger that remembers what was asked,
//! what came back and what is still pending. Promises: an answer is on disk before it counts; one unit (a participant, a
//! meeting's list) is recorded whole or as not whole; nothing final is asked again. Leaves out: what a metric means.
//! It reads only what it needs to ask: keys, ids, times and how many items a page has.

mod crew;
mod decide;
mod gates;
mod items;

mod estimate;
mod list_meetings;
mod listed;
mod queue;
pub(crate) mod recorder;
mod recording;
mod reindex;
mod run;
mod stop;
mod unit;
mod walk;
mod work;

pub(crate) use decide::Settle;
pub(crate) use estimate::{Count, Estimate, EstimateInput, Limits, paced};
pub(crate) use items::list_items;
pub(crate) use recorder::{RecordError, Recorder};
pub(crate) use reindex::{CaughtUp, accept_losses, catch_up, dates_with_lost_answers, forget_index};
pub(crate) use run::{ExtractSettings, Extracted, Extraction, FetchScope};
pub(crate) use stop::Stop;
