//! What a command that changes a store and makes no API calls is given.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::SyncError;
use super::identity::PersonalSettings;
use super::publish::definitions::{DefinitionSettings, Installed};
use super::publish::setup::PublishSetup;
use super::setup::Now;
use super::store_settings::stored_setting;
use crate::event::Listener;
use crate::ledger::{Ledger, USER_ID_TYPE};
use crate::load::{DatabaseOptions, PublishMode, StorePaths};
use crate::schema::{TenantZone, TimeWindow};

/// What a command needs to know that changes a store and makes no API calls.
#[derive(Clone)]
pub(crate) struct StoreSetup {
    pub store: PathBuf,
    pub personal: PersonalSettings,
    pub zone: TenantZone,
    /// Used if the store does not record it.
    pub user_id_type: String,
    pub definitions: DefinitionSettings,
    pub threads: usize,
    pub database: DatabaseOptions,
    pub listener: Arc<dyn Listener>,
    pub now_us: Now,
}

impl StoreSetup {
    /// How such a command publishes: without a window.
    pub(super) fn publishing(&self, paths: &StorePaths, ledger: &Ledger) -> Result<PublishSetup, SyncError> {
        let user_id_type = stored_setting(paths, ledger, self.database, USER_ID_TYPE)?;
        Ok(PublishSetup {
            window: TimeWindow::of_starts((0, 0)),
            has_window: false,
            meeting_nos: Vec::new(),
            zone: self.zone.clone(),
            user_id_type: user_id_type.unwrap_or_else(|| self.user_id_type.clone()),
            database: self.database,
            threads: self.threads,
            installed: Arc::new(Installed::read_and_check(paths, &self.definitions)?),
            mode: PublishMode::Update,
            lost_raw_dates: BTreeSet::new(),
            may_lose_rows: BTreeSet::new(),
            listener: Arc::clone(&self.listener),
            now_us: Arc::clone(&self.now_us),
        })
    }
}
