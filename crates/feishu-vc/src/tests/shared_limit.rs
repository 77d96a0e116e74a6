//! The rate limit shared by several processes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::server::{Log, Reply, Script};
use crate::client::Client;
use crate::config::ClientConfig;
use crate::endpoint::Endpoint;
use crate::event::{Event, WaitReason};
use crate::rate::Rate;

const P: Endpoint = Endpoint::ParticipantList;

/// Two clients are two processes to the lock: each opens the file for itself.
fn clients(config: &ClientConfig, folder: &Path, count: usize) -> Vec<(Client, Arc<Log>)> {
    let config = ClientConfig { shared_budget_dir: Some(folder.to_owned()), ..config.clone() };
    let client = || {
        let log = Arc::new(Log::default());
        (Client::new(config.clone(), log.clone()).expect("valid settings"), log)
    };
    (0..count).map(|_| client()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_one_app_keep_one_limit() {
    let script = Script::new([]).await.always(Reply::page(1));
    let folder = tempfile::tempdir().expect("a folder");
    let (calls, window) = (20, Duration::from_millis(1_000));
    let rate = Rate { calls: calls.try_into().expect("not zero"), window };
    let clients = clients(&ClientConfig { rate, ..script.config() }, folder.path(), 3);
    let tasks: Vec<_> = (0..36)
        .map(|number| {
            let client = clients[number % clients.len()].0.clone();
            tokio::spawn(async move { client.call(P, &[]).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("a page");
    }
    let mut requests: Vec<Instant> = script.requests().iter().map(|request| request.at).collect();
    requests.sort();
    for (index, at) in requests.iter().enumerate() {
        let within = requests[index..].partition_point(|other| *other < *at + window);
        assert!(within <= calls as usize, "{within} calls in one window");
    }
    for (_, log) in &clients {
        assert_eq!(
            log.count(|event| matches!(event, Event::SharedBudgetUnavailable { .. } | Event::Waiting { .. })),
            0
        );
    }
}

#[tokio::test]
async fn a_throttle_of_one_holds_the_others_and_they_say_so() {
    let script = Script::new([Reply::throttle(429, "0.3")]).await.always(Reply::page(1));
    let folder = tempfile::tempdir().expect("a folder");
    let config = ClientConfig { max_throttle_wait: Duration::from_secs(1), ..script.config() };
    let clients = clients(&config, folder.path(), 2);
    let (one, one_log) = clients[0].clone();
    let first = tokio::spawn(async move { one.call(P, &[]).await });
    while one_log.count(|event| matches!(event, Event::Waiting { .. })) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (other, other_log) = &clients[1];
    other.call(P, &[]).await.expect("a page in the end");
    first.await.expect("no panic").expect("a page in the end");
    let requests = script.requests();
    assert!(requests[1..].iter().all(|later| later.at - requests[0].at >= Duration::from_millis(300)));
    let waits = other_log.count(|event| matches!(event, Event::Waiting { reason: WaitReason::Throttle, .. }));
    assert_eq!((waits, other_log.count(|event| matches!(event, Event::Throttled { .. }))), (1, 0));
}

#[tokio::test]
async fn a_run_goes_on_without_the_others_and_says_so_once() {
    let script = Script::new([]).await.always(Reply::page(1));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let clients = clients(&script.config(), &file, 1);
    for _ in 0..5 {
        clients[0].0.call(P, &[]).await.expect("a page");
    }
    assert_eq!(clients[0].1.count(|event| matches!(event, Event::SharedBudgetUnavailable { .. })), 1);
}

#[tokio::test]
async fn a_set_back_or_damaged_file_never_hangs_a_run() {
    let script = Script::new([]).await.always(Reply::page(1));
    let folder = tempfile::tempdir().expect("a folder");
    let rate = Rate { calls: 100.try_into().expect("not zero"), window: Duration::from_millis(100) };
    let config = ClientConfig { rate, max_shared_hold: Duration::from_millis(50), ..script.config() };
    clients(&config, folder.path(), 1)[0].0.call(P, &[]).await.expect("a page");
    let path = std::fs::read_dir(folder.path()).expect("a folder").next().expect("a file").expect("an entry").path();
    let written = std::fs::read_to_string(&path).expect("text");
    // Each of its numbers as large as can be: a far future, the slowest pace.
    let digits: String = written.chars().map(|letter| if letter.is_ascii_digit() { '9' } else { letter }).collect();
    for text in [digits.replace("\"version\":9", "\"version\":1"), written[..200].to_owned()] {
        std::fs::write(&path, text).expect("written");
        for _ in 0..3 {
            clients(&config, folder.path(), 1)[0].0.call(P, &[]).await.expect("a page");
        }
    }
}
