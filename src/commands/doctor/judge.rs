//! What an answer, or the lack of one, tells about the way to the vendor. Pure.

use std::error::Error;
use std::time::Duration;

use super::Check;
use crate::error::ExitCode;
use crate::error::stop_reason::{ID_SCOPE, cause_exit, cause_hint, help_hint, scopes_hint};
use crate::load::is_redundant_source;
use feishu_vc::{
    CallError, Endpoint, ErrorResponse, Fault, Page, ProbeResponse, RefusalClass, StopCause, TokenKind, error_codes,
    format_wait,
};

/// From this many seconds on the difference of the clocks is worth a word.
const SKEW_WARNING_S: i64 = 60;
/// From here on a run takes meetings for ended that are not, or the other way round: they are left alone for ten minutes.
const SKEW_FAILED_S: i64 = 600;

/// What one call came to, and whether the next one makes sense.
pub(super) struct Judged {
    pub check: Check,
    /// Why the calls after this one would be answered no better.
    pub ends: Option<&'static str>,
}

impl Judged {
    pub(super) fn go_on(check: Check) -> Judged {
        Judged { check, ends: None }
    }
}

/// Whether a call is about something that is there, or made up to see whether the way is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Real,
    MadeUp,
}

pub(super) fn of_page(endpoint: Endpoint, page: &Page, has_ids: bool) -> Check {
    let name = endpoint.name();
    let of = |one: &str| match (page.item_count, page.has_more) {
        (count, true) => format!("{count} {one}s and more"),
        (1, false) => format!("1 {one}"),
        (count, false) => format!("{count} {one}s"),
    };
    let time = format!("({} ms)", page.elapsed.as_millis());
    match endpoint {
        Endpoint::MeetingList if page.item_count == 0 => {
            Check::ok(name, format!("allowed; no meeting ended in the last 7 days {time}"))
        }
        _ if page.item_count == 0 => Check::ok(name, format!("allowed; the list is empty {time}")),
        Endpoint::MeetingList => Check::ok(name, format!("{}, ended in the last 7 days {time}", of("meeting"))),
        Endpoint::ParticipantList if !has_ids => {
            Check::warning(name, format!("{} in one meeting, none of them with an id {time}", of("participant"))).next(
                format!("if nobody ever has an id, the app lacks the scope {ID_SCOPE}: no quality can be asked for"),
            )
        }
        Endpoint::ParticipantList => Check::ok(name, format!("{} in one meeting {time}", of("participant"))),
        Endpoint::ParticipantQualityList => Check::ok(name, format!("{} of one participant {time}", of("minute"))),
    }
}

/// No answer, and no time left for one.
pub(super) fn in_vain(name: &'static str) -> Judged {
    let check = Check::failed(name, ExitCode::Vendor, "there was no answer in time")
        .next("the vendor may be in trouble: try again later");
    Judged { check, ends: Some("the vendor takes too long") }
}

/// What a call that brought nothing tells of the way.
///
/// `wait_cap`: a run waits for a limit so long, and gives up where the vendor asks for more.
pub(super) fn of_error(name: &'static str, error: &CallError, about: About, wait_cap: Duration) -> Judged {
    let judged = match error {
        CallError::Refused { class, answer, .. } => Judged::go_on(of_refusal(name, *class, answer, about)),
        CallError::Stop { cause, answer, scopes, .. } => {
            let mut check = Check::failed(name, exit_of(*cause), told(*cause, answer)).next(cause_hint(*cause));
            if !scopes.is_empty() {
                check = check.next(scopes_hint(scopes));
            }
            Judged { check: Check { scopes: scopes.clone(), ..check }, ends: ends_after(*cause) }
        }
        CallError::Throttled { requested_wait, .. } if *requested_wait > wait_cap => Judged::go_on(
            Check::failed(
                name,
                ExitCode::Vendor,
                format!("throttled; the vendor asks for {}", format_wait(*requested_wait)),
            )
            .next(format!("a run waits {} at the most (--wait-cap) and stops then", format_wait(wait_cap)))
            .next(format!("run vcq-etl doctor again when {} are over", format_wait(*requested_wait))),
        ),
        CallError::Throttled { requested_wait, .. } => Judged::go_on(
            Check::warning(name, format!("throttled; the vendor asks for {}", format_wait(*requested_wait)))
                .next("something else uses this app's calls; run vcq-etl doctor again then"),
        ),
        CallError::Failed { fault, .. } => {
            let check = Check::failed(name, ExitCode::Vendor, with_causes(error))
                .next("the vendor may be in trouble, or something on the way: try again later");
            let is_lost = fault.is_unreachable() || matches!(**fault, Fault::TimedOut(_));
            Judged { check, ends: is_lost.then_some("the vendor did not answer the call before") }
        }
        CallError::Budget(_) | CallError::Cancelled => Judged::go_on(Check::skipped(name, error.to_string())),
    };
    let help_url = error.answer().and_then(|answer| answer.help_url.clone());
    let help = help_url.iter().map(|url| help_hint(url)).collect::<Vec<_>>();
    let mut check = Check { code: error.code(), log_id: error.log_id().map(str::to_owned), help_url, ..judged.check };
    check.next.extend(help);
    Judged { check, ..judged }
}

fn of_refusal(name: &'static str, class: RefusalClass, answer: &ErrorResponse, about: About) -> Check {
    let is_known = answer.code.is_some_and(error_codes::concerns_one_unit);
    match (class, about) {
        (RefusalClass::Forbidden, About::Real) => {
            Check::failed(name, ExitCode::Credentials, format!("{} ({answer})", StopCause::Role.meaning()))
                .next(cause_hint(StopCause::Role))
        }
        (RefusalClass::Forbidden, About::MadeUp) => {
            Check::warning(name, format!("refused for a meeting that is not there ({answer})")).next(format!(
                "with a real meeting it would mean: {}. {}",
                StopCause::Role.meaning(),
                cause_hint(StopCause::Role)
            ))
        }
        (RefusalClass::NotFound, About::MadeUp) => {
            Check::ok(name, format!("reachable and allowed; no such meeting, as expected ({answer})"))
        }
        (RefusalClass::NotFound, About::Real) => {
            Check::ok(name, format!("reachable and allowed; nothing was found for one that is listed ({answer})"))
        }
        (RefusalClass::Unsupported, About::MadeUp) if is_known => {
            Check::ok(name, format!("reachable and allowed; a made-up one is refused, as expected ({answer})"))
        }
        (RefusalClass::Unsupported | RefusalClass::TooLong, _) => {
            Check::warning(name, format!("reachable, but the call was refused ({answer})"))
                .next("a run skips such refusals and names them in the report coverage")
        }
    }
}

/// What a refusal means, and the answer; said once where both have the same words.
fn told(cause: StopCause, answer: &ErrorResponse) -> String {
    match answer.to_string() {
        answer if answer.contains(cause.meaning()) => answer,
        answer => format!("{} ({answer})", cause.meaning()),
    }
}

/// A doctor's exit: a used-up month is the vendor's refusal here, not a stop on purpose; a wrong clock stands between us.
fn exit_of(cause: StopCause) -> ExitCode {
    match cause {
        StopCause::MonthlyQuota | StopCause::Clock => ExitCode::Vendor,
        other => cause_exit(other),
    }
}

/// Why the other lists would be answered no better; scopes differ from list to list, so they are asked.
fn ends_after(cause: StopCause) -> Option<&'static str> {
    match cause {
        StopCause::Credentials => Some("the credentials are not taken"),
        StopCause::IpAllowList => Some("no call from this address is answered"),
        StopCause::MonthlyQuota => Some("the month's calls are used up"),
        StopCause::WrongHost => Some("the host does not know the API"),
        StopCause::AppScope | StopCause::UserScope | StopCause::Role | StopCause::Clock | StopCause::InvalidRequest => {
            None
        }
    }
}

pub(super) fn host_failed(origin: &str, fault: &Fault) -> Check {
    Check::failed("host", ExitCode::Vendor, format!("{origin}: {}", with_causes(fault)))
        .next("check the network, a proxy or firewall on the way, and the region or base URL")
}

/// An app that its host does not know may be known to the other one.
pub(super) fn with_region(check: Check, other_region: Option<&str>) -> Check {
    match other_region {
        Some(other) if is_about_the_app(&check) => {
            check.next(format!("an app of one region is unknown to the other: try {other}"))
        }
        _ => check,
    }
}

fn is_about_the_app(check: &Check) -> bool {
    check.found.starts_with(StopCause::Credentials.meaning())
}

pub(super) fn given(kind: TokenKind) -> String {
    let kind = match kind {
        TokenKind::Tenant => "a tenant token",
        TokenKind::User => "a user token",
        TokenKind::Unknown => "a token whose beginning tells neither tenant nor user",
    };
    format!("{kind} is given; how long it lives is not known, and it is not renewed")
}

/// The difference of the clocks. The vendor's is cut to whole seconds.
pub(super) fn clock(reached: &ProbeResponse) -> Check {
    let Some(theirs) = reached.server_date else {
        return Check::skipped("clock", "the host's answer has no date");
    };
    let ours_ms =
        reached.requested_at.as_millisecond() + i64::try_from(reached.elapsed.as_millis() / 2).unwrap_or_default();
    let ahead_s = (ours_ms - theirs.as_millisecond() - 500) / 1_000;
    let (size, way) = (ahead_s.abs(), if ahead_s > 0 { "ahead of" } else { "behind" });
    let found =
        format!("this machine's clock is {} {way} the vendor's", format_wait(Duration::from_secs(size.unsigned_abs())));
    let next = "set the clock by a time server (timedatectl set-ntp true)";
    match size {
        ..=1 => Check::ok("clock", "this machine's clock and the vendor's agree"),
        2..SKEW_WARNING_S => Check::ok("clock", found),
        SKEW_WARNING_S..SKEW_FAILED_S => Check::warning("clock", found).next(next),
        _ => Check::failed(
            "clock",
            ExitCode::Vendor,
            format!("{found}: meetings that go on would be taken for ended, or the other way round"),
        )
        .next(next),
    }
}

/// An error and its causes on one line.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause.filter(|cause| !is_redundant_source(*cause)) {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::commands::doctor::State;
    use feishu_vc::error_codes::{ERROR_CODES, decide};
    use feishu_vc::{Action, Body};

    fn answer(code: i64) -> Box<ErrorResponse> {
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

    /// The error that the client makes of a code.
    fn error(endpoint: Endpoint, code: i64) -> Option<CallError> {
        match decide(Some(endpoint), 400, Some(code)) {
            Action::Skip(class) => Some(CallError::Refused { endpoint, class, answer: answer(code) }),
            Action::Stop(cause) => {
                Some(CallError::Stop { endpoint: Some(endpoint), cause, scopes: Vec::new(), answer: answer(code) })
            }
            Action::RefreshToken => {
                let cause = StopCause::Credentials;
                Some(CallError::Stop { endpoint: Some(endpoint), cause, scopes: Vec::new(), answer: answer(code) })
            }
            Action::Accept | Action::Retry | Action::Wait => None,
        }
    }

    const P: Endpoint = Endpoint::ParticipantList;
    const CAP: Duration = Duration::from_secs(120);

    #[test]
    fn codes_are_told_apart() {
        use About::{MadeUp, Real};
        use State::{Failed, Ok, Warning};
        let of = |code, about| {
            let judged = of_error("participant_list", &error(P, code).expect("no retry"), about, CAP);
            (judged.check.state, judged.check.exit.map(ExitCode::number), judged.ends.is_some())
        };
        for (code, about, expected) in [
            (126_009, MadeUp, (Ok, None, false)),
            (126_009, Real, (Ok, None, false)),
            (126_010, MadeUp, (Ok, None, false)),
            (121_004, MadeUp, (Ok, None, false)),
            (126_004, MadeUp, (Ok, None, false)),
            (99_992_351, MadeUp, (Ok, None, false)),
            (126_004, Real, (Warning, None, false)),
            (121_003, MadeUp, (Warning, None, false)),
            (99_992_402, MadeUp, (Warning, None, false)),
            (4_711, MadeUp, (Warning, None, false)),
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
            assert_eq!(of(code, about), expected, "{code} {about:?}");
        }
    }

    #[test]
    fn every_refusal_names_code_log_id_and_page_and_every_failure_what_to_do() {
        for fact in ERROR_CODES {
            for endpoint in Endpoint::ALL {
                let Some(error) = error(endpoint, fact.code) else { continue };
                for about in [About::Real, About::MadeUp] {
                    let Judged { check, .. } = of_error(endpoint.name(), &error, about, CAP);
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
    fn a_throttle_is_a_warning_with_the_vendors_wait() {
        let Judged { check, ends } = of_error("participant_list", &throttled(41), About::Real, CAP);
        assert_eq!((check.state, ends), (State::Warning, None));
        assert!(check.found.contains("41 s"));
    }

    fn throttled(requested_s: u64) -> CallError {
        let requested_wait = Duration::from_secs(requested_s);
        CallError::Throttled { endpoint: P, host: String::new(), throttles: 0, requested_wait, log_id: None }
    }

    #[test]
    fn a_throttle_that_no_run_waits_for_is_a_failure() {
        let judged = |requested_s| of_error("participant_list", &throttled(requested_s), About::Real, CAP).check;
        assert_eq!(judged(CAP.as_secs()).state, State::Warning);
        let check = judged(CAP.as_secs() + 1);
        assert_eq!((check.state, check.exit), (State::Failed, Some(ExitCode::Vendor)));
        assert!(check.next[0].contains("120 s") && check.next[1].contains("121 s"), "{:?}", check.next);
    }

    #[test]
    fn an_app_that_is_not_known_may_be_known_elsewhere() {
        let advised = |code, other| {
            let judged = of_error("token", &error(P, code).expect("no retry"), About::Real, CAP);
            let check = with_region(judged.check, other);
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
            clock(&reached)
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
        assert_eq!(clock(&silent).state, State::Skipped);
    }
}
