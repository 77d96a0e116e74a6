//! doctor: everything that a run needs, checked one by one.
//!
//! Owns the checks as values ([`Check`], in the order of [`CHECKS`]) and what they make of what is found. Promises: three
//! calls at the most, one to each list; no wait for a limit; an end within seconds whatever the vendor does; no lock is
//! taken and nothing is written into the store, which need not exist. Leaves out: how it is shown (`cli`).

mod judge;
mod local;
mod vendor;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::setup::Now;
use crate::error::ExitCode;
use crate::load::DatabaseOptions;
use crate::schema::TenantZone;
use feishu_vc::{ClientConfig, UserIdType};

/// The checks, in their order: the name, and what is checked.
pub(crate) const CHECKS: &[(&str, &str)] = &[
    ("settings", "which credentials are given, where from, and whether they can be used"),
    ("host", "name, connection and encryption of the vendor's host"),
    ("token", "whether the credentials are taken, and whose token it is"),
    ("meeting_list", "one real call"),
    ("participant_list", "one real call"),
    ("participant_quality_list", "one real call"),
    ("clock", "this machine's clock against the vendor's"),
    ("disk", "room on the store's file system"),
    ("store", "whether the store can be read, written, and agrees with itself"),
    ("lock", "who writes to the store now"),
    ("state_folder", "where the call budget is shared with other runs"),
];

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Ok,
    /// A run works, but somebody should know.
    Warning,
    /// A run does not work.
    Failed,
    /// Not checked, and why.
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

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Check {
    /// Its name, one of [`CHECKS`].
    pub name: &'static str,
    pub state: State,
    pub found: String,
    /// What to do next.
    pub next: Vec<String>,
    /// The vendor's code, where it answered with one.
    pub code: Option<i64>,
    /// The vendor's id of the request.
    pub log_id: Option<String>,
    /// The scopes that the vendor asks for; any one of them will do.
    pub scopes: Vec<String>,
    /// The vendor's page about it.
    pub help_url: Option<String>,
    /// What a failure is to whoever started the program.
    #[serde(skip)]
    pub exit: Option<ExitCode>,
    /// What must happen before a run works, though nothing is wrong: `process 4711 has ended`.
    #[serde(skip)]
    pub once: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Check {
        let found = found.into();
        Check {
            name,
            state,
            found,
            next: Vec::new(),
            code: None,
            log_id: None,
            scopes: Vec::new(),
            help_url: None,
            exit: None,
            once: None,
        }
    }

    fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Ok, found)
    }

    fn warning(name: &'static str, found: impl Into<String>) -> Check {
        Check::new(name, State::Warning, found)
    }

    fn skipped(name: &'static str, why: impl Into<String>) -> Check {
        Check::new(name, State::Skipped, why)
    }

    fn failed(name: &'static str, exit: ExitCode, found: impl Into<String>) -> Check {
        Check { exit: Some(exit), ..Check::new(name, State::Failed, found) }
    }

    /// Nothing is wrong, but no run works before that.
    fn once(self, what: impl Into<String>) -> Check {
        Check { once: Some(what.into()), ..self }
    }

    fn next(mut self, next: impl Into<String>) -> Check {
        self.next.push(next.into());
        self
    }
}

/// Why the settings can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// What is wrong, with its causes.
    pub found: String,
    pub next: Vec<String>,
    /// What it is to whoever started the program.
    pub exit: ExitCode,
}

/// Everything that doctor needs to know.
pub(crate) struct DoctorSetup {
    /// The vendor and the credentials, as a sync would use them. Patience is set here.
    pub client: Result<ClientConfig, Unusable>,
    /// Which credentials, and where they came from.
    pub credentials: String,
    /// What to try where the app may belong to the other region: `--region lark`.
    pub other_region: Option<String>,
    pub store: PathBuf,
    /// Where the call budget is shared.
    pub state_folder: Option<PathBuf>,
    pub zone: TenantZone,
    /// Kind of user ids.
    pub user_id_type: UserIdType,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    /// The vendor is given so long for everything together.
    pub deadline: Duration,
    pub now_us: Now,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Examined {
    /// Whether a run would work, at the latest once whoever holds the store has ended; warnings do not count.
    pub ok: bool,
    /// How the program ends.
    pub exit_code: u8,
    /// The checks, in the order of [`CHECKS`].
    pub checks: Vec<Check>,
    #[serde(skip)]
    pub exit: ExitCode,
}

impl Examined {
    fn of(checks: Vec<Check>) -> Examined {
        // The gravest first: without settings nobody is asked, without credentials nothing is answered.
        let exit = checks.iter().filter_map(|check| check.exit).min_by_key(|exit| exit.number());
        let exit = exit.unwrap_or(ExitCode::Complete);
        Examined { ok: exit == ExitCode::Complete, exit_code: exit.number(), checks, exit }
    }
}

pub(crate) async fn examine(setup: DoctorSetup) -> Examined {
    let mut checks = vendor::checks(&setup).await;
    checks.extend(local::checks(&setup));
    Examined::of(checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_failure_decides_and_warnings_do_not() {
        let failed = |exit| Check::failed("store", exit, "");
        let exit = |checks: Vec<Check>| Examined::of(checks).exit_code;
        assert_eq!(exit(vec![Check::ok("host", ""), Check::warning("disk", ""), Check::skipped("lock", "")]), 0);
        assert_eq!(exit(vec![failed(ExitCode::Storage)]), 5);
        assert_eq!(exit(vec![failed(ExitCode::Storage), failed(ExitCode::Vendor)]), 4);
        assert_eq!(exit(vec![failed(ExitCode::Storage), failed(ExitCode::Credentials)]), 3);
        assert_eq!(exit(vec![failed(ExitCode::Credentials), failed(ExitCode::Usage)]), 2);
    }
}
