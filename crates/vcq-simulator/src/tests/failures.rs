//! Does each failure look as it does at the vendor's, and come when it should?

use std::time::Duration;

use super::caller::{Caller, fast, small};
use crate::{Endpoint, FAULT_NAMES, Fault, FaultKind, Limit, Options, Trigger, WindowKind};

const M: Endpoint = Endpoint::MeetingList;

async fn caller(options: Options) -> Caller {
    Caller::of(&small(), options).await
}

fn with(faults: &[&str]) -> Options {
    Options { faults: faults.iter().map(|text| text.parse().expect("a fault")).collect(), ..fast() }
}

fn window(caller: &Caller) -> [(&'static str, String); 2] {
    let (start, end) = caller.window();
    [("start_time", start), ("end_time", end)]
}

async fn ask(caller: &Caller) -> super::caller::Got {
    let window = window(caller);
    caller.get(M, &[(window[0].0, &window[0].1), (window[1].0, &window[1].1)]).await
}

async fn try_ask(caller: &Caller) -> Result<super::caller::Got, reqwest::Error> {
    let window = window(caller);
    caller.try_get(M, &[(window[0].0, &window[0].1), (window[1].0, &window[1].1)]).await
}

#[tokio::test]
async fn tokens_are_checked_as_documented() {
    let mut caller = caller(Options { user_token: Some("u-mine".to_owned()), ..fast() }).await;
    let (id, secret) = (caller.running.app_id(), caller.running.app_secret());
    let good = caller.token(&id, &secret).await;
    assert_eq!((good.code(), good.json()["expire"].as_i64()), (0, Some(7200)));
    assert!(good.json().get("data").is_none(), "a token is at the top level");
    let wrong = caller.token(&id, "guess").await;
    assert_eq!((wrong.http, wrong.code()), (200, 10015));
    assert_eq!(caller.token("cli_other", &secret).await.code(), 99_991_543);
    assert_eq!(ask(&caller).await.code(), 0);
    for (bearer, code) in [
        ("Bearer u-mine", 0),
        ("Bearer u-other", 99_991_668),
        ("Bearer t-unknown", 99_991_663),
        ("Bearer nonsense", 99_991_671),
        ("Basic abc", 99_991_671),
        ("", 99_991_661),
    ] {
        caller.bearer = bearer.to_owned();
        assert_eq!(ask(&caller).await.code(), code, "{bearer}");
    }
}

#[tokio::test]
async fn tokens_expire_and_can_be_revoked() {
    let caller = caller(fast()).await;
    assert_eq!(ask(&caller).await.code(), 0);
    caller.running.set_options(Options { clock_ahead_s: 7201, ..fast() });
    assert_eq!(ask(&caller).await.code(), 99_991_663);
    caller.running.set_options(fast());
    assert_eq!(ask(&caller).await.code(), 0);
    caller.running.revoke_tokens();
    assert_eq!(ask(&caller).await.code(), 99_991_663);
}

#[tokio::test]
async fn each_list_has_a_bucket_of_its_own() {
    for (kind, http_status) in [(WindowKind::Sliding, 429), (WindowKind::Fixed, 400)] {
        let limit = Limit { calls: 3, window: Duration::from_secs(3600), kind, http_status };
        let caller = caller(Options { limit, ..Options::default() }).await;
        for _ in 0..3 {
            assert_eq!(ask(&caller).await.code(), 0);
        }
        let refused = ask(&caller).await;
        assert_eq!((refused.http, refused.code()), (http_status, 99_991_400));
        assert_eq!(refused.header("x-ogw-ratelimit-limit"), Some("3"));
        let reset: f64 = refused.header("x-ogw-ratelimit-reset").and_then(|text| text.parse().ok()).expect("seconds");
        assert!((0.0..=3600.0).contains(&reset), "{reset}");
        assert_eq!(caller.get(Endpoint::ParticipantList, &[]).await.code(), 99_992_402, "another bucket");
        let stats = caller.running.stats();
        assert_eq!((stats.throttles, stats.peak_calls_in_window[&M]), (1, 4));
        assert_eq!((stats.calls(M), stats.answered(M, 0)), (4, 3));
    }
}

#[tokio::test]
async fn refusals_carry_their_code_and_status() {
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
        let caller = caller(with(&[name])).await;
        let got = ask(&caller).await;
        assert_eq!((got.http, got.code()), (http, code), "{name}");
        assert!(got.header("x-tt-logid").is_some());
        let scope = &got.json()["error"]["permission_violations"][0]["subject"];
        assert_eq!(scope == "vc:room:readonly", name.contains("scope"), "{name}");
    }
}

#[tokio::test]
async fn throttles_come_with_odd_headers() {
    let bare = ask(&caller(with(&["throttle-bare"])).await).await;
    assert_eq!((bare.code(), bare.header("x-ogw-ratelimit-reset")), (99_991_400, None));
    let huge = ask(&caller(with(&["throttle-huge"])).await).await;
    assert_eq!(huge.header("x-ogw-ratelimit-reset"), Some("86400.000"));
}

#[tokio::test]
async fn bodies_break_in_each_way() {
    let html = ask(&caller(with(&["html"])).await).await;
    assert!(html.http == 502 && html.text.starts_with("<html>"));
    let empty = ask(&caller(with(&["empty"])).await).await;
    assert_eq!((empty.http, empty.text.as_str()), (200, ""));
    let text = ask(&caller(with(&["not-json"])).await).await;
    assert!(text.http == 200 && serde_json::from_str::<serde_json::Value>(&text.text).is_err());
    let cut = ask(&caller(with(&["truncated"])).await).await;
    assert!(cut.text.starts_with("{\"code\":0") && serde_json::from_str::<serde_json::Value>(&cut.text).is_err());
}

#[tokio::test]
async fn connections_break_and_the_next_call_gets_through() {
    for name in ["reset@first=1", "reset-in-answer@first=1"] {
        let caller = caller(with(&[name])).await;
        let broken = try_ask(&caller).await;
        assert!(broken.is_err_and(|error| !error.is_timeout()), "{name}");
        assert_eq!(ask(&caller).await.code(), 0, "{name}");
        assert_eq!(caller.running.stats().calls(M), 2, "{name}");
    }
}

#[tokio::test]
async fn a_stall_lasts_until_the_caller_gives_up_and_does_not_hold_the_server() {
    let mut caller = caller(with(&["stall@first=1"])).await;
    caller.client =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(300)).build().expect("a client");
    assert!(try_ask(&caller).await.is_err_and(|error| error.is_timeout()));
    assert_eq!(ask(&caller).await.code(), 0);
    caller.running.shutdown().await;
}

#[tokio::test]
async fn paging_goes_wrong_in_each_way() {
    let twice = |got: &super::caller::Got| got.json()["data"]["page_token"].as_str().map(str::to_owned);
    let caller = caller(with(&["repeat-token"])).await;
    let (start, end) = caller.window();
    let first = twice(&ask(&caller).await).expect("a token");
    let next = caller.get(M, &[("start_time", &start), ("end_time", &end), ("page_token", &first)]).await;
    assert_eq!(twice(&next), Some(first.clone()));
    caller.running.set_options(with(&["endless"]));
    let mut token = first;
    for _ in 0..5 {
        let page = caller.get(M, &[("start_time", &start), ("end_time", &end), ("page_token", &token)]).await;
        assert_eq!(page.json()["data"]["has_more"], true);
        let next = twice(&page).expect("a token");
        assert_ne!(next, token);
        token = next;
    }
    caller.running.set_options(with(&["shift"]));
    let rows = caller.walk(M, &[("start_time", &start), ("end_time", &end)]).await;
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["meeting_instance_id"].as_str()).collect();
    let distinct: std::collections::HashSet<&str> = ids.iter().copied().collect();
    assert!(ids.len() > distinct.len(), "some rows come twice");
    caller.running.set_options(fast());
    assert_eq!(
        caller.walk(M, &[("start_time", &start), ("end_time", &end)]).await.len(),
        distinct.len(),
        "and none is lost"
    );
}

#[tokio::test]
async fn the_log_says_who_was_asked() {
    let caller = caller(Options { log_capacity: 2, ..fast() }).await;
    for number in ["100000001", "100000002", "100000003"] {
        caller.get(Endpoint::ParticipantList, &[("meeting_no", number)]).await;
    }
    let stats = caller.running.stats();
    let numbers: Vec<_> = stats.log.iter().filter_map(|call| call.param("meeting_no")).collect();
    assert_eq!(numbers, ["100000002", "100000003"]);
    assert_eq!(stats.forgotten, 2, "the first of them and the token");
    caller.running.reset_stats();
    assert_eq!(caller.running.stats().calls(Endpoint::ParticipantList), 0);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_turned_away() {
    let caller = caller(fast()).await;
    let base = caller.running.base_url();
    let answer = caller.client.get(format!("{base}/open-apis/vc/v1/rooms")).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 404);
    let answer = caller.client.post(format!("{base}/open-apis/vc/v1/meeting_list")).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 405);
}

#[test]
fn fault_names_are_unique() {
    for (at, (name, kind)) in FAULT_NAMES.iter().enumerate() {
        assert!(FAULT_NAMES[at + 1..].iter().all(|(other, same)| other != name && same != kind), "{name}");
        let fault: Fault = name.parse().expect("its own name");
        assert_eq!((fault.kind, fault.trigger, fault.on), (*kind, Trigger::Always, None));
    }
    assert_eq!("code=121002".parse::<Fault>().map(|fault| fault.kind), Ok(FaultKind::Refuse { code: 121_002 }));
}
