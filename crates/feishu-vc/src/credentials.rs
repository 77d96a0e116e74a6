//! Who the client is to Feishu.

use crate::secret::Secret;
use crate::secret_source::{AppTickets, RefreshTokens, Source};

/// What the client authenticates with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A self-built app. The client obtains and renews its tenant token.
    App {
        /// The app ID (`cli_...`).
        app_id: String,
        /// The app secret.
        app_secret: Secret,
    },
    /// A store app (ISV) in one of the tenants that have installed it. The client obtains and renews its tenant token.
    StoreApp {
        /// The app ID (`cli_...`).
        app_id: String,
        /// The app secret.
        app_secret: Secret,
        /// The tenant, as Feishu identifies it to the app.
        tenant_key: String,
        /// The app ticket.
        app_tickets: Source<dyn AppTickets>,
    },
    /// A user who has authorised an app, with the scope `offline_access`. The client obtains and renews the user's
    /// token.
    User {
        /// The app ID (`cli_...`).
        app_id: String,
        /// The app secret.
        app_secret: Secret,
        /// The refresh token.
        refresh_tokens: Source<dyn RefreshTokens>,
    },
    /// An access token obtained elsewhere, of a tenant or a user. The client cannot renew it.
    Bearer(Secret),
}

/// Whose access token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The tenant's (`t-`): the creator of the app must have the admin role.
    Tenant,
    /// A user's (`u-` or `eyJ`): that user must have the admin role.
    User,
    /// Unknown prefix.
    Unknown,
}

impl Credentials {
    /// Whose token the requests carry, by its prefix.
    pub fn token_kind(&self) -> TokenKind {
        match self {
            Credentials::App { .. } | Credentials::StoreApp { .. } => TokenKind::Tenant,
            Credentials::User { .. } => TokenKind::User,
            Credentials::Bearer(token) => match token.expose() {
                text if text.starts_with("t-") => TokenKind::Tenant,
                text if text.starts_with("u-") || text.starts_with("eyJ") => TokenKind::User,
                _ => TokenKind::Unknown,
            },
        }
    }

    /// Whether the client obtains and renews the access token.
    pub fn can_renew(&self) -> bool {
        !matches!(self, Credentials::Bearer(_))
    }

    /// The app secret or the given token.
    pub fn secret(&self) -> &Secret {
        match self {
            Credentials::App { app_secret, .. }
            | Credentials::StoreApp { app_secret, .. }
            | Credentials::User { app_secret, .. } => app_secret,
            Credentials::Bearer(token) => token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_follows_from_the_prefix() {
        for (token, kind) in
            [("t-1", TokenKind::Tenant), ("u-1", TokenKind::User), ("eyJ0", TokenKind::User), ("x", TokenKind::Unknown)]
        {
            assert_eq!(Credentials::Bearer(Secret::new(token)).token_kind(), kind, "{token}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = Secret::new("verysecret");
        let app = Credentials::App { app_id: "cli_1".into(), app_secret: secret.clone() };
        for text in [format!("{secret}"), format!("{secret:?}"), format!("{app:?}"), format!("{app:#?}")] {
            assert!(!text.contains("verysecret"), "{text}");
        }
    }
}
