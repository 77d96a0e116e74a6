//! Delivers what the ledger holds, all channels at the same time, and records each result at once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::setup::AlertSetup;
use crate::alerts::{self, Attempted, Channel, DeliveryError, FailedRun, Message, Outgoing, RETRIES};
use crate::commands::error::SyncError;
use crate::ledger::{ClaimedMessage, Ledger, LedgerError};
use crate::text::shell_word;

/// What became of a message.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub rule: String,
    pub channel: String,
    pub outcome: Outcome,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Sent,
    /// Why, without secrets, and a hint or nothing.
    Failed {
        why: String,
        hint: &'static str,
    },
    /// No attempt was made: an earlier message to the channel failed, or no time was left.
    Waiting,
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
    let of_claimed = |(channel, messages): &(&Channel, Vec<ClaimedMessage>)| {
        let waiting = |message: &ClaimedMessage| {
            let (rule, channel) = (message.rule.clone(), channel.name.clone());
            (message.message_id, Delivered { rule, channel, outcome: Outcome::Waiting })
        };
        messages.iter().map(waiting).collect::<Vec<_>>()
    };
    let mut open: BTreeMap<i64, Delivered> = claimed.iter().flat_map(of_claimed).collect();
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
                let text = match &result.outcome {
                    Outcome::Failed { why, .. } => Some(why.as_str()),
                    Outcome::Sent | Outcome::Waiting => None,
                };
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
    ledger.release_messages(&open.keys().copied().collect::<Vec<_>>())?;
    failed.map_or(Ok(()), Err)?;
    Ok(delivered.into_iter().map(|(_, result)| result).chain(open.into_values()).collect())
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
    let outcome = match result {
        Ok(()) => Outcome::Sent,
        Err(error) => Outcome::Failed { why: setup.redactor.redact(&error.to_string()), hint: error.hint() },
    };
    Delivered { rule, channel: channel.name.clone(), outcome }
}

/// Sends a test message, with one attempt.
pub(crate) async fn test_channel(setup: &AlertSetup, channel: &Channel) -> Delivered {
    send(setup, channel, alerts::test_message(&channel.name, setup.language), &[]).await
}

/// A message that no rule has composed: the ledger does not have it, so that it is sent whatever the store is like.
pub(crate) async fn send_failure(setup: &AlertSetup, channel: &Channel, run: &FailedRun<'_>) -> Delivered {
    let words = setup.store_flag.iter().flatten().map(|word| format!(" {}", shell_word(word)));
    let command = format!("vcq-etl status{}", words.collect::<String>());
    send(setup, channel, alerts::failure_message(run, command, setup.language), RETRIES).await
}

async fn send(setup: &AlertSetup, channel: &Channel, message: Message, waits: &[Duration]) -> Delivered {
    let now_us = (setup.now_us)();
    let outgoing = Outgoing { id: 0, created_us: now_us, message };
    let mut result = None;
    let now_s = || (setup.now_us)().div_euclid(1_000_000);
    let deadline = Instant::now() + setup.limit;
    alerts::deliver(channel, vec![outgoing], deadline, waits, &now_s, |attempted| result = Some(attempted.result))
        .await;
    let result = result.unwrap_or_else(|| Err(DeliveryError::Setup { why: "no attempt was made".to_owned() }));
    of_attempt(setup, channel, String::new(), &result)
}
