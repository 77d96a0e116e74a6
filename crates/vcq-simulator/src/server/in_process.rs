//! The server without a network and without clocks: the caller says when a call arrives. For simulated time.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use tokio::sync::watch;

use super::handler::{Arrival, Shared, respond};
use super::reply::Ending;
use super::{ApiError, Options};
use crate::model::Tenant;

/// Answers the calls of one tenant.
#[derive(Debug)]
pub struct InProcess {
    shared: Shared,
    _stop: watch::Sender<bool>,
}

/// A call as it arrives.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    pub method: &'a str,
    /// Path and query.
    pub uri: &'a str,
    pub authorization: Option<&'a str>,
    pub body: &'a [u8],
    /// Since the server's start.
    pub since_start: Duration,
    /// Unix seconds.
    pub now_s: i64,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The connection is reset, before the response or in its middle.
    Reset,
    /// Nothing is sent until the caller gives up.
    Stall,
}

impl InProcess {
    pub fn new(tenant: impl Into<Arc<Tenant>>, options: Options) -> Self {
        let (stop, stopping) = watch::channel(false);
        Self { shared: Shared::new(vec![(String::new(), tenant.into())], options, stopping), _stop: stop }
    }

    /// Answers a call; the latency of the options is left to the caller.
    pub fn answer(&self, call: Incoming<'_>) -> Served {
        let mut sent = HeaderMap::new();
        if let Some(value) = call.authorization.and_then(|text| HeaderValue::from_str(text).ok()) {
            sent.insert(header::AUTHORIZATION, value);
        }
        let uri: Uri = call.uri.parse().unwrap_or_default();
        let at = Arrival { since_start: call.since_start, now_s: call.now_s };
        let handled = match respond(&self.shared, (call.method, &uri), &sent, call.body, at) {
            Ok(handled) => handled,
            Err(code) => {
                let error = ApiError::new(code);
                let body = error.body("", "").into_bytes();
                return Served::Response { status: error.http, headers: Vec::new(), body };
            }
        };
        match handled.reply.ending {
            Ending::Complete => {}
            Ending::Reset | Ending::ResetInBody => return Served::Reset,
            Ending::Stall => return Served::Stall,
        }
        let body = handled.reply.body.clone();
        let response = handled.into_response();
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Served::Response { status: response.status().as_u16(), headers, body }
    }

    pub fn tenant(&self) -> &Tenant {
        self.shared.first()
    }

    pub fn options(&self) -> Options {
        Options::clone(&self.shared.state().options)
    }

    /// Changes the options from the next call on and restarts the counts of faults.
    pub fn set_options(&self, options: Options) {
        self.shared.set_options(options);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantSpec;

    fn call<'a>(method: &'a str, uri: &'a str, body: &'a [u8]) -> Incoming<'a> {
        Incoming { method, uri, authorization: None, body, since_start: Duration::ZERO, now_s: 1_800_000_000 }
    }

    #[test]
    fn calls_are_answered_as_over_http_at_the_time_of_the_caller() {
        let server =
            InProcess::new(Tenant::generate(&TenantSpec { days: 1, ..TenantSpec::default() }), Options::default());
        let Options { app_id, app_secret, .. } = server.options();
        let body = serde_json::json!({ "app_id": app_id, "app_secret": app_secret }).to_string();
        let path = "/open-apis/auth/v3/tenant_access_token/internal";
        let Served::Response { status: 200, headers, body } = server.answer(call("POST", path, body.as_bytes())) else {
            panic!("no token")
        };
        assert!(headers.contains(&("date".to_owned(), "Fri, 15 Jan 2027 08:00:00 GMT".to_owned())), "{headers:?}");
        assert!(String::from_utf8_lossy(&body).contains("tenant_access_token"));
        let list = "/open-apis/vc/v1/meeting_list?page_size=20";
        assert!(
            matches!(server.answer(call("GET", list, b"")), Served::Response { status: 400, .. }),
            "no token is sent"
        );
        let faults = vec!["reset".parse().expect("a fault")];
        server.set_options(Options { faults, ..server.options() });
        let token: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let bearer = format!("Bearer {}", token["tenant_access_token"].as_str().expect("a text"));
        let sent = Incoming { authorization: Some(&bearer), ..call("GET", list, b"") };
        assert_eq!(server.answer(sent), Served::Reset);
    }
}
