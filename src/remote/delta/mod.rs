//! A Delta log for each table of a copy, so that engines find the current files without the manifest.
//!
//! Owns what is in `_delta_log/` and in `_delta.json`, which only repeats the logs to save reading them. A log gets a
//! version when a publication changes its table, and none otherwise. Promises: an entry is written when its files are
//! there, and at most once; the logs contain no personal data, because their entries are never removed.

mod actions;
mod commit;
mod state;
mod statistics;

pub(super) use commit::{differing_tables, has_logs, publish};
