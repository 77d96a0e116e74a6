//! `alert check`, `alert test` and `alert history`, and the check at the end of a sync.
//!
//! Owns the order: the rows of every rule, what is new among them (`ledger`), its messages, their delivery. A message
//! is in the ledger before the first attempt, so that none is lost. A rule or channel that fails stops no other.

mod check;
mod deliver;
mod history;
mod prepare;
mod setup;

pub(crate) use check::{AlertCheck, check};
pub(crate) use deliver::{Outcome, send_failure, test_channel};
pub(crate) use history::history;
pub(crate) use prepare::prepare;
pub(crate) use setup::AlertSetup;
