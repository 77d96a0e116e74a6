//! The checks as values, and what doctor needs to know.

use std::path::PathBuf;
use std::time::Duration;

use feishu_vc::{ClientConfig, UserIdType};
use serde::Serialize;

use crate::commands::alert::AlertSetup;
use crate::commands::copies::CopySetup;
use crate::commands::setup::Now;
use crate::error::ExitCode;
use crate::extract::Also;
use crate::load::DatabaseOptions;
use crate::schema::TenantZone;

/// The checks in their order: name and description.
pub(crate) const CHECKS: &[(&str, &str)] = &[
    ("settings", "which credentials are set, where they come from, and whether they are usable"),
    ("host", "name resolution, connection and TLS of the Feishu host"),
    ("token", "whether Feishu accepts the credentials, and the kind of token"),
    ("meeting_list", "whether a call succeeds"),
    ("participant_list", "whether a call succeeds"),
    ("participant_quality_list", "whether a call succeeds"),
    ("clock", "this machine's clock compared with Feishu's"),
    ("disk", "free space on the store's file system"),
    ("store", "whether the store is readable, writable and consistent"),
    ("parent_directories", "whether other users can write to a directory above the store"),
    ("identity", "how the store identifies people, who can read it, and whether the identity key is there"),
    ("lock", "which process is writing to the store"),
    ("state_folder", "whether the shared rate-limit file is usable"),
    ("profile", "whether the setting profile names a profile"),
    ("views", "whether the SQL files of views_dir can be installed"),
    ("publish_to", "whether the copy in the object store can be read, and whether it is that of this store"),
    ("alert_rules", "whether the alert rules and their channels are usable"),
];

/// The check of the alert rules: a sync works without them.
pub(crate) const ALERTS: &str = "alert_rules";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    #[default]
    Ok,
    /// A run works, but the user should know.
    Warning,
    /// A run does not work.
    Failed,
    Skipped,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "failed",
            State::Skipped => "skipped",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Check {
    /// One of [`CHECKS`], or the name of an optional endpoint.
    pub name: &'static str,
    pub state: State,
    pub found: String,
    pub next: Vec<String>,
    /// The API's error code, if it returned one.
    pub code: Option<i64>,
    pub log_id: Option<String>,
    /// The scopes that Feishu requires; any one of them is enough.
    pub scopes: Vec<String>,
    pub help_url: Option<String>,
    /// What a sync fetches from it, such as `census_daily`, if it is an optional endpoint; [`ALERTS`] for the alerts.
    #[serde(skip)]
    pub optional: Option<&'static str>,
    /// The exit code of a failed check.
    #[serde(skip)]
    pub exit: Option<ExitCode>,
    /// What must happen before a run works although nothing is wrong, such as `process 4711 has ended`.
    #[serde(skip)]
    pub once: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Check {
        Check { name, state, found: found.into(), ..Check::default() }
    }

    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Ok, found)
    }

    pub(super) fn warning(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Warning, found)
    }

    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Check {
        Check::new(name, State::Skipped, why)
    }

    pub(super) fn failed(name: &'static str, exit: ExitCode, found: impl Into<String>) -> Check {
        Check { exit: Some(exit), ..Check::new(name, State::Failed, found) }
    }

    pub(super) fn next(mut self, next: impl Into<String>) -> Check {
        self.next.push(next.into());
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusableSettings {
    pub found: String,
    pub next: Vec<String>,
    pub exit: ExitCode,
}

pub(crate) struct DoctorSetup {
    /// False skips the checks that call Feishu.
    pub is_online: bool,
    /// The client of a sync; retries and waits are removed from it.
    pub client: Result<ClientConfig, UnusableSettings>,
    /// Which credentials, and where they come from.
    pub credentials: String,
    /// What to try if the app belongs to the other region, such as `--region lark`.
    pub other_region: Option<String>,
    pub store: PathBuf,
    pub state_folder: Option<PathBuf>,
    pub zone: TenantZone,
    pub user_id_type: UserIdType,
    /// What a sync fetches in addition to meetings: each of its endpoints is checked by one call.
    pub also: Vec<Also>,
    pub database: DatabaseOptions,
    pub views_dir: Option<PathBuf>,
    pub alerts: AlertSetup,
    /// Where a sync copies the dataset, or why the settings name no target.
    pub copy: Option<Result<CopySetup, UnusableSettings>>,
    pub profile: String,
    /// Maximum duration of all API calls together.
    pub deadline: Duration,
    pub now_us: Now,
}
