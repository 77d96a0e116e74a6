//! One request, one answer: the only place that touches the network.
//!
//! Sends and receives, with time limits and a cap on the size, and sorts what goes wrong. Decides nothing.

use std::fmt;
use std::ops::Deref;
use std::sync::Once;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue};

use super::client::ClientConfig;
use super::envelope::name;
use super::error::{ClientError, Fault};
use super::host::BaseUrl;
use super::redaction::Redactor;

/// The vendor's names of the headers that hold a request's id, in the order of preference.
const LOG_ID_HEADERS: &[&str] = &["x-tt-logid", "x-request-id"];
/// Seconds until the limit is over, a decimal number; may be 0 or absent.
const RATE_RESET_HEADER: &str = "x-ogw-ratelimit-reset";
/// Nothing is there; but the gateway that serves the API says so.
const PROBE_PATH: &str = "/open-apis/";
const USER_AGENT: &str = concat!("vcq-etl/", env!("CARGO_PKG_VERSION"));

/// The bytes of an answer. Its `Debug` form says how many there are, because they name persons.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body(Vec<u8>);

impl Body {
    /// The body without secrets.
    pub(super) fn redacted(self, redactor: &Redactor) -> Body {
        Body(redactor.redact_body(self.0))
    }

    /// The bytes themselves.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// An answer that came whole.
pub(super) struct Received {
    pub http_status: u16,
    pub log_id: Option<String>,
    pub server_date: Option<Timestamp>,
    pub rate_reset: Option<Duration>,
    pub requested_at: Timestamp,
    pub elapsed: Duration,
    pub body: Body,
}

/// A request without a whole answer.
pub(super) struct Missed {
    pub fault: Fault,
    pub requested_at: Timestamp,
    pub log_id: Option<String>,
}

/// A host that answered, whatever it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeResponse {
    /// When it was asked, by our clock.
    pub requested_at: Timestamp,
    /// Until its answer was whole.
    pub elapsed: Duration,
    /// Its clock, by its `Date` header.
    pub server_date: Option<Timestamp>,
}

/// The HTTP client for one host.
pub(super) struct Wire {
    http: reqwest::Client,
    base_url: BaseUrl,
    max_body_bytes: usize,
}

impl Wire {
    pub(crate) fn new(config: &ClientConfig) -> Result<Wire, ClientError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error means that the program has installed a provider already, and then that one is used.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(config.connect_timeout)
            .timeout(config.call_timeout)
            .redirect(reqwest::redirect::Policy::none())
            // Every request is counted against a budget, so none may be repeated behind our back.
            .retry(reqwest::retry::never());
        if config.base_url.is_loopback() {
            builder = builder.no_proxy();
        }
        if config.base_url.is_https() {
            builder = builder.https_only(true);
        } else {
            // Plain HTTP on this machine must work without any root certificates installed.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(ClientError::Setup)?;
        Ok(Wire { http, base_url: config.base_url.clone(), max_body_bytes: config.max_body_bytes })
    }

    /// The origin, for the text of errors.
    pub(crate) fn host(&self) -> String {
        self.base_url.origin().to_owned()
    }

    /// FetchScope with a token.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
        bearer: HeaderValue,
    ) -> Result<Received, Missed> {
        self.exchange(self.http.get(self.base_url.join(path)).query(query).header(AUTHORIZATION, bearer)).await
    }

    /// FetchScope with a JSON body and without a token.
    pub(crate) async fn post(&self, path: &str, body: &serde_json::Value) -> Result<Received, Missed> {
        self.exchange(self.http.post(self.base_url.join(path)).json(body)).await
    }

    /// FetchScope for the root of the API, without a token: anything that answers there will do.
    pub(crate) async fn probe(&self) -> Result<ProbeResponse, Missed> {
        let received = self.exchange(self.http.get(self.base_url.join(PROBE_PATH))).await?;
        Ok(ProbeResponse {
            requested_at: received.requested_at,
            elapsed: received.elapsed,
            server_date: received.server_date,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "edge: a request is stamped when it goes out")]
    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Received, Missed> {
        let requested_at = Timestamp::now();
        let started = Instant::now();
        let mut response = request.send().await.map_err(|error| Missed {
            fault: Fault::of_transport(error),
            requested_at,
            log_id: None,
        })?;
        let headers = response.headers();
        let log_id = log_id(headers);
        let (server_date, rate_reset) = (server_date(headers), rate_reset(headers));
        let http_status = response.status().as_u16();
        let body = match read_capped(&mut response, self.max_body_bytes).await {
            Ok(body) => body,
            Err(fault) => return Err(Missed { fault, requested_at, log_id }),
        };
        let elapsed = started.elapsed();
        Ok(Received { http_status, log_id, server_date, rate_reset, requested_at, elapsed, body })
    }
}

async fn read_capped(response: &mut reqwest::Response, limit_bytes: usize) -> Result<Body, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Fault::of_transport)? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(Fault::TooLarge { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Body(body))
}

fn log_id(headers: &HeaderMap) -> Option<String> {
    LOG_ID_HEADERS.iter().find_map(|header| headers.get(*header)?.to_str().ok().and_then(name))
}

fn server_date(headers: &HeaderMap) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(headers.get(DATE)?.as_bytes()).ok()
}

/// How long the vendor wants us to wait. Zero says nothing, and so is `None`; a number beyond all sense is the longest wait.
fn rate_reset(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(RATE_RESET_HEADER)?.to_str().ok()?.trim().parse().ok()?;
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().expect("a header name"), HeaderValue::from_static(value))])
    }

    #[test]
    fn rate_reset_is_a_decimal_number_of_seconds() {
        for (text, expected) in [
            ("0.5", Some(Duration::from_millis(500))),
            ("41", Some(Duration::from_secs(41))),
            ("0", None),
            ("-3", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
            ("1e300", Some(Duration::MAX)),
            ("inf", Some(Duration::MAX)),
        ] {
            assert_eq!(rate_reset(&headers(RATE_RESET_HEADER, text)), expected, "{text}");
        }
        assert_eq!(rate_reset(&HeaderMap::new()), None);
    }

    #[test]
    fn log_id_prefers_the_vendors_own_header() {
        let mut both = headers("x-request-id", "gateway");
        assert_eq!(log_id(&both).as_deref(), Some("gateway"));
        both.insert("x-tt-logid", HeaderValue::from_static("vendor"));
        assert_eq!(log_id(&both).as_deref(), Some("vendor"));
        assert_eq!(log_id(&HeaderMap::new()), None);
        let mut long = HeaderMap::new();
        long.insert("x-tt-logid", "x".repeat(10_000).parse().expect("a value"));
        assert_eq!(log_id(&long), None);
    }

    #[test]
    fn server_date_is_read() {
        let date = server_date(&headers("date", "Fri, 23 Dec 2022 03:16:59 GMT")).expect("a date");
        assert_eq!(date.as_second(), 1_671_765_419);
        assert_eq!(server_date(&headers("date", "yesterday")), None);
    }

    #[test]
    fn body_does_not_show_itself() {
        assert_eq!(format!("{:?}", Body(b"person".to_vec())), "Body(6 bytes)");
    }
}
