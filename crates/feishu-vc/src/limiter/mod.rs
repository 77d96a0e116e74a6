//! The rate limit of each endpoint: never more than N calls in any window, and no bursts.
//!
//! `gcra` is the formula. `local` applies it within the process, `shared_state` and `shared_file` across all processes
//! of the app, and `endpoint` combines the two into the queue of one endpoint. `Rate` (`rate.rs`) holds the limit
//! itself.

mod endpoint;
mod gcra;
mod local;
mod shared_file;
mod shared_state;

pub(crate) use endpoint::EndpointLimiter;
pub(crate) use shared_file::SharedFile;
