//! Delivers messages to one channel: bounded attempts with a growing wait, at the rate that the channel accepts.

use std::time::{Duration, Instant};

use super::channel::{Channel, Target};
use super::error::DeliveryError;
use super::message::Message;
use super::pacing::Pacer;
use super::render::json_of;
use super::{email, feishu, http, program, webhook};

/// The longest time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);
/// The waits before further attempts.
pub(crate) const RETRIES: &[Duration] =
    &[Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// A message as the ledger keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outgoing {
    pub id: i64,
    /// When it was composed, microseconds UTC.
    pub created_us: i64,
    pub message: Message,
}

/// A message for which at least one attempt was made.
#[derive(Debug)]
pub(crate) struct Attempted {
    pub id: i64,
    pub attempts: u32,
    pub result: Result<(), DeliveryError>,
}

/// Delivers the messages in their order, until the deadline or until one cannot be delivered: those behind it would
/// meet the same failure. `on_done` is called after each.
pub(crate) async fn deliver(
    channel: &Channel,
    messages: Vec<Outgoing>,
    deadline: Instant,
    waits: &[Duration],
    now_s: &(dyn Fn() -> i64 + Send + Sync),
    mut on_done: impl FnMut(Attempted),
) {
    let mut sender = Sender { channel, deadline, began: Instant::now(), pacer: Pacer::default() };
    for outgoing in messages {
        let Some(attempted) = sender.send(&outgoing, waits, now_s).await else { return };
        let failed = attempted.result.is_err();
        on_done(attempted);
        if failed {
            return;
        }
    }
}

struct Sender<'a> {
    channel: &'a Channel,
    deadline: Instant,
    began: Instant,
    pacer: Pacer,
}

impl Sender<'_> {
    /// `None` if there is no time for an attempt.
    async fn send(
        &mut self,
        outgoing: &Outgoing,
        waits: &[Duration],
        now_s: &(dyn Fn() -> i64 + Send + Sync),
    ) -> Option<Attempted> {
        let mut attempts = 0;
        let mut last = None;
        for wait in std::iter::once(&Duration::ZERO).chain(waits) {
            let wait = match self.channel.target {
                Target::Feishu { .. } => (*wait).max(self.pacer.wait(self.began.elapsed())),
                _ => *wait,
            };
            if wait >= self.left() {
                break;
            }
            tokio::time::sleep(wait).await;
            let limit = self.left().min(ATTEMPT);
            if limit.is_zero() {
                break;
            }
            attempts += 1;
            self.pacer.sent(self.began.elapsed());
            let result = attempt(self.channel, outgoing, limit, now_s()).await;
            let is_over = result.as_ref().err().is_none_or(|error| !error.is_temporary());
            last = Some(result);
            if is_over {
                break;
            }
        }
        last.map(|result| Attempted { id: outgoing.id, attempts, result })
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

async fn attempt(channel: &Channel, outgoing: &Outgoing, limit: Duration, now_s: i64) -> Result<(), DeliveryError> {
    let message = &outgoing.message;
    match &channel.target {
        Target::Feishu { url, secret } => {
            let body = feishu::request(message, secret.as_ref(), now_s);
            feishu::read_answer(&http::post(url, &body, limit).await?, &url.host())
        }
        Target::Webhook { url } => webhook::read_answer(&http::post(url, &json_of(message), limit).await?, url),
        Target::Email(settings) => {
            let id = format!("vcq-etl.{}.{}", outgoing.created_us, outgoing.id);
            email::send(settings, message, &id, limit).await
        }
        Target::Command { arguments } => {
            let (arguments, input) = (arguments.clone(), json_of(message).to_string());
            let run = tokio::task::spawn_blocking(move || program::run(&arguments, &input, limit)).await;
            run.unwrap_or_else(|_| Err(DeliveryError::Setup { why: "the program could not be run".to_owned() }))
        }
    }
}
