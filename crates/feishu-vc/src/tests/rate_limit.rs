//! The rate limit: staying below it, and waiting when Feishu throttles nevertheless.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::server::{Log, Reply, Script};
use crate::client::Client;
use crate::config::ClientConfig;
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::event::Event;
use crate::rate::Rate;

const P: Endpoint = Endpoint::ParticipantList;
const Q: Endpoint = Endpoint::ParticipantQualityList;

fn client_of(config: ClientConfig) -> (Client, Arc<Log>) {
    let log = Arc::new(Log::default());
    (Client::new(config, log.clone()).expect("valid settings"), log)
}

fn is_throttled(event: &Event) -> bool {
    matches!(event, Event::Throttled { .. })
}

fn is_retrying(event: &Event) -> bool {
    matches!(event, Event::Retrying { .. })
}

#[tokio::test]
async fn throttles_are_waited_for_and_do_not_count_as_attempts() {
    for status in [429, 400] {
        let throttles = vec![Reply::throttle(status, "0.02"); 7];
        let script = Script::new(throttles.into_iter().chain([Reply::page(1)])).await;
        let (client, log) = client_of(script.config());
        let page = client.call(P, &[]).await.expect("a page in the end");
        assert_eq!(page.requests, 8);
        assert_eq!((log.count(is_throttled), log.count(is_retrying)), (7, 0));
        let wait = Duration::from_millis(20);
        assert!(log.events().contains(&Event::Throttled { endpoint: P, wait }));
        let requests = script.requests();
        assert!(requests.windows(2).all(|pair| pair[1].at - pair[0].at >= wait), "every wait is kept");
    }
}

#[tokio::test]
async fn throttle_without_a_usable_wait_backs_off() {
    let zero = Reply::throttle(429, "0");
    let absent = Reply::code(429, 99991402);
    let script = Script::new([zero, absent, Reply::html(429), Reply::page(1)]).await;
    let (client, log) = client_of(script.config());
    client.call(P, &[]).await.expect("a page in the end");
    assert_eq!((log.count(is_throttled), log.count(is_retrying)), (3, 0));
}

#[tokio::test]
async fn throttle_holds_the_endpoint_for_everybody_and_no_other() {
    let script = Script::new([Reply::throttle(429, "0.2")]).await.always(Reply::page(1));
    let mut config = script.config();
    config.max_throttle_wait = Duration::from_secs(1);
    let (client, log) = client_of(config);
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.call(P, &[]).await }
    });
    while log.count(is_throttled) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let throttled_at = script.requests()[0].at;
    client.call(Q, &[]).await.expect("another endpoint goes on");
    assert!(!first.is_finished());
    client.call(P, &[]).await.expect("after the wait");
    first.await.expect("no panic").expect("after the wait");
    let held = script.requests().into_iter().filter(|request| request.target.contains("participant_list")).skip(1);
    for request in held {
        assert!(request.at - throttled_at >= Duration::from_millis(200));
    }
}

#[tokio::test]
async fn huge_waits_are_clamped_and_three_of_them_in_a_row_are_enough() {
    let script = Script::new([]).await.always(Reply::throttle(429, "86400"));
    let (client, log) = client_of(script.config());
    let error = client.call(P, &[]).await.expect_err("throttled for a day");
    let CallError::Throttled { endpoint: P, waits_in_a_row: 3, requested_wait, log_id, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((requested_wait.as_secs(), log_id.as_deref()), (86_400, Some("LOG1")));
    assert_eq!(script.list_count(), 4, "three waits, and a fourth request that shows they did not help");
    let clamped = Event::Throttled { endpoint: P, wait: Duration::from_millis(40) };
    assert_eq!(log.count(|event| *event == clamped), 3);
    let requested = Duration::from_secs(86_400);
    let said = Event::WaitClamped { endpoint: Some(P), requested, wait: Duration::from_millis(40) };
    assert_eq!(log.count(|event| *event == said), 3, "each time it says what it was requests for");
    assert!(error.to_string().contains("Feishu last requested 86,400 s"), "{error}");
}

#[tokio::test]
async fn hostile_waits_are_clamped_or_backed_off_and_said_where_clamped() {
    for (reset, clamped) in [
        ("0", false),
        ("-1", false),
        ("-1e300", false),
        ("NaN", false),
        ("soon", false),
        ("", false),
        ("0x10", false),
        ("1e300", true),
        ("inf", true),
        ("86400", true),
        ("99999999999999999999999", true),
    ] {
        let script = Script::new([Reply::throttle(429, reset), Reply::page(1)]).await;
        let (client, log) = client_of(script.config());
        client.call(P, &[]).await.expect("a page in the end");
        let said = log.count(|event| matches!(event, Event::WaitClamped { endpoint: Some(P), .. }));
        assert_eq!((log.count(is_throttled), said), (1, usize::from(clamped)), "{reset:?}");
        let cap = script.config().max_throttle_wait;
        let waits = |event: &Event| matches!(event, Event::Waiting { wait, .. } if *wait <= cap);
        assert_eq!(log.count(waits), 1, "{reset:?}");
    }
}

#[tokio::test]
async fn requests_that_meet_one_clamped_throttle_together_say_it_once() {
    let throttle = || Reply::throttle(429, "86400").after(Duration::from_millis(50));
    let script = Script::new([throttle(), throttle(), throttle(), throttle()]).await.always(Reply::page(1));
    let (client, log) = client_of(script.config());
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(P, &[]).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("a page");
    }
    let said = log.count(|event| matches!(event, Event::WaitClamped { .. }));
    assert_eq!((log.count(is_throttled), said), (4, 1));
}

#[tokio::test]
async fn a_page_between_clamped_waits_restarts_the_count() {
    let huge = || Reply::throttle(429, "86400");
    let script = Script::new([huge(), huge(), huge(), Reply::page(1), huge(), huge(), huge(), Reply::page(1)]).await;
    let (client, _) = client_of(script.config());
    client.call(P, &[]).await.expect("after three waits");
    client.call(P, &[]).await.expect("after three more");
}

#[tokio::test]
async fn without_any_clamped_wait_the_first_throttle_is_the_end() {
    let script = Script::new([]).await.always(Reply::throttle(429, "0.01"));
    let config = ClientConfig { max_throttle_wait: Duration::ZERO, max_clamped_waits: 0, ..script.config() };
    let error = client_of(config).0.call(P, &[]).await.expect_err("no patience at all");
    assert!(matches!(error, CallError::Throttled { waits_in_a_row: 0, .. }));
    assert_eq!(script.list_count(), 1);
}

#[tokio::test]
async fn endless_short_throttles_end_too() {
    let script = Script::new([]).await.always(Reply::throttle(429, "0.0001"));
    let error = client_of(script.config()).0.call(P, &[]).await.expect_err("throttled without end");
    assert!(matches!(error, CallError::Throttled { waits_in_a_row: 30, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_together_keep_the_limit() {
    let script = Script::new([]).await.always(Reply::page(1));
    let (calls, window) = (20, Duration::from_millis(1_000));
    let rate = Rate { calls: calls.try_into().expect("not zero"), window };
    let (client, log) = client_of(ClientConfig { rate, ..script.config() });
    let started = Instant::now();
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(P, &[]).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("a page");
    }
    assert_eq!(*client.waiting(P).borrow(), 0, "nobody waits any longer");
    assert!(started.elapsed() >= window, "thirty calls do not fit into one window of twenty");
    assert_eq!(log.count(|event| matches!(event, Event::Waiting { .. })), 0, "pacing is no wait to speak of");
}

#[tokio::test]
async fn hold_delays_an_endpoint() {
    let script = Script::new([Reply::page(1)]).await;
    let (client, _) = client_of(script.config());
    let started = Instant::now();
    client.hold(P, Duration::from_millis(60));
    client.call(P, &[]).await.expect("a page");
    assert!(started.elapsed() >= Duration::from_millis(60));
}
