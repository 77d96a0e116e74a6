//! The ledger: what was fetched, how each fetch ended, and what is still pending. An index over the raw log, in SQLite.
//!
//! A lost ledger can be rebuilt from the raw log, except for settings, run history, open refetches, alerts and what was
//! replaced. The run history is published too. Other processes may write too (`plan` takes no lock), so a value that is
//! read and then written is read inside the transaction. Times (`*_us`) are microseconds UTC, windows exclude their
//! end, and dates are days since 1970-01-01.

mod alerts;
mod change;
mod check;
mod database;
mod dates;
mod days;
mod error;
mod events;
mod holes;
mod pending;
mod refetch;
mod replaced;
mod runs;
mod summary;
mod synced;

pub(crate) use alerts::{AlertRecord, AlertRow, ClaimedMessage, NewAlertRow, NewMessage};
pub(crate) use change::{Answer, Change, FileProgress};
pub(crate) use check::{LedgerCheck, check_ledger, read_runs, unpublished_dates};
pub(crate) use database::{Ledger, USER_ID_TYPE};
pub(crate) use dates::DirtyDate;
pub(crate) use days::DayState;
pub(crate) use error::LedgerError;
pub(crate) use events::EVENT_DIGEST_PREFIX;
pub(crate) use holes::{Hole, PRUNE, PRUNE_RAW, covered_until, holes};
pub(crate) use pending::{Due, KnownParticipant, NEVER_AGAIN_US, PendingMeeting, PendingParticipant};
pub(crate) use replaced::{Replacing, ReplacingWith};
pub(crate) use runs::RunRecord;
pub(crate) use summary::{MeetingState, OpenUnits, WindowFilter};
