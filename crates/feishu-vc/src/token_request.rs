//! The requests for tokens: path, and what their responses have in common.

use serde::Deserialize;

use crate::lenient::lenient_number;

/// A request for a token, or for what a token needs. None counts against the quota or is bound to the IP allow-list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenRequest {
    /// The tenant token of a self-built app.
    Internal,
    /// The app token of a store app.
    App,
    /// The tenant token of a store app.
    Tenant,
    /// That Feishu pushes the app ticket now. The response has none.
    TicketResend,
    /// The token of a user.
    User,
}

impl TokenRequest {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            TokenRequest::Internal => "/open-apis/auth/v3/tenant_access_token/internal",
            TokenRequest::App => "/open-apis/auth/v3/app_access_token",
            TokenRequest::Tenant => "/open-apis/auth/v3/tenant_access_token",
            TokenRequest::TicketResend => "/open-apis/auth/v3/app_ticket/resend",
            TokenRequest::User => "/open-apis/authen/v2/oauth/token",
        }
    }

    /// The member of the response with the token, and the one with its lifetime in seconds.
    pub(crate) fn members(self) -> (&'static str, &'static str) {
        match self {
            TokenRequest::App => ("app_access_token", "expire"),
            TokenRequest::User => ("access_token", "expires_in"),
            _ => ("tenant_access_token", "expire"),
        }
    }
}

/// The members of the responses to token requests. They are beside `code`, not below `data`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct TokenMembers {
    tenant_access_token: Option<String>,
    app_access_token: Option<String>,
    access_token: Option<String>,
    #[serde(deserialize_with = "lenient_number")]
    expire: Option<i64>,
    #[serde(deserialize_with = "lenient_number")]
    expires_in: Option<i64>,
    pub refresh_token: Option<String>,
    #[serde(deserialize_with = "lenient_number")]
    pub refresh_token_expires_in: Option<i64>,
    /// The message of a login server.
    pub error_description: Option<String>,
}

impl TokenMembers {
    /// Empty for a body that has not these members.
    pub(crate) fn read(body: &[u8]) -> TokenMembers {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The token that was requested, and its lifetime in seconds.
    pub(crate) fn token(&self, request: TokenRequest) -> (&str, Option<i64>) {
        let (token, expires_in) = match request {
            TokenRequest::App => (&self.app_access_token, self.expire),
            TokenRequest::User => (&self.access_token, self.expires_in),
            _ => (&self.tenant_access_token, self.expire),
        };
        (token.as_deref().unwrap_or_default(), expires_in)
    }
}
