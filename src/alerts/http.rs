//! One POST of JSON and its answer, bounded in time and size. Redirects are not followed: the message would go to a
//! host that nobody configured.

use std::error::Error;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;

use super::channel::ChannelUrl;
use super::error::DeliveryError;

/// No bot answers with more.
const MAX_ANSWER_BYTES: usize = 64 << 10;

pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

pub(super) async fn post(url: &ChannelUrl, body: &Value, limit: Duration) -> Result<Answer, DeliveryError> {
    let host = url.host();
    let exchanged = tokio::time::timeout(limit, exchange(url, body)).await;
    exchanged.unwrap_or(Err(DeliveryError::TimedOut { place: host, limit }))
}

async fn exchange(url: &ChannelUrl, body: &Value) -> Result<Answer, DeliveryError> {
    let host = url.host();
    let unreachable =
        |error: reqwest::Error| DeliveryError::Unreachable { host: url.host(), why: causes(error.without_url()) };
    let request = client(url)?.post(url.url()).header(CONTENT_TYPE, "application/json; charset=utf-8");
    let mut response = request.body(body.to_string()).send().await.map_err(unreachable)?;
    let status = response.status();
    if status.is_redirection() {
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        let to = to.and_then(|to| url.url().join(to).ok()).and_then(|to| to.host_str().map(str::to_owned));
        return Err(DeliveryError::Redirected { host, to });
    }
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if answer.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(DeliveryError::TooLarge { host, limit_bytes: MAX_ANSWER_BYTES });
        }
        answer.extend_from_slice(&chunk);
    }
    Ok(Answer { status: status.as_u16(), body: answer })
}

fn client(url: &ChannelUrl) -> Result<reqwest::Client, DeliveryError> {
    install_tls_provider();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("vcq-etl/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never());
    if url.is_loopback() {
        builder = builder.no_proxy();
    }
    if !url.is_https() {
        // Plain HTTP on loopback must work without root certificates.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| DeliveryError::Setup { why: causes(error.without_url()) })
}

/// Uses ring, unless the program has installed a provider already.
pub(super) fn install_tls_provider() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The innermost cause says what happened; the outer texts only repeat that the request failed.
fn causes(error: reqwest::Error) -> String {
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
