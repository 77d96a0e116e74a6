//! What is requested, in what order, and how each kind of failure ends.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::server::{Log, Reply, Script, all_texts};
use crate::call_budget::CallBudget;
use crate::client::Client;
use crate::config::ClientConfig;
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::error_codes::{RefusalClass, StopCause};
use crate::event::{Event, WaitReason};
use crate::fault::{Fault, Unreachable};
use crate::host::BaseUrl;
use crate::page::Page;
use crate::rate::Rate;
use crate::request::{Identity, QualityListRequest, UserIdType};
use tokio_util::sync::CancellationToken;

const M: Endpoint = Endpoint::MeetingList;
const P: Endpoint = Endpoint::ParticipantList;
const Q: Endpoint = Endpoint::ParticipantQualityList;

fn client_of(config: ClientConfig) -> (Client, Arc<Log>) {
    let log = Arc::new(Log::default());
    (Client::new(config, log.clone()).expect("valid settings"), log)
}

async fn call(script: &Script, endpoint: Endpoint) -> Result<Page, CallError> {
    client_of(script.config()).0.call(endpoint, &[]).await
}

fn is_retrying(event: &Event) -> bool {
    matches!(event, Event::Retrying { .. })
}

#[tokio::test]
async fn page_is_what_feishu_sent() {
    let body =
        r#"{"code":0,"msg":"success","data":{"participant_quality_list":[{},{}],"has_more":true,"page_token":"2"}}"#;
    let reply = Reply::json(200, body).with_header("date", "Fri, 23 Dec 2022 03:16:59 GMT");
    let script = Script::new([reply]).await;
    let (client, log) = client_of(script.config());
    let request = QualityListRequest {
        meeting_start_time: 1,
        meeting_end_time: 2,
        meeting_no: "705605196".into(),
        join_time: 3,
        participant: Identity::User("ou a&b".into()),
        user_id_type: UserIdType::OpenId,
    };
    let page = client.call(Q, &request.query(None)).await.expect("a page");
    assert_eq!(&*page.body, body.as_bytes());
    assert_eq!((page.endpoint, page.http_status, page.requests), (Q, 200, 1));
    assert_eq!((page.has_more, page.page_token.as_deref(), page.item_count), (true, Some("2"), 2));
    assert_eq!(page.log_id.as_deref(), Some("LOG1"));
    assert_eq!(page.server_date.map(|date| date.as_second()), Some(1_671_765_419));
    let request = &script.requests()[0];
    assert_eq!(
        request.target,
        "/open-apis/vc/v1/participant_quality_list?meeting_start_time=1&meeting_end_time=2&meeting_no=705605196\
         &join_time=3&user_id=ou+a%26b&page_size=100&user_id_type=open_id"
    );
    assert_eq!(request.method, "GET");
    assert_eq!(request.header("authorization"), Some("Bearer t-bearersecret"));
    assert_eq!(request.header("user-agent"), Some(concat!("vcq-etl/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(log.events(), [Event::Sent { endpoint: Q }, Event::Answered { endpoint: Q, ok: true }]);
}

#[tokio::test]
async fn each_fault_of_the_way_is_tried_again() {
    let faults = [
        ("reset", Reply::Reset),
        ("cut body", Reply::Cut { body: "{\"code\":0," }),
        ("cut JSON", Reply::json(200, "{\"code\":0,\"data\":{\"participants\":[")),
        ("gateway page", Reply::html(502)),
        ("page of a portal", Reply::html(200)),
        ("empty", Reply::json(200, "")),
        ("empty 503", Reply::json(503, "")),
        ("timeout of a gateway", Reply::html(408)),
        ("internal error", Reply::code(500, 121001)),
        ("unknown 500", Reply::code(500, 4_713)),
        ("code 0 with 500", Reply::code(500, 0)),
        ("unlisted 200", Reply::code(200, 2_200)),
        ("unlisted 400", Reply::code(400, 1_663)),
        ("unlisted 404", Reply::code(404, 300_000)),
        ("user token in passing", Reply::code(400, 20_008)),
        ("unknown path in passing", Reply::code(404, 99_991_201)),
        ("page of a gateway", Reply::html(404)),
        ("redirect", Reply::html(302).with_header("location", "/elsewhere")),
        ("list that is none", Reply::json(200, r#"{"code":0,"data":{"participants":7}}"#)),
    ];
    for (name, fault) in faults {
        let script = Script::new([fault.clone(), fault, Reply::page(2)]).await;
        let (client, log) = client_of(script.config());
        let page = client.call(P, &[]).await.unwrap_or_else(|error| panic!("{name}: {}", all_texts(&error)));
        assert_eq!((page.item_count, page.requests), (2, 3), "{name}");
        assert_eq!(log.count(is_retrying), 2, "{name}");
        let waits = log.count(|event| matches!(event, Event::Waiting { reason: WaitReason::Backoff, .. }));
        assert_eq!(waits, 2, "{name}");
    }
}

#[tokio::test]
async fn five_tries_and_then_failed_with_the_last_fault() {
    let script = Script::new([]).await.always(Reply::code(500, 121001));
    let error = call(&script, Q).await.expect_err("always an error");
    let CallError::Failed { endpoint: Some(Q), requests: 5, log_id, fault, .. } = &error else { panic!("{error}") };
    assert_eq!(log_id.as_deref(), Some("LOG1"));
    assert!(matches!(**fault, Fault::Api { http_status: 500, code: 121001 }));
    assert_eq!((error.code(), error.log_id(), script.list_count()), (Some(121001), Some("LOG1"), 5));
}

#[tokio::test]
async fn cut_answer_keeps_its_log_id() {
    let script = Script::new([]).await.always(Reply::Cut { body: "{" });
    let error = call(&script, P).await.expect_err("never whole");
    assert_eq!(error.log_id(), Some("LOG1"));
    let CallError::Failed { fault, .. } = &error else { panic!("{error}") };
    assert!(matches!(**fault, Fault::Interrupted(_)), "{fault:?}");
}

#[tokio::test]
async fn silence_ends_in_a_timeout() {
    let script = Script::new([]).await.always(Reply::Stall);
    let config = ClientConfig { call_timeout: Duration::from_millis(30), max_attempts: 2, ..script.config() };
    let error = client_of(config).0.call(P, &[]).await.expect_err("nothing is said");
    let CallError::Failed { requests: 2, fault, .. } = &error else { panic!("{error}") };
    assert!(matches!(**fault, Fault::TimedOut(_)) && !fault.is_unreachable());
}

#[tokio::test]
async fn answer_beyond_the_cap_is_not_asked_for_again() {
    let script = Script::new([]).await.always(Reply::page(500));
    let config = ClientConfig { max_body_bytes: 1_000, ..script.config() };
    let error = client_of(config).0.call(P, &[]).await.expect_err("too large");
    let CallError::Failed { requests: 1, fault, .. } = &error else { panic!("{error}") };
    assert!(matches!(**fault, Fault::TooLarge { limit_bytes: 1_000 }));
}

/// Calls an unreachable host and returns how far the connection got.
async fn how_far(origin: &str) -> Option<Unreachable> {
    let script = Script::new([]).await;
    let base_url = BaseUrl::parse(origin).expect("an origin");
    let config = ClientConfig { base_url, max_attempts: 2, ..script.config() };
    // A machine without root certificates cannot even begin to speak TLS; there is nothing to tell apart then.
    let client = Client::new(config, Arc::new(Log::default())).ok()?;
    let error = client.call(P, &[]).await.expect_err("nobody is there");
    let CallError::Failed { requests: 2, host, fault, .. } = &error else { panic!("{error}") };
    assert_eq!(host, origin);
    assert!(fault.is_unreachable());
    let Fault::Unreachable { kind, .. } = &**fault else { panic!("{}", all_texts(&error)) };
    Some(*kind)
}

#[tokio::test]
async fn host_that_refuses_is_reported() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = listener.local_addr().expect("a bound address");
    drop(listener);
    assert_eq!(how_far(&format!("http://{closed}")).await, Some(Unreachable::Refused));
}

#[tokio::test]
async fn host_without_an_address_is_reported() {
    // `.invalid` is reserved to never have an address. Behind a proxy it is the proxy that looks for it.
    let behind_proxy = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(std::env::var_os);
    let kind = how_far("https://open.feishu.invalid").await;
    assert!(kind.is_none_or(|kind| kind == Unreachable::Dns || behind_proxy.iter().any(Option::is_some)), "{kind:?}");
}

#[tokio::test]
async fn host_that_does_not_speak_tls_is_reported() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("https://{}", listener.local_addr().expect("a bound address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let kind = how_far(&origin).await;
    assert!(kind.is_none_or(|kind| kind == Unreachable::Tls), "{kind:?}");
}

#[tokio::test]
async fn monthly_quota_stops_although_it_is_a_429() {
    let script = Script::new([Reply::code(429, 99991403).with_header("x-ogw-ratelimit-reset", "1")]).await;
    let error = call(&script, Q).await.expect_err("the month is over");
    assert!(matches!(&error, CallError::Stop { endpoint: Some(Q), cause: StopCause::MonthlyQuota, .. }), "{error}");
    assert_eq!(script.list_count(), 1);
}

#[tokio::test]
async fn no_permission_is_a_missing_role_or_one_that_is_not_ours() {
    for (endpoint, stops) in [(M, true), (P, false), (Q, false)] {
        let script = Script::new([Reply::code(403, 121005)]).await;
        match call(&script, endpoint).await.expect_err("no permission") {
            CallError::Stop { cause: StopCause::Role, .. } => assert!(stops, "{endpoint}"),
            CallError::Refused { class: RefusalClass::Forbidden, .. } => assert!(!stops, "{endpoint}"),
            other => panic!("{endpoint}: {other}"),
        }
    }
}

#[tokio::test]
async fn refusal_holds_everything_that_the_raw_log_wants() {
    let refusal = Reply::code(404, 126009).with_header("date", "Fri, 23 Dec 2022 03:16:59 GMT");
    let script = Script::new([Reply::html(502), refusal]).await;
    let error = call(&script, P).await.expect_err("no such meeting");
    let CallError::Refused { endpoint: P, class: RefusalClass::NotFound, response } = &error else { panic!("{error}") };
    assert_eq!((response.http_status, response.code, response.requests), (404, Some(126009), 2));
    assert_eq!((response.msg.as_str(), response.log_id.as_deref()), ("said by Feishu", Some("LOG1")));
    assert_eq!(response.server_date.map(|date| date.as_second()), Some(1_671_765_419));
    assert_eq!(&*response.body, br#"{"code":126009,"msg":"said by Feishu"}"#);
    assert_eq!(
        error.to_string(),
        format!(
            "participant_list on {} was refused (code 126009, no such meeting in the window; HTTP 404; \
             log ID LOG1; Feishu says: said by Feishu)",
            response.host
        )
    );
}

#[tokio::test]
async fn unlisted_code_is_a_failure_under_every_status() {
    for endpoint in Endpoint::ALL {
        for status in [200, 400, 401, 403, 404, 409, 500] {
            let script = Script::new([]).await.always(Reply::code(status, 2_200));
            let error = call(&script, endpoint).await.expect_err("never a page");
            let CallError::Failed { requests: 5, fault, .. } = &error else { panic!("{status}: {error}") };
            assert!(fault.to_string().contains("code 2200"), "{fault}");
            assert_eq!(error.code(), Some(2_200));
        }
    }
}

#[tokio::test]
async fn code_of_a_user_token_stops_if_it_persists() {
    let script = Script::new([]).await.always(Reply::code(400, 20_008));
    let error = call(&script, P).await.expect_err("never a page");
    assert!(matches!(&error, CallError::Stop { cause: StopCause::Credentials, .. }), "{error}");
    assert_eq!(script.list_count(), 5);
}

#[tokio::test]
async fn missing_scopes_are_named_for_app_and_user() {
    let body = |code: i64| {
        format!(
            r#"{{"code":{code},"msg":"Access denied","error":{{"log_id":"LOG2","permission_violations":
               [{{"type":"action_scope_required","subject":"vc:room:readonly"}}]}}}}"#
        )
    };
    for (code, expected) in [(99991672, StopCause::AppScope), (99991679, StopCause::UserScope)] {
        let script = Script::new([Reply::Http { status: 400, headers: Vec::new(), body: body(code) }]).await;
        let error = call(&script, M).await.expect_err("no scope");
        let CallError::Stop { cause, scopes, response, .. } = &error else { panic!("{error}") };
        assert_eq!((*cause, scopes.as_slice()), (expected, &["vc:room:readonly".to_owned()][..]));
        assert_eq!(response.log_id.as_deref(), Some("LOG2"), "of the body, where no header has one");
    }
}

#[tokio::test]
async fn wrong_host_is_recognised_by_html_404_redirect_or_unknown_path() {
    let moved = Reply::html(302).with_header("location", "/elsewhere");
    for reply in [Reply::html(404), moved, Reply::code(404, 99991201)] {
        let script = Script::new([]).await.always(reply.clone());
        let error = call(&script, M).await.expect_err("wrong host");
        assert!(matches!(&error, CallError::Stop { cause: StopCause::WrongHost, .. }), "{error}");
        assert_eq!(script.list_count(), 5, "a redirect is not followed");

        // A host that has answered before is the right one, whatever it says now.
        let script = Script::new([Reply::code(400, 126_009)]).await.always(reply);
        let (client, _) = client_of(script.config());
        client.call(P, &[]).await.expect_err("refused");
        let error = client.call(M, &[]).await.expect_err("no page");
        assert!(matches!(&error, CallError::Failed { requests: 5, .. }), "{error}");
    }
}

#[tokio::test]
async fn gzip_that_nobody_requested_is_read() {
    let page = r#"{"code":"0","data":{"participants":[{},{}],"has_more":"false"}}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, page.as_bytes()).expect("in memory");
    let packed = encoder.finish().expect("in memory");
    for headers in [vec![], vec![("content-encoding", "gzip".to_owned())]] {
        let script = Script::new([Reply::Bytes { headers, body: packed.clone() }]).await;
        let (client, _) = client_of(script.config());
        let page = client.call(P, &[]).await.expect("a page");
        assert_eq!((page.item_count, page.has_more, page.body.first()), (2, false, Some(&b'{')));
        assert_eq!(script.requests()[0].header("accept-encoding"), None);
    }
}

#[tokio::test]
async fn empty_pages_with_new_tokens_are_followed() {
    let empty = |token: &str| {
        let body = format!(r#"{{"code":0,"data":{{"participants":[],"has_more":true,"page_token":"{token}"}}}}"#);
        Reply::json(200, body)
    };
    let script = Script::new([empty("a"), empty("b"), empty("c"), Reply::page(2)]).await;
    let (client, _) = client_of(script.config());
    let mut pages = client.pages(P, |token| token.map(|token| ("page_token", token.to_owned())).into_iter().collect());
    let mut items = 0;
    while let Some(page) = pages.next().await.expect("a page") {
        items += page.item_count;
    }
    assert_eq!((items, script.list_count()), (2, 4));
}

#[tokio::test]
async fn no_text_of_any_error_shows_a_secret_or_an_id() {
    let request = QualityListRequest {
        meeting_start_time: 1,
        meeting_end_time: 2,
        meeting_no: "705605196".into(),
        join_time: 3,
        participant: Identity::User("ou_someperson".into()),
        user_id_type: UserIdType::OpenId,
    };
    let echo = |status, code: i64| {
        let body = format!("{{\"code\":{code},\"msg\":\"t-bearersecret may not see ou_someperson in 705605196\"}}");
        Reply::json(status, body)
    };
    let replies = [
        echo(400, 126010),
        echo(403, 121005),
        echo(400, 99992402),
        echo(400, 99991663),
        echo(429, 99991403),
        echo(500, 121001),
        Reply::Reset,
        Reply::Stall,
        Reply::Cut { body: "ou_someperson" },
        Reply::html(404),
        Reply::json(200, "{\"code\":0,\"data\":{\"has_more\":\"ou_someperson\"}}"),
        Reply::json(200, "{\"code\":\"ou_someperson\"}"),
        echo(429, 99991400).with_header("x-ogw-ratelimit-reset", "900"),
    ];
    for reply in replies {
        let script = Script::new([]).await.always(reply.clone());
        let config = ClientConfig { call_timeout: Duration::from_millis(50), max_attempts: 2, ..script.config() };
        let settings = format!("{config:?} {config:#?}");
        let (client, log) = client_of(config);
        let error = client.call(Q, &request.query(Some("pagetoken"))).await.expect_err("no reply is a page");
        let shown = format!("{settings} {client:?} {:?} {}", log.events(), all_texts(&error));
        for hidden in ["bearersecret", "someperson", "705605196", "pagetoken"] {
            assert!(!shown.contains(hidden), "{reply:?} shows {hidden}: {shown}");
        }
    }
}

/// Admits a number of requests.
struct Budget(AtomicU32);

impl CallBudget for Budget {
    fn admit(&self, _: Endpoint) -> Result<(), String> {
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| "the calls of this run are used up".to_owned())
    }
}

#[tokio::test]
async fn gate_is_asked_before_every_request_to_a_list_and_no_other() {
    let troubles = [Reply::throttle(429, "0.01"), Reply::html(502)];
    let script = Script::new(troubles).await.always(Reply::page(1)).tokens([Reply::token("t-first", 7200)]);
    let config = ClientConfig { call_budget: Arc::new(Budget(AtomicU32::new(4))), ..script.app_config() };
    let (client, _) = client_of(config);
    assert_eq!(client.call(P, &[]).await.expect("the third request").requests, 3);
    client.call(Q, &[]).await.expect("the fourth");
    let error = client.call(M, &[]).await.expect_err("no fifth");
    assert_eq!(error.to_string(), "the calls of this run are used up");
    assert!(matches!(error, CallError::Budget(_)));
    assert_eq!(script.list_count(), 4);
}

#[tokio::test]
async fn reserved_requests_are_for_the_pages_of_their_walk() {
    let more = r#"{"code":0,"data":{"participants":[{}],"has_more":true,"page_token":"2"}}"#;
    let script = Script::new([Reply::html(502), Reply::json(200, more), Reply::page(1)]).await;
    let budget = Arc::new(Reservable(Mutex::new(3)));
    let (client, _) = client_of(ClientConfig { call_budget: budget.clone(), ..script.config() });
    let reserved = client.reserve(2).expect("two of three");
    assert!(matches!(client.reserve(2), Err(CallError::Budget(_))), "one is left");
    let mut pages = client.pages(P, |_| Vec::new()).within(Some(&reserved));
    // The repetition takes the third, so that the second page still has its own.
    pages.next().await.expect("a page").expect("the first");
    assert!(matches!(client.call(P, &[]).await, Err(CallError::Budget(_))));
    pages.next().await.expect("a page").expect("the second");
    assert_eq!((script.list_count(), *budget.0.lock().expect("no panic inside")), (3, 0));

    let unused = Arc::new(Reservable(Mutex::new(3)));
    let (client, _) = client_of(ClientConfig { call_budget: unused.clone(), ..script.config() });
    drop(client.reserve(3).expect("all"));
    assert_eq!(*unused.0.lock().expect("no panic inside"), 3, "what is not used is released");
}

/// Admits a number of requests, and sets some of them aside.
struct Reservable(Mutex<u64>);

impl CallBudget for Reservable {
    fn admit(&self, _: Endpoint) -> Result<(), String> {
        self.reserve(1)
    }

    fn reserve(&self, requests: u64) -> Result<(), String> {
        let mut left = self.0.lock().expect("no panic inside");
        *left = left.checked_sub(requests).ok_or("the calls of this run are used up")?;
        Ok(())
    }

    fn release(&self, requests: u64) {
        *self.0.lock().expect("no panic inside") += requests;
    }
}

#[tokio::test]
async fn cancelling_ends_every_kind_of_wait() {
    let long = Duration::from_secs(3_600);
    for (name, reply) in
        [("throttle", Reply::throttle(429, "3600")), ("back-off", Reply::html(502)), ("pace", Reply::page(1))]
    {
        let script = Script::new([]).await.always(reply);
        let mut config = script.config();
        config.max_throttle_wait = long;
        // A chance of under one in a million that the jitter makes this wait end by itself during the test.
        config.backoff.base = long * 1_000;
        config.backoff.cap = long * 1_000;
        config.rate = Rate { calls: 1.try_into().expect("not zero"), window: long };
        let cancel = config.cancel.clone();
        let (client, _) = client_of(config);
        let call = tokio::spawn(async move {
            client.call(P, &[]).await?;
            client.call(P, &[]).await
        });
        while script.list_count() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!call.is_finished(), "{name}");
        cancel.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(60), call).await.expect("it ends").expect("no panic");
        assert!(matches!(ended, Err(CallError::Cancelled)), "{name}: {ended:?}");
        assert_eq!(script.list_count(), 1, "{name}");
    }
}

#[tokio::test]
async fn request_that_was_sent_is_finished_after_a_cancel() {
    let script = Script::new([Reply::page(5).after(Duration::from_millis(50))]).await;
    let cancel = CancellationToken::new();
    let (client, _) = client_of(ClientConfig { cancel: cancel.clone(), ..script.config() });
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call(P, &[]).await }
    });
    while script.list_count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cancel.cancel();
    assert_eq!(call.await.expect("no panic").expect("the answer is not lost").item_count, 5);
    assert!(matches!(client.call(P, &[]).await, Err(CallError::Cancelled)));
    assert_eq!(script.list_count(), 1);
}
