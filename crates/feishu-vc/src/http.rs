//! One HTTP request and its response: the only file that touches the network.
//!
//! Applies the time limits and the size limit, and classifies failures. Decides nothing.

use std::error::Error;
use std::io::Read;
use std::sync::{Arc, Once};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue};

use crate::body::Body;
use crate::config::ClientConfig;
use crate::effects::{Effects, RawResponse};
use crate::error::ClientError;
use crate::error_detail::identifier;
use crate::fault::Fault;
use crate::host::BaseUrl;

/// Headers with the ID of a request, in order of preference.
const LOG_ID_HEADERS: &[&str] = &["x-tt-logid", "x-request-id"];
/// Seconds until the rate limit is lifted, a decimal number; may be 0 or absent.
const RATE_RESET_HEADER: &str = "x-ogw-ratelimit-reset";
/// Not an API resource, but the API gateway responds to it.
const PROBE_PATH: &str = "/open-apis/";
/// The first bytes of every gzip file, and of no JSON.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const USER_AGENT: &str = concat!("vcq-etl/", env!("CARGO_PKG_VERSION"));

pub(crate) struct Response {
    pub http_status: u16,
    pub log_id: Option<String>,
    pub server_date: Option<Timestamp>,
    pub rate_reset: Option<Duration>,
    pub requested_at: Timestamp,
    pub elapsed: Duration,
    pub body: Body,
}

/// A request without a usable response.
pub(crate) struct FailedRequest {
    pub fault: Fault,
    pub requested_at: Timestamp,
    pub log_id: Option<String>,
}

/// A response of the host, of any status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeResponse {
    /// When the request was sent, by the local clock.
    pub requested_at: Timestamp,
    /// From sending to the last byte.
    pub elapsed: Duration,
    /// The host's clock, from the `Date` header.
    pub server_date: Option<Timestamp>,
}

pub(crate) struct Http {
    client: reqwest::Client,
    base_url: BaseUrl,
    max_body_bytes: usize,
    timeout: Duration,
    effects: Arc<dyn Effects>,
}

impl Http {
    pub(crate) fn new(config: &ClientConfig) -> Result<Http, ClientError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error means that the program has installed a provider already; then that one is used.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(config.connect_timeout)
            .timeout(config.call_timeout)
            .redirect(reqwest::redirect::Policy::none())
            // Every request counts against the limit, so the library must not repeat any.
            .retry(reqwest::retry::never());
        if config.base_url.is_loopback() {
            builder = builder.no_proxy();
        }
        if config.base_url.is_https() {
            builder = builder.https_only(true);
        } else {
            // Plain HTTP on loopback must work without root certificates.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| match is_of_tls(&error) {
            true => ClientError::NoRootCertificates(error),
            false => ClientError::Setup(error),
        })?;
        Ok(Http {
            client,
            base_url: config.base_url.clone(),
            max_body_bytes: config.max_body_bytes,
            timeout: config.call_timeout,
            effects: Arc::clone(&config.effects),
        })
    }

    /// The origin, for error texts.
    pub(crate) fn host(&self) -> String {
        self.base_url.origin().to_owned()
    }

    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
        bearer: HeaderValue,
    ) -> Result<Response, FailedRequest> {
        self.exchange(self.client.get(self.base_url.join(path)).query(query).header(AUTHORIZATION, bearer)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &serde_json::Value) -> Result<Response, FailedRequest> {
        self.exchange(self.client.post(self.base_url.join(path)).json(body)).await
    }

    /// Requests the root of the API without a token. Any response will do.
    pub(crate) async fn probe(&self) -> Result<ProbeResponse, Fault> {
        let response = self.exchange(self.client.get(self.base_url.join(PROBE_PATH))).await;
        let Response { requested_at, elapsed, server_date, .. } = response.map_err(|failed| failed.fault)?;
        Ok(ProbeResponse { requested_at, elapsed, server_date })
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Response, FailedRequest> {
        let requested_at = self.effects.now();
        let started = self.effects.instant();
        let failed = |log_id| move |fault| FailedRequest { fault, requested_at, log_id };
        let request = request.build().map_err(Fault::from).map_err(failed(None))?;
        let (RawResponse { status, headers, .. }, body) = match self.effects.exchange(&request, self.timeout) {
            Some(exchanged) => {
                let mut response = exchanged.await.map_err(Fault::from).map_err(failed(None))?;
                let body = std::mem::take(&mut response.body);
                (response, limited(body, self.max_body_bytes))
            }
            None => {
                let mut response = self.client.execute(request).await.map_err(Fault::from).map_err(failed(None))?;
                let status = response.status().as_u16();
                let headers = std::mem::take(response.headers_mut());
                let body = read_body(&mut response, self.max_body_bytes).await;
                (RawResponse { status, headers, body: Vec::new() }, body)
            }
        };
        let log_id = log_id(&headers);
        let (server_date, rate_reset) = (server_date(&headers), rate_reset(&headers));
        let body = body.and_then(|body| unpack(body, self.max_body_bytes)).map_err(failed(log_id.clone()))?;
        let elapsed = self.effects.instant().saturating_duration_since(started);
        let body = Body(body);
        Ok(Response { http_status: status, log_id, server_date, rate_reset, requested_at, elapsed, body })
    }
}

fn limited(body: Vec<u8>, limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    if body.len() > limit_bytes { Err(Fault::TooLarge { limit_bytes }) } else { Ok(body) }
}

/// The only TLS setting that can fail is the system's root certificates: there are none.
fn is_of_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

async fn read_body(response: &mut reqwest::Response, limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(Fault::TooLarge { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The body without gzip. It is never requested, but some gateways compress anyway, with or without the
/// header. A damaged archive is left as it is, and then is not the API's JSON.
fn unpack(body: Vec<u8>, limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    if !body.starts_with(GZIP_MAGIC) {
        return Ok(body);
    }
    let mut unpacked = Vec::new();
    match MultiGzDecoder::new(&*body).take(limit_bytes as u64 + 1).read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() > limit_bytes => Err(Fault::TooLarge { limit_bytes }),
        Ok(_) => Ok(unpacked),
        Err(_) => Ok(body),
    }
}

fn log_id(headers: &HeaderMap) -> Option<String> {
    LOG_ID_HEADERS.iter().find_map(|header| headers.get(*header)?.to_str().ok().and_then(identifier))
}

fn server_date(headers: &HeaderMap) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(headers.get(DATE)?.as_bytes()).ok()
}

/// The wait that Feishu requests; `None` if zero or unreadable, the longest wait if beyond range.
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
    fn log_id_prefers_feishus_own_header() {
        let mut both = headers("x-request-id", "gateway");
        assert_eq!(log_id(&both).as_deref(), Some("gateway"));
        both.insert("x-tt-logid", HeaderValue::from_static("feishu"));
        assert_eq!(log_id(&both).as_deref(), Some("feishu"));
        assert_eq!(log_id(&HeaderMap::new()), None);
        let mut long = HeaderMap::new();
        long.insert("x-tt-logid", "x".repeat(10_000).parse().expect("a value"));
        assert_eq!(log_id(&long), None);
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn gzip_is_unpacked_within_the_limit() {
        let text = b"{\"code\":0}".repeat(20);
        let unpacked = |body: Vec<u8>, limit_bytes| unpack(body, limit_bytes);
        assert_eq!(unpacked(gzip(&text), text.len()).expect("within the limit"), text);
        assert_eq!(unpacked([gzip(&text), gzip(b"x")].concat(), 1_000).expect("two members"), [&*text, b"x"].concat());
        assert_eq!(unpacked(text.clone(), 1).expect("plain"), text, "the limit of a plain body is checked before");
        assert!(matches!(unpacked(gzip(&text), text.len() - 1), Err(Fault::TooLarge { .. })));
        // A zip bomb: the limit applies to the decompressed size.
        assert!(matches!(unpacked(gzip(&vec![b' '; 4 << 20]), 64 << 10), Err(Fault::TooLarge { .. })));
        let cut = gzip(&text)[..20].to_vec();
        assert_eq!(unpacked(cut.clone(), 1_000).expect("left as it is"), cut);
    }

    #[test]
    fn server_date_is_read() {
        let date = server_date(&headers("date", "Fri, 23 Dec 2022 03:16:59 GMT")).expect("a date");
        assert_eq!(date.as_second(), 1_671_765_419);
        assert_eq!(server_date(&headers("date", "yesterday")), None);
    }
}
