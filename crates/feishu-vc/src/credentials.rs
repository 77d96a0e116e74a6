//! Who the client is to Feishu.

use std::fmt;

/// A text that `Debug` and `Display` do not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for example to give it to a [`Redactor`](crate::Redactor).
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
            Credentials::App { .. } => TokenKind::Tenant,
            Credentials::Bearer(token) => match token.expose() {
                text if text.starts_with("t-") => TokenKind::Tenant,
                text if text.starts_with("u-") || text.starts_with("eyJ") => TokenKind::User,
                _ => TokenKind::Unknown,
            },
        }
    }

    /// The app secret or the token, for redaction.
    pub(crate) fn secret(&self) -> &str {
        match self {
            Credentials::App { app_secret, .. } => app_secret.expose(),
            Credentials::Bearer(token) => token.expose(),
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
