//! What the answer of an object store means, whatever its provider calls it.

use std::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NoCredentials,
    Credentials,
    /// The credentials are valid and may not do this.
    Denied,
    NoBucket,
    Clock,
    Region,
    Throttled,
    Other,
}

/// The provider's code and message, without the request.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(String);

/// Codes in the body of an answer, of S3, OSS, TOS, Google and Azure.
const CODES: &[(Fault, &[&str])] = &[
    (Fault::NoBucket, &["NoSuchBucket", "ContainerNotFound", "InvalidBucketName", "NoSuchContainer"]),
    (Fault::Clock, &["RequestTimeTooSkewed", "RequestExpired"]),
    (
        Fault::Credentials,
        &[
            "ExpiredToken",
            "ExpiredTokenException",
            "SecurityTokenExpired",
            "InvalidAccessKeyId",
            "InvalidAccessKey",
            "SignatureDoesNotMatch",
            "InvalidToken",
            "InvalidSecurityToken",
            "InvalidSecurity",
            "TokenRefreshRequired",
            "AuthFailure",
            "AuthenticationFailed",
            "InvalidClientTokenId",
            "invalid_grant",
        ],
    ),
    (Fault::Denied, &["AccessDenied", "AuthorizationPermissionMismatch", "AllAccessDisabled", "AccountProblem"]),
    (
        Fault::Region,
        &[
            "PermanentRedirect",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "TemporaryRedirect",
        ],
    ),
    (Fault::Throttled, &["SlowDown", "ServerBusy", "TooManyRequests", "RequestLimitExceeded", "QpsLimitExceeded"]),
];

/// Addresses where machines of a provider get their credentials. They are tried last.
const METADATA_HOSTS: &[&str] = &["169.254.169.254", "169.254.170.2", "metadata.google.internal"];

impl Fault {
    pub(super) fn of(error: &object_store::Error) -> Fault {
        let text = chain(error);
        let code = between(&text, "<Code>", "</Code>");
        let by_code = |code: &str| CODES.iter().find(|(_, codes)| codes.contains(&code)).map(|(fault, _)| *fault);
        if METADATA_HOSTS.iter().any(|host| text.contains(host)) {
            return Fault::NoCredentials;
        }
        if let Some(fault) = code.and_then(by_code) {
            return fault;
        }
        let in_json = CODES.iter().find(|(_, codes)| codes.iter().any(|code| text.contains(&format!("\"{code}\""))));
        match error {
            _ if in_json.is_some() => in_json.map_or(Fault::Other, |(fault, _)| *fault),
            object_store::Error::Unauthenticated { .. } => Fault::Credentials,
            object_store::Error::PermissionDenied { .. } => Fault::Denied,
            _ if text.contains("Redirect without LOCATION") || text.contains("redirect without LOCATION") => {
                Fault::Region
            }
            _ if text.contains("429 Too Many Requests") || text.contains("503 Service Unavailable") => Fault::Throttled,
            _ if text.contains("Permission denied") => Fault::Denied,
            _ => Fault::Other,
        }
    }

    /// Whether an answer says that conditional writes do not exist there.
    pub(super) fn is_not_implemented(error: &object_store::Error) -> bool {
        matches!(error, object_store::Error::NotImplemented { .. })
            || between(&chain(error), "<Code>", "</Code>") == Some("NotImplemented")
    }
}

impl Refusal {
    pub(super) fn of(error: &object_store::Error) -> Refusal {
        let text = chain(error);
        let code = between(&text, "<Code>", "</Code>");
        let message = between(&text, "<Message>", "</Message>");
        match (code, message) {
            (Some(code), Some(message)) if !message.is_empty() => Refusal(format!("{code}: {message}")),
            (Some(code), _) => Refusal(code.to_owned()),
            _ => Refusal(innermost(error)),
        }
    }
}

/// The text of the error and of all its sources.
fn chain(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push('\n');
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// The innermost cause says what happened; the outer texts repeat it.
fn innermost(error: &object_store::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: body.to_owned().into() }
    }

    #[test]
    fn the_code_of_an_answer_decides() {
        let s3 = |code: &str| answer(&format!("403: <Error><Code>{code}</Code><Message>no</Message></Error>"));
        for (code, fault) in [
            ("NoSuchBucket", Fault::NoBucket),
            ("RequestTimeTooSkewed", Fault::Clock),
            ("ExpiredToken", Fault::Credentials),
            ("AccessDenied", Fault::Denied),
            ("PermanentRedirect", Fault::Region),
            ("SlowDown", Fault::Throttled),
            ("InternalError", Fault::Other),
        ] {
            assert_eq!(Fault::of(&s3(code)), fault, "{code}");
            assert_eq!(Refusal::of(&s3(code)).to_string(), format!("{code}: no"));
        }
        assert!(Fault::is_not_implemented(&s3("NotImplemented")) && !Fault::is_not_implemented(&s3("SlowDown")));
        assert_eq!(Fault::of(&answer("{\"error\": \"invalid_grant\"}")), Fault::Credentials);
        assert_eq!(Fault::of(&answer("PUT http://169.254.169.254/latest: timed out")), Fault::NoCredentials);
    }
}
