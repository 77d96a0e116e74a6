//! What a list call and a token call have in common: the wire, the hooks, and the rules of patience.

use std::sync::Arc;
use std::time::Duration;

use super::client::ClientConfig;
use super::endpoint::Endpoint;
use super::error::{CallError, ClientError, ErrorResponse, Fault, InvalidBody};
use super::event::{Event, EventListener, WaitReason};
use super::redaction::Redactor;
use super::retry::Backoff;
use super::wire::{Body, Missed, Received, Wire};
use tokio_util::sync::CancellationToken;

/// The vendor's words are kept up to this many characters.
const MSG_CHARS: usize = 200;
/// A shorter text tells nobody's identity, and masking it would spoil the words around it.
const MASKED_FROM_CHARS: usize = 4;

pub(super) struct Line {
    pub wire: Wire,
    pub observer: Arc<dyn EventListener>,
    pub cancel: CancellationToken,
    pub cancel_grace: Duration,
    /// The credentials and every token that was got with them.
    pub redactor: Redactor,
    pub max_attempts: u32,
    pub backoff: Backoff,
    pub max_throttle_wait: Duration,
    pub max_clamped_waits: u32,
}

impl Line {
    pub(crate) fn new(config: &ClientConfig, observer: Arc<dyn EventListener>) -> Result<Line, ClientError> {
        config.redactor.add_secret(config.credentials.secret());
        Ok(Line {
            wire: Wire::new(config)?,
            observer,
            cancel: config.cancel.clone(),
            cancel_grace: config.cancel_grace,
            redactor: config.redactor.clone(),
            max_attempts: config.max_attempts.max(1),
            backoff: config.backoff,
            max_throttle_wait: config.max_throttle_wait,
            max_clamped_waits: config.max_clamped_waits,
        })
    }

    /// Sends and receives; a run that was cancelled does not wait longer than its grace.
    pub(crate) async fn send(
        &self,
        request: impl Future<Output = Result<Received, Missed>>,
    ) -> Result<Result<Received, Missed>, CallError> {
        let grace_over = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(self.cancel_grace).await;
        };
        tokio::select! {
            biased;
            done = request => Ok(done),
            () = grace_over => Err(CallError::Cancelled),
        }
    }

    /// Waits for `work` until the run is cancelled. Only for waits, which can be dropped at any point.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, CallError> {
        self.cancel.run_until_cancelled(work).await.ok_or(CallError::Cancelled)
    }

    /// An answer to a list call without our secrets: whoever repeats them to us must not get them into the raw log, the
    /// tables, or a message.
    pub(crate) fn redacted(&self, received: Received) -> Received {
        Received { log_id: self.clean_id(received.log_id), body: received.body.redacted(&self.redactor), ..received }
    }

    /// A log id without our secrets.
    pub(crate) fn clean_id(&self, log_id: Option<String>) -> Option<String> {
        log_id.map(|log_id| self.redactor.redact(&log_id))
    }

    pub(crate) fn tell(&self, event: Event) {
        self.observer.event(&event);
    }

    /// A back-off with the chance of this moment.
    #[expect(clippy::disallowed_methods, reason = "edge: the jitter of the pure back-off")]
    pub(crate) fn chance_wait(&self, failed: u32) -> Duration {
        self.backoff.wait(failed, rand::random())
    }

    /// After the `failed`th fault of a call: waits for the next try, or gives up.
    pub(crate) async fn after_fault(
        &self,
        endpoint: Option<Endpoint>,
        failed: u32,
        requests: u32,
        missed: Missed,
        at_least: Duration,
    ) -> Result<(), CallError> {
        let Missed { fault, requested_at, log_id } = missed;
        let log_id = self.clean_id(log_id);
        if failed >= self.max_attempts || !fault.is_worth_retrying() {
            let host = self.wire.host();
            return Err(CallError::Failed { endpoint, host, requests, requested_at, log_id, fault: Box::new(fault) });
        }
        if at_least > self.max_throttle_wait {
            self.tell(Event::WaitClamped { endpoint, requested: at_least, wait: self.max_throttle_wait });
        }
        let wait = self.chance_wait(failed).max(at_least.min(self.max_throttle_wait));
        self.tell(Event::Retrying { endpoint, wait, fault: fault.to_string() });
        self.tell(Event::Waiting { endpoint, wait, reason: WaitReason::Backoff });
        self.unless_cancelled(tokio::time::sleep(wait)).await
    }

    /// Keeps what is to be known of an answer that is no page. The body stays behind: it is the caller's to give.
    pub(crate) fn answer(
        &self,
        received: &Received,
        code: Option<i64>,
        msg: String,
        requests: u32,
    ) -> Box<ErrorResponse> {
        Box::new(ErrorResponse {
            host: self.wire.host(),
            http_status: received.http_status,
            code,
            msg,
            log_id: self.clean_id(received.log_id.clone()),
            server_date: received.server_date,
            requested_at: received.requested_at,
            requests,
            help_url: None,
            body: Body::default(),
        })
    }
}

/// The fault of an answer that the decide says to retry.
pub(super) fn fault_of_answer(received: &Received, read: Result<i64, InvalidBody>) -> Fault {
    let http_status = received.http_status;
    match read {
        Ok(code) => Fault::Vendor { http_status, code: Some(code) },
        Err(_) if received.body.is_empty() => Fault::Empty { http_status },
        Err(source) => Fault::NotJson { http_status, source },
    }
}

/// The vendor's words on one line, shortened, with what must not be seen replaced.
pub(super) fn masked<'a>(msg: &str, hidden: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = msg.to_owned();
    for secret in hidden {
        if secret.chars().count() >= MASKED_FROM_CHARS {
            text = text.replace(secret, "***");
        }
    }
    let mut line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if let Some((end, _)) = line.char_indices().nth(MSG_CHARS) {
        line.truncate(end);
        line.push_str("...");
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hidden_texts_are_replaced_and_short_ones_left() {
        assert_eq!(masked("id ou_12345 is\nunknown", ["ou_12345", "20"]), "id *** is unknown");
        assert_eq!(masked("page 20", ["20"]), "page 20");
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_in_no_text(before in "\\PC{0,300}", id in "[a-z0-9_]{4,20}", after in "\\PC{0,300}") {
            let text = masked(&format!("{before}{id}{after}"), [id.as_str()]);
            prop_assert!(!text.contains(&id));
            prop_assert!(text.chars().count() <= MSG_CHARS + 3);
        }
    }
}
