//! `verify`: whether a store is consistent, from the raw log to the database.
//!
//! Combines the checks of `checks` (what is published) with those of the raw log and the ledger; `--deep` also rebuilds
//! every date and compares. Takes no lock and changes nothing; a run may be in progress. To keep a running sync from
//! being reported as damage, the ledger is read before the raw log it indexes, and differences are looked at again
//! before they are reported.

mod deep;
mod identities;
mod incidents;
mod raw;
mod report;
mod setup;

#[cfg(test)]
pub(crate) use report::checks;
pub(crate) use report::{VerifyReport, verify};
pub(crate) use setup::{PUBLISH_TIMEOUT, VerifyError, VerifySetup};
