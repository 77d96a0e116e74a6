//! The table of reasons that end a run early: reason -> exit code, hints, next step.

use super::exit_code::ExitCode;
use crate::extract::Stop;
use feishu_vc::{CallError, Fault, StopCause, Unreachable, format_wait};

/// Without this scope Feishu returns no user ids.
pub(crate) const ID_SCOPE: &str = "contact:user.employee_id:readonly";
pub(super) const RESUMES: &str =
    "fetched data is kept; the next run (without --refetch) resumes where this one stopped";
pub(crate) const ROOT_CERTIFICATES: &str = "install the package ca-certificates, or set SSL_CERT_FILE to a file (SSL_CERT_DIR to a directory) of root \
     certificates in PEM form; behind a proxy that signs its own certificates, it must include the proxy's CA";
const RUN_DOCTOR: &str = "vcq-etl doctor checks the host, the credentials and each endpoint separately";

#[derive(Debug)]
pub(crate) struct StopReason {
    pub exit: ExitCode,
    pub hints: Vec<String>,
    /// What to do next; `None` if the next run can simply resume.
    pub next: Option<String>,
}

impl StopReason {
    /// `signal` is the signal that interrupted the run, 0 if none did.
    pub(crate) fn of(stop: &Stop, signal: i32) -> StopReason {
        match stop {
            Stop::Refused(error)
            | Stop::Unreachable(error)
            | Stop::MeetingListRefused(error)
            | Stop::Throttled(error) => of_call_error(error),
            Stop::Role { .. } => reason(ExitCode::Credentials, [cause_hint(StopCause::Role)]),
            Stop::NoIds { .. } => {
                let scope = format!("add the scope {ID_SCOPE} to the app, publish a new version and have it approved");
                reason(ExitCode::Credentials, [&*scope, "then run again: these meetings are still pending"])
            }
            Stop::AllRefused { .. } => reason(
                ExitCode::Feishu,
                [
                    "none of these refusals is treated as final: look the code up, or contact Feishu support with the log ID",
                    "the next run requests them again",
                ],
            ),
            Stop::MeetingList { .. } | Stop::Failing { .. } => reason(ExitCode::Feishu, [RESUMES]),
            Stop::Budget(_) => reason(ExitCode::Stopped, [RESUMES]),
            Stop::Cancelled => reason(ExitCode::of_signal(signal), [RESUMES]),
            Stop::Write(_) => reason(
                ExitCode::Storage,
                ["free space or fix the permissions; published data is intact, and the next run resumes"],
            ),
        }
    }
}

fn reason<T: Into<String>>(exit: ExitCode, hints: impl IntoIterator<Item = T>) -> StopReason {
    StopReason { exit, hints: hints.into_iter().map(Into::into).collect(), next: None }
}

fn of_call_error(error: &CallError) -> StopReason {
    match error {
        CallError::Secret { cause, .. } => reason(cause_exit(*cause), [cause_hint(*cause), RUN_DOCTOR]),
        CallError::Stop { cause, scopes, response, .. } => {
            let mut hints = vec![cause_hint(*cause).to_owned()];
            if !scopes.is_empty() {
                hints.push(scopes_hint(scopes));
            }
            hints.extend(response.help_url.as_deref().map(help_hint));
            match cause {
                StopCause::Clock => hints.push("vcq-etl doctor measures the difference between the clocks".to_owned()),
                // Nothing to check.
                StopCause::MonthlyQuota | StopCause::InvalidRequest => {}
                _ => hints.push(RUN_DOCTOR.to_owned()),
            }
            const NEXT_MONTH: &str =
                "Run again after the first of the month or with a larger plan; until then a run would stop again.";
            let next = (*cause == StopCause::MonthlyQuota).then(|| NEXT_MONTH.to_owned());
            StopReason { exit: cause_exit(*cause), hints, next }
        }
        CallError::Throttled { requested_wait, .. } => {
            let wait = format_wait(*requested_wait);
            let next = Some(format!("Run again in {wait} to fetch what is left."));
            StopReason { next, ..reason(ExitCode::Stopped, [format!("run again in {wait}; {RESUMES}")]) }
        }
        CallError::Failed { fault, .. } if fault.is_unreachable() => {
            let network = "check the network, any proxy or firewall, and the region or base URL";
            let hints = [Some(network), is_untrusted(fault).then_some(ROOT_CERTIFICATES), Some(RUN_DOCTOR)];
            reason(ExitCode::Feishu, hints.into_iter().flatten())
        }
        CallError::Failed { fault, .. } if matches!(**fault, Fault::NotJson { .. }) => reason(
            ExitCode::Feishu,
            ["the response does not come from the API: check for a proxy or sign-in page, and the base URL", RESUMES],
        ),
        CallError::Failed { .. } => reason(ExitCode::Feishu, ["Feishu may have an outage: run again later", RESUMES]),
        CallError::Refused { .. } => reason(ExitCode::Feishu, [RESUMES]),
        CallError::Budget(_) | CallError::Cancelled => reason(ExitCode::Stopped, [RESUMES]),
    }
}

/// Whether there is no TLS connection, most often because the certificate is not trusted.
pub(crate) fn is_untrusted(fault: &Fault) -> bool {
    matches!(fault, Fault::Unreachable { kind: Unreachable::Tls, .. })
}

pub(crate) fn scopes_hint(scopes: &[String]) -> String {
    format!("required scope: {}", scopes.join(" or "))
}

pub(crate) fn help_hint(url: &str) -> String {
    format!("Feishu's page about this error: {url}")
}

pub(crate) fn cause_exit(cause: StopCause) -> ExitCode {
    match cause {
        StopCause::Credentials
        | StopCause::AppTicket
        | StopCause::Tenant
        | StopCause::UserGrant
        | StopCause::UserGrantLost
        | StopCause::AppScope
        | StopCause::UserScope
        | StopCause::Role
        | StopCause::IpAllowList => ExitCode::Credentials,
        StopCause::MonthlyQuota => ExitCode::Stopped,
        StopCause::WrongHost => ExitCode::Feishu,
        StopCause::Clock | StopCause::InvalidRequest => ExitCode::Unexpected,
    }
}

pub(crate) fn cause_hint(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Credentials => {
            "Check the app id and secret (or the token) on the developer console's page \"Credentials & Basic Info\", \
             that the app is enabled and published in this tenant, and that the region matches the app."
        }
        StopCause::AppTicket => {
            "Feishu pushes an app ticket to the app's event URL every hour, and has just been asked to push one now. Check \
             that the program behind this URL receives it and writes it to app_ticket_file (or that app_ticket_command \
             prints the newest one), then run again."
        }
        StopCause::Tenant => {
            "Check tenant_key, and that an administrator of this tenant has installed the app and not disabled it."
        }
        StopCause::UserGrant | StopCause::UserGrantLost => {
            "A refresh token can be used once and expires after some days. Have the user authorise the app again with the \
             scope offline_access, and write the new refresh token to refresh_token_file. Let nothing else use it."
        }
        StopCause::AppScope => {
            "Add the scope on the developer console's page \"Permissions & Scopes\", publish a new version of the app \
             and have a tenant admin approve it."
        }
        StopCause::UserScope => {
            "Have the user who granted the token authorise the app again with the scope, then set the new token."
        }
        StopCause::Role => {
            "In the admin console, give the app's creator (for a user token: that user) a role that includes \
             \"Video Conferencing > Meeting Management\"."
        }
        StopCause::IpAllowList => {
            "Add this machine's public IP address to the allow-list on the developer console's page \"Security \
             Settings\", or run from an address on the list."
        }
        StopCause::MonthlyQuota => {
            "The quota resets on the first of the month: run again then, or upgrade the plan. Fetched data is kept."
        }
        StopCause::WrongHost => "Check the region (feishu or lark) or the base URL.",
        StopCause::Clock => "Check this machine's clock.",
        StopCause::InvalidRequest => "This is a bug in vcq-etl. Please report it with the code and the log ID.",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use feishu_vc::Endpoint;

    use super::*;

    #[test]
    fn only_a_reason_that_would_stop_the_next_run_too_has_a_next_step() {
        let throttled = Stop::Throttled(CallError::Throttled {
            endpoint: Endpoint::MeetingList,
            host: "open.example".to_owned(),
            waits_in_a_row: 3,
            requested_wait: Duration::from_secs(86_400),
            log_id: None,
        });
        let next = |stop: &Stop| StopReason::of(stop, 0).next;
        assert!(next(&throttled).is_some_and(|next| next.contains("86,400 s")));
        assert_eq!(next(&Stop::Cancelled), None);
        assert_eq!(next(&Stop::Budget("the time is up".to_owned())), None);
    }
}
