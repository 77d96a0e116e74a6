//! Runs the checks, and sums them up in an exit code.

use serde::Serialize;

use super::check::{Check, DoctorSetup};
use super::{copy, feishu, local};
use crate::error::ExitCode;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Examined {
    /// Whether a run would work, at the latest when the process that holds the store has ended. Warnings do not count.
    pub ok: bool,
    pub exit_code: u8,
    /// In the order of `CHECKS`.
    pub checks: Vec<Check>,
    #[serde(skip)]
    pub exit: ExitCode,
}

impl Examined {
    fn new(checks: Vec<Check>) -> Examined {
        // The most fundamental first: without settings there are no calls, without credentials no data.
        let exit = ExitCode::worst(checks.iter().filter_map(|check| check.exit));
        Examined { ok: exit == ExitCode::Complete, exit_code: exit.number(), checks, exit }
    }
}

pub(crate) async fn examine(setup: DoctorSetup) -> Examined {
    let mut checks = feishu::checks(&setup).await;
    checks.extend(local::checks(&setup));
    let before_alerts = checks.len().saturating_sub(1);
    checks.insert(before_alerts, copy::check(&setup).await);
    Examined::new(checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_fundamental_failure_decides_and_warnings_do_not() {
        let failed = |exit| Check::failed("store", exit, "");
        let exit = |checks: Vec<Check>| Examined::new(checks).exit_code;
        assert_eq!(exit(vec![Check::ok("host", ""), Check::warning("disk", ""), Check::skipped("lock", "")]), 0);
        assert_eq!(exit(vec![failed(ExitCode::Storage)]), 5);
        assert_eq!(exit(vec![failed(ExitCode::Storage), failed(ExitCode::Feishu)]), 4);
        assert_eq!(exit(vec![failed(ExitCode::Storage), failed(ExitCode::Credentials)]), 3);
        assert_eq!(exit(vec![failed(ExitCode::Credentials), failed(ExitCode::Usage)]), 2);
    }
}
