//! Where messages go: a channel with its address and secrets.

use std::fmt;

use feishu_vc::Secret;

/// A channel whose settings are complete.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub name: String,
    pub target: Target,
}

#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// The custom bot of a Feishu group; with a secret, requests are signed.
    Feishu {
        url: ChannelUrl,
        secret: Option<Secret>,
    },
    /// Any URL that takes JSON.
    Webhook {
        url: ChannelUrl,
    },
    Email(EmailSettings),
    /// A program and its arguments; it gets JSON on standard input.
    Command {
        arguments: Vec<String>,
    },
}

impl Target {
    /// The kind as it is configured.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Target::Feishu { .. } => "feishu",
            Target::Webhook { .. } => "webhook",
            Target::Email(_) => "email",
            Target::Command { .. } => "command",
        }
    }

    /// What must never be shown: the secrets, and addresses that let anybody who knows them send.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match self {
            Target::Feishu { url, secret } => {
                url.secrets().into_iter().chain(secret.as_ref().map(Secret::expose)).collect()
            }
            Target::Webhook { url } => url.secrets(),
            Target::Email(email) => email.password.as_ref().map(Secret::expose).into_iter().collect(),
            Target::Command { .. } => Vec::new(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct EmailSettings {
    pub host: String,
    /// `None` is the usual port of the kind of encryption.
    pub port: Option<u16>,
    pub tls: Encryption,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Valid addresses, with or without a name.
    pub from: String,
    pub to: Vec<String>,
}

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    Starttls,
    Tls,
    /// To loopback only.
    None,
}

impl Encryption {
    /// The words of the setting.
    pub(crate) const WORDS: &[(&str, Encryption)] =
        &[("starttls", Encryption::Starttls), ("tls", Encryption::Tls), ("none", Encryption::None)];
}

/// The address of a bot or webhook: HTTPS, or HTTP to loopback. It is a secret, so only its host is shown.
#[derive(Clone)]
pub(crate) struct ChannelUrl(reqwest::Url);

impl ChannelUrl {
    /// The problem contains nothing of the text.
    pub(crate) fn parse(text: &str) -> Result<ChannelUrl, &'static str> {
        let url = reqwest::Url::parse(text.trim()).map_err(|_| "is not a URL")?;
        let channel = ChannelUrl(url);
        match channel.0.scheme() {
            _ if channel.0.host_str().is_none_or(str::is_empty) => Err("has no host"),
            _ if !channel.0.username().is_empty() || channel.0.password().is_some() => {
                Err("contains a user name or password")
            }
            "https" => Ok(channel),
            "http" if channel.is_loopback() => Ok(channel),
            "http" => Err("is not HTTPS; plain HTTP is for loopback addresses only"),
            _ => Err("is not an HTTPS URL"),
        }
    }

    /// With its port if that is not the usual one.
    pub(super) fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or(host.to_owned(), |port| format!("{host}:{port}"))
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(self.0.host_str().unwrap_or_default())
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(super) fn url(&self) -> reqwest::Url {
        self.0.clone()
    }

    /// The address as a whole, and what stands behind its host.
    fn secrets(&self) -> Vec<&str> {
        let last = self.0.path_segments().and_then(|mut parts| parts.next_back());
        let parts = [Some(self.0.as_str()), Some(self.0.path()), last, self.0.query()];
        // A short path such as /hook is no secret, and would be removed from every text.
        parts.into_iter().flatten().filter(|part| part.len() >= 12).collect()
    }
}

impl fmt::Debug for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/[hidden]", self.0.scheme(), self.host())
    }
}

/// `localhost`, 127.0.0.0/8 and ::1, as the host of a URL or of a mail server.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl EmailSettings {
    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        is_loopback(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_loopback_and_never_shown() {
        let url = "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef";
        let parsed = ChannelUrl::parse(url).expect("a URL");
        assert_eq!(format!("{parsed:?}"), "https://open.feishu.cn/[hidden]");
        assert!(parsed.secrets().contains(&"0123456789abcdef"));
        for url in ["http://127.0.0.1:8080/hook", "http://localhost/x", "http://[::1]:9/x"] {
            assert!(ChannelUrl::parse(url).is_ok(), "{url}");
        }
        for url in
            ["http://bot.example/x", "ftp://bot.example", "bot.example/x", "", "https://u:p@bot.example/x", "data:text"]
        {
            assert!(ChannelUrl::parse(url).is_err(), "{url}");
        }
        let channel = Target::Feishu { url: parsed, secret: Some(Secret::new("s3cret-s3cret")) };
        assert!(!format!("{channel:?}").contains("s3cret"));
        assert_eq!(channel.secrets().last(), Some(&"s3cret-s3cret"));
    }
}
