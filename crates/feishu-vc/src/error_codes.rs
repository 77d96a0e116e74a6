//! One table from the vendor's code to its meaning and to what we do about it.
//!
//! The vendor says what happened in `code`, not in the HTTP status: a throttle can be 400 or 429, and 429 can also be a
//! used-up month. So the code decides where the table knows it, and the status only where it does not. Pure: the loop
//! in the client obeys. Where endpoints differ, the row says so.
//!
//! Source: the vendor's pages of generic error codes (2025-08), of the token endpoints, and of the three lists (2025-07).

use super::endpoint::Endpoint;

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A good answer.
    Accept,
    /// The vendor's or the way's own trouble: ask again after a back-off.
    Retry,
    /// Too many calls: wait as long as the vendor says, then ask again.
    Wait,
    /// The token is not taken: refresh it once and ask again; the second time it is [`StopCause::Credentials`].
    RefreshToken,
    /// An answer that there is nothing to get for this unit of work. Asking again would get the same.
    Skip(RefusalClass),
    /// Nothing else would be answered either.
    Stop(StopCause),
}

/// Why a unit of work is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalClass {
    /// No such meeting, participant or data; perhaps not yet.
    NotFound,
    /// Not ours to see. The caller decides when everybody's being refused means a missing role.
    Forbidden,
    /// The vendor does not do this for this one.
    Unsupported,
    /// The window is longer than the vendor takes.
    TooLong,
}

impl RefusalClass {
    /// The word of the coverage table.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefusalClass::NotFound => "not_found",
            RefusalClass::Forbidden => "forbidden",
            RefusalClass::Unsupported => "unsupported",
            RefusalClass::TooLong => "too_long",
        }
    }
}

/// Why a run stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopCause {
    /// App id, secret, token or the state of the app.
    Credentials,
    /// The app lacks a scope.
    AppScope,
    /// The person who granted the token did not grant a scope.
    UserScope,
    /// The admin role over meetings is missing.
    Role,
    /// This machine's address is not on the app's allow-list.
    IpAllowList,
    /// The month's calls are used up.
    MonthlyQuota,
    /// The host does not know the path: the wrong brand, or no Feishu at all.
    WrongHost,
    /// The vendor says that our window lies in the future.
    Clock,
    /// The vendor does not take our request: a bug of this program.
    InvalidRequest,
}

/// What each cause means.
pub const STOP_CAUSES: &[(StopCause, &str)] = &[
    (StopCause::Credentials, "the credentials were not accepted"),
    (StopCause::AppScope, "the app lacks a scope"),
    (StopCause::UserScope, "the user token lacks a scope"),
    (StopCause::Role, "no permission to see the tenant's meetings"),
    (StopCause::IpAllowList, "this machine's address is not on the app's IP allow-list"),
    (StopCause::MonthlyQuota, "the tenant's monthly calls are used up"),
    (StopCause::WrongHost, "the host does not know the meeting API"),
    (StopCause::Clock, "the vendor takes the window to be in the future"),
    (StopCause::InvalidRequest, "the vendor did not accept the request"),
];

impl StopCause {
    /// What happened, in plain words.
    pub fn meaning(self) -> &'static str {
        STOP_CAUSES.iter().find(|(cause, _)| *cause == self).map_or("", |(_, meaning)| meaning)
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The vendor's code.
    pub code: i64,
    /// What to do.
    pub action: Action,
    /// What to do on meeting_list, where that differs: there a refusal is not of one unit but of the whole window.
    pub on_meeting_list: Option<Action>,
    /// What it means, in plain words.
    pub meaning: &'static str,
}

const fn row(code: i64, action: Action, meaning: &'static str) -> ErrorCode {
    ErrorCode { code, action, on_meeting_list: None, meaning }
}

const fn split(code: i64, action: Action, on_meeting_list: Action, meaning: &'static str) -> ErrorCode {
    ErrorCode { code, action, on_meeting_list: Some(on_meeting_list), meaning }
}

use Action::{RefreshToken, Retry, Skip, Stop, Wait};
use RefusalClass::{Forbidden, NotFound, TooLong, Unsupported};
use StopCause::{AppScope, Clock, Credentials, InvalidRequest, IpAllowList, MonthlyQuota, Role, UserScope, WrongHost};

/// Every code that the vendor documents near what we call, in rising order.
pub const ERROR_CODES: &[ErrorCode] = &[
    // The tenant token of a self-built app.
    row(10003, Stop(Credentials), "invalid parameter of the token request"),
    row(10005, Stop(Credentials), "the app id is not authorised"),
    row(10012, Stop(Credentials), "the app token could not be got"),
    row(10013, Stop(Credentials), "the tenant token could not be got"),
    row(10014, Stop(Credentials), "the app is not authorised or is disabled"),
    row(10015, Stop(Credentials), "wrong app secret"),
    row(10016, Stop(Credentials), "not an app of this kind"),
    // User tokens are made elsewhere; these can only reach us through a host that checks them in passing.
    row(20001, Stop(Credentials), "parameter missing in the user's login"),
    row(20002, Stop(Credentials), "wrong client secret"),
    row(20003, Stop(Credentials), "login code unknown"),
    row(20004, Stop(Credentials), "login code expired"),
    row(20008, Stop(Credentials), "the user does not exist"),
    row(20009, Stop(Credentials), "the app is not installed in the tenant"),
    row(20010, Stop(Credentials), "the user may not use the app"),
    row(20024, Stop(Credentials), "code or token of another app"),
    row(20026, Stop(Credentials), "refresh token invalid"),
    row(20036, Stop(Credentials), "kind of grant not supported"),
    row(20037, Stop(Credentials), "refresh token expired; the user must log in again"),
    row(20048, Stop(Credentials), "the app does not exist"),
    row(20049, Stop(Credentials), "the login's proof key does not match"),
    row(20050, Retry, "the login server has trouble"),
    row(20063, Stop(Credentials), "malformed login request"),
    row(20064, Stop(Credentials), "the user's grant was revoked"),
    row(20065, Stop(Credentials), "login code already used"),
    row(20066, Stop(Credentials), "the user's account is not active"),
    row(20067, Stop(Credentials), "scope list with repeats"),
    row(20068, Stop(Credentials), "scope list with scopes that are not allowed"),
    row(20069, Stop(Credentials), "the app is disabled"),
    row(20070, Stop(Credentials), "several ways of authentication at once"),
    row(20071, Stop(Credentials), "the redirect address differs"),
    row(20072, Retry, "the login server is not available for now"),
    row(20073, Stop(Credentials), "refresh token already used"),
    row(20074, Stop(Credentials), "refreshing is switched off for the app"),
    // The lists.
    row(121001, Retry, "internal error of the vendor"),
    row(121002, Skip(Unsupported), "not supported"),
    split(PARAMETER_ERROR, Skip(Unsupported), Stop(InvalidRequest), "parameter error"),
    row(121004, Skip(NotFound), "the data does not exist"),
    split(NO_PERMISSION, Skip(Forbidden), Stop(Role), "no permission"),
    // Of the neighbouring searches; seen on no list so far.
    row(121011, Skip(Unsupported), "search refused"),
    row(121012, Skip(Unsupported), "search refused"),
    // A walk cannot go on from a dead page token, and is pending again from its first page: failed, not unsupported.
    row(121020, Retry, "the page token is bad or has expired"),
    row(121021, Skip(Unsupported), "search refused"),
    row(121022, Skip(Unsupported), "search refused"),
    row(121030, Skip(Unsupported), "search refused"),
    row(121031, Skip(Unsupported), "search refused"),
    row(121040, Skip(Unsupported), "search refused"),
    row(121041, Skip(Unsupported), "search refused"),
    row(122359, Skip(Unsupported), "rooms cannot be asked for with this kind of user id"),
    row(122601, Skip(Unsupported), "search refused"),
    row(122602, Skip(Unsupported), "search refused"),
    row(122603, Skip(Unsupported), "search refused"),
    row(122604, Skip(Unsupported), "search refused"),
    row(126003, Skip(Unsupported), "the meeting number is negative"),
    row(126004, Skip(Unsupported), "the meeting number has not nine digits"),
    row(126005, Stop(Clock), "the window starts in the future or before 1970"),
    split(WINDOW_TOO_LONG, Skip(TooLong), Stop(InvalidRequest), "the window is too long or ends before it starts"),
    row(126007, Stop(InvalidRequest), "person and room at once"),
    row(126008, Stop(InvalidRequest), "more than one filter"),
    // On meeting_list only a filter by number can mean it, and then it is an answer too.
    row(MEETING_NOT_FOUND, Skip(NotFound), "no such meeting in the window"),
    row(126010, Skip(NotFound), "no such participant in the meeting"),
    row(126015, Stop(InvalidRequest), "the filter by room is not supported"),
    row(126016, Stop(InvalidRequest), "the window reaches over a month into the future"),
    // The platform.
    row(99991201, Stop(WrongHost), "the path is not known"),
    row(99991301, Stop(WrongHost), "the method is not known"),
    row(99991400, Wait, "too many calls"),
    row(99991401, Stop(IpAllowList), "the caller's address is not allowed"),
    // The vendor's Python SDK takes it for a rate limit; its pages do not name it.
    row(99991402, Wait, "too many calls"),
    row(99991403, Stop(MonthlyQuota), "the monthly calls are used up"),
    row(99991543, Stop(Credentials), "app id and app secret do not belong together"),
    row(99991661, Stop(InvalidRequest), "no token in the request"),
    row(99991662, Stop(Credentials), "the app is not enabled in the tenant"),
    row(99991663, RefreshToken, "the tenant token is invalid, expired, or not taken here"),
    row(99991664, RefreshToken, "the app token is invalid"),
    row(99991665, Stop(Credentials), "invalid tenant code"),
    row(99991668, RefreshToken, "the user token is invalid, expired, or not taken here"),
    row(99991669, Stop(Credentials), "the refresh token is invalid; the user must log in again"),
    row(99991671, RefreshToken, "the token is malformed or of another kind"),
    row(99991672, Stop(AppScope), "the app lacks a scope"),
    row(99991673, Stop(Credentials), "the app is not installed or not active"),
    row(99991674, Stop(InvalidRequest), "the kind of user is invalid"),
    row(99991675, Stop(InvalidRequest), "the user id is invalid"),
    row(99991676, Stop(AppScope), "the token has no permission for this"),
    row(99991677, RefreshToken, "the user token has expired"),
    row(99991679, Stop(UserScope), "the user did not grant a scope"),
    row(99991681, Stop(Credentials), "the authorisation failed"),
    row(99991692, Stop(Credentials), "the authorisation failed"),
    row(99992351, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    row(99992352, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    row(99992353, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    row(99992359, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    row(99992360, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    row(99992363, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    row(99992364, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    row(99992375, Skip(Unsupported), "the room id is not known"),
    row(99992376, Skip(Unsupported), "the room id is not known"),
    row(99992378, Skip(Unsupported), "the room id is not valid"),
    row(99992381, Skip(Unsupported), "the id is not known here, or is of another app or tenant"),
    split(PARAMETER_CHECK_FAILED, Skip(Unsupported), Stop(InvalidRequest), "a parameter did not pass the check"),
];

/// "No permission": the admin role that sees the tenant's meetings is missing, or this meeting is not visible to it.
pub const NO_PERMISSION: i64 = 121005;
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

/// Whether a refusal with this code certainly concerns only what was requested. Parameter errors and undocumented codes
/// may concern every request of the client.
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

/// Decides what to do after an answer.
///
/// `endpoint` is `None` for the token request, `code` is `None` where the body is not the vendor's envelope.
pub fn decide(endpoint: Option<Endpoint>, http_status: u16, code: Option<i64>) -> Action {
    match code.filter(|code| *code != 0) {
        Some(code) => match find(code) {
            Some(fact) => match (endpoint, fact.on_meeting_list) {
                (Some(Endpoint::MeetingList), Some(special)) => special,
                _ => fact.action,
            },
            None => verdict_of_unknown(http_status),
        },
        None if code == Some(0) && (200..300).contains(&http_status) => Action::Accept,
        None if code == Some(0) => verdict_of_unknown(http_status),
        None => match http_status {
            429 => Wait,
            // A redirect is not followed: the vendor never sends one, a login page or a moved host does.
            300..=399 | 404 | 405 => Stop(WrongHost),
            _ => Retry,
        },
    }
}

fn verdict_of_unknown(http_status: u16) -> Action {
    match http_status {
        429 => Wait,
        408 | 500..=599 => Retry,
        _ => Skip(Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every code in the fact sheet's sections 1.1, 1.3, 1.5 and 6, written down apart from the table.
    const DOCUMENTED: &[i64] = &[
        10003, 10005, 10012, 10013, 10014, 10015, 10016, 99991543, 20001, 20002, 20003, 20004, 20065, 20008, 20009,
        20010, 20024, 20026, 20036, 20037, 20048, 20049, 20050, 20063, 20064, 20066, 20067, 20068, 20069, 20070, 20071,
        20072, 20073, 20074, 99991661, 99991662, 99991663, 99991664, 99991665, 99991668, 99991669, 99991671, 99991672,
        99991673, 99991674, 99991675, 99991676, 99991677, 99991679, 99991681, 99991692, 99991400, 99991401, 99991402,
        99991403, 99991201, 99991301, 99992402, 99992351, 99992352, 99992353, 99992359, 99992360, 99992363, 99992364,
        99992381, 99992375, 99992376, 99992378, 121001, 121002, 121003, 121004, 121005, 126003, 126004, 126005, 126006,
        126007, 126008, 126009, 126010, 126015, 126016, 122359, 121011, 121012, 121020, 121021, 121022, 121030, 121031,
        121040, 121041, 122601, 122602, 122603, 122604,
    ];

    const M: Option<Endpoint> = Some(Endpoint::MeetingList);
    const P: Option<Endpoint> = Some(Endpoint::ParticipantList);
    const Q: Option<Endpoint> = Some(Endpoint::ParticipantQualityList);

    #[test]
    fn table_rises_and_so_has_no_code_twice() {
        assert!(ERROR_CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn table_holds_every_documented_code_and_no_other() {
        for code in DOCUMENTED {
            assert!(find(*code).is_some(), "{code} is missing");
        }
        assert_eq!(ERROR_CODES.len(), DOCUMENTED.len());
    }

    #[test]
    fn no_code_is_an_accept_and_every_meaning_is_said() {
        for fact in ERROR_CODES {
            assert_ne!(fact.action, Action::Accept, "{}", fact.code);
            assert!(!fact.meaning.is_empty() && !fact.meaning.ends_with('.'), "{}", fact.code);
            assert_ne!(fact.on_meeting_list, Some(fact.action), "{}: an exception that is none", fact.code);
        }
    }

    #[test]
    fn every_stop_in_the_table_has_its_own_meaning() {
        for action in ERROR_CODES.iter().flat_map(|fact| [Some(fact.action), fact.on_meeting_list]).flatten() {
            if let Stop(cause) = action {
                assert_eq!(STOP_CAUSES.iter().filter(|(known, _)| *known == cause).count(), 1, "{cause:?}");
                assert!(!cause.meaning().ends_with('.'));
            }
        }
        let meanings: std::collections::HashSet<_> = STOP_CAUSES.iter().map(|(_, meaning)| meaning).collect();
        assert_eq!(meanings.len(), STOP_CAUSES.len());
    }

    #[test]
    fn endpoints_differ_where_the_vendor_does() {
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
    fn coverage_classes_hold_the_codes_that_the_design_names() {
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
    fn http_429_is_a_wait_or_the_end_of_the_month() {
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
    fn status_decides_where_the_code_is_unknown() {
        for (status, expected) in [
            (200, Skip(Unsupported)),
            (400, Skip(Unsupported)),
            (403, Skip(Unsupported)),
            (408, Retry),
            (500, Retry),
            (503, Retry),
        ] {
            assert_eq!(decide(Q, status, Some(4_711)), expected, "{status}");
        }
    }

    #[test]
    fn status_decides_where_there_is_no_envelope() {
        for (status, expected) in
            [(200, Retry), (302, Stop(WrongHost)), (403, Retry), (404, Stop(WrongHost)), (408, Retry), (502, Retry)]
        {
            assert_eq!(decide(Q, status, None), expected, "{status}");
        }
    }

    proptest! {
        #[test]
        fn only_code_zero_with_http_2xx_is_accepted(status in 100u16..600, code in proptest::option::of(-5i64..5)) {
            let accepted = decide(Q, status, code) == Action::Accept;
            prop_assert_eq!(accepted, code == Some(0) && (200..300).contains(&status));
        }
    }
}
