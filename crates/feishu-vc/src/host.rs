//! Which host is asked: the two brands as data, and a base URL that cannot be a careless one.
//!
//! A base URL is an origin and nothing more; the paths are ours. Plain HTTP would show the token to everybody on the way,
//! so it is only taken for this very machine.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// A brand of the open platform. An app belongs to one and is unknown to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Region {
    /// Feishu, in China.
    #[default]
    Feishu,
    /// Lark, elsewhere.
    Lark,
}

/// The brands: region, the word for it, and the API's origin.
pub const REGIONS: &[(Region, &str, &str)] =
    &[(Region::Feishu, "feishu", "https://open.feishu.cn"), (Region::Lark, "lark", "https://open.larksuite.com")];

impl Region {
    /// The word for the region on the command line.
    pub fn as_str(self) -> &'static str {
        REGIONS[self as usize].1
    }

    /// Reads the word; `None` for any other.
    pub fn parse(text: &str) -> Option<Region> {
        REGIONS.iter().find(|(_, word, _)| *word == text).map(|(region, ..)| *region)
    }

    /// The API's origin.
    pub fn base_url(self) -> BaseUrl {
        BaseUrl::parse(REGIONS[self as usize].2).expect("the origins in REGIONS are valid; a test parses each")
    }
}

/// Why a text is no base URL. None of them repeats the text, which might hold a password.
#[derive(Debug, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL.
    #[error("the base URL is not a URL; give an origin such as https://open.feishu.cn")]
    NotAUrl(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// User name or password in it.
    #[error("the base URL must not hold a user name or a password")]
    UserInfo,
    /// More than an origin.
    #[error("the base URL for {host} must be an origin only, without path, query or fragment")]
    NotAnOrigin {
        /// Its host.
        host: String,
    },
    /// Neither https nor http.
    #[error("the base URL must start with https://, not {scheme}:")]
    Scheme {
        /// Its scheme.
        scheme: String,
    },
    /// Plain HTTP to another machine.
    #[error("plain HTTP to {host} would show the access token on the way; use https (http is for loopback only)")]
    PlainHttp {
        /// Its host.
        host: String,
    },
}

/// The origin of the API: `https://host[:port]`, or `http` to loopback.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    url: Url,
    loopback: bool,
}

impl BaseUrl {
    /// Reads an origin.
    pub fn parse(text: &str) -> Result<BaseUrl, BaseUrlError> {
        let url = Url::parse(text.trim()).map_err(|source| BaseUrlError::NotAUrl(source.into()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BaseUrlError::Scheme { scheme: url.scheme().to_owned() });
        }
        // Never empty: the two schemes above are not parsed without a host.
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

    /// The origin as text, without a slash at the end.
    pub fn origin(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Whether it is this very machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether the way is encrypted.
    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The URL of an absolute path on this host.
    pub(super) fn join(&self, path: &str) -> Url {
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
    fn both_brands_are_valid_and_read_their_own_word() {
        for (region, word, origin) in REGIONS {
            assert_eq!(region.base_url().origin(), *origin);
            assert_eq!(region.as_str(), *word);
            assert_eq!(Region::parse(word), Some(*region));
            assert!(region.base_url().is_https() && !region.base_url().is_loopback());
        }
        assert_eq!(Region::parse("Lark"), None);
    }

    #[test]
    fn origins_are_taken() {
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
    fn careless_ones_are_refused_without_repeating_them() {
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
    fn paths_are_ours() {
        let base = BaseUrl::parse("http://127.0.0.1:4010").expect("a loopback origin");
        assert_eq!(base.join("/open-apis/x").as_str(), "http://127.0.0.1:4010/open-apis/x");
    }
}
