//! What doctor needs to know.

use std::path::PathBuf;
use std::time::Duration;

use feishu_vc::{ClientConfig, UserIdType};

use crate::commands::setup::Now;
use crate::error::ExitCode;
use crate::load::DatabaseOptions;
use crate::schema::TenantZone;

/// Why the settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusableSettings {
    /// What is wrong, with its causes.
    pub found: String,
    pub next: Vec<String>,
    pub exit: ExitCode,
}

pub(crate) struct DoctorSetup {
    /// The client of a sync; retries and waits are removed from it.
    pub client: Result<ClientConfig, UnusableSettings>,
    /// Which credentials, and where they come from.
    pub credentials: String,
    /// What to try if the app belongs to the other region, such as `--region lark`.
    pub other_region: Option<String>,
    pub store: PathBuf,
    /// Where the call budget is shared.
    pub state_folder: Option<PathBuf>,
    pub zone: TenantZone,
    pub user_id_type: UserIdType,
    pub database: DatabaseOptions,
    /// Maximum duration of all API calls together.
    pub deadline: Duration,
    pub now_us: Now,
}
