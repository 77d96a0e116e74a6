//! What publishing needs to know.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::definitions::Installed;
use crate::commands::setup::Now;
use crate::event::Listener;
use crate::load::{DatabaseOptions, PublishMode};
use crate::schema::{TenantZone, TimeWindow};

#[derive(Clone)]
pub(crate) struct PublishSetup {
    /// The totals count the meetings of this window.
    pub window: TimeWindow,
    /// False if the run reads no meeting list.
    pub has_window: bool,
    pub meeting_nos: Vec<String>,
    pub zone: TenantZone,
    pub user_id_type: String,
    pub database: DatabaseOptions,
    pub threads: usize,
    pub installed: Arc<Installed>,
    pub mode: PublishMode,
    /// Dates that stay as they are published.
    pub lost_raw_dates: BTreeSet<i32>,
    /// Dates that are published also with fewer meetings or participants than before.
    pub may_lose_rows: BTreeSet<i32>,
    pub listener: Arc<dyn Listener>,
    pub now_us: Now,
}
