//! The requests for tokens: of a self-built app, of a store app in a tenant, and of a user.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::tokens::{TokenStore, random_token};
use super::{ApiError, Endpoint, Options, StoreApp};

/// Feishu's refresh tokens are valid for seven days.
const REFRESH_TOKEN_LIFE_S: i64 = 7 * 86_400;

/// What has been issued.
#[derive(Debug, Default)]
pub(super) struct Grants {
    /// Tokens of tenants, by the number of the tenant.
    pub(super) tenants: TokenStore,
    /// Tokens of the store app.
    apps: TokenStore,
    /// Access tokens of the user.
    pub(super) users: TokenStore,
    refresh_tokens: BTreeSet<String>,
    used_refresh_tokens: BTreeSet<String>,
}

/// A request for a token.
pub(super) struct GrantRequest<'a> {
    pub(super) options: &'a Options,
    /// The keys of the tenants that have installed the store app, by number.
    pub(super) tenant_keys: &'a [String],
    pub(super) seed: u64,
    /// Unix seconds.
    pub(super) now: i64,
}

impl GrantRequest<'_> {
    pub(super) fn respond(&self, grants: &mut Grants, endpoint: Endpoint, body: &[u8]) -> Result<String, ApiError> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |member: &str| body[member].as_str();
        match (endpoint, &self.options.store_app) {
            (Endpoint::TenantAccessToken, None) => {
                self.check_app(text("app_id"), text("app_secret"))?;
                Ok(self.issue(&mut grants.tenants, "tenant_access_token", "t-g1", 0))
            }
            (Endpoint::AppAccessToken, Some(store_app)) => {
                self.check_app(text("app_id"), text("app_secret"))?;
                match text("app_ticket") {
                    None => Err(ApiError::new(10003)),
                    Some(ticket) if ticket != store_app.app_ticket => Err(ApiError::new(10012)),
                    Some(_) => Ok(self.issue(&mut grants.apps, "app_access_token", "a-", 0)),
                }
            }
            (Endpoint::StoreTenantAccessToken, Some(_)) => {
                let (Some(token), Some(key)) = (text("app_access_token"), text("tenant_key")) else {
                    return Err(ApiError::new(10003));
                };
                grants.apps.owner(token, self.now).ok_or_else(|| ApiError::new(99_991_664))?;
                let tenant = self.tenant_keys.iter().position(|known| known == key);
                let tenant = tenant.ok_or_else(|| ApiError::new(10013))?;
                Ok(self.issue(&mut grants.tenants, "tenant_access_token", "t-g1", tenant))
            }
            (Endpoint::AppTicketResend, Some(store_app)) => {
                self.check_app(text("app_id"), text("app_secret"))?;
                push(store_app);
                Ok(json!({ "code": 0, "msg": "success" }).to_string())
            }
            (Endpoint::UserAccessToken, _) => self.renew_user(grants, &body),
            _ => Err(ApiError::new(10016)),
        }
    }

    fn check_app(&self, app_id: Option<&str>, app_secret: Option<&str>) -> Result<(), ApiError> {
        match (app_id, app_secret) {
            (None, _) | (_, None) => Err(ApiError::new(10003)),
            (Some(id), _) if id != self.options.app_id => Err(ApiError::new(99_991_543)),
            (_, Some(secret)) if secret != self.options.app_secret => Err(ApiError::new(10015)),
            _ => Ok(()),
        }
    }

    fn issue(&self, tokens: &mut TokenStore, member: &str, prefix: &str, owner: usize) -> String {
        let (token, expire) = tokens.issue(prefix, owner, self.seed, self.options.token_life_s, self.now);
        json!({ "code": 0, "msg": "ok", member: token, "expire": expire }).to_string()
    }

    /// A refresh token can be used once: the response has the next one.
    fn renew_user(&self, grants: &mut Grants, body: &Value) -> Result<String, ApiError> {
        let text = |member: &str| body[member].as_str().ok_or_else(|| ApiError::new(20001));
        if text("grant_type")? != "refresh_token" {
            return Err(ApiError::new(20036));
        }
        let (id, secret, refresh_token) = (text("client_id")?, text("client_secret")?, text("refresh_token")?);
        match &self.options.refresh_token {
            _ if id != self.options.app_id => return Err(ApiError::new(20048)),
            _ if secret != self.options.app_secret => return Err(ApiError::new(20002)),
            _ if grants.used_refresh_tokens.contains(refresh_token) => return Err(ApiError::new(20073)),
            first if first.as_deref() != Some(refresh_token) && !grants.refresh_tokens.contains(refresh_token) => {
                return Err(ApiError::new(20026));
            }
            _ => {}
        }
        grants.used_refresh_tokens.insert(refresh_token.to_owned());
        let number = grants.used_refresh_tokens.len() as u64;
        let next = random_token("r-", self.seed, number);
        grants.refresh_tokens.insert(next.clone());
        // Each response has a token of its own.
        let owner = grants.used_refresh_tokens.len();
        let (token, expires_in) = grants.users.issue("eyJ", owner, self.seed ^ 1, self.options.token_life_s, self.now);
        let response = json!({
            "code": 0,
            "access_token": token,
            "expires_in": expires_in,
            "refresh_token": next,
            "refresh_token_expires_in": REFRESH_TOKEN_LIFE_S,
            "scope": "vc:room:readonly offline_access",
            "token_type": "Bearer",
        });
        Ok(response.to_string())
    }
}

/// Feishu pushes the ticket to the app's event URL, and the program there writes it down.
fn push(store_app: &StoreApp) {
    let Some(file) = &store_app.pushed_to else { return };
    let written = file.with_extension("new");
    // As for a program elsewhere, nobody learns that it failed.
    let _ = write_private(&written, &store_app.app_ticket).and_then(|()| fs::rename(&written, file));
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}
