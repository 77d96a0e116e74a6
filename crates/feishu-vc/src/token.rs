//! The token of every request: got for a self-built app and kept fresh, or given from outside.
//!
//! Promises: one refresh at a time, whoever asks; a life as the vendor states it and never an assumed one; a token that
//! was rejected is not used again. A secret is in no `Debug` form, no error and no log.
//!
//! Left out on purpose: store apps (they need a public endpoint for their ticket) and the login of persons (their refresh
//! tokens are good once and need a keeper of their own). Both can be got elsewhere and given as a bearer.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use serde_json::json;
use tokio::sync::Mutex;

use super::envelope::{Head, Particulars};
use super::error::{CallError, ClientError, Fault};
use super::error_codes::{Action, StopCause, decide};
use super::event::Event;
use super::line::{Line, fault_of_answer, masked};
use super::wire::{Missed, Received};

/// Where a self-built app gets its tenant token. Not counted against any quota, and not bound to the IP allow-list.
pub(super) const TOKEN_PATH: &str = "/open-apis/auth/v3/tenant_access_token/internal";

const SCHEME: &str = "Bearer ";

/// A token is renewed when this much of its life is left, or a tenth of it, whichever is less.
const MARGIN: Duration = Duration::from_secs(600);
const MARGIN_DIVISOR: u32 = 10;
/// After an early renewal that failed, the token in hand is used this long before the next attempt.
const EARLY_RETRY: Duration = Duration::from_secs(30);

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the request alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who we are to the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A self-built app; its tenant token is got and renewed here.
    App {
        /// The app's id (`cli_...`).
        app_id: String,
        /// The app's secret.
        app_secret: Secret,
    },
    /// A token from elsewhere, of a tenant or a user. It cannot be renewed here.
    Bearer(Secret),
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The tenant's (`t-`): the creator of the app must hold the admin role.
    Tenant,
    /// A person's (`u-` or `eyJ`): that person must hold it.
    User,
    /// Its prefix is of no kind we know.
    Unknown,
}

impl Credentials {
    /// Whose token the requests carry, by its prefix.
    pub fn token_kind(&self) -> TokenKind {
        match self {
            Credentials::App { .. } => TokenKind::Tenant,
            Credentials::Bearer(token) => match token.expose() {
                text if text.starts_with("t-") => TokenKind::Tenant,
                text if text.starts_with("u-") || text.starts_with("eyJ") => TokenKind::User,
                _ => TokenKind::Unknown,
            },
        }
    }

    /// The secret, to mask it in texts that come from outside.
    pub(super) fn secret(&self) -> &str {
        match self {
            Credentials::App { app_secret, .. } => app_secret.expose(),
            Credentials::Bearer(token) => token.expose(),
        }
    }
}

/// What is known of the token in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenInfo {
    /// Whose it is.
    pub kind: TokenKind,
    /// How long it lives on; unknown for a given bearer.
    pub expires_in: Option<Duration>,
}

/// A token as a request carries it, and which one it is, so that a rejection is of that one.
#[derive(Clone)]
pub(super) struct Bearer {
    pub header: HeaderValue,
    generation: u64,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

impl Bearer {
    /// Whether its life is over. A given one never says.
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }

    /// The token itself, to mask it in texts that come from outside.
    pub(crate) fn secret(&self) -> &str {
        self.header.to_str().ok().and_then(|text| text.strip_prefix(SCHEME)).unwrap_or_default()
    }

    fn is_due(&self, now: Instant) -> bool {
        self.refresh_at.is_some_and(|at| now >= at)
    }
}

/// Keeps the token.
pub(super) struct Tokens {
    credentials: Credentials,
    held: Mutex<Option<Bearer>>,
}

impl Tokens {
    pub(crate) fn new(credentials: Credentials) -> Result<Tokens, ClientError> {
        let held = match &credentials {
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
        Ok(Tokens { credentials, held: Mutex::new(held) })
    }

    /// Whether a rejected token can be replaced.
    pub(crate) fn can_refresh(&self) -> bool {
        matches!(self.credentials, Credentials::App { .. })
    }

    /// A token to send, other than the one that was `rejected`.
    ///
    /// The lock is held over a refresh, so whoever comes meanwhile waits for that one and starts none.
    pub(crate) async fn bearer(&self, line: &Line, rejected: Option<&Bearer>) -> Result<Bearer, CallError> {
        let mut held = line.unless_cancelled(self.held.lock()).await?;
        let Credentials::App { app_id, app_secret } = &self.credentials else {
            return Ok(held.clone().expect("a given bearer is held from the start and never replaced"));
        };
        let usable = held.as_ref().filter(|held| rejected.is_none_or(|bad| bad.generation != held.generation));
        if let Some(bearer) = usable.filter(|bearer| !bearer.is_due(Instant::now())) {
            return Ok(bearer.clone());
        }
        let generation = held.as_ref().map_or(0, |held| held.generation + 1);
        match self.request(line, app_id, app_secret, generation).await {
            Ok(bearer) => {
                *held = Some(bearer.clone());
                line.tell(Event::TokenRefreshed);
                Ok(bearer)
            }
            Err(error @ CallError::Failed { .. }) => match usable.filter(|bearer| !bearer.is_expired(Instant::now())) {
                // It was only due, not dead: the run goes on with it, and asks again a little later.
                Some(bearer) => {
                    let bearer = Bearer { refresh_at: Some(Instant::now() + EARLY_RETRY), ..bearer.clone() };
                    *held = Some(bearer.clone());
                    Ok(bearer)
                }
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    #[cfg(test)]
    pub(crate) async fn make_due(&self) {
        if let Some(bearer) = self.held.lock().await.as_mut() {
            bearer.refresh_at = Some(Instant::now());
        }
    }

    /// What is known of a token.
    pub(crate) fn info(&self, bearer: &Bearer) -> TokenInfo {
        let expires_in = bearer.expires_at.map(|at| at.saturating_duration_since(Instant::now()));
        TokenInfo { kind: self.credentials.token_kind(), expires_in }
    }

    /// The secret, to mask it in texts that come from outside.
    pub(crate) fn secret(&self) -> &str {
        self.credentials.secret()
    }

    async fn request(
        &self,
        line: &Line,
        app_id: &str,
        app_secret: &Secret,
        generation: u64,
    ) -> Result<Bearer, CallError> {
        let body = json!({ "app_id": app_id, "app_secret": app_secret.expose() });
        let mut requests = 0;
        loop {
            requests += 1;
            let mut at_least = Duration::ZERO;
            let missed = match line.send(line.wire.post(TOKEN_PATH, &body)).await? {
                Err(missed) => missed,
                Ok(received) => {
                    at_least = received.rate_reset.unwrap_or_default();
                    match self.read(line, &received, requests, generation)? {
                        Ok(bearer) => {
                            line.redactor.add_secret(bearer.secret());
                            return Ok(bearer);
                        }
                        Err(fault) => Missed { fault, requested_at: received.requested_at, log_id: received.log_id },
                    }
                }
            };
            line.after_fault(None, requests, requests, missed, at_least).await?;
        }
    }

    /// Reads an answer: a token, a fault that is worth another try, or (outside) the end.
    fn read(
        &self,
        line: &Line,
        received: &Received,
        requests: u32,
        generation: u64,
    ) -> Result<Result<Bearer, Fault>, CallError> {
        let envelope = Head::read(&received.body);
        let code = envelope.as_ref().ok().map(|envelope| envelope.code);
        let cause = match decide(None, received.http_status, code) {
            Action::Accept => {
                return Ok(envelope
                    .map_err(|source| Fault::NotJson { http_status: received.http_status, source })
                    .and_then(|envelope| bearer_in(&envelope, generation)));
            }
            Action::Retry | Action::Wait => {
                return Ok(Err(fault_of_answer(received, envelope.map(|envelope| envelope.code))));
            }
            // There is no token to refresh and no unit to skip: whatever it is, we were not let in.
            Action::RefreshToken | Action::Skip(_) => StopCause::Credentials,
            Action::Stop(cause) => cause,
        };
        let (msg, mut particulars) = match &envelope {
            Ok(envelope) => (envelope.msg.as_deref().unwrap_or_default(), envelope.particulars()),
            Err(_) => ("", Particulars::default()),
        };
        // This answer alone is read as it came, because it may hold the token; so its words are cleaned one by one.
        let msg = line.redactor.redact(msg);
        let words = particulars.scopes.iter_mut().chain(&mut particulars.help_url);
        words.for_each(|word| *word = line.redactor.redact(word));
        let mut answer = line.answer(received, code, masked(&msg, [self.secret()]), requests);
        answer.help_url = particulars.help_url;
        Err(CallError::Stop { endpoint: None, cause, scopes: particulars.scopes, answer })
    }
}

fn bearer_in(envelope: &Head<'_>, generation: u64) -> Result<Bearer, Fault> {
    let token = envelope.tenant_access_token.as_deref().unwrap_or_default();
    let header = header_of(token).ok_or(Fault::BadToken { field: "tenant_access_token" })?;
    let life = envelope
        .expire
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| *seconds > 0)
        .ok_or(Fault::BadToken { field: "expire" })?;
    // A day is more than the vendor ever gives; the cap keeps the sums below from overflowing.
    let life = Duration::from_secs(life.min(86_400));
    let now = Instant::now();
    let refresh_at = now + (life - refresh_margin(life));
    Ok(Bearer { header, generation, refresh_at: Some(refresh_at), expires_at: Some(now + life) })
}

/// How much of a life is left when the token is renewed.
fn refresh_margin(life: Duration) -> Duration {
    MARGIN.min(life / MARGIN_DIVISOR)
}

fn usable(what: &'static str, text: &str) -> Result<HeaderValue, ClientError> {
    header_of(text).ok_or(ClientError::UnusableSecret { what })
}

/// The vendor says to allow 4 KB; no server takes a header without end.
const MOST_TOKEN_BYTES: usize = 16 << 10;

fn header_of(token: &str) -> Option<HeaderValue> {
    if token.is_empty() || token.len() > MOST_TOKEN_BYTES || token.bytes().any(|byte| !byte.is_ascii_graphic()) {
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
        for (life_s, margin_s) in [(7_200, 600), (6_000, 600), (1_800, 180), (10, 1)] {
            assert_eq!(refresh_margin(Duration::from_secs(life_s)), Duration::from_secs(margin_s), "{life_s}");
        }
    }

    #[test]
    fn kind_is_told_by_prefix() {
        for (token, kind) in
            [("t-1", TokenKind::Tenant), ("u-1", TokenKind::User), ("eyJ0", TokenKind::User), ("x", TokenKind::Unknown)]
        {
            assert_eq!(Credentials::Bearer(Secret::new(token)).token_kind(), kind, "{token}");
        }
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let secret = Secret::new("verysecret");
        let app = Credentials::App { app_id: "cli_1".into(), app_secret: secret.clone() };
        for text in [format!("{secret}"), format!("{secret:?}"), format!("{app:?}"), format!("{app:#?}")] {
            assert!(!text.contains("verysecret"), "{text}");
        }
        let header = header_of("verysecret").expect("a plain token");
        assert!(!format!("{header:?}").contains("verysecret"));
    }

    #[test]
    fn tokens_that_cannot_be_sent_are_refused_unshown() {
        for token in ["", "two words", "line\nbreak", "ümlaut"] {
            let error = Tokens::new(Credentials::Bearer(Secret::new(token))).err().expect(token);
            assert_eq!(error.to_string(), "the access token is empty or holds characters that cannot be sent");
        }
    }

    #[test]
    fn life_that_is_missing_or_over_is_a_fault() {
        for body in [
            r#"{"code":0,"tenant_access_token":"t-1"}"#,
            r#"{"code":0,"tenant_access_token":"t-1","expire":0}"#,
            r#"{"code":0,"tenant_access_token":"t-1","expire":-5}"#,
        ] {
            let envelope = Head::read(body.as_bytes()).expect(body);
            assert!(matches!(bearer_in(&envelope, 0), Err(Fault::BadToken { field: "expire" })), "{body}");
        }
        let envelope = Head::read(br#"{"code":0,"expire":7200}"#).expect("an envelope");
        assert!(matches!(bearer_in(&envelope, 0), Err(Fault::BadToken { field: "tenant_access_token" })));
        let envelope =
            Head::read(br#"{"code":0,"tenant_access_token":"t-1","expire":9223372036854775807}"#).expect("one");
        assert!(bearer_in(&envelope, 0).is_ok());
    }
}
