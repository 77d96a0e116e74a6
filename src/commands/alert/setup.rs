//! What a check of the alert rules needs to know.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::alerts::{Channel, Rule};
use crate::commands::setup::Now;
use crate::error::{Failure, Redactor};
use crate::load::DatabaseOptions;
use crate::text::Language;

/// The window of a rule and the setting `profile` as parameters of a report, given the time now.
pub(crate) type RuleParameters = Arc<dyn Fn(&Rule, i64) -> Result<Vec<(String, String)>, Failure> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct AlertSetup {
    pub rules: Vec<Rule>,
    pub channels: Vec<Channel>,
    /// The names of all channels, also of those that cannot be used.
    pub channel_names: Vec<String>,
    /// Why rules and channels of the settings cannot be used.
    pub problems: Vec<Arc<Failure>>,
    pub store: PathBuf,
    /// `--store` or `--tenant` for the commands in messages, if they would read another store without it.
    pub store_flag: Option<[String; 2]>,
    pub reports_dir: Option<PathBuf>,
    pub language: Language,
    pub database: DatabaseOptions,
    pub parameters: RuleParameters,
    /// The longest time of a check with its deliveries.
    pub limit: Duration,
    pub redactor: Redactor,
    pub now_us: Now,
}

impl AlertSetup {
    /// True if nothing is configured.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.channel_names.is_empty() && self.problems.is_empty()
    }
}
