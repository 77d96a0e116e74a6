//! One table from Feishu's code to its meaning and to what the client does about it.
//!
//! Feishu reports what happened in `code`, not in the HTTP status: a throttled request can be 400 or 429, and 429 can
//! also mean that the monthly quota is used up. Only a code of the table can end a call for good. Everything else,
//! under any HTTP status, is a temporary fault and retried.
//! Pure. No other file contains a code: use the functions here.
//!
//! Sources: Feishu's documents "generic error codes" (2025-08), of the token endpoints, and of the three lists
//! (2025-07).

use std::ops::RangeInclusive;

use crate::endpoint::Endpoint;

/// What the client does after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Return the page.
    Accept,
    /// Repeat after a backoff: a temporary failure of Feishu or of the network.
    Retry,
    /// Retry with backoff, and stop after the last attempt: Feishu also returns it temporarily.
    RetryThenStop(StopCause),
    /// Repeat after the wait that Feishu requests: too many calls.
    Wait,
    /// Refresh the token and repeat; then repeat once more a little later; then it is [`StopCause::Credentials`].
    RefreshToken,
    /// End the call: there is nothing to return for this meeting or participant.
    Skip(RefusalClass),
    /// End the call: any further call would be refused as well.
    Stop(StopCause),
}

/// Why Feishu refuses one meeting or participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalClass {
    /// No such meeting, participant or data; perhaps not yet.
    NotFound,
    /// Not visible to the app. If all are refused, the admin role is missing.
    Forbidden,
    /// Not supported for this one.
    Unsupported,
    /// The window is too long.
    TooLong,
}

/// Why every further call would be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopCause {
    /// App ID, secret, token, or the state of the app.
    Credentials,
    /// The app ticket of a store app is not valid.
    AppTicket,
    /// A store app has no access to the tenant: a wrong tenant key, or a tenant that has not enabled the app.
    Tenant,
    /// The refresh token of a user is not valid.
    UserGrant,
    /// The same, after a use of the token whose response was lost, so that its successor is unknown.
    UserGrantLost,
    /// The app lacks a scope.
    AppScope,
    /// The user who granted the token did not grant a scope.
    UserScope,
    /// The admin role for meetings is missing.
    Role,
    /// The machine's address is not on the app's allow-list.
    IpAllowList,
    /// The monthly quota is used up.
    MonthlyQuota,
    /// The host does not know the path: the wrong region, or not Feishu.
    WrongHost,
    /// Feishu considers the window to be in the future.
    Clock,
    /// Feishu does not accept the request: a bug of the caller or of this crate.
    InvalidRequest,
}

impl StopCause {
    /// The meaning, as a phrase without a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            StopCause::Credentials => "the credentials were not accepted",
            StopCause::AppTicket => "the app ticket was not accepted",
            StopCause::Tenant => "the store app has no access to the tenant",
            StopCause::UserGrant => "the refresh token was not accepted",
            StopCause::UserGrantLost => {
                "the refresh token was used before, and the response with the next one was lost"
            }
            StopCause::AppScope => "the app lacks a scope",
            StopCause::UserScope => "the user token lacks a scope",
            StopCause::Role => "no permission to see the tenant's meetings",
            StopCause::IpAllowList => "this machine's address is not on the app's IP allow-list",
            StopCause::MonthlyQuota => "the tenant's monthly calls are used up",
            StopCause::WrongHost => "the host does not know the meeting API",
            StopCause::Clock => "Feishu considers the window to be in the future",
            StopCause::InvalidRequest => "Feishu did not accept the request",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The code.
    pub code: i64,
    /// What to do.
    pub action: Action,
    /// What to do on meeting_list, if different: there a refusal affects the complete window.
    pub on_meeting_list: Option<Action>,
    /// The cause in the token requests of a store app or a user, if it is more specific there.
    pub on_renewal: Option<StopCause>,
    /// The meaning, as a phrase without a full stop.
    pub meaning: &'static str,
}

const fn row(code: i64, action: Action, meaning: &'static str) -> ErrorCode {
    ErrorCode { code, action, on_meeting_list: None, on_renewal: None, meaning }
}

const fn split(code: i64, action: Action, on_meeting_list: Action, meaning: &'static str) -> ErrorCode {
    ErrorCode { on_meeting_list: Some(on_meeting_list), ..row(code, action, meaning) }
}

const fn renewal(code: i64, action: Action, on_renewal: StopCause, meaning: &'static str) -> ErrorCode {
    ErrorCode { on_renewal: Some(on_renewal), ..row(code, action, meaning) }
}

use Action::{RefreshToken, Retry, RetryThenStop, Skip, Stop, Wait};
use RefusalClass::{Forbidden, NotFound, TooLong, Unsupported};
use StopCause::{
    AppScope, AppTicket, Clock, Credentials, InvalidRequest, IpAllowList, MonthlyQuota, Role, Tenant, UserGrant,
    UserScope, WrongHost,
};

/// Every code that Feishu documents for these endpoints and their neighbours, in ascending order.
pub const ERROR_CODES: &[ErrorCode] = &[
    // The tokens of apps and tenants.
    row(10003, Stop(Credentials), "invalid parameter of the token request"),
    row(10005, Stop(Credentials), "the app id is not authorised"),
    renewal(10012, RetryThenStop(Credentials), AppTicket, "the app token could not be obtained"),
    renewal(10013, RetryThenStop(Credentials), Tenant, "the tenant token could not be obtained"),
    row(10014, Stop(Credentials), "the app is not authorised or is disabled"),
    row(10015, Stop(Credentials), "wrong app secret"),
    row(10016, Stop(Credentials), "wrong type of app"),
    // The tokens of users. The lists return these codes too when they check one, some of them at random while the token
    // is valid.
    row(20001, RetryThenStop(Credentials), "missing parameter in the user login"),
    row(20002, RetryThenStop(Credentials), "wrong client secret"),
    row(20003, RetryThenStop(Credentials), "unknown login code"),
    row(20004, RetryThenStop(Credentials), "expired login code"),
    row(20008, RetryThenStop(Credentials), "the user does not exist"),
    row(20009, RetryThenStop(Credentials), "the app is not installed in the tenant"),
    row(20010, RetryThenStop(Credentials), "the user is not allowed to use the app"),
    renewal(20024, RetryThenStop(Credentials), UserGrant, "login code or token of another app"),
    renewal(20026, RetryThenStop(Credentials), UserGrant, "invalid refresh token"),
    row(20036, RetryThenStop(Credentials), "unsupported grant type"),
    renewal(20037, RetryThenStop(Credentials), UserGrant, "refresh token expired; the user must log in again"),
    row(20048, RetryThenStop(Credentials), "the app does not exist"),
    row(20049, RetryThenStop(Credentials), "the PKCE verifier does not match"),
    row(20050, Retry, "internal error of the login server"),
    row(20063, RetryThenStop(Credentials), "malformed login request"),
    renewal(20064, RetryThenStop(Credentials), UserGrant, "the user's grant was revoked"),
    row(20065, RetryThenStop(Credentials), "login code already used"),
    row(20066, RetryThenStop(Credentials), "the user's account is not active"),
    row(20067, RetryThenStop(Credentials), "duplicate scopes in the login request"),
    row(20068, RetryThenStop(Credentials), "scopes in the login request that are not allowed"),
    row(20069, RetryThenStop(Credentials), "the app is disabled"),
    row(20070, RetryThenStop(Credentials), "more than one authentication method"),
    row(20071, RetryThenStop(Credentials), "the redirect URL differs"),
    row(20072, Retry, "the login server is temporarily unavailable"),
    renewal(20073, RetryThenStop(Credentials), UserGrant, "refresh token already used"),
    renewal(20074, RetryThenStop(Credentials), UserGrant, "token refresh is disabled for the app"),
    // The lists.
    row(121001, Retry, "internal error of Feishu"),
    row(121002, Skip(Unsupported), "not supported"),
    split(PARAMETER_ERROR, Skip(Unsupported), Stop(InvalidRequest), "parameter error"),
    row(121004, Skip(NotFound), "the data does not exist"),
    split(NO_PERMISSION, Skip(Forbidden), Stop(Role), "no permission"),
    // Of the search endpoints. They are not documented for these lists, so they are retried.
    row(121011, Retry, "search refused"),
    row(121012, Retry, "search refused"),
    // A walk cannot continue with an invalid page token. Retried, so that it ends as failed, not as unsupported.
    row(121020, Retry, "the page token is invalid or has expired"),
    row(121021, Retry, "search refused"),
    row(121022, Retry, "search refused"),
    row(121030, Retry, "search refused"),
    row(121031, Retry, "search refused"),
    row(121040, Retry, "search refused"),
    row(121041, Retry, "search refused"),
    row(122359, Skip(Unsupported), "rooms cannot be requested with this type of user id"),
    row(122601, Retry, "search refused"),
    row(122602, Retry, "search refused"),
    row(122603, Retry, "search refused"),
    row(122604, Retry, "search refused"),
    row(126003, Skip(Unsupported), "the meeting number is negative"),
    row(126004, Skip(Unsupported), "the meeting number does not have nine digits"),
    row(126005, Stop(Clock), "the window starts in the future or before 1970"),
    split(WINDOW_TOO_LONG, Skip(TooLong), Stop(InvalidRequest), "the window is too long or ends before it starts"),
    row(126007, Stop(InvalidRequest), "user and room at once"),
    row(126008, Stop(InvalidRequest), "more than one filter"),
    // On meeting_list it can only concern the filter by number.
    row(MEETING_NOT_FOUND, Skip(NotFound), "no such meeting in the window"),
    row(126010, Skip(NotFound), "no such participant in the meeting"),
    row(126015, Stop(InvalidRequest), "the filter by room is not supported"),
    row(126016, Stop(InvalidRequest), "the window ends more than a month in the future"),
    // The counts by user.
    row(1051001, Skip(Unsupported), "a parameter is not valid, or the day is too old"),
    row(1051002, Skip(Forbidden), "the app is not allowed to see these users"),
    // The platform.
    row(99991201, RetryThenStop(WrongHost), "unknown path"),
    row(99991301, RetryThenStop(WrongHost), "unknown method"),
    row(99991400, Wait, "too many calls"),
    row(99991401, Stop(IpAllowList), "the caller's address is not allowed"),
    // Feishu's Python SDK treats it as a rate limit; its documents do not mention it.
    row(99991402, Wait, "too many calls"),
    row(99991403, Stop(MonthlyQuota), "the monthly calls are used up"),
    row(99991543, Stop(Credentials), "app id and app secret do not belong together"),
    row(99991661, Stop(InvalidRequest), "no token in the request"),
    renewal(99991662, Stop(Credentials), Tenant, "the app is not enabled in the tenant"),
    row(99991663, RefreshToken, "the tenant token is invalid, expired, or not accepted here"),
    row(99991664, RefreshToken, "the app token is invalid"),
    renewal(99991665, Stop(Credentials), Tenant, "invalid tenant code"),
    row(99991668, RefreshToken, "the user token is invalid, expired, or not accepted here"),
    renewal(99991669, Stop(Credentials), UserGrant, "the refresh token is invalid; the user must log in again"),
    row(99991671, RefreshToken, "the token is malformed or of another type"),
    row(99991672, Stop(AppScope), "the app lacks a scope"),
    renewal(99991673, Stop(Credentials), Tenant, "the app is not installed or not active"),
    row(99991674, Stop(InvalidRequest), "invalid user type"),
    row(99991675, Stop(InvalidRequest), "invalid user id"),
    row(99991676, Stop(AppScope), "the token has no permission for this"),
    row(99991677, RefreshToken, "the user token has expired"),
    row(99991679, Stop(UserScope), "the user did not grant a scope"),
    row(99991681, Stop(Credentials), "the authorisation failed"),
    row(99991692, Stop(Credentials), "the authorisation failed"),
    row(99992351, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    row(99992352, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    row(99992353, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    row(99992359, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    row(99992360, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    row(99992363, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    row(99992364, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    row(99992375, Skip(Unsupported), "unknown room id"),
    row(99992376, Skip(Unsupported), "unknown room id"),
    row(99992378, Skip(Unsupported), "invalid room id"),
    row(99992381, Skip(Unsupported), "the id is unknown, or belongs to another app or tenant"),
    split(PARAMETER_CHECK_FAILED, Skip(Unsupported), Stop(InvalidRequest), "a parameter failed validation"),
];

/// "No permission": the admin role that sees the tenant's meetings is missing, or this meeting is not visible to it.
pub const NO_PERMISSION: i64 = 121005;
/// The codes of the admin endpoints have no meaning on the others.
const ADMIN_CODES: RangeInclusive<i64> = 1_051_000..=1_051_999;
const PARAMETER_ERROR: i64 = 121003;
const WINDOW_TOO_LONG: i64 = 126006;
const MEETING_NOT_FOUND: i64 = 126009;
const PARAMETER_CHECK_FAILED: i64 = 99992402;

/// The row of a code, or `None` if Feishu does not document it.
pub fn find(code: i64) -> Option<&'static ErrorCode> {
    ERROR_CODES.binary_search_by_key(&code, |row| row.code).ok().map(|index| &ERROR_CODES[index])
}

/// The meaning of a documented code, as a phrase without a full stop.
pub fn meaning(code: i64) -> Option<&'static str> {
    find(code).map(|row| row.meaning)
}

/// The class of a code that refuses one participant, meeting or window; `None` for any other code.
pub fn refusal_class(code: i64) -> Option<RefusalClass> {
    match find(code)?.action {
        Skip(class) => Some(class),
        _ => None,
    }
}

/// Whether a refusal with this code certainly concerns only what was requested. Parameter errors may concern every
/// request of the client.
pub fn concerns_one_unit(code: i64) -> bool {
    find(code).is_some() && !matches!(code, PARAMETER_ERROR | PARAMETER_CHECK_FAILED)
}

/// Whether the meeting was not found in the requested window.
pub fn is_meeting_not_found(code: i64) -> bool {
    code == MEETING_NOT_FOUND
}

/// Whether the requested window was too long.
pub fn is_window_too_long(code: i64) -> bool {
    code == WINDOW_TOO_LONG
}

/// What to do after a response.
///
/// `endpoint` is `None` for the token request; `code` is `None` if the body is not the API's JSON.
pub fn decide(endpoint: Option<Endpoint>, http_status: u16, code: Option<i64>) -> Action {
    match (code, code.and_then(find)) {
        (Some(0), _) if (200..300).contains(&http_status) => Action::Accept,
        (_, Some(row)) => match (endpoint, row.on_meeting_list, row.action) {
            (Some(Endpoint::MeetingList), Some(special), _) => special,
            // There is no token to refresh, no unit to skip and no window. Only a code about the app is final.
            (None, _, RefreshToken | Skip(_) | Stop(Clock | InvalidRequest | Role)) => Retry,
            (Some(endpoint), _, _) if ADMIN_CODES.contains(&row.code) && endpoint != Endpoint::UserStats => Retry,
            (_, _, action) => action,
        },
        // Redirects are not followed: they come from login pages or moved hosts, never from Feishu.
        (None, None) if matches!(http_status, 300..=399 | 404 | 405) => RetryThenStop(WrongHost),
        (_, None) if http_status == 429 => Wait,
        (_, None) => Retry,
    }
}

/// The same for the token requests of a store app (`is_user` is false) or a user.
///
/// A refused refresh token is never sent again: Feishu would take it for a stolen one.
pub(crate) fn decide_renewal(is_user: bool, http_status: u16, code: Option<i64>) -> Action {
    let cause = code.and_then(find).and_then(|row| row.on_renewal);
    match decide(None, http_status, code) {
        RetryThenStop(WrongHost) => RetryThenStop(WrongHost),
        RetryThenStop(other) if is_user => Stop(cause.unwrap_or(other)),
        RetryThenStop(other) => RetryThenStop(cause.unwrap_or(other)),
        Stop(other) => Stop(cause.unwrap_or(other)),
        action => action,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every documented code, listed separately from the table.
    const DOCUMENTED: &[i64] = &[
        10003, 10005, 10012, 10013, 10014, 10015, 10016, 99991543, 20001, 20002, 20003, 20004, 20065, 20008, 20009,
        20010, 20024, 20026, 20036, 20037, 20048, 20049, 20050, 20063, 20064, 20066, 20067, 20068, 20069, 20070, 20071,
        20072, 20073, 20074, 99991661, 99991662, 99991663, 99991664, 99991665, 99991668, 99991669, 99991671, 99991672,
        99991673, 99991674, 99991675, 99991676, 99991677, 99991679, 99991681, 99991692, 99991400, 99991401, 99991402,
        99991403, 99991201, 99991301, 99992402, 99992351, 99992352, 99992353, 99992359, 99992360, 99992363, 99992364,
        99992381, 99992375, 99992376, 99992378, 121001, 121002, 121003, 121004, 121005, 126003, 126004, 126005, 126006,
        126007, 126008, 126009, 126010, 126015, 126016, 122359, 121011, 121012, 121020, 121021, 121022, 121030, 121031,
        121040, 121041, 122601, 122602, 122603, 122604, 1051001, 1051002,
    ];

    const M: Option<Endpoint> = Some(Endpoint::MeetingList);
    const P: Option<Endpoint> = Some(Endpoint::ParticipantList);
    const Q: Option<Endpoint> = Some(Endpoint::ParticipantQualityList);

    #[test]
    fn table_is_ascending_without_duplicates() {
        assert!(ERROR_CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn table_has_exactly_the_documented_codes() {
        for code in DOCUMENTED {
            assert!(find(*code).is_some(), "{code} is missing");
        }
        assert_eq!(ERROR_CODES.len(), DOCUMENTED.len());
    }

    #[test]
    fn no_code_is_a_success_and_each_has_a_meaning() {
        for row in ERROR_CODES {
            assert_ne!(row.action, Action::Accept, "{}", row.code);
            assert!(!row.meaning.is_empty() && !row.meaning.ends_with('.'), "{}", row.code);
            assert_ne!(row.on_meeting_list, Some(row.action), "{}: the exception is none", row.code);
        }
    }

    #[test]
    fn a_code_is_looked_up_in_the_table() {
        for row in ERROR_CODES {
            let class = if let Skip(class) = row.action { Some(class) } else { None };
            assert_eq!((meaning(row.code), refusal_class(row.code)), (Some(row.meaning), class), "{}", row.code);
            assert_eq!(concerns_one_unit(row.code), ![121003, 99992402].contains(&row.code), "{}", row.code);
            assert_eq!(is_meeting_not_found(row.code), row.code == 126009);
            assert_eq!(is_window_too_long(row.code), row.code == 126006);
        }
        assert_eq!((meaning(4_711), refusal_class(4_711), concerns_one_unit(4_711)), (None, None, false));
    }

    #[test]
    fn every_stop_cause_has_a_meaning_of_its_own() {
        let mut meanings = std::collections::HashMap::new();
        for action in ERROR_CODES.iter().flat_map(|row| [Some(row.action), row.on_meeting_list]).flatten() {
            if let Stop(cause) | RetryThenStop(cause) = action {
                assert!(!cause.meaning().ends_with('.'));
                assert_eq!(*meanings.entry(cause.meaning()).or_insert(cause), cause);
            }
        }
    }

    #[test]
    fn endpoints_differ_where_feishu_does() {
        let cases = [
            (121003, Stop(InvalidRequest), Skip(Unsupported)),
            (121005, Stop(Role), Skip(Forbidden)),
            (126006, Stop(InvalidRequest), Skip(TooLong)),
            (126009, Skip(NotFound), Skip(NotFound)),
        ];
        for (code, on_meetings, on_others) in cases {
            assert_eq!(decide(M, 400, Some(code)), on_meetings, "{code}");
            assert_eq!(decide(P, 400, Some(code)), on_others, "{code}");
            assert_eq!(decide(Q, 400, Some(code)), on_others, "{code}");
        }
    }

    #[test]
    fn classes_have_the_expected_codes() {
        for (class, codes) in [
            (NotFound, &[126009, 126010, 121004][..]),
            (Forbidden, &[121005]),
            (TooLong, &[126006]),
            (Unsupported, &[121002, 121003, 126003, 126004]),
        ] {
            for code in codes {
                assert_eq!(decide(Q, 400, Some(*code)), Skip(class), "{code}");
            }
        }
    }

    #[test]
    fn http_429_is_a_wait_or_the_monthly_quota() {
        for status in [400, 429] {
            assert_eq!(decide(Q, status, Some(99991400)), Wait);
            assert_eq!(decide(Q, status, Some(99991402)), Wait);
            assert_eq!(decide(Q, status, Some(99991403)), Stop(MonthlyQuota));
        }
        assert_eq!(decide(Q, 429, None), Wait);
        assert_eq!(decide(Q, 429, Some(4_711)), Wait);
    }

    #[test]
    fn rejected_tokens_are_refreshed() {
        for code in [99991663, 99991664, 99991668, 99991671, 99991677] {
            assert_eq!(decide(P, 400, Some(code)), RefreshToken);
        }
    }

    #[test]
    fn a_response_that_is_not_the_apis_json_is_retried() {
        for status in [200, 400, 401, 403, 408, 500, 502, 503] {
            assert_eq!(decide(Q, status, None), Retry, "{status}");
            assert_eq!(decide(None, status, None), Retry, "{status}");
        }
        for status in [301, 302, 404, 405] {
            assert_eq!(decide(Q, status, None), RetryThenStop(WrongHost), "{status}");
            assert_eq!(decide(None, status, None), RetryThenStop(WrongHost), "{status}");
        }
    }

    #[test]
    fn only_codes_that_concern_the_app_end_the_token_request() {
        for code in [10003, 10005, 10014, 10015, 10016, 99991543, 99991662, 99991673] {
            assert_eq!(decide(None, 200, Some(code)), Stop(Credentials), "{code}");
        }
        for code in [10012, 10013, 20008] {
            assert_eq!(decide(None, 200, Some(code)), RetryThenStop(Credentials), "{code}");
        }
        for code in [2200, 121001, 121005, 126009, 99991663, 99991671, 99992402] {
            assert_eq!(decide(None, 400, Some(code)), Retry, "{code}");
        }
    }

    #[test]
    fn codes_of_the_counts_by_user_end_nothing_else() {
        for code in [1_051_001, 1_051_002] {
            assert!(matches!(decide(Some(Endpoint::UserStats), 400, Some(code)), Skip(_)));
            assert_eq!(decide(Q, 400, Some(code)), Retry);
        }
    }

    #[test]
    fn codes_of_user_tokens_are_retried_before_they_stop_the_run() {
        for code in (20001..20100).filter(|code| find(*code).is_some()) {
            let action = decide(Q, 400, Some(code));
            assert!(matches!(action, Retry | RetryThenStop(Credentials)), "{code}: {action:?}");
        }
    }

    proptest! {
        #[test]
        fn only_code_zero_with_http_2xx_is_accepted(status in 100u16..600, code in proptest::option::of(-5i64..5)) {
            let accepted = decide(Q, status, code) == Action::Accept;
            prop_assert_eq!(accepted, code == Some(0) && (200..300).contains(&status));
        }

        #[test]
        fn a_code_outside_the_table_is_never_final(
            status in 100u16..1000,
            code in prop_oneof![any::<i64>(), 0i64..100_000, 120_000i64..130_000, 99_990_000i64..100_000_000],
            endpoint in proptest::sample::select(vec![None, M, P, Q]),
        ) {
            prop_assume!(find(code).is_none() && code != 0);
            let expected = if status == 429 { Wait } else { Retry };
            prop_assert_eq!(decide(endpoint, status, Some(code)), expected);
        }
    }
}
