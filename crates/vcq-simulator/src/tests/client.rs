//! A minimal HTTP client for the tests.

use std::sync::Once;
use std::time::Duration;

use serde_json::Value;

use crate::{Endpoint, Limit, Options, RunningServer, Tenant, TenantSpec, serve};

pub(super) struct Response {
    pub(super) http: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Response {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn code(&self) -> i64 {
        self.json()["code"].as_i64().expect("an envelope")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn rows(&self, key: &str) -> Vec<Value> {
        self.json()["data"][key].as_array().cloned().unwrap_or_default()
    }
}

/// A server, and a client with a token for it.
pub(super) struct Client {
    pub(super) server: RunningServer,
    pub(super) client: reqwest::Client,
    pub(super) bearer: String,
}

/// Options with a rate limit that no test reaches.
pub(super) fn fast() -> Options {
    Options { limit: Limit { calls: 1_000_000, ..Limit::default() }, ..Options::default() }
}

/// A tenant small enough to be fetched completely in a test.
pub(super) fn small() -> TenantSpec {
    TenantSpec { days: 3, people: 24, meetings_per_day: 6, ..TenantSpec::default() }
}

/// The same tenant, whose last day is the day before yesterday: Feishu's own counts go back 90 days only.
#[expect(clippy::disallowed_methods, reason = "the server has the machine's clock")]
pub(super) fn recent(spec: TenantSpec) -> TenantSpec {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date();
    let days = jiff::Span::new().days(i64::from(spec.days) + 1);
    TenantSpec { first_day: today.checked_sub(days).expect("a date"), ..spec }
}

impl Client {
    pub(super) async fn new(spec: &TenantSpec, options: Options) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another test of this process may have installed it already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let server = serve(Tenant::generate(spec), options).await.expect("a free port on loopback");
        let client =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a plain client");
        let mut client = Self { server, client, bearer: String::new() };
        let token = client.token(&client.server.app_id(), &client.server.app_secret()).await;
        client.bearer = format!("Bearer {}", token.json()["tenant_access_token"].as_str().unwrap_or_default());
        client
    }

    pub(super) async fn token(&self, app_id: &str, app_secret: &str) -> Response {
        let url = format!("{}/open-apis/auth/v3/tenant_access_token/internal", self.server.base_url());
        let body = serde_json::json!({"app_id": app_id, "app_secret": app_secret});
        receive(self.client.post(url).json(&body)).await.expect("a response")
    }

    pub(super) async fn post(&self, endpoint: Endpoint, body: &Value) -> Response {
        let url = format!("{}{}", self.server.base_url(), endpoint.path());
        receive(self.client.post(url).json(body)).await.expect("a response")
    }

    pub(super) async fn try_get(
        &self,
        endpoint: Endpoint,
        params: &[(&str, &str)],
    ) -> Result<Response, reqwest::Error> {
        let url = format!("{}{}", self.server.base_url(), endpoint.path());
        let mut request = self.client.get(url).query(params);
        if !self.bearer.is_empty() {
            request = request.header("authorization", &self.bearer);
        }
        receive(request).await
    }

    pub(super) async fn get(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> Response {
        self.try_get(endpoint, params).await.expect("a response")
    }

    /// The rows of all pages.
    pub(super) async fn walk(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut token = String::new();
        loop {
            let mut query = params.to_vec();
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let page = self.get(endpoint, &query).await;
            assert_eq!(page.code(), 0, "{}", page.text);
            rows.append(&mut page.rows(endpoint.list_key()));
            match page.json()["data"]["page_token"].as_str() {
                Some(next) => token = next.to_owned(),
                None => return rows,
            }
        }
    }

    /// Sets the server's clock (Unix seconds), and returns the options with it.
    #[expect(clippy::disallowed_methods, reason = "the server has the machine's clock")]
    pub(super) fn set_clock(&self, now: i64, options: Options) -> Options {
        let clock_ahead_s = now - jiff::Timestamp::now().as_second();
        let options = Options { clock_ahead_s, ..options };
        // Tokens that were issued before stay valid.
        self.server.set_options(options.clone());
        options
    }

    /// Start and end of the whole tenant.
    pub(super) fn window(&self) -> (String, String) {
        let spec = self.server.tenant().spec();
        (spec.start().to_string(), spec.end().to_string())
    }

    /// All meetings, external ones and webinars included.
    pub(super) async fn meetings(&self) -> Vec<Value> {
        let (start, end) = self.window();
        let all = [("include_external_meetings", "true"), ("include_webinar", "true"), ("page_size", "100")];
        self.walk(
            Endpoint::MeetingList,
            &[&[("start_time", start.as_str()), ("end_time", end.as_str())][..], &all].concat(),
        )
        .await
    }
}

async fn receive(request: reqwest::RequestBuilder) -> Result<Response, reqwest::Error> {
    let response = request.send().await?;
    let (http, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Response { http, headers, text: response.text().await? })
}

/// The Unix seconds of a documented time.
pub(super) fn unix(text: &Value) -> String {
    let text = text.as_str().expect("a time is a string");
    let text = text.replace("GMT", "");
    jiff::fmt::strtime::parse("%Y.%m.%d %H:%M:%S (%:z)", &text)
        .and_then(|time| time.to_timestamp())
        .unwrap_or_else(|error| panic!("{error}: {text}"))
        .as_second()
        .to_string()
}
