//! The access token of every request: obtained and renewed for a self-built app, or given by the caller.
//!
//! Promises: one refresh at a time, however many calls need it; the lifetime that Feishu states, never an assumed one;
//! a rejected token is not used again. No `Debug` form, error or log shows a secret.
//!
//! Leaves out store apps (their ticket needs a public endpoint) and user login (its refresh tokens are single-use and
//! need a store). Their tokens can be obtained elsewhere and given as [`Credentials::Bearer`].

use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use serde_json::json;
use tokio::sync::Mutex;

use crate::body::Body;
use crate::credentials::{Credentials, Secret, TokenKind};
use crate::envelope::Head;
use crate::error::{CallError, ClientError};
use crate::error_codes::{Action, decide};
use crate::event::Event;
use crate::fault::Fault;
use crate::http::{FailedRequest, Response};
use crate::transport::{Transport, redacted_msg, response_fault};

/// Path of the tenant token of a self-built app. It counts against no quota and is not bound to the IP allow-list.
pub(crate) const TOKEN_PATH: &str = "/open-apis/auth/v3/tenant_access_token/internal";

const SCHEME: &str = "Bearer ";
/// Feishu's documents recommend allowing 4 KB; servers limit the length of a header.
const MAX_TOKEN_BYTES: usize = 16 << 10;

/// A token is renewed when this much of its lifetime is left, or a tenth of it if that is less.
const MARGIN: Duration = Duration::from_secs(600);
const MARGIN_DIVISOR: u32 = 10;
/// After a failed early renewal the current token is used for this long before the next attempt.
const EARLY_RETRY: Duration = Duration::from_secs(30);

/// What is known about the token in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenInfo {
    /// Whose token it is.
    pub kind: TokenKind,
    /// Remaining lifetime; `None` for a given token.
    pub expires_in: Option<Duration>,
}

/// A token as a request carries it. The generation tells which token a rejection concerns.
#[derive(Clone)]
pub(crate) struct Bearer {
    pub header: HeaderValue,
    generation: u64,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
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

    fn is_due(&self, now: Instant) -> bool {
        self.refresh_at.is_some_and(|at| now >= at)
    }
}

pub(crate) struct TokenStore {
    credentials: Credentials,
    current: Mutex<Option<Bearer>>,
}

impl TokenStore {
    pub(crate) fn new(credentials: Credentials) -> Result<TokenStore, ClientError> {
        let usable = |what, text| bearer_header(text).ok_or(ClientError::UnusableSecret { what });
        let current = match &credentials {
            Credentials::App { app_id, app_secret } => {
                usable("app id", app_id)?;
                usable("app secret", app_secret.expose())?;
                None
            }
            Credentials::Bearer(token) => {
                let header = usable("access token", token.expose())?;
                Some(Bearer { header, generation: 0, refresh_at: None, expires_at: None })
            }
        };
        Ok(TokenStore { credentials, current: Mutex::new(current) })
    }

    pub(crate) fn can_refresh(&self) -> bool {
        matches!(self.credentials, Credentials::App { .. })
    }

    /// A token other than the `rejected` one.
    ///
    /// The lock is held during a refresh, so calls that come meanwhile wait for it and start none.
    pub(crate) async fn bearer(&self, transport: &Transport, rejected: Option<&Bearer>) -> Result<Bearer, CallError> {
        let mut current = transport.unless_cancelled(self.current.lock()).await?;
        let Credentials::App { app_id, app_secret } = &self.credentials else {
            return Ok(current.clone().expect("a given token is set at the start and never replaced"));
        };
        let usable = current.as_ref().filter(|held| rejected.is_none_or(|bad| bad.generation != held.generation));
        if let Some(bearer) = usable.filter(|bearer| !bearer.is_due(transport.effects.instant())) {
            return Ok(bearer.clone());
        }
        let generation = current.as_ref().map_or(0, |held| held.generation + 1);
        let bearer = match self.request(transport, app_id, app_secret, generation).await {
            Ok(bearer) => {
                transport.emit(Event::TokenRefreshed);
                bearer
            }
            // Only due, not expired: the current token stays in use, and the refresh is tried again a little later.
            Err(error @ CallError::Failed { .. }) => {
                match usable.filter(|bearer| !bearer.is_expired(transport.effects.instant())) {
                    Some(bearer) => {
                        Bearer { refresh_at: Some(transport.effects.instant() + EARLY_RETRY), ..bearer.clone() }
                    }
                    None => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        *current = Some(bearer.clone());
        Ok(bearer)
    }

    #[cfg(test)]
    pub(crate) async fn make_due(&self) {
        if let Some(bearer) = self.current.lock().await.as_mut() {
            bearer.refresh_at = Some(Instant::now());
        }
    }

    pub(crate) fn info(&self, bearer: &Bearer, now: Instant) -> TokenInfo {
        let expires_in = bearer.expires_at.map(|at| at.saturating_duration_since(now));
        TokenInfo { kind: self.credentials.token_kind(), expires_in }
    }

    /// The app secret or the given token, for redaction.
    pub(crate) fn secret(&self) -> &str {
        self.credentials.secret()
    }

    async fn request(
        &self,
        transport: &Transport,
        app_id: &str,
        app_secret: &Secret,
        generation: u64,
    ) -> Result<Bearer, CallError> {
        let body = json!({ "app_id": app_id, "app_secret": app_secret.expose() });
        let mut requests = 0;
        loop {
            requests += 1;
            let mut min_wait = Duration::ZERO;
            let failure = match transport.send(transport.http.post(TOKEN_PATH, &body)).await? {
                Err(failure) => failure,
                Ok(mut response) => {
                    response.body = Body(transport.filter.received(None, &[], response.body.0));
                    min_wait = response.rate_reset.unwrap_or_default();
                    match self.read(transport, &response, requests, generation)? {
                        Ok(bearer) => {
                            transport.redactor.add_secret(bearer.secret());
                            return Ok(bearer);
                        }
                        Err(fault) => {
                            FailedRequest { fault, requested_at: response.requested_at, log_id: response.log_id }
                        }
                    }
                }
            };
            transport.before_retry(None, requests, requests, failure, min_wait).await?;
        }
    }

    /// Reads a response: a token, or a fault to retry after (inner), or the end (outer).
    fn read(
        &self,
        transport: &Transport,
        response: &Response,
        requests: u32,
        generation: u64,
    ) -> Result<Result<Bearer, Fault>, CallError> {
        let head = Head::read(&response.body);
        let code = head.as_ref().ok().map(|head| head.code);
        let action = decide(None, response.http_status, code);
        transport.note(action, code);
        let cause = match action {
            Action::Accept => {
                return Ok(head
                    .map_err(|source| Fault::NotJson { http_status: response.http_status, source })
                    .and_then(|head| read_bearer(&head, generation, transport.effects.instant())));
            }
            Action::Stop(cause) => cause,
            Action::RetryThenStop(cause) if transport.stops_after(requests, cause) => cause,
            _ => return Ok(Err(response_fault(response, head.map(|head| head.code)))),
        };
        let (msg, mut detail) = head.map(|head| (head.msg.clone(), head.error_detail())).unwrap_or_default();
        // This response alone is read before redaction, because it can contain the token; so each text is redacted
        // here.
        let msg = transport.redactor.redact(&msg.unwrap_or_default());
        let texts = detail.scopes.iter_mut().chain(&mut detail.help_url);
        texts.for_each(|text| *text = transport.redactor.redact(text));
        let mut error_response =
            transport.error_response(response, code, redacted_msg(&msg, [self.secret()]), requests);
        error_response.help_url = detail.help_url;
        Err(CallError::Stop { endpoint: None, cause, scopes: detail.scopes, response: error_response })
    }
}

fn read_bearer(head: &Head<'_>, generation: u64, now: Instant) -> Result<Bearer, Fault> {
    let token = head.tenant_access_token.as_deref().unwrap_or_default();
    let header = bearer_header(token).ok_or(Fault::BadToken { field: "tenant_access_token" })?;
    let lifetime_s = head.expire.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    // Feishu never returns more than a day; the limit keeps the sums below from overflowing.
    let lifetime = Duration::from_secs(lifetime_s.ok_or(Fault::BadToken { field: "expire" })?.min(86_400));
    let refresh_at = now + (lifetime - refresh_margin(lifetime));
    Ok(Bearer { header, generation, refresh_at: Some(refresh_at), expires_at: Some(now + lifetime) })
}

fn refresh_margin(lifetime: Duration) -> Duration {
    MARGIN.min(lifetime / MARGIN_DIVISOR)
}

fn bearer_header(token: &str) -> Option<HeaderValue> {
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
    fn tokens_that_cannot_be_sent_are_refused_and_not_shown() {
        for token in ["", "two words", "line\nbreak", "ümlaut"] {
            let error = TokenStore::new(Credentials::Bearer(Secret::new(token))).err().expect(token);
            assert_eq!(
                error.to_string(),
                "the access token is empty or contains characters that are not allowed in an HTTP header"
            );
        }
    }

    #[test]
    fn a_missing_or_expired_lifetime_is_a_fault() {
        for body in [
            r#"{"code":0,"tenant_access_token":"t-1"}"#,
            r#"{"code":0,"tenant_access_token":"t-1","expire":0}"#,
            r#"{"code":0,"tenant_access_token":"t-1","expire":-5}"#,
        ] {
            let head = Head::read(body.as_bytes()).expect(body);
            assert!(
                matches!(read_bearer(&head, 0, Instant::now()), Err(Fault::BadToken { field: "expire" })),
                "{body}"
            );
        }
        let head = Head::read(br#"{"code":0,"expire":7200}"#).expect("a response");
        assert!(matches!(read_bearer(&head, 0, Instant::now()), Err(Fault::BadToken { field: "tenant_access_token" })));
        let head = Head::read(br#"{"code":0,"tenant_access_token":"t-1","expire":9223372036854775807}"#).expect("one");
        assert!(read_bearer(&head, 0, Instant::now()).is_ok());
    }
}
