//! What a response, or the lack of one, shows about the connection to Feishu. Pure.

use std::time::Duration;

use super::check::{Check, State};
use crate::error::ExitCode;
use crate::error::causes::with_causes;
use crate::error::stop_reason::{
    ID_SCOPE, ROOT_CERTIFICATES, cause_exit, cause_hint, help_hint, is_untrusted, scopes_hint,
};
use feishu_vc::{
    CallError, Credentials, Endpoint, ErrorResponse, Fault, Page, ProbeResponse, RefusalClass, StopCause, TokenInfo,
    TokenKind, error_codes, format_wait,
};

/// From this difference of the clocks on, warn.
const SKEW_WARNING_S: i64 = 60;
/// From here on a run mistakes running meetings for ended ones, or the reverse: meetings are left alone for ten
/// minutes.
const SKEW_FAILED_S: i64 = 600;

/// The result of one call, and whether the next call makes sense.
pub(super) struct Verdict {
    pub check: Check,
    /// Why the next calls would fail as well.
    pub ends: Option<&'static str>,
}

impl Verdict {
    pub(super) fn go_on(check: Check) -> Verdict {
        Verdict { check, ends: None }
    }
}

/// Whether a call concerns a real meeting or participant, or a made-up one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Real,
    MadeUp,
}

pub(super) fn of_page(endpoint: Endpoint, page: &Page, has_ids: bool) -> Check {
    let name = endpoint.name();
    let count = |singular: &str| match (page.item_count, page.has_more) {
        (count, true) => format!("more than {count} {singular}s"),
        (1, false) => format!("1 {singular}"),
        (count, false) => format!("{count} {singular}s"),
    };
    let time = format!("({} ms)", page.elapsed.as_millis());
    match endpoint {
        Endpoint::MeetingList if page.item_count == 0 => {
            Check::ok(name, format!("allowed; no meeting ended in the last 7 days {time}"))
        }
        _ if page.item_count == 0 => Check::ok(name, format!("allowed; the list is empty {time}")),
        Endpoint::MeetingList => Check::ok(name, format!("{} ended in the last 7 days {time}", count("meeting"))),
        Endpoint::ParticipantList if !has_ids => Check::warning(
            name,
            format!("{} in one meeting, none of them with an id {time}", count("participant")),
        )
        .next(format!(
            "if no participant ever has an id, the app lacks the scope {ID_SCOPE}: quality data cannot be fetched"
        )),
        Endpoint::ParticipantList => Check::ok(name, format!("{} in one meeting {time}", count("participant"))),
        Endpoint::ParticipantQualityList => Check::ok(name, format!("{} of one participant {time}", count("minute"))),
        _ => Check::ok(name, format!("allowed; {} {time}", count("item"))),
    }
}

pub(super) fn of_timeout(name: &'static str) -> Verdict {
    let check =
        Check::failed(name, ExitCode::Feishu, "no response in time").next("Feishu may have an outage: try again later");
    Verdict { check, ends: Some("Feishu takes too long") }
}

/// `wait_cap`: a run waits this long for a rate limit, and stops if Feishu requires more.
pub(super) fn of_error(name: &'static str, error: &CallError, target: Target, wait_cap: Duration) -> Verdict {
    let verdict = match error {
        CallError::Refused { class, response, .. } => Verdict::go_on(of_refusal(name, *class, response, target)),
        CallError::Stop { cause, response, scopes, .. } => {
            let mut check = Check::failed(name, exit_of(*cause), cause_text(*cause, response)).next(cause_hint(*cause));
            if !scopes.is_empty() {
                check = check.next(scopes_hint(scopes));
            }
            Verdict { check: Check { scopes: scopes.clone(), ..check }, ends: ends_after(*cause) }
        }
        CallError::Secret { cause, .. } => Verdict {
            check: Check::failed(name, exit_of(*cause), with_causes(error)).next(cause_hint(*cause)),
            ends: ends_after(*cause),
        },
        CallError::Throttled { requested_wait, .. } => {
            let wait = format_wait(*requested_wait);
            let found = format!("throttled; Feishu requests a wait of {wait}");
            Verdict::go_on(if *requested_wait > wait_cap {
                Check::failed(name, ExitCode::Feishu, found)
                    .next(format!("a run waits at most {} (--wait-cap) and then stops", format_wait(wait_cap)))
                    .next(format!("run vcq-etl doctor again in {wait}"))
            } else {
                Check::warning(name, found).next("another client uses this app's calls; run vcq-etl doctor again then")
            })
        }
        CallError::Failed { fault, .. } => {
            let mut check = Check::failed(name, ExitCode::Feishu, with_causes(error))
                .next("Feishu or the network may have an outage: try again later");
            if matches!(**fault, Fault::Api { .. }) {
                check = check.next("a run retries such a call; if it keeps failing, later runs request it again");
            }
            if is_untrusted(fault) {
                check = check.next(ROOT_CERTIFICATES);
            }
            let is_lost = fault.is_unreachable() || matches!(**fault, Fault::TimedOut(_));
            Verdict { check, ends: is_lost.then_some("Feishu did not respond to the previous call") }
        }
        CallError::Budget(_) | CallError::Cancelled => Verdict::go_on(Check::skipped(name, error.to_string())),
    };
    let help_url = error.response().and_then(|response| response.help_url.clone());
    let mut check = Check { code: error.code(), log_id: error.log_id().map(str::to_owned), ..verdict.check };
    check.next.extend(help_url.as_deref().map(help_hint));
    Verdict { check: Check { help_url, ..check }, ..verdict }
}

fn of_refusal(name: &'static str, class: RefusalClass, response: &ErrorResponse, target: Target) -> Check {
    let is_known = response.code.is_some_and(error_codes::concerns_one_unit);
    match (class, target) {
        (RefusalClass::Forbidden, Target::Real) => {
            Check::failed(name, ExitCode::Credentials, format!("{} ({response})", StopCause::Role.meaning()))
                .next(cause_hint(StopCause::Role))
        }
        (RefusalClass::Forbidden, Target::MadeUp) => {
            Check::warning(name, format!("refused for a made-up meeting ({response})")).next(format!(
                "for a real meeting this would mean: {}. {}",
                StopCause::Role.meaning(),
                cause_hint(StopCause::Role)
            ))
        }
        (RefusalClass::NotFound, Target::MadeUp) => Check::ok(
            name,
            format!("reachable and allowed; the made-up meeting was not found, as expected ({response})"),
        ),
        (RefusalClass::NotFound, Target::Real) => {
            Check::ok(name, format!("reachable and allowed; nothing was found for a listed meeting ({response})"))
        }
        (RefusalClass::Unsupported, Target::MadeUp) if is_known => {
            Check::ok(name, format!("reachable and allowed; the made-up request was refused, as expected ({response})"))
        }
        (RefusalClass::Unsupported | RefusalClass::TooLong, _) => {
            Check::warning(name, format!("reachable, but the call was refused ({response})"))
                .next("a run skips such refusals and lists them in the report coverage")
        }
    }
}

/// What a refusal means, with the response; only the response if it already has the same words.
fn cause_text(cause: StopCause, response: &ErrorResponse) -> String {
    match response.to_string() {
        response if response.contains(cause.meaning()) => response,
        response => format!("{} ({response})", cause.meaning()),
    }
}

/// For doctor a used-up quota is a refusal, not a stop on purpose, and a wrong clock is no internal error.
fn exit_of(cause: StopCause) -> ExitCode {
    match cause {
        StopCause::MonthlyQuota | StopCause::Clock => ExitCode::Feishu,
        other => cause_exit(other),
    }
}

/// Why the other endpoints would fail as well. Scopes differ from endpoint to endpoint.
fn ends_after(cause: StopCause) -> Option<&'static str> {
    match cause {
        StopCause::Credentials
        | StopCause::AppTicket
        | StopCause::Tenant
        | StopCause::UserGrant
        | StopCause::UserGrantLost => Some("the credentials were rejected"),
        StopCause::IpAllowList => Some("calls from this IP address are rejected"),
        StopCause::MonthlyQuota => Some("the monthly quota is used up"),
        StopCause::WrongHost => Some("the host does not serve the API"),
        _ => None,
    }
}

/// The check of an optional endpoint: a refusal names the scope, and the way to do without.
pub(super) fn of_optional(endpoint: Endpoint, mut check: Check) -> Check {
    if matches!(check.state, State::Failed | State::Warning) {
        let scope = endpoint.scope().to_owned();
        if check.scopes.is_empty() && check.exit == Some(ExitCode::Credentials) {
            check = check.next(scopes_hint(&[scope]));
        }
        check = check.next("only needed for the setting also (VCQ_ALSO); a sync works without it");
    }
    check
}

pub(super) fn of_user_token(endpoint: Endpoint) -> Check {
    let found = "Feishu accepts only a tenant token here, but the access token is a user token";
    Check::failed(endpoint.name(), ExitCode::Credentials, found)
        .next("set VCQ_APP_ID and VCQ_APP_SECRET, or remove it from also (VCQ_ALSO)")
}

pub(super) fn of_unreachable_host(origin: &str, fault: &Fault) -> Check {
    let check = Check::failed("host", ExitCode::Feishu, format!("{origin}: {}", with_causes(fault)))
        .next("check the network, any proxy or firewall, and the region or base URL");
    if is_untrusted(fault) { check.next(ROOT_CERTIFICATES) } else { check }
}

/// An app that is unknown to its host may belong to the other region.
pub(super) fn with_region(check: Check, other_region: Option<&str>) -> Check {
    match other_region {
        Some(other) if check.found.starts_with(StopCause::Credentials.meaning()) => {
            check.next(format!("an app of one region is unknown in the other: try {other}"))
        }
        _ => check,
    }
}

/// What was used to get the token, and how long it is valid.
pub(super) fn of_issued_token(credentials: &Credentials, info: &TokenInfo) -> String {
    let minutes = info.expires_in.unwrap_or_default().as_secs() / 60;
    match credentials {
        Credentials::StoreApp { tenant_key, .. } => format!(
            "Feishu accepted the app ticket and issued a tenant token for the tenant key {tenant_key}; it is valid for \
             {minutes} min"
        ),
        Credentials::User { .. } => {
            let days = info.renewable_for.map(|left| (left.as_secs() + 3_600) / 86_400);
            let days = days.map_or(String::new(), |days| format!(" (valid for {days} days)"));
            format!(
                "Feishu renewed the user token, which is valid for {minutes} min; the next refresh token{days} is stored"
            )
        }
        Credentials::App { .. } | Credentials::Bearer(_) => {
            format!("Feishu issued a tenant token; it is valid for {minutes} min")
        }
    }
}

pub(super) fn of_given_token(kind: TokenKind) -> String {
    let kind = match kind {
        TokenKind::Tenant => "a tenant token",
        TokenKind::User => "a user token",
        TokenKind::Unknown => "a token whose prefix shows neither tenant nor user",
    };
    format!("{kind} is set; its lifetime is unknown, and it is not renewed")
}

/// The difference between the clocks. Feishu's time is truncated to whole seconds.
pub(super) fn of_clock(response: &ProbeResponse) -> Check {
    let Some(theirs) = response.server_date else {
        return Check::skipped("clock", "the host's response has no date");
    };
    let ours_ms =
        response.requested_at.as_millisecond() + i64::try_from(response.elapsed.as_millis() / 2).unwrap_or_default();
    let ahead_s = (ours_ms - theirs.as_millisecond() - 500) / 1_000;
    let direction = if ahead_s > 0 { "ahead of" } else { "behind" };
    let difference = format_wait(Duration::from_secs(ahead_s.unsigned_abs()));
    let found = format!("this machine's clock is {difference} {direction} Feishu's");
    let next = "synchronise the clock with a time server (timedatectl set-ntp true)";
    match ahead_s.abs() {
        ..=1 => Check::ok("clock", "this machine's clock and Feishu's agree"),
        2..SKEW_WARNING_S => Check::ok("clock", found),
        SKEW_WARNING_S..SKEW_FAILED_S => Check::warning("clock", found).next(next),
        _ => {
            let consequence = "running meetings would be mistaken for ended ones, or the reverse";
            Check::failed("clock", ExitCode::Feishu, format!("{found}: {consequence}")).next(next)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use feishu_vc::error_codes::{ERROR_CODES, decide};
    use feishu_vc::{Action, Body};

    fn response(code: i64) -> Box<ErrorResponse> {
        let at = Timestamp::from_second(1_795_000_000).expect("an instant");
        Box::new(ErrorResponse {
            host: "https://open.feishu.cn".to_owned(),
            http_status: 400,
            code: Some(code),
            msg: String::new(),
            log_id: Some("LOG1".to_owned()),
            server_date: None,
            requested_at: at,
            requests: 1,
            help_url: Some("https://open.feishu.cn/help".to_owned()),
            body: Body::default(),
        })
    }

    /// The client's error for a code.
    fn error(endpoint: Endpoint, code: i64) -> Option<CallError> {
        match decide(Some(endpoint), 400, Some(code)) {
            Action::Skip(class) => Some(CallError::Refused { endpoint, class, response: response(code) }),
            Action::Stop(cause) | Action::RetryThenStop(cause) => {
                Some(CallError::Stop { endpoint: Some(endpoint), cause, scopes: Vec::new(), response: response(code) })
            }
            Action::RefreshToken => {
                let cause = StopCause::Credentials;
                Some(CallError::Stop { endpoint: Some(endpoint), cause, scopes: Vec::new(), response: response(code) })
            }
            Action::Accept | Action::Retry | Action::Wait => None,
        }
    }

    const P: Endpoint = Endpoint::ParticipantList;
    const CAP: Duration = Duration::from_secs(120);

    #[test]
    fn codes_are_distinguished() {
        use State::{Failed, Ok, Warning};
        use Target::{MadeUp, Real};
        let of = |code, target| {
            let verdict = of_error("participant_list", &error(P, code).expect("no retry"), target, CAP);
            (verdict.check.state, verdict.check.exit.map(ExitCode::number), verdict.ends.is_some())
        };
        for (code, target, expected) in [
            (126_009, MadeUp, (Ok, None, false)),
            (126_009, Real, (Ok, None, false)),
            (126_010, MadeUp, (Ok, None, false)),
            (121_004, MadeUp, (Ok, None, false)),
            (126_004, MadeUp, (Ok, None, false)),
            (99_992_351, MadeUp, (Ok, None, false)),
            (126_004, Real, (Warning, None, false)),
            (121_003, MadeUp, (Warning, None, false)),
            (99_992_402, MadeUp, (Warning, None, false)),
            (126_006, Real, (Warning, None, false)),
            (121_005, Real, (Failed, Some(3), false)),
            (121_005, MadeUp, (Warning, None, false)),
            (99_991_672, Real, (Failed, Some(3), false)),
            (99_991_679, Real, (Failed, Some(3), false)),
            (99_991_401, Real, (Failed, Some(3), true)),
            (99_991_663, Real, (Failed, Some(3), true)),
            (99_991_403, Real, (Failed, Some(4), true)),
            (99_991_201, Real, (Failed, Some(4), true)),
            (126_005, Real, (Failed, Some(4), false)),
            (126_007, Real, (Failed, Some(1), false)),
        ] {
            assert_eq!(of(code, target), expected, "{code} {target:?}");
        }
    }

    #[test]
    fn every_refusal_names_code_log_id_and_page_and_every_failure_what_to_do() {
        for fact in ERROR_CODES {
            for endpoint in Endpoint::LISTS {
                let Some(error) = error(endpoint, fact.code) else { continue };
                for target in [Target::Real, Target::MadeUp] {
                    let Verdict { check, .. } = of_error(endpoint.name(), &error, target, CAP);
                    assert!(check.found.contains(&fact.code.to_string()), "{}: {}", fact.code, check.found);
                    assert!(check.found.contains("LOG1"), "{}: {}", fact.code, check.found);
                    assert_eq!((check.code, check.log_id.as_deref()), (Some(fact.code), Some("LOG1")));
                    assert!(check.next.iter().any(|next| next.contains("https://open.feishu.cn/help")));
                    assert_eq!(check.exit.is_some(), check.state == State::Failed, "{}", fact.code);
                    assert!(check.state != State::Failed || check.next.len() >= 2, "{}: {:?}", fact.code, check.next);
                }
            }
        }
    }

    #[test]
    fn an_unlisted_code_is_a_failure_that_may_pass() {
        let fault = Box::new(Fault::Api { http_status: 200, code: 2_200 });
        let error = CallError::Failed {
            endpoint: Some(P),
            host: String::new(),
            requests: 2,
            requested_at: Timestamp::UNIX_EPOCH,
            log_id: Some("LOG1".to_owned()),
            fault,
        };
        let Verdict { check, ends } = of_error("participant_list", &error, Target::Real, CAP);
        assert_eq!((check.state, check.exit, check.code), (State::Failed, Some(ExitCode::Feishu), Some(2_200)));
        assert_eq!(ends, None);
        assert!(check.found.contains("code 2200") && check.next.iter().any(|next| next.contains("later runs")));
    }

    #[test]
    fn a_throttle_is_a_warning_with_the_requested_wait() {
        let Verdict { check, ends } = of_error("participant_list", &throttled(41), Target::Real, CAP);
        assert_eq!((check.state, ends), (State::Warning, None));
        assert!(check.found.contains("41 s"));
    }

    fn throttled(requested_s: u64) -> CallError {
        let requested_wait = Duration::from_secs(requested_s);
        CallError::Throttled { endpoint: P, host: String::new(), waits_in_a_row: 0, requested_wait, log_id: None }
    }

    #[test]
    fn a_throttle_that_no_run_waits_for_is_a_failure() {
        let verdict = |requested_s| of_error("participant_list", &throttled(requested_s), Target::Real, CAP).check;
        assert_eq!(verdict(CAP.as_secs()).state, State::Warning);
        let check = verdict(CAP.as_secs() + 1);
        assert_eq!((check.state, check.exit), (State::Failed, Some(ExitCode::Feishu)));
        assert!(check.next[0].contains("120 s") && check.next[1].contains("121 s"), "{:?}", check.next);
    }

    #[test]
    fn an_unknown_app_may_belong_to_the_other_region() {
        let advised = |code, other| {
            let verdict = of_error("token", &error(P, code).expect("no retry"), Target::Real, CAP);
            let check = with_region(verdict.check, other);
            check.next.iter().any(|next| next.contains("--region lark"))
        };
        let other = Some("--region lark");
        assert!(advised(10_003, other) && advised(99_991_543, other) && advised(99_991_663, other));
        assert!(!advised(99_991_672, other) && !advised(99_991_401, other) && !advised(10_003, None));
    }

    #[test]
    fn clocks_are_compared_by_the_second() {
        let second = 1_795_000_000;
        let of = |ahead_s: i64| {
            let reached = ProbeResponse {
                requested_at: Timestamp::from_millisecond((second + ahead_s) * 1_000 + 400).expect("an instant"),
                elapsed: Duration::from_millis(200),
                server_date: Some(Timestamp::from_second(second).expect("an instant")),
            };
            of_clock(&reached)
        };
        for (ahead_s, state) in [
            (0, State::Ok),
            (1, State::Ok),
            (59, State::Ok),
            (-59, State::Ok),
            (60, State::Warning),
            (-60, State::Warning),
            (599, State::Warning),
            (600, State::Failed),
            (-86_400, State::Failed),
        ] {
            assert_eq!(of(ahead_s).state, state, "{ahead_s}");
        }
        assert!(of(95).found.contains("95 s ahead of"), "{}", of(95).found);
        assert!(of(-86_400).found.contains("86,400 s behind"), "{}", of(-86_400).found);
        let silent = ProbeResponse { requested_at: Timestamp::UNIX_EPOCH, elapsed: Duration::ZERO, server_date: None };
        assert_eq!(of_clock(&silent).state, State::Skipped);
    }
}
