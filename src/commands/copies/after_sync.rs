//! The copy at the end of a sync, within its lock.

use super::publish::copy_dataset;
use super::setup::CopySetup;
use crate::commands::error::SyncError;
use crate::commands::setup::SyncSetup;
use crate::ledger::Ledger;
use crate::load::StorePaths;
use crate::remote::Copied;

/// How a copy at the end of a sync ended.
pub(in crate::commands) enum CopyEnd {
    /// `None` if nothing is published yet.
    Copied(Option<Copied>),
    Interrupted,
    Failed(SyncError),
}

/// Copies what is published, unless the run is interrupted.
pub(in crate::commands) async fn copy_after_sync(
    paths: &StorePaths,
    ledger: &Ledger,
    copy: &CopySetup,
    setup: &SyncSetup,
) -> CopyEnd {
    let copying = copy_dataset(paths, ledger, copy, &setup.listener, (setup.now_us)());
    match setup.cancel.run_until_cancelled(copying).await {
        None => CopyEnd::Interrupted,
        Some(Ok(copied)) => CopyEnd::Copied(copied),
        Some(Err(failed)) => CopyEnd::Failed(failed),
    }
}
