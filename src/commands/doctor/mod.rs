//! `doctor`: checks one by one everything that a run needs.
//!
//! Promises: at most three API calls, one to each endpoint; no wait for a rate limit; an end within seconds whatever
//! Feishu does; takes no lock and writes nothing into the store, which need not exist. How the result is shown is left
//! to `cli`.

mod check;
mod copy;
mod examine;
mod feishu;
mod identity;
mod local;
mod parents;
mod verdict;

pub(crate) use check::{ALERTS, CHECKS, Check, DoctorSetup, State, UnusableSettings};
pub(crate) use examine::{Examined, examine};
