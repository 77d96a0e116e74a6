//! Commands for many tenants: a process of this program for each, a few at a time.
//!
//! Owns the flags `--tenants` and `--jobs`, and the processes. Promises: every tenant has a result, also one whose
//! process was killed; no secret is passed on, because each process reads the settings itself.

mod args;
mod child;
mod each;
mod table;

pub(super) use args::TenantsArgs;
pub(super) use each::{Each, lost};
pub(super) use table::{DOCTOR, STATUS, for_tenants};
