//! What a copy needs to know.

use std::time::Duration;

use crate::remote::{RemoteOptions, Target};

#[derive(Debug, Clone)]
pub(crate) struct CopySetup {
    pub target: Target,
    pub options: RemoteOptions,
    /// Whether the copy gets Delta logs.
    pub has_delta_logs: bool,
    /// Whether the copy gets the raw log.
    pub has_raw: bool,
    /// How long replaced files stay.
    pub keep: Duration,
}

impl CopySetup {
    pub(super) fn keep_us(&self) -> i64 {
        i64::try_from(self.keep.as_micros()).unwrap_or(i64::MAX)
    }
}
