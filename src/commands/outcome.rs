//! How a run that ended early ends the program: one table from the reason to the exit code.

use super::ExitCode;
use crate::extract::Stop;
use feishu_vc::{CallError, StopCause};

/// The signal that asks a process to end.
pub(crate) const SIGTERM: i32 = 15;
/// The signal of the keyboard.
pub(crate) const SIGINT: i32 = 2;

/// The exit code of a run that ended early. `signal` is the number of the signal that interrupted it.
pub(crate) fn of_stop(stop: &Stop, signal: i32) -> ExitCode {
    match stop {
        Stop::Vendor(CallError::Stop { cause, .. }) => of_cause(*cause),
        Stop::Vendor(_) => ExitCode::Unexpected,
        Stop::Role { .. } | Stop::NoIds { .. } => ExitCode::Credentials,
        Stop::Unreachable(_)
        | Stop::MeetingList { .. }
        | Stop::MeetingListRefused(_)
        | Stop::Failing { .. }
        | Stop::AllRefused { .. } => ExitCode::Vendor,
        Stop::Throttled(_) | Stop::Budget(_) => ExitCode::Stopped,
        Stop::Cancelled if signal == SIGTERM => ExitCode::Terminated,
        Stop::Cancelled => ExitCode::Interrupted,
        Stop::Record(_) => ExitCode::Storage,
    }
}

/// The exit code of a refusal that ends a run.
pub(crate) fn of_cause(cause: StopCause) -> ExitCode {
    match cause {
        StopCause::Credentials
        | StopCause::AppScope
        | StopCause::UserScope
        | StopCause::Role
        | StopCause::IpAllowList => ExitCode::Credentials,
        StopCause::MonthlyQuota => ExitCode::Stopped,
        StopCause::WrongHost => ExitCode::Vendor,
        StopCause::Clock | StopCause::OurBug => ExitCode::Unexpected,
    }
}
