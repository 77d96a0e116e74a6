//! How a run ended: one table from the reason to its name and exit code.

use crate::extract::Stop;
use crate::feishu::StopCause;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The word in `runs.outcome` and in the summary.
    pub name: &'static str,
    /// The exit code of contract 3.
    pub exit_code: u8,
}

/// Everything that was owed is here.
pub const COMPLETE: Outcome = Outcome { name: "complete", exit_code: 0 };
/// Finished, but something failed.
pub const OWED: Outcome = Outcome { name: "owed", exit_code: 7 };
const UNEXPECTED: Outcome = Outcome { name: "unexpected", exit_code: 1 };
const REFUSED: Outcome = Outcome { name: "refused", exit_code: 3 };
const UNREACHABLE: Outcome = Outcome { name: "unreachable", exit_code: 4 };
const STORAGE: Outcome = Outcome { name: "storage", exit_code: 5 };
const STOPPED: Outcome = Outcome { name: "stopped", exit_code: 8 };

/// The outcome of a run that ended early. `signal` is the number of the signal that interrupted it.
pub fn of_stop(stop: &Stop, signal: i32) -> Outcome {
    match stop {
        Stop::Vendor(error) => match error {
            crate::feishu::CallError::Stop { cause, .. } => of_cause(*cause),
            _ => UNEXPECTED,
        },
        Stop::Role { .. } | Stop::NoIds { .. } => REFUSED,
        Stop::Unreachable(_) | Stop::MeetingList { .. } | Stop::MeetingListRefused(_) | Stop::Failing { .. } => {
            UNREACHABLE
        }
        Stop::Throttled(_) | Stop::Budget(_) => STOPPED,
        Stop::Cancelled => Outcome { name: "interrupted", exit_code: if signal == SIGTERM { 143 } else { 130 } },
        Stop::Record(_) => STORAGE,
    }
}

/// The signal that asks a process to end; any other interruption counts as the keyboard's.
pub const SIGTERM: i32 = 15;
/// The signal of the keyboard.
pub const SIGINT: i32 = 2;

fn of_cause(cause: StopCause) -> Outcome {
    match cause {
        StopCause::Credentials
        | StopCause::AppScope
        | StopCause::UserScope
        | StopCause::Role
        | StopCause::IpAllowList => REFUSED,
        StopCause::MonthlyQuota => STOPPED,
        StopCause::WrongHost => UNREACHABLE,
        StopCause::Clock | StopCause::OurBug => UNEXPECTED,
    }
}
