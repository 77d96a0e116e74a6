//! From a setup to a running extraction: its client, its call budget, and the counters that see every request.

mod budget;
pub(super) mod counters;
pub(super) mod extraction;
mod pruned_meetings;
