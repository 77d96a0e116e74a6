//! A caller for the tests: real HTTP, no cleverness.

use std::sync::Once;
use std::time::Duration;

use serde_json::Value;

use crate::{Endpoint, Limit, Options, Running, Tenant, TenantSpec, serve};

pub(super) struct Got {
    pub(super) http: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Got {
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

/// A served tenant and a client that holds a token for it.
pub(super) struct Caller {
    pub(super) running: Running,
    pub(super) client: reqwest::Client,
    pub(super) bearer: String,
}

/// Options without a limit that a test would have to wait for.
pub(super) fn fast() -> Options {
    Options { limit: Limit { calls: 1_000_000, ..Limit::default() }, ..Options::default() }
}

/// A tenant small enough to walk in a test.
pub(super) fn small() -> TenantSpec {
    TenantSpec { days: 3, people: 24, meetings_per_day: 6, ..TenantSpec::default() }
}

impl Caller {
    pub(super) async fn of(spec: &TenantSpec, options: Options) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another test of this process may have installed it already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let running = serve(Tenant::generate(spec), options).await.expect("a free port on loopback");
        let client =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().expect("a plain client");
        let mut caller = Self { running, client, bearer: String::new() };
        let token = caller.token(&caller.running.app_id(), &caller.running.app_secret()).await;
        caller.bearer = format!("Bearer {}", token.json()["tenant_access_token"].as_str().unwrap_or_default());
        caller
    }

    pub(super) async fn token(&self, app_id: &str, app_secret: &str) -> Got {
        let url = format!("{}/open-apis/auth/v3/tenant_access_token/internal", self.running.base_url());
        let body = serde_json::json!({"app_id": app_id, "app_secret": app_secret});
        receive(self.client.post(url).json(&body)).await.expect("an answer")
    }

    pub(super) async fn try_get(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> Result<Got, reqwest::Error> {
        let url = format!("{}/open-apis/vc/v1/{}", self.running.base_url(), endpoint.name());
        let mut request = self.client.get(url).query(params);
        if !self.bearer.is_empty() {
            request = request.header("authorization", &self.bearer);
        }
        receive(request).await
    }

    pub(super) async fn get(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> Got {
        self.try_get(endpoint, params).await.expect("an answer")
    }

    /// All the pages of a question.
    pub(super) async fn walk(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut token = String::new();
        loop {
            let mut asked = params.to_vec();
            if !token.is_empty() {
                asked.push(("page_token", &token));
            }
            let page = self.get(endpoint, &asked).await;
            assert_eq!(page.code(), 0, "{}", page.text);
            rows.append(&mut page.rows(endpoint.list_key()));
            match page.json()["data"]["page_token"].as_str() {
                Some(next) => token = next.to_owned(),
                None => return rows,
            }
        }
    }

    /// The window of the whole tenant, as start and end.
    pub(super) fn window(&self) -> (String, String) {
        let spec = self.running.tenant().spec();
        (spec.start().to_string(), spec.end().to_string())
    }

    /// Every meeting, external ones and webinars included.
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

async fn receive(request: reqwest::RequestBuilder) -> Result<Got, reqwest::Error> {
    let response = request.send().await?;
    let (http, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Got { http, headers, text: response.text().await? })
}

/// Reads the documented text of a time in +08:00.
pub(super) fn unix(text: &Value) -> String {
    let text = text.as_str().expect("a time is text");
    let text = text.replace("GMT", "");
    jiff::fmt::strtime::parse("%Y.%m.%d %H:%M:%S (%:z)", &text)
        .and_then(|time| time.to_timestamp())
        .unwrap_or_else(|error| panic!("{error}: {text}"))
        .as_second()
        .to_string()
}
