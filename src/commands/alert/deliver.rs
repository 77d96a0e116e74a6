//! Delivers what the ledger holds, all channels at the same time, and records each result at once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Instant;

use super::setup::AlertSetup;
use crate::alerts::{self, Attempted, Channel, DeliveryError, Message, Outgoing, RETRIES};
use crate::commands::error::SyncError;
use crate::ledger::{Ledger, LedgerError};

/// A message for which an attempt was made.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub rule: String,
    pub channel: String,
    /// Why it was not delivered, without secrets, and a hint or nothing.
    pub error: Option<(String, &'static str)>,
}

/// Delivers the pending messages of all channels until the deadline.
pub(super) async fn deliver_pending(
    setup: &AlertSetup,
    ledger: &Ledger,
    deadline: Instant,
) -> Result<Vec<Delivered>, SyncError> {
    let mut claimed = Vec::new();
    for channel in &setup.channels {
        claimed.push((channel, ledger.claim_messages(&channel.name, (setup.now_us)())?));
    }
    let delivered = Mutex::new((Vec::new(), None::<LedgerError>));
    let now_s = || (setup.now_us)().div_euclid(1_000_000);
    let mut open: BTreeSet<i64> = claimed.iter().flat_map(|(_, messages)| messages).map(|m| m.message_id).collect();
    let tasks = claimed.into_iter().map(|(channel, messages)| {
        let delivered = &delivered;
        async move {
            let rule_of: Vec<(i64, String)> = messages.iter().map(|m| (m.message_id, m.rule.clone())).collect();
            let outgoing = messages.into_iter().filter_map(|claimed| {
                let message: Message = serde_json::from_str(&claimed.message).ok()?;
                Some(Outgoing { id: claimed.message_id, created_us: claimed.created_us, message })
            });
            let record = |attempted: Attempted| {
                let rule = rule_of.iter().find(|(id, _)| *id == attempted.id).map(|(_, rule)| rule.clone());
                let result = of_attempt(setup, channel, rule.unwrap_or_default(), &attempted.result);
                let text = result.error.as_ref().map(|(text, _)| text.as_str());
                let recorded = ledger.record_delivery(attempted.id, attempted.attempts, (setup.now_us)(), text);
                let mut delivered = delivered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                delivered.0.push((attempted.id, result));
                delivered.1 = delivered.1.take().or(recorded.err());
            };
            alerts::deliver(channel, outgoing.collect(), deadline, RETRIES, &now_s, record).await;
        }
    });
    all(tasks.collect()).await;
    let (delivered, failed) = delivered.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    delivered.iter().for_each(|(id, _)| {
        open.remove(id);
    });
    // Those behind a message that failed, or behind the deadline.
    ledger.release_messages(&open.into_iter().collect::<Vec<_>>())?;
    failed.map_or(Ok(()), Err)?;
    Ok(delivered.into_iter().map(|(_, result)| result).collect())
}

/// Runs futures at the same time on this task.
async fn all<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn of_attempt(setup: &AlertSetup, channel: &Channel, rule: String, result: &Result<(), DeliveryError>) -> Delivered {
    let error = result.as_ref().err().map(|error| (setup.redactor.redact(&error.to_string()), error.hint()));
    Delivered { rule, channel: channel.name.clone(), error }
}

/// Sends a test message, with one attempt.
pub(crate) async fn test_channel(setup: &AlertSetup, channel: &Channel) -> Delivered {
    let now_us = (setup.now_us)();
    let message = alerts::test_message(&channel.name, setup.language);
    let outgoing = Outgoing { id: 0, created_us: now_us, message };
    let mut result = None;
    let now_s = || (setup.now_us)().div_euclid(1_000_000);
    let deadline = Instant::now() + setup.limit;
    alerts::deliver(channel, vec![outgoing], deadline, &[], &now_s, |attempted| result = Some(attempted.result)).await;
    let result = result.unwrap_or_else(|| Err(DeliveryError::Setup { why: "no attempt was made".to_owned() }));
    of_attempt(setup, channel, String::new(), &result)
}
