//! The access token as requests carry it, and how one is read from a response.

use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;

use crate::fault::Fault;
use crate::token_request::{TokenMembers, TokenRequest};

const SCHEME: &str = "Bearer ";
/// Feishu's documents recommend allowing 4 KB; servers limit the length of a header.
const MAX_TOKEN_BYTES: usize = 16 << 10;

/// A token is renewed when this much of its lifetime is left, or a tenth of it if that is less.
const MARGIN: Duration = Duration::from_secs(600);
const MARGIN_DIVISOR: u32 = 10;

/// A token as a request carries it. The generation tells which token a rejection concerns.
#[derive(Clone)]
pub(crate) struct Bearer {
    pub header: HeaderValue,
    pub generation: u64,
    pub refresh_at: Option<Instant>,
    pub expires_at: Option<Instant>,
    /// Until when the refresh token that came with it is valid.
    pub renewable_until: Option<Instant>,
}

impl Bearer {
    /// Always false for a given token.
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }

    /// The token itself, for redaction.
    pub(crate) fn secret(&self) -> &str {
        self.header.to_str().ok().and_then(|text| text.strip_prefix(SCHEME)).unwrap_or_default()
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.refresh_at.is_some_and(|at| now >= at)
    }
}

pub(crate) fn read_bearer(
    request: TokenRequest,
    members: &TokenMembers,
    generation: u64,
    now: Instant,
) -> Result<Bearer, Fault> {
    // The response to a resend has no token.
    if request == TokenRequest::TicketResend {
        let header = HeaderValue::from_static(SCHEME);
        return Ok(Bearer { header, generation, refresh_at: None, expires_at: None, renewable_until: None });
    }
    let (token, expires_in) = members.token(request);
    let (token_member, lifetime_member) = request.members();
    let header = bearer_header(token).ok_or(Fault::BadToken { field: token_member })?;
    let lifetime_s = expires_in.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    // Feishu never returns more than a day; the limit keeps the sums below from overflowing.
    let lifetime = Duration::from_secs(lifetime_s.ok_or(Fault::BadToken { field: lifetime_member })?.min(86_400));
    let refresh_at = now + (lifetime - refresh_margin(lifetime));
    let expires_at = Some(now + lifetime);
    Ok(Bearer { header, generation, refresh_at: Some(refresh_at), expires_at, renewable_until: None })
}

fn refresh_margin(lifetime: Duration) -> Duration {
    MARGIN.min(lifetime / MARGIN_DIVISOR)
}

pub(crate) fn bearer_header(token: &str) -> Option<HeaderValue> {
    if token.is_empty() || token.len() > MAX_TOKEN_BYTES || token.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return None;
    }
    let mut header = HeaderValue::from_str(&format!("{SCHEME}{token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Bearer, Fault> {
        read_bearer(TokenRequest::Internal, &TokenMembers::read(body.as_bytes()), 0, Instant::now())
    }

    #[test]
    fn margin_is_ten_minutes_or_a_tenth() {
        for (lifetime_s, margin_s) in [(7_200, 600), (6_000, 600), (1_800, 180), (10, 1)] {
            assert_eq!(refresh_margin(Duration::from_secs(lifetime_s)), Duration::from_secs(margin_s), "{lifetime_s}");
        }
    }

    #[test]
    fn the_header_is_not_shown() {
        let header = bearer_header("verysecret").expect("a plain token");
        assert!(!format!("{header:?}").contains("verysecret"));
    }

    #[test]
    fn a_missing_or_expired_lifetime_is_a_fault() {
        for body in [
            r#"{"code":0,"tenant_access_token":"t-1"}"#,
            r#"{"code":0,"tenant_access_token":"t-1","expire":0}"#,
            r#"{"code":0,"tenant_access_token":"t-1","expire":-5}"#,
        ] {
            assert!(matches!(read(body), Err(Fault::BadToken { field: "expire" })), "{body}");
        }
        let error = read(r#"{"code":0,"expire":7200}"#);
        assert!(matches!(error, Err(Fault::BadToken { field: "tenant_access_token" })));
        assert!(read(r#"{"code":0,"tenant_access_token":"t-1","expire":9223372036854775807}"#).is_ok());
        // Not the token of an app or a user.
        let body = br#"{"code":0,"tenant_access_token":"t-1","expire":7200}"#;
        let error = read_bearer(TokenRequest::User, &TokenMembers::read(body), 0, Instant::now());
        assert!(matches!(error, Err(Fault::BadToken { field: "access_token" })));
    }
}
