//! The host of the API: the two regions, and a base URL that is safe to send a token to.
//!
//! A base URL is an origin; the paths are the client's. Plain HTTP would expose the token, so it is accepted for
//! loopback only.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// A region of the open platform. An app belongs to one and is unknown to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Region {
    /// Feishu (China).
    #[default]
    Feishu,
    /// Lark (elsewhere).
    Lark,
}

/// Region, its name in settings, origin of its API.
const REGIONS: &[(Region, &str, &str)] =
    &[(Region::Feishu, "feishu", "https://open.feishu.cn"), (Region::Lark, "lark", "https://open.larksuite.com")];

impl Region {
    /// The name: `feishu` or `lark`.
    pub fn as_str(self) -> &'static str {
        REGIONS[self as usize].1
    }

    /// The region of a name.
    pub fn parse(text: &str) -> Option<Region> {
        REGIONS.iter().find(|(_, word, _)| *word == text).map(|(region, ..)| *region)
    }

    /// Origin of the region's API.
    pub fn base_url(self) -> BaseUrl {
        BaseUrl::parse(REGIONS[self as usize].2).expect("the origins in REGIONS are valid; a test parses each")
    }
}

/// Why a text is not a base URL. No message repeats the text, which might contain a password.
#[expect(missing_docs, reason = "the fields are named for what they hold")]
#[derive(Debug, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL.
    #[error("the base URL is not a URL; give an origin such as https://open.feishu.cn")]
    NotAUrl(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It contains a user name or a password.
    #[error("the base URL must not hold a user name or a password")]
    UserInfo,
    /// It has a path, query or fragment.
    #[error("the base URL for {host} must be an origin only, without path, query or fragment")]
    NotAnOrigin { host: String },
    /// Neither https nor http.
    #[error("the base URL must start with https://, not {scheme}:")]
    Scheme { scheme: String },
    /// Plain HTTP to another machine.
    #[error("plain HTTP to {host} would expose the access token; use https (http is for loopback only)")]
    PlainHttp { host: String },
}

/// The origin of the API: `https://host[:port]`, or `http` to loopback.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    url: Url,
    loopback: bool,
}

impl BaseUrl {
    /// Parses an origin.
    ///
    /// # Errors
    /// If the text is not an `https` origin, or an `http` origin on loopback.
    pub fn parse(text: &str) -> Result<BaseUrl, BaseUrlError> {
        let url = Url::parse(text.trim()).map_err(|source| BaseUrlError::NotAUrl(source.into()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        // The parser also accepts `http:/host` and `http:host`; what was meant there is unknown.
        let rest = text.trim().get(url.scheme().len()..).unwrap_or_default();
        if !rest.starts_with("://") || rest.starts_with(":///") {
            return Err(BaseUrlError::NotAUrl("the scheme is not followed by // and a host".into()));
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BaseUrlError::Scheme { scheme: url.scheme().to_owned() });
        }
        // Never empty: both schemes require a host.
        let host = url.host_str().unwrap_or_default().to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::NotAnOrigin { host });
        }
        let loopback = is_loopback(&host);
        if url.scheme() == "http" && !loopback {
            return Err(BaseUrlError::PlainHttp { host });
        }
        Ok(BaseUrl { url, loopback })
    }

    /// The origin, without a trailing slash.
    pub fn origin(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Whether the host is loopback.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin())
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_regions_are_valid() {
        for (region, word, origin) in REGIONS {
            assert_eq!(region.base_url().origin(), *origin);
            assert_eq!(region.as_str(), *word);
            assert_eq!(Region::parse(word), Some(*region));
            assert!(region.base_url().is_https() && !region.base_url().is_loopback());
        }
        assert_eq!(Region::parse("Lark"), None);
    }

    #[test]
    fn origins_are_accepted() {
        for (text, origin) in [
            ("https://open.feishu.cn", "https://open.feishu.cn"),
            (" https://open.feishu.cn/ ", "https://open.feishu.cn"),
            ("HTTPS://Open.Feishu.CN:8443", "https://open.feishu.cn:8443"),
            ("http://127.0.0.1:4010", "http://127.0.0.1:4010"),
            ("http://127.1.2.3", "http://127.1.2.3"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:9", "http://[::1]:9"),
        ] {
            assert_eq!(BaseUrl::parse(text).expect(text).origin(), origin);
        }
    }

    #[test]
    fn unsafe_urls_are_refused_without_repeating_them() {
        for (text, expected) in [
            ("open.feishu.cn", "not a URL"),
            ("", "not a URL"),
            ("https://", "not a URL"),
            ("https://a:secretword@open.feishu.cn", "user name or a password"),
            ("https://secretword@open.feishu.cn/x", "user name or a password"),
            ("https://open.feishu.cn/open-apis", "origin only"),
            ("https://open.feishu.cn?x=secretword", "origin only"),
            ("https://open.feishu.cn/#secretword", "origin only"),
            ("ftp://open.feishu.cn", "not ftp:"),
            ("http://open.feishu.cn", "plain HTTP to open.feishu.cn"),
            ("http://localhost.example.com", "plain HTTP"),
            ("http://10.0.0.1", "plain HTTP"),
        ] {
            let error = BaseUrl::parse(text).expect_err(text);
            assert!(error.to_string().contains(expected), "{text}: {error}");
            assert!(!format!("{error:?} {error}").contains("secretword"), "{error:?}");
        }
    }

    #[test]
    fn paths_are_joined() {
        let base = BaseUrl::parse("http://127.0.0.1:4010").expect("a loopback origin");
        assert_eq!(base.join("/open-apis/x").as_str(), "http://127.0.0.1:4010/open-apis/x");
    }
}
