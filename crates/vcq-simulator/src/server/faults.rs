//! Fault injection: which calls fail, and how.
//!
//! Triggers are deterministic: the same calls in the same order fail in the same way. Variations of the JSON (malformed
//! values, times as Unix seconds) are in `JsonStyle`, since they belong to the data and not to a call.

use std::collections::HashMap;
use std::str::FromStr;

use thiserror::Error;

use super::{Endpoint, Params};
use crate::random::{derive_key, hash_text, unit_interval};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FaultKind {
    /// HTTP 500 with code 121001.
    InternalError,
    /// An HTML page with this HTTP status; a redirect has a location.
    Html { http_status: u16 },
    /// HTTP 200 without a body.
    EmptyBody,
    /// The first half of the correct body, with a matching `content-length`.
    TruncatedJson,
    /// HTTP 200 with text that is not JSON.
    NotJson,
    /// The connection is reset before the response.
    Reset,
    /// The connection is reset in the middle of the correct response.
    ResetInResponse,
    /// No response until the caller times out.
    Stall,
    /// Code 99991400.
    Throttle {
        http_status: u16,
        /// Value of `x-ogw-ratelimit-reset`. `None`: no rate-limit headers.
        reset_s: Option<f64>,
    },
    /// An error code. `http_status` `None`: its documented one, or 400.
    ErrorCode { code: i64, http_status: Option<u16> },
    /// The correct response with numbers and flags of the envelope as text: `"code":"0"`, `"has_more":"true"`.
    TextEnvelope,
    /// The correct response as gzip, although it was not requested.
    Gzip { has_header: bool },
    /// `has_more` is true and the page token is the one that was sent.
    RepeatPageToken,
    /// `has_more` is always true, with empty pages after the last row.
    EndlessPages,
    /// Two rows are inserted at the head between pages, so that each page repeats the end of the one before.
    ShiftingRows,
}

/// Which calls of the fault's endpoint fail. Calls are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trigger {
    Always,
    /// Call n, 2n, 3n, ...
    EveryNth(u64),
    /// Every call after the first n.
    After(u64),
    First(u64),
    /// A share of the calls (0..1), picked at random from the seed.
    Chance(f64),
    /// All calls for a share (0..1) of the units, picked at random from the seed. A unit is a participant for the
    /// quality list, a meeting for the participant list.
    Share(f64),
    /// The first n calls for each unit, like a failure that retries overcome.
    FirstOfEach(u64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// `None`: every endpoint except the token.
    pub on: Option<Endpoint>,
    pub kind: FaultKind,
    pub trigger: Trigger,
}

#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error(
    "invalid fault {text:?}: {problem}; expected [ENDPOINT:]KIND[@TRIGGER], such as participant_quality_list:html@every=7"
)]
pub struct FaultError {
    pub text: String,
    pub problem: String,
}

/// The kinds without a value, by the name that [`Fault::from_str`] accepts.
pub const FAULT_NAMES: &[(&str, FaultKind)] = &[
    ("internal-error", FaultKind::InternalError),
    ("html", FaultKind::Html { http_status: 502 }),
    ("empty", FaultKind::EmptyBody),
    ("truncated", FaultKind::TruncatedJson),
    ("not-json", FaultKind::NotJson),
    ("reset", FaultKind::Reset),
    ("reset-in-answer", FaultKind::ResetInResponse),
    ("stall", FaultKind::Stall),
    ("throttle", FaultKind::Throttle { http_status: 429, reset_s: Some(1.0) }),
    ("throttle-400", FaultKind::Throttle { http_status: 400, reset_s: Some(1.0) }),
    ("throttle-bare", FaultKind::Throttle { http_status: 429, reset_s: None }),
    ("throttle-huge", FaultKind::Throttle { http_status: 429, reset_s: Some(86_400.0) }),
    ("quota", error_code(99_991_403)),
    ("no-permission", error_code(121_005)),
    ("missing-scope", error_code(99_991_672)),
    ("user-scope", error_code(99_991_679)),
    ("ip-not-allowed", error_code(99_991_401)),
    ("text-envelope", FaultKind::TextEnvelope),
    ("gzip", FaultKind::Gzip { has_header: true }),
    ("gzip-bare", FaultKind::Gzip { has_header: false }),
    ("repeat-token", FaultKind::RepeatPageToken),
    ("endless", FaultKind::EndlessPages),
    ("shift", FaultKind::ShiftingRows),
];

const fn error_code(code: i64) -> FaultKind {
    FaultKind::ErrorCode { code, http_status: None }
}

impl FromStr for Fault {
    type Err = FaultError;

    /// Parses `[ENDPOINT:]KIND[@TRIGGER]`. KIND is a name of [`FAULT_NAMES`], `code=N`, `code=N/STATUS` (any code with
    /// any HTTP status) or `html=STATUS`; TRIGGER is `always` (the
    /// default), `every=N`, `after=N`, `first=N`, `chance=P`, `share=P` or `first-of-each=N`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |problem: String| FaultError { text: text.to_owned(), problem };
        let (rest, trigger) = text.split_once('@').unwrap_or((text, "always"));
        let (on, kind) = match rest.split_once(':') {
            Some((endpoint, kind)) => (Some(endpoint.parse().map_err(&fail)?), kind),
            None => (None, rest),
        };
        let kind = parse_kind(kind).map_err(&fail)?;
        Ok(Self { on, kind, trigger: parse_trigger(trigger).map_err(&fail)? })
    }
}

fn parse_kind(text: &str) -> Result<FaultKind, String> {
    let http_status = |text: &str| {
        let status = text.parse().ok().filter(|status| (200..600).contains(status));
        status.ok_or_else(|| format!("{text:?} is not an HTTP status"))
    };
    match text.split_once('=') {
        Some(("html", status)) => Ok(FaultKind::Html { http_status: http_status(status)? }),
        Some(("code", value)) => {
            let (code, status) = value.split_once('/').map_or((value, None), |(code, status)| (code, Some(status)));
            let code = code.parse().map_err(|_| format!("{code:?} is not a code"))?;
            Ok(FaultKind::ErrorCode { code, http_status: status.map(http_status).transpose()? })
        }
        _ => {
            let known = FAULT_NAMES.iter().find(|(name, _)| *name == text);
            known.map(|(_, kind)| *kind).ok_or_else(|| format!("unknown kind {text:?}"))
        }
    }
}

fn parse_trigger(text: &str) -> Result<Trigger, String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let count = |least| {
        let count = value.parse().ok().filter(|count| *count >= least);
        count.ok_or_else(|| format!("{value:?} is not a valid count"))
    };
    let share = || {
        let share = value.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| format!("{value:?} is not between 0 and 1"))
    };
    match name {
        "always" => Ok(Trigger::Always),
        "every" => count(1).map(Trigger::EveryNth),
        "after" => count(0).map(Trigger::After),
        "first" => count(1).map(Trigger::First),
        "first-of-each" => count(1).map(Trigger::FirstOfEach),
        "chance" => share().map(Trigger::Chance),
        "share" => share().map(Trigger::Share),
        _ => Err(format!("unknown trigger {name:?}")),
    }
}

#[derive(Debug, Default)]
pub(super) struct FaultInjector {
    /// Calls that each fault could have affected.
    calls: Vec<u64>,
    /// Calls by fault and unit.
    unit_calls: HashMap<(usize, u64), u64>,
}

impl FaultInjector {
    /// Counts a call and returns the faults that it triggers, in the order of `faults`.
    pub(super) fn trigger(&mut self, faults: &[Fault], seed: u64, endpoint: Endpoint, unit: u64) -> Vec<FaultKind> {
        self.calls.resize(faults.len(), 0);
        let applies = |fault: &Fault| fault.on.map_or(!endpoint.is_token(), |on| on == endpoint);
        let mut triggered = Vec::new();
        for (at, fault) in faults.iter().enumerate().filter(|(_, fault)| applies(fault)) {
            self.calls[at] += 1;
            let call = self.calls[at];
            let random = |part: u64| unit_interval(derive_key(derive_key(seed, at as u64), part));
            let is_triggered = match fault.trigger {
                Trigger::Always => true,
                Trigger::EveryNth(n) => call.is_multiple_of(n.max(1)),
                Trigger::After(n) => call > n,
                Trigger::First(n) => call <= n,
                Trigger::Chance(share) => random(call) < share,
                Trigger::Share(share) => random(unit) < share,
                Trigger::FirstOfEach(n) => {
                    let calls = self.unit_calls.entry((at, unit)).or_insert(0);
                    *calls += 1;
                    *calls <= n
                }
            };
            if is_triggered {
                triggered.push(fault.kind);
            }
        }
        triggered
    }
}

/// The unit of a call. A quality call is identified by number, ID and join time, a participant call by number and start
/// rounded down to the minute, so that a retry with another window is about the same unit.
pub(super) fn unit_key(endpoint: Endpoint, params: &Params) -> u64 {
    let ignored: &[&str] = match endpoint {
        Endpoint::ParticipantQualityList => {
            &["page_token", "page_size", "user_id_type", "meeting_start_time", "meeting_end_time"]
        }
        _ => &["page_token", "page_size", "user_id_type", "meeting_end_time"],
    };
    let relevant = params.iter().filter(|(name, _)| !ignored.contains(&name.as_str()));
    relevant.fold(derive_key(endpoint as u64, 0), |unit, (name, value)| {
        let value = match (name.as_str(), value.parse::<i64>()) {
            ("meeting_start_time", Ok(start)) => (start / 60).to_string(),
            _ => value.clone(),
        };
        // A sum, so that the order of the parameters does not matter.
        unit.wrapping_add(hash_text(hash_text(0, name), &value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triggered(trigger: Trigger, calls: u64, unit: impl Fn(u64) -> u64) -> Vec<u64> {
        let faults = [Fault { on: None, kind: FaultKind::EmptyBody, trigger }];
        let mut injector = FaultInjector::default();
        (1..=calls)
            .filter(|call| !injector.trigger(&faults, 3, Endpoint::MeetingList, unit(*call)).is_empty())
            .collect()
    }

    #[test]
    fn triggers_select_the_documented_calls() {
        assert_eq!(triggered(Trigger::Always, 3, |_| 0), [1, 2, 3]);
        assert_eq!(triggered(Trigger::EveryNth(3), 7, |_| 0), [3, 6]);
        assert_eq!(triggered(Trigger::After(5), 7, |_| 0), [6, 7]);
        assert_eq!(triggered(Trigger::First(2), 7, |_| 0), [1, 2]);
        assert_eq!(triggered(Trigger::FirstOfEach(1), 6, |call| call % 3), [1, 2, 3]);
        let tenth = triggered(Trigger::Chance(0.1), 1000, |_| 0);
        assert!((70..130).contains(&tenth.len()), "{}", tenth.len());
        assert_eq!(tenth, triggered(Trigger::Chance(0.1), 1000, |_| 0));
        let unlucky = triggered(Trigger::Share(0.3), 20, |call| call % 10);
        assert!(
            !unlucky.is_empty() && unlucky.iter().all(|call| unlucky.contains(&((call + 9) % 20 + 1))),
            "{unlucky:?}"
        );
    }

    #[test]
    fn a_fault_without_endpoint_does_not_affect_the_token() {
        let faults = [Fault { on: None, kind: FaultKind::Stall, trigger: Trigger::Always }];
        let mut injector = FaultInjector::default();
        assert!(injector.trigger(&faults, 1, Endpoint::TenantAccessToken, 0).is_empty());
        assert_eq!(injector.trigger(&faults, 1, Endpoint::ParticipantList, 0), [FaultKind::Stall]);
    }

    #[test]
    fn faults_are_parsed() {
        let (quality, participants) = (Endpoint::ParticipantQualityList, Endpoint::ParticipantList);
        let throttle = FaultKind::Throttle { http_status: 429, reset_s: None };
        let code = error_code;
        let with_status = |code, http_status| FaultKind::ErrorCode { code, http_status: Some(http_status) };
        for (text, on, kind, trigger) in [
            ("stall", None, FaultKind::Stall, Trigger::Always),
            (
                "participant_quality_list:html@every=7",
                Some(quality),
                FaultKind::Html { http_status: 502 },
                Trigger::EveryNth(7),
            ),
            ("html=404@first=1", None, FaultKind::Html { http_status: 404 }, Trigger::First(1)),
            ("code=2200/200", None, with_status(2_200, 200), Trigger::Always),
            ("text-envelope", None, FaultKind::TextEnvelope, Trigger::Always),
            ("meeting_list:code=121003", Some(Endpoint::MeetingList), code(121_003), Trigger::Always),
            (
                "tenant_access_token:code=10014@first=2",
                Some(Endpoint::TenantAccessToken),
                code(10014),
                Trigger::First(2),
            ),
            ("quota@after=500", None, code(99_991_403), Trigger::After(500)),
            ("throttle-bare@chance=0.25", None, throttle, Trigger::Chance(0.25)),
            (
                "participant_list:truncated@first-of-each=1",
                Some(participants),
                FaultKind::TruncatedJson,
                Trigger::FirstOfEach(1),
            ),
            ("no-permission@share=0.1", None, code(121_005), Trigger::Share(0.1)),
        ] {
            assert_eq!(text.parse(), Ok(Fault { on, kind, trigger }), "{text}");
        }
        for text in [
            "",
            "fire",
            "nowhere:stall",
            "stall@every=0",
            "stall@chance=2",
            "stall@sometimes",
            "code=x",
            "code=1/9",
            "html=x",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text:?} should be invalid");
        }
    }

    #[test]
    fn a_unit_is_the_same_for_all_pages_and_windows() {
        let params = |text: &str| -> Params {
            text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
        };
        let quality = |text: &str| unit_key(Endpoint::ParticipantQualityList, &params(text));
        let one = quality("meeting_no=1&user_id=a&join_time=5&meeting_start_time=61");
        assert_eq!(one, quality("join_time=5&meeting_start_time=60&meeting_no=1&user_id=a&page_token=x"));
        assert_ne!(one, quality("meeting_no=1&user_id=a&join_time=6"));
        assert_ne!(one, quality("meeting_no=1&room_id=a&join_time=5"));
        let list = |text: &str| unit_key(Endpoint::ParticipantList, &params(text));
        assert_eq!(list("meeting_no=1&meeting_start_time=61"), list("meeting_no=1&meeting_start_time=60"));
        assert_ne!(list("meeting_no=1&meeting_start_time=61"), list("meeting_no=1&meeting_start_time=600"));
    }
}
