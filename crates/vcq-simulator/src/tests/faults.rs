//! Each fault looks as it does at Feishu, and happens when it should.

use std::time::Duration;

use super::client::{Client, fast, small};
use crate::{Endpoint, FAULT_NAMES, Fault, FaultKind, Limit, Options, Trigger, WindowKind};

const M: Endpoint = Endpoint::MeetingList;

async fn client(options: Options) -> Client {
    Client::new(&small(), options).await
}

fn with(faults: &[&str]) -> Options {
    Options { faults: faults.iter().map(|text| text.parse().expect("a fault")).collect(), ..fast() }
}

fn window(client: &Client) -> [(&'static str, String); 2] {
    let (start, end) = client.window();
    [("start_time", start), ("end_time", end)]
}

async fn get(client: &Client) -> super::client::Response {
    let window = window(client);
    client.get(M, &[(window[0].0, &window[0].1), (window[1].0, &window[1].1)]).await
}

async fn try_get(client: &Client) -> Result<super::client::Response, reqwest::Error> {
    let window = window(client);
    client.try_get(M, &[(window[0].0, &window[0].1), (window[1].0, &window[1].1)]).await
}

#[tokio::test]
async fn tokens_are_checked_as_documented() {
    let mut client = client(Options { user_token: Some("u-mine".to_owned()), ..fast() }).await;
    let (id, secret) = (client.server.app_id(), client.server.app_secret());
    let good = client.token(&id, &secret).await;
    assert_eq!((good.code(), good.json()["expire"].as_i64()), (0, Some(7200)));
    assert!(good.json().get("data").is_none(), "the token is at the top level");
    let wrong = client.token(&id, "guess").await;
    assert_eq!((wrong.http, wrong.code()), (200, 10015));
    assert_eq!(client.token("cli_other", &secret).await.code(), 99_991_543);
    assert_eq!(get(&client).await.code(), 0);
    for (bearer, code) in [
        ("Bearer u-mine", 0),
        ("Bearer u-other", 99_991_668),
        ("Bearer t-unknown", 99_991_663),
        ("Bearer nonsense", 99_991_671),
        ("Basic abc", 99_991_671),
        ("", 99_991_661),
    ] {
        client.bearer = bearer.to_owned();
        assert_eq!(get(&client).await.code(), code, "{bearer}");
    }
}

#[tokio::test]
async fn tokens_expire_and_can_be_revoked() {
    let client = client(fast()).await;
    assert_eq!(get(&client).await.code(), 0);
    client.server.set_options(Options { clock_ahead_s: 7201, ..fast() });
    assert_eq!(get(&client).await.code(), 99_991_663);
    client.server.set_options(fast());
    assert_eq!(get(&client).await.code(), 0);
    client.server.revoke_tokens();
    assert_eq!(get(&client).await.code(), 99_991_663);
}

#[tokio::test]
async fn each_list_has_its_own_rate_limit() {
    for (kind, http_status) in [(WindowKind::Sliding, 429), (WindowKind::Fixed, 400)] {
        let limit = Limit { calls: 3, window: Duration::from_secs(3600), kind, http_status };
        let client = client(Options { limit, ..Options::default() }).await;
        for _ in 0..3 {
            assert_eq!(get(&client).await.code(), 0);
        }
        let refused = get(&client).await;
        assert_eq!((refused.http, refused.code()), (http_status, 99_991_400));
        assert_eq!(refused.header("x-ogw-ratelimit-limit"), Some("3"));
        let reset: f64 = refused.header("x-ogw-ratelimit-reset").and_then(|text| text.parse().ok()).expect("seconds");
        assert!((0.0..=3600.0).contains(&reset), "{reset}");
        assert_eq!(client.get(Endpoint::ParticipantList, &[]).await.code(), 99_992_402, "another limit");
        let stats = client.server.stats();
        assert_eq!((stats.throttles, stats.peak_calls_in_window[&M]), (1, 4));
        assert_eq!((stats.calls(M), stats.answered(M, 0)), (4, 3));
    }
}

#[tokio::test]
async fn errors_have_their_code_and_status() {
    for (name, http, code) in [
        ("internal-error", 500, 121_001),
        ("no-permission", 403, 121_005),
        ("quota", 429, 99_991_403),
        ("missing-scope", 400, 99_991_672),
        ("user-scope", 400, 99_991_679),
        ("ip-not-allowed", 400, 99_991_401),
        ("throttle", 429, 99_991_400),
        ("throttle-400", 400, 99_991_400),
        ("code=126010", 400, 126_010),
        ("code=121004", 404, 121_004),
    ] {
        let client = client(with(&[name])).await;
        let got = get(&client).await;
        assert_eq!((got.http, got.code()), (http, code), "{name}");
        assert!(got.header("x-tt-logid").is_some());
        let scope = &got.json()["error"]["permission_violations"][0]["subject"];
        assert_eq!(scope == "vc:room:readonly", name.contains("scope"), "{name}");
    }
}

#[tokio::test]
async fn throttles_can_have_unusual_headers() {
    let bare = get(&client(with(&["throttle-bare"])).await).await;
    assert_eq!((bare.code(), bare.header("x-ogw-ratelimit-reset")), (99_991_400, None));
    let huge = get(&client(with(&["throttle-huge"])).await).await;
    assert_eq!(huge.header("x-ogw-ratelimit-reset"), Some("86400.000"));
}

#[tokio::test]
async fn bodies_break_in_each_way() {
    let html = get(&client(with(&["html"])).await).await;
    assert!(html.http == 502 && html.text.starts_with("<html>"));
    let empty = get(&client(with(&["empty"])).await).await;
    assert_eq!((empty.http, empty.text.as_str()), (200, ""));
    let text = get(&client(with(&["not-json"])).await).await;
    assert!(text.http == 200 && serde_json::from_str::<serde_json::Value>(&text.text).is_err());
    let cut = get(&client(with(&["truncated"])).await).await;
    assert!(cut.text.starts_with("{\"code\":0") && serde_json::from_str::<serde_json::Value>(&cut.text).is_err());
}

#[tokio::test]
async fn connections_break_and_the_next_call_succeeds() {
    for name in ["reset@first=1", "reset-in-answer@first=1"] {
        let client = client(with(&[name])).await;
        let broken = try_get(&client).await;
        assert!(broken.is_err_and(|error| !error.is_timeout()), "{name}");
        assert_eq!(get(&client).await.code(), 0, "{name}");
        assert_eq!(client.server.stats().calls(M), 2, "{name}");
    }
}

#[tokio::test]
async fn a_stall_lasts_until_the_client_times_out_and_does_not_block_the_server() {
    let mut client = client(with(&["stall@first=1"])).await;
    client.client =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(300)).build().expect("a client");
    assert!(try_get(&client).await.is_err_and(|error| error.is_timeout()));
    assert_eq!(get(&client).await.code(), 0);
    client.server.shutdown().await;
}

#[tokio::test]
async fn pagination_fails_in_each_way() {
    let page_token = |got: &super::client::Response| got.json()["data"]["page_token"].as_str().map(str::to_owned);
    let client = client(with(&["repeat-token"])).await;
    let (start, end) = client.window();
    let first = page_token(&get(&client).await).expect("a token");
    let next = client.get(M, &[("start_time", &start), ("end_time", &end), ("page_token", &first)]).await;
    assert_eq!(page_token(&next), Some(first.clone()));
    client.server.set_options(with(&["endless"]));
    let mut token = first;
    for _ in 0..5 {
        let page = client.get(M, &[("start_time", &start), ("end_time", &end), ("page_token", &token)]).await;
        assert_eq!(page.json()["data"]["has_more"], true);
        let next = page_token(&page).expect("a token");
        assert_ne!(next, token);
        token = next;
    }
    client.server.set_options(with(&["shift"]));
    let rows = client.walk(M, &[("start_time", &start), ("end_time", &end)]).await;
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["meeting_instance_id"].as_str()).collect();
    let distinct: std::collections::HashSet<&str> = ids.iter().copied().collect();
    assert!(ids.len() > distinct.len(), "some rows are repeated");
    client.server.set_options(fast());
    assert_eq!(
        client.walk(M, &[("start_time", &start), ("end_time", &end)]).await.len(),
        distinct.len(),
        "no row is lost"
    );
}

#[tokio::test]
async fn the_log_has_the_parameters() {
    let client = client(Options { log_capacity: 2, ..fast() }).await;
    for number in ["100000001", "100000002", "100000003"] {
        client.get(Endpoint::ParticipantList, &[("meeting_no", number)]).await;
    }
    let stats = client.server.stats();
    let numbers: Vec<_> = stats.log.iter().filter_map(|call| call.param("meeting_no")).collect();
    assert_eq!(numbers, ["100000002", "100000003"]);
    assert_eq!(stats.dropped, 2, "the first of them and the token request");
    client.server.reset_stats();
    assert_eq!(client.server.stats().calls(Endpoint::ParticipantList), 0);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_rejected() {
    let client = client(fast()).await;
    let base = client.server.base_url();
    let answer = client.client.get(format!("{base}/open-apis/vc/v1/reserves")).send().await.expect("a response");
    assert_eq!(answer.status().as_u16(), 404);
    let answer = client.client.post(format!("{base}/open-apis/vc/v1/meeting_list")).send().await.expect("a response");
    assert_eq!(answer.status().as_u16(), 405);
}

#[test]
fn fault_names_are_unique() {
    for (at, (name, kind)) in FAULT_NAMES.iter().enumerate() {
        assert!(FAULT_NAMES[at + 1..].iter().all(|(other, same)| other != name && same != kind), "{name}");
        let fault: Fault = name.parse().expect("its own name");
        assert_eq!((fault.kind, fault.trigger, fault.on), (*kind, Trigger::Always, None));
    }
    assert_eq!(
        "code=121002".parse::<Fault>().map(|fault| fault.kind),
        Ok(FaultKind::ErrorCode { code: 121_002, http_status: None })
    );
}
