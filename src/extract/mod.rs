//! Asks the vendor and writes down the answers.
//!
//! Owns: the walk meetings -> participants -> quality pages, the raw log, and the ledger that remembers what was asked,
//! what came back and what is still owed. Promises: an answer is on disk before it counts; one unit (a participant, a
//! meeting's list) is recorded whole or as not whole; nothing final is asked again. Leaves out: what a metric means.
//! It reads only what it needs to ask: keys, ids, times and how many items a page has.

mod crew;
mod decide;
mod gates;
mod items;
mod ledger;
mod list_meetings;
mod listed;
mod owed;
mod queue;
pub mod raw;
mod recorder;
mod recording;
mod reindex;
mod run;
mod stop;
mod unit;
mod walk;
mod watch;
mod work;

pub use decide::Settle;
pub use items::list_items;
pub use ledger::{
    DirtyDate, KnownAnswer, Ledger, LedgerCheck, LedgerError, OpenUnits, RunRecord, check_ledger, runs_of,
    unpublished_dates,
};
pub use owed::{Count, Later, Limits, Owed, OwedQuestion, Reach, paced};
pub use recorder::{RecordError, Recorder};
pub use reindex::{CaughtUp, USER_ID_TYPE, accept_losses, catch_up, dates_with_lost_answers, forget_index};
pub use run::{Asks, ExtractSettings, Extracted, Extraction};
pub use stop::Stop;
pub use watch::{Watch, WatchEvent};
