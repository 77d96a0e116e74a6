//! What list calls and token requests share: sending, events, cancellation, redaction and the wait before a retry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::body::Body;
use crate::config::ClientConfig;
use crate::effects::Effects;
use crate::endpoint::Endpoint;
use crate::envelope::InvalidBody;
use crate::error::{CallError, ClientError, ErrorResponse};
use crate::error_codes::{self, Action, StopCause};
use crate::event::{Event, EventListener, WaitReason};
use crate::exchange_filter::Filter;
use crate::fault::Fault;
use crate::http::{FailedRequest, Http, Response};
use crate::redaction::Redactor;
use crate::retry::Backoff;

/// Longer messages of Feishu are cut.
const MAX_MSG_CHARS: usize = 200;
/// Shorter IDs identify nobody, and replacing them would spoil the words around them.
const MIN_REDACTED_CHARS: usize = 4;

pub(crate) struct Transport {
    pub http: Http,
    pub redactor: Redactor,
    pub max_throttle_wait: Duration,
    pub filter: Filter,
    pub effects: Arc<dyn Effects>,
    listener: Arc<dyn EventListener>,
    cancel: CancellationToken,
    cancel_grace: Duration,
    max_attempts: u32,
    backoff: Backoff,
    has_answered: AtomicBool,
}

impl Transport {
    pub(crate) fn new(config: &ClientConfig, listener: Arc<dyn EventListener>) -> Result<Transport, ClientError> {
        config.redactor.add_secret(config.credentials.secret().expose());
        Ok(Transport {
            http: Http::new(config)?,
            redactor: config.redactor.clone(),
            max_throttle_wait: config.max_throttle_wait,
            filter: Filter(config.filter.clone()),
            effects: Arc::clone(&config.effects),
            listener,
            cancel: config.cancel.clone(),
            cancel_grace: config.cancel_grace,
            max_attempts: config.max_attempts.max(1),
            backoff: config.backoff,
            has_answered: AtomicBool::new(false),
        })
    }

    /// Records what a response shows about the host: whether Feishu's API is there.
    pub(crate) fn note(&self, action: Action, code: Option<i64>) {
        let is_api = action == Action::Accept || code.is_some_and(|code| error_codes::find(code).is_some());
        if is_api && action != Action::RetryThenStop(StopCause::WrongHost) {
            self.has_answered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a call stops for this cause after its last attempt, number `attempts`. A host that has answered properly
    /// in this run is not the wrong host, so the failure is an ordinary one.
    pub(crate) fn stops_after(&self, attempts: u32, cause: StopCause) -> bool {
        let is_known = cause == StopCause::WrongHost && self.has_answered.load(Ordering::Relaxed);
        attempts >= self.max_attempts && !is_known
    }

    pub(crate) fn emit(&self, event: Event) {
        self.listener.event(&event);
    }

    /// Waits for a response, after a cancellation no longer than the grace period. Then the request is dropped,
    /// wherever it is: resolving a name, connecting, or in the middle of a response.
    pub(crate) async fn send<T>(&self, request: impl Future<Output = T>) -> Result<T, CallError> {
        let grace_over = async {
            self.cancel.cancelled().await;
            self.effects.sleep(self.cancel_grace).await;
        };
        tokio::select! {
            biased;
            done = request => Ok(done),
            () = grace_over => Err(CallError::Cancelled),
        }
    }

    /// Waits for `work` until the cancellation. Only for waits, which can be dropped at any point.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, CallError> {
        self.cancel.run_until_cancelled(work).await.ok_or(CallError::Cancelled)
    }

    /// A response to a list call as the rest of the program may see it: filtered, and without the client's own secrets,
    /// in case a host repeats them.
    pub(crate) fn receive(&self, endpoint: Endpoint, query: &[(&str, String)], response: Response) -> Response {
        let body = Body(self.redactor.redact_body(self.filter.received(Some(endpoint), query, response.body.0)));
        Response { log_id: self.redact_log_id(response.log_id), body, ..response }
    }

    fn redact_log_id(&self, log_id: Option<String>) -> Option<String> {
        log_id.map(|log_id| self.redactor.redact(&log_id))
    }

    /// The backoff after a number of failures, with random jitter.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        self.backoff.wait(failures, self.effects.random())
    }

    /// Waits before the attempt that follows `failures` failures, or gives up.
    pub(crate) async fn before_retry(
        &self,
        endpoint: Option<Endpoint>,
        failures: u32,
        requests: u32,
        failure: FailedRequest,
        min_wait: Duration,
    ) -> Result<(), CallError> {
        let FailedRequest { fault, requested_at, log_id } = failure;
        if failures >= self.max_attempts || !fault.is_retryable() {
            let (host, log_id) = (self.http.host(), self.redact_log_id(log_id));
            return Err(CallError::Failed { endpoint, host, requests, requested_at, log_id, fault: Box::new(fault) });
        }
        if min_wait > self.max_throttle_wait {
            self.emit(Event::WaitClamped { endpoint, requested: min_wait, wait: self.max_throttle_wait });
        }
        let wait = self.backoff(failures).max(min_wait.min(self.max_throttle_wait));
        self.emit(Event::Retrying { endpoint, wait, fault: fault.to_string() });
        self.emit(Event::Waiting { endpoint, wait, reason: WaitReason::Backoff });
        self.unless_cancelled(self.effects.sleep(wait)).await
    }

    /// Describes a response that is not a page. The body is left to the caller.
    pub(crate) fn error_response(
        &self,
        response: &Response,
        code: Option<i64>,
        msg: String,
        requests: u32,
    ) -> Box<ErrorResponse> {
        Box::new(ErrorResponse {
            host: self.http.host(),
            http_status: response.http_status,
            code,
            msg,
            log_id: self.redact_log_id(response.log_id.clone()),
            server_date: response.server_date,
            requested_at: response.requested_at,
            requests,
            help_url: None,
            body: Body::default(),
        })
    }
}

/// The fault of a response that is to be retried.
pub(crate) fn response_fault(response: &Response, code: Result<i64, InvalidBody>) -> Fault {
    let http_status = response.http_status;
    match code {
        Ok(code) => Fault::Api { http_status, code },
        Err(_) if response.body.is_empty() => Fault::Empty { http_status },
        Err(source) => Fault::NotJson { http_status, source },
    }
}

/// Feishu's message on one line, shortened, with the hidden texts replaced.
pub(crate) fn redacted_msg<'a>(msg: &str, hidden: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = msg.to_owned();
    for secret in hidden {
        if secret.chars().count() >= MIN_REDACTED_CHARS {
            text = text.replace(secret, "***");
        }
    }
    let mut line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if let Some((end, _)) = line.char_indices().nth(MAX_MSG_CHARS) {
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
    fn hidden_texts_are_replaced_and_short_ones_stay() {
        assert_eq!(redacted_msg("id ou_12345 is\nunknown", ["ou_12345", "20"]), "id *** is unknown");
        assert_eq!(redacted_msg("page 20", ["20"]), "page 20");
    }

    proptest! {
        #[test]
        fn no_hidden_text_survives(before in "\\PC{0,300}", id in "[a-z0-9_]{4,20}", after in "\\PC{0,300}") {
            let text = redacted_msg(&format!("{before}{id}{after}"), [id.as_str()]);
            prop_assert!(!text.contains(&id));
            prop_assert!(text.chars().count() <= MAX_MSG_CHARS + 3);
        }
    }
}
