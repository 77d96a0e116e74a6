//! Obtaining, renewing and rejecting tokens.

use std::sync::Arc;
use std::time::Duration;

use super::server::{Log, Reply, Script, all_texts};
use crate::client::Client;
use crate::credentials::TokenKind;
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::error_codes::StopCause;
use crate::event::Event;
use crate::fault::Fault;
use crate::token_request::TokenRequest;
use tokio_util::sync::CancellationToken;

const P: Endpoint = Endpoint::ParticipantList;

fn client(script: &Script) -> (Client, Arc<Log>) {
    let log = Arc::new(Log::default());
    (Client::new(script.app_config(), log.clone()).expect("valid settings"), log)
}

#[tokio::test]
async fn token_is_got_once_and_sent_with_every_call() {
    let script = Script::new([]).await.always(Reply::page(1)).tokens([Reply::token("t-first", 7200)]);
    let (client, log) = client(&script);
    for _ in 0..3 {
        client.call(P, &[]).await.expect("a page");
    }
    let requests = script.requests();
    assert_eq!((requests[0].method.as_str(), requests[0].target.as_str()), ("POST", TokenRequest::Internal.path()));
    assert_eq!(requests[0].body, r#"{"app_id":"cli_example","app_secret":"verysecretappsecret"}"#);
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[0].header("authorization"), None);
    assert!(requests[1..].iter().all(|request| request.header("authorization") == Some("Bearer t-first")));
    assert_eq!((script.token_count(), script.list_count()), (1, 3));
    assert_eq!(log.count(|event| *event == Event::TokenRefreshed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_one_refresh() {
    let slow = Reply::token("t-first", 7200).after(Duration::from_millis(50));
    let script = Script::new([]).await.always(Reply::page(1)).tokens([slow]);
    let (client, _) = client(&script);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(P, &[]).await })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("a page");
    }
    assert_eq!((script.token_count(), script.list_count()), (1, 20));
}

#[tokio::test]
async fn token_is_renewed_before_its_stated_life_is_over() {
    let script = Script::new([])
        .await
        .always(Reply::page(1))
        .tokens([Reply::token("t-first", 1), Reply::token("t-second", 7200)]);
    let (client, _) = client(&script);
    client.call(P, &[]).await.expect("a page");
    // Past nine tenths of the second that it lives.
    tokio::time::sleep(Duration::from_millis(950)).await;
    client.call(P, &[]).await.expect("a page");
    let bearers: Vec<_> =
        script.requests().iter().filter_map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(bearers, ["Bearer t-first", "Bearer t-second"]);
}

#[tokio::test]
async fn early_renewal_that_fails_leaves_the_token_in_use() {
    let script = Script::new([])
        .await
        .always(Reply::page(1))
        .tokens([vec![Reply::token("t-first", 60)], vec![Reply::html(502); 5]].concat());
    let (client, log) = client(&script);
    client.call(P, &[]).await.expect("a page");
    client.make_token_due().await;
    client.call(P, &[]).await.expect("the old token is still good");
    client.call(P, &[]).await.expect("and no renewal is tried again at once");
    assert_eq!(script.token_count(), 6);
    assert_eq!(log.count(|event| *event == Event::TokenRefreshed), 1);
}

#[tokio::test]
async fn rejected_token_is_refreshed_once() {
    for code in [99991663, 99991664, 99991668, 99991671, 99991677] {
        let script = Script::new([Reply::code(400, code), Reply::page(3)])
            .await
            .tokens([Reply::token("t-first", 7200), Reply::token("t-second", 7200)]);
        let (client, _) = client(&script);
        let page = client.call(P, &[]).await.expect("a page");
        assert_eq!((page.item_count, page.requests), (3, 2));
        assert_eq!(
            script.requests().last().and_then(|request| request.header("authorization").map(str::to_owned)).as_deref(),
            Some("Bearer t-second")
        );
    }
}

#[tokio::test]
async fn tasks_that_are_rejected_together_share_one_refresh() {
    // Slow rejections, so that all the tasks are rejected with the first token before any comes back with the second.
    let rejection = Reply::code(400, 99991663).after(Duration::from_millis(500));
    let script = Script::new(vec![rejection; 8])
        .await
        .always(Reply::page(1))
        .tokens([Reply::token("t-first", 7200), Reply::token("t-second", 7200)]);
    let (client, _) = client(&script);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(P, &[]).await })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("a page");
    }
    assert_eq!((script.token_count(), script.list_count()), (2, 16));
}

#[tokio::test]
async fn token_refused_right_after_its_refresh_is_tried_once_more() {
    let refusal = Reply::code(400, 99991663);
    let script = Script::new([refusal.clone(), refusal, Reply::page(1)]).await.tokens([
        Reply::token("t-first", 7200),
        Reply::token("t-first", 7200),
        Reply::token("t-first", 7200),
    ]);
    let (client, _) = client(&script);
    assert_eq!(client.call(P, &[]).await.expect("a page").requests, 3);
    let at: Vec<_> = script
        .requests()
        .iter()
        .filter(|request| request.target != TokenRequest::Internal.path())
        .map(|r| r.at)
        .collect();
    assert!(at[2] - at[1] >= Duration::from_secs(1), "a second later");
}

#[tokio::test]
async fn token_that_stays_refused_stops_with_credentials() {
    let script = Script::new([]).await.always(Reply::code(400, 99991663)).tokens([
        Reply::token("t-first", 7200),
        Reply::token("t-first", 7200),
        Reply::token("t-first", 7200),
    ]);
    let (client, _) = client(&script);
    let error = client.call(P, &[]).await.expect_err("no token is taken");
    assert!(matches!(&error, CallError::Stop { endpoint: Some(P), cause: StopCause::Credentials, .. }), "{error}");
    assert_eq!((script.token_count(), script.list_count()), (3, 3));
}

#[tokio::test]
async fn given_bearer_that_is_rejected_is_tried_once_more() {
    let script = Script::new([Reply::code(401, 99991668), Reply::page(1)]).await.always(Reply::code(401, 99991677));
    let client = Client::new(script.config(), Arc::new(Log::default())).expect("valid settings");
    client.call(P, &[]).await.expect("refused in passing");
    let error = client.call(P, &[]).await.expect_err("the bearer is not taken");
    assert!(matches!(&error, CallError::Stop { cause: StopCause::Credentials, .. }), "{error}");
    assert_eq!((script.token_count(), script.list_count()), (0, 4));
}

#[tokio::test]
async fn wrong_secret_stops_without_a_retry_and_without_showing_it() {
    for code in [10003, 10005, 10014, 10015, 99991543] {
        let body = format!("{{\"code\":{code},\"msg\":\"bad secret verysecretappsecret\"}}");
        let script = Script::new([]).await.tokens([Reply::json(200, body)]);
        let (client, _) = client(&script);
        let error = client.call(P, &[]).await.expect_err("not let in");
        let CallError::Stop { endpoint: None, cause: StopCause::Credentials, response, .. } = &error else {
            panic!("{code}: {error}")
        };
        assert_eq!((response.code, response.log_id.as_deref()), (Some(code), Some("LOG1")));
        assert_eq!(response.msg, "bad secret [hidden]");
        assert!(!all_texts(&error).contains("verysecret"));
        assert_eq!((script.token_count(), script.list_count()), (1, 0));
    }
}

#[tokio::test]
async fn token_request_survives_faults_of_the_way() {
    let faults = [
        vec![Reply::Reset, Reply::html(502), Reply::throttle(429, "0.01"), Reply::code(500, 121001)],
        vec![Reply::code(200, 2_200), Reply::code(400, 300_000), Reply::html(404), Reply::json(503, "")],
        vec![Reply::code(400, 10_013), Reply::code(400, 99_991_663), Reply::code(403, 121_005), Reply::html(302)],
    ];
    for faults in faults {
        let script = Script::new([Reply::page(1)]).await.tokens(faults).tokens([Reply::token("t-first", 7200)]);
        let (client, log) = client(&script);
        client.call(P, &[]).await.expect("a page");
        assert_eq!(script.token_count(), 5);
        assert_eq!(log.count(|event| matches!(event, Event::Retrying { endpoint: None, .. })), 4);
    }
}

#[tokio::test]
async fn token_request_gives_up_after_its_tries() {
    let script = Script::new([]).await.tokens(vec![Reply::html(502); 9]);
    let (client, _) = client(&script);
    let error = client.call(P, &[]).await.expect_err("no token");
    let CallError::Failed { endpoint: None, requests: 5, fault, .. } = &error else { panic!("{error}") };
    assert!(matches!(**fault, Fault::NotJson { http_status: 502, .. }));
    assert!(error.to_string().starts_with("access_token on http://127.0.0.1:"), "{error}");
    assert_eq!(script.token_count(), 5);
}

#[tokio::test]
async fn html_404_for_the_token_is_a_wrong_host() {
    let script = Script::new([]).await.tokens(vec![Reply::html(404); 5]);
    let (client, _) = client(&script);
    let error = client.call(P, &[]).await.expect_err("no such API");
    assert!(matches!(error, CallError::Stop { endpoint: None, cause: StopCause::WrongHost, .. }));
    assert_eq!(script.token_count(), 5);
}

#[tokio::test]
async fn unlisted_code_for_the_token_is_no_verdict_on_the_credentials() {
    let script = Script::new([]).await.tokens(vec![Reply::code(200, 2_200); 5]);
    let (client, _) = client(&script);
    let error = client.call(P, &[]).await.expect_err("no token");
    let CallError::Failed { endpoint: None, requests: 5, .. } = &error else { panic!("{error}") };
    assert_eq!(error.code(), Some(2_200));
}

#[tokio::test]
async fn lifetime_as_text_is_read() {
    let body = r#"{"code":"0","msg":"ok","tenant_access_token":"t-first","expire":"7200"}"#;
    let script = Script::new([Reply::page(1)]).await.tokens([Reply::json(200, body)]);
    let (client, _) = client(&script);
    client.call(P, &[]).await.expect("a page");
    assert_eq!(script.token_count(), 1);
}

#[tokio::test]
async fn answer_without_a_usable_token_is_tried_again() {
    let script = Script::new([Reply::page(1)])
        .await
        .tokens([Reply::json(200, r#"{"code":0,"msg":"ok"}"#), Reply::token("t-first", 7200)]);
    let (client, _) = client(&script);
    client.call(P, &[]).await.expect("a page");
    assert_eq!(script.token_count(), 2);
}

#[tokio::test]
async fn check_tells_kind_and_life() {
    let script = Script::new([]).await.tokens([Reply::token("t-first", 7200)]);
    let info = client(&script).0.check_token().await.expect("a token");
    assert_eq!(info.kind, TokenKind::Tenant);
    let left = info.expires_in.expect("Feishu states a lifetime");
    assert!(left > Duration::from_secs(7_000) && left <= Duration::from_secs(7_200));
    let given = Client::new(script.config(), Arc::new(Log::default())).expect("valid settings");
    assert_eq!(given.check_token().await.expect("given").expires_in, None);
    assert_eq!((script.token_count(), script.list_count()), (1, 0));
}

#[tokio::test]
async fn waiting_for_somebody_elses_refresh_can_be_cancelled() {
    let script = Script::new([]).await.tokens([Reply::Stall]);
    let cancel = CancellationToken::new();
    let mut config = script.app_config();
    config.cancel = cancel.clone();
    let client = Client::new(config, Arc::new(Log::default())).expect("valid settings");
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.call(P, &[]).await }
    });
    while script.token_count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let second = tokio::spawn(async move { client.call(P, &[]).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    cancel.cancel();
    assert!(matches!(second.await.expect("no panic"), Err(CallError::Cancelled)));
    assert!(!first.is_finished(), "a request that was sent is finished");
    first.abort();
}
