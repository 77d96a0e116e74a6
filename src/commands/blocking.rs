//! Work that keeps a core busy, apart from the threads that wait for the network.
//!
//! A runtime of one thread is that of a simulation: there the work runs in place, so that the same seed gives the same
//! order of events.

use tokio::runtime::{Handle, RuntimeFlavor};

use super::error::SyncError;

fn is_simulated() -> bool {
    Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread
}

/// Runs the work on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SyncError> + Send + 'static,
) -> Result<T, SyncError> {
    match is_simulated() {
        true => work(),
        false => tokio::task::spawn_blocking(work).await.map_err(|_| SyncError::Panicked)?,
    }
}

/// Runs the work on this thread, whose other tasks move to another one.
pub(super) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    if is_simulated() { work() } else { tokio::task::block_in_place(work) }
}
