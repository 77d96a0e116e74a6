//! What all parts of a run share.

use std::sync::Arc;

use super::settings::ExtractSettings;
use super::writer::CheckpointWriter;
use crate::event::Listener;
use crate::ledger::Ledger;
use feishu_vc::Client;

/// The current time, microseconds UTC.
pub(super) type Clock = dyn Fn() -> i64 + Send + Sync;

pub(super) struct Context {
    pub client: Client,
    pub writer: CheckpointWriter,
    pub settings: ExtractSettings,
    pub listener: Arc<dyn Listener>,
    pub clock: Arc<Clock>,
}

impl Context {
    pub(super) fn now_us(&self) -> i64 {
        (self.clock)()
    }

    pub(super) fn ledger(&self) -> &Ledger {
        self.writer.ledger()
    }
}
