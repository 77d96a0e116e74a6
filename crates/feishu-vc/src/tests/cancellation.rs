//! Cancellation: what is still waited for, and for how long.

use std::sync::Arc;
use std::time::Duration;

use super::server::{Log, Reply, Script};
use crate::client::Client;
use crate::config::ClientConfig;
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::event::Event;

const P: Endpoint = Endpoint::ParticipantList;
/// So long that a test which depends on it does not end.
const NEVER: Duration = Duration::from_secs(3_600);

/// A call whose run is cancelled once its request has arrived.
async fn cancelled(script: &Script, config: ClientConfig) -> Result<crate::page::Page, CallError> {
    let (cancel, log) = (config.cancel.clone(), Arc::new(Log::default()));
    let client = Client::new(config, log).expect("valid settings");
    let call = tokio::spawn(async move { client.call(P, &[]).await });
    while script.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cancel.cancel();
    call.await.expect("no panic")
}

#[tokio::test]
async fn a_request_in_flight_is_given_up_when_its_grace_is_over() {
    let headers_then_silence = Reply::Cut { body: "{" }.after(NEVER);
    for silence in [Reply::Stall, headers_then_silence, Reply::page(1).after(NEVER)] {
        let script = Script::new([silence]).await;
        let config = ClientConfig { call_timeout: NEVER, cancel_grace: Duration::from_millis(20), ..script.config() };
        assert!(matches!(cancelled(&script, config).await, Err(CallError::Cancelled)));
        assert_eq!(script.list_count(), 1, "it is not requests again");
    }
}

#[tokio::test]
async fn a_token_request_in_flight_is_given_up_too() {
    let script = Script::new([]).await.tokens([Reply::Stall]);
    let config = ClientConfig { call_timeout: NEVER, cancel_grace: Duration::from_millis(20), ..script.app_config() };
    assert!(matches!(cancelled(&script, config).await, Err(CallError::Cancelled)));
    assert_eq!((script.token_count(), script.list_count()), (1, 0));
}

#[tokio::test]
async fn an_answer_within_the_grace_is_taken() {
    let script = Script::new([Reply::page(3).after(Duration::from_millis(30))]).await;
    let config = ClientConfig { cancel_grace: NEVER, ..script.config() };
    assert_eq!(cancelled(&script, config).await.expect("an answer").item_count, 3);
}

#[tokio::test]
async fn nothing_is_sent_or_tried_again_after_the_end() {
    let script = Script::new([Reply::code(500, 121001).after(Duration::from_millis(30))]).await;
    let config = ClientConfig { cancel_grace: NEVER, ..script.config() };
    let cancel = config.cancel.clone();
    assert!(matches!(cancelled(&script, config.clone()).await, Err(CallError::Cancelled)));
    assert!(cancel.is_cancelled());
    let log = Arc::new(Log::default());
    let late = Client::new(config, log.clone()).expect("valid settings").call(P, &[]).await;
    assert!(matches!(late, Err(CallError::Cancelled)));
    assert_eq!((script.list_count(), log.count(|event| matches!(event, Event::Sent { .. }))), (1, 0));
}
