//! The access token of every request: obtained and renewed for an app or a user, or given by the caller.
//!
//! Promises: one refresh at a time, however many calls need it; the lifetime that Feishu states, never an assumed one;
//! a rejected token is not used again; the next refresh token of a user is stored before the access token that came
//! with it is used. No `Debug` form, error or log shows a secret.
//!
//! Leaves out the login of a user, and how the app ticket of a store app arrives: it is pushed to a public endpoint.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::bearer::{Bearer, bearer_header};
use crate::credentials::{Credentials, TokenKind};
use crate::error::{CallError, ClientError};
use crate::error_codes::StopCause;
use crate::event::Event;
use crate::renewal::Renewal;
use crate::transport::Transport;

/// After a failed early renewal the current token is used for this long before the next attempt.
const EARLY_RETRY: Duration = Duration::from_secs(30);

/// What is known about the token in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenInfo {
    /// Whose token it is.
    pub kind: TokenKind,
    /// Remaining lifetime; `None` for a given token.
    pub expires_in: Option<Duration>,
    /// How long the refresh token of a user is valid, if Feishu states it.
    pub renewable_for: Option<Duration>,
}

pub(crate) struct TokenStore {
    credentials: Credentials,
    current: Mutex<Option<Bearer>>,
}

impl TokenStore {
    pub(crate) fn new(credentials: Credentials) -> Result<TokenStore, ClientError> {
        let usable = |what, text| bearer_header(text).ok_or(ClientError::UnusableSecret { what });
        let current = match &credentials {
            Credentials::App { app_id, app_secret }
            | Credentials::StoreApp { app_id, app_secret, .. }
            | Credentials::User { app_id, app_secret, .. } => {
                usable("app id", app_id)?;
                usable("app secret", app_secret.expose())?;
                None
            }
            Credentials::Bearer(token) => {
                let header = usable("access token", token.expose())?;
                Some(Bearer { header, generation: 0, refresh_at: None, expires_at: None, renewable_until: None })
            }
        };
        if let Credentials::StoreApp { tenant_key, .. } = &credentials {
            usable("tenant key", tenant_key)?;
        }
        Ok(TokenStore { credentials, current: Mutex::new(current) })
    }

    pub(crate) fn can_refresh(&self) -> bool {
        self.credentials.can_renew()
    }

    /// A token other than the `rejected` one.
    ///
    /// The lock is held during a refresh, so calls that come meanwhile wait for it and start none.
    pub(crate) async fn bearer(&self, transport: &Transport, rejected: Option<&Bearer>) -> Result<Bearer, CallError> {
        let mut current = transport.unless_cancelled(self.current.lock()).await?;
        if !self.can_refresh() {
            return Ok(current.clone().expect("a given token is set at the start and never replaced"));
        }
        let usable = current.as_ref().filter(|held| rejected.is_none_or(|bad| bad.generation != held.generation));
        if let Some(bearer) = usable.filter(|bearer| !bearer.is_due(transport.effects.instant())) {
            return Ok(bearer.clone());
        }
        let generation = current.as_ref().map_or(0, |held| held.generation + 1);
        let bearer = match Renewal::new(&self.credentials, transport, generation).run().await {
            Ok(bearer) => {
                transport.emit(Event::TokenRefreshed);
                bearer
            }
            // Only due, not expired: the current token stays in use, and the refresh is tried again a little later.
            Err(error) if may_pass(&error) => {
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
        let left = |until: Option<Instant>| until.map(|at| at.saturating_duration_since(now));
        TokenInfo {
            kind: self.credentials.token_kind(),
            expires_in: left(bearer.expires_at),
            renewable_for: left(bearer.renewable_until),
        }
    }

    /// The app secret or the given token, for redaction.
    pub(crate) fn secret(&self) -> &str {
        self.credentials.secret().expose()
    }
}

/// Whether the reason that a token could not be renewed may pass before the token expires.
fn may_pass(error: &CallError) -> bool {
    match error {
        CallError::Failed { .. } => true,
        CallError::Stop { cause, .. } | CallError::Secret { cause, .. } => *cause == StopCause::AppTicket,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

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
}
