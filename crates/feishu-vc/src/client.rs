//! One call: from waiting for a slot to a page or an error.
//!
//! A call gets a token, waits for its endpoint's limiter, consults the call budget, sends the request, and follows the
//! table of error codes. Calls may be made from any number of tasks; each endpoint serves them in order.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bearer::Bearer;
use crate::call_budget::{CallBudget, Reservation};
use crate::config::ClientConfig;
use crate::effects::Effects;
use crate::endpoint::Endpoint;
use crate::envelope::{Envelope, Head, List};
use crate::error::{CallError, ClientError, ErrorResponse};
use crate::error_codes::{Action, StopCause, decide};
use crate::event::{Event, EventListener, WaitReason};
use crate::fault::Fault;
use crate::http::{FailedRequest, ProbeResponse, Response};
use crate::limiter::{EndpointLimiter, SharedFile};
use crate::page::Page;
use crate::request::IDENTITY_PARAMETERS;
use crate::token::{TokenInfo, TokenStore};
use crate::transport::{Transport, redacted_msg, response_fault};

/// A call that is throttled this often in a row fails even if each wait is short, so that no host can delay it forever.
const MAX_THROTTLES_PER_CALL: u32 = 30;
/// A token that is refused right after its refresh may not be known to all of Feishu's servers yet.
const REFUSED_TOKEN_WAIT: Duration = Duration::from_secs(1);

/// A client of the API. Clones are handles on the same client.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Transport,
    tokens: TokenStore,
    call_budget: Arc<dyn CallBudget>,
    limiters: [EndpointLimiter; Endpoint::ALL.len()],
    shared: Option<SharedFile>,
    max_clamped_waits: u32,
}

struct Call<'a> {
    client: &'a Inner,
    endpoint: Endpoint,
    query: &'a [(&'a str, String)],
    reserved: Option<&'a Reservation>,
    requests: u32,
    faults: u32,
    throttles_in_row: u32,
    token_refusals: u32,
    rejected: Option<Bearer>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("host", &self.0.transport.http.host()).finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a client. Sends nothing yet.
    ///
    /// # Errors
    /// If the credentials cannot be sent in a header, or the machine has no root certificates.
    pub fn new(config: ClientConfig, listener: Arc<dyn EventListener>) -> Result<Client, ClientError> {
        Ok(Client(Arc::new(Inner {
            transport: Transport::new(&config, listener)?,
            limiters: Endpoint::ALL.map(|endpoint| EndpointLimiter::new(endpoint, endpoint.rate(config.rate))),
            shared: SharedFile::new(&config),
            tokens: TokenStore::new(config.credentials)?,
            call_budget: config.call_budget,
            max_clamped_waits: config.max_clamped_waits,
        })))
    }

    /// Obtains a token unless there is one. Sends nothing for a given token.
    ///
    /// # Errors
    /// As [`Client::call`], with an endpoint of `None`.
    pub async fn check_token(&self) -> Result<TokenInfo, CallError> {
        let bearer = self.0.tokens.bearer(&self.0.transport, None).await?;
        Ok(self.0.tokens.info(&bearer, self.0.transport.effects.instant()))
    }

    /// Checks whether the host can be reached, without a token and without using an API call.
    ///
    /// # Errors
    /// If the host does not respond. Any response is a success.
    pub async fn probe(&self) -> Result<ProbeResponse, Fault> {
        self.0.transport.http.probe().await
    }

    /// Admits no request of this process to an endpoint for this long.
    pub fn hold(&self, endpoint: Endpoint, wait: Duration) {
        self.0.limiters[endpoint as usize].hold(wait, &self.0.transport);
    }

    /// The number of requests to an endpoint that wait to be sent.
    pub fn waiting(&self, endpoint: Endpoint) -> tokio::sync::watch::Receiver<usize> {
        self.0.limiters[endpoint as usize].waiting()
    }

    /// The clocks, waits and randomness of this client.
    pub fn effects(&self) -> &Arc<dyn Effects> {
        &self.0.transport.effects
    }

    #[cfg(test)]
    pub(crate) async fn make_token_due(&self) {
        self.0.tokens.make_due().await;
    }

    /// Whether the call budget would admit another request.
    ///
    /// # Errors
    /// [`CallError::Budget`] with the reason, if not.
    pub fn check_budget(&self) -> Result<(), CallError> {
        self.0.call_budget.check().map_err(CallError::Budget)
    }

    /// Reserves requests of the call budget for a walk, see [`Pages::within`](crate::Pages::within).
    ///
    /// # Errors
    /// [`CallError::Budget`] if fewer are left.
    pub fn reserve(&self, requests: u64) -> Result<Reservation, CallError> {
        Reservation::new(Arc::clone(&self.0.call_budget), requests).map_err(CallError::Budget)
    }

    /// Fetches one page, with all waits and retries. A request type such as
    /// [`MeetingListRequest`](crate::MeetingListRequest) makes the query; [`Client::pages`] walks a whole list.
    pub async fn call(&self, endpoint: Endpoint, query: &[(&str, String)]) -> Result<Page, CallError> {
        self.call_within(None, endpoint, query).await
    }

    pub(crate) async fn call_within(
        &self,
        reserved: Option<&Reservation>,
        endpoint: Endpoint,
        query: &[(&str, String)],
    ) -> Result<Page, CallError> {
        let mut call = Call {
            client: &self.0,
            endpoint,
            query,
            reserved,
            requests: 0,
            faults: 0,
            throttles_in_row: 0,
            token_refusals: 0,
            rejected: None,
        };
        loop {
            if let Some(page) = call.attempt().await? {
                return Ok(page);
            }
        }
    }
}

impl Call<'_> {
    fn limiter(&self) -> &EndpointLimiter {
        &self.client.limiters[self.endpoint as usize]
    }

    /// Sends one request. `None`: the call is to be repeated.
    async fn attempt(&mut self) -> Result<Option<Page>, CallError> {
        let transport = &self.client.transport;
        let bearer = self.admit().await?;
        transport.emit(Event::Sent { endpoint: self.endpoint });
        self.requests += 1;
        let sent_at = transport.effects.instant();
        let query = transport.filter.sent(self.query);
        let request = transport.http.get(self.endpoint.path(), &query, bearer.header.clone());
        match transport.send(request).await? {
            Ok(response) => self.handle(transport.receive(self.endpoint, self.query, response), bearer, sent_at).await,
            Err(failure) => self.before_retry(failure).await,
        }
    }

    /// Waits until a request may be sent, and returns its token. The token is obtained before the wait, so that a
    /// refresh does not bunch the requests that the limiter has spread.
    async fn admit(&self) -> Result<Bearer, CallError> {
        let Inner { transport, tokens, shared, call_budget, .. } = self.client;
        let mut bearer = tokens.bearer(transport, self.rejected.as_ref()).await?;
        self.limiter().admit(transport, shared.as_ref()).await?;
        if bearer.is_expired(transport.effects.instant()) {
            bearer = tokens.bearer(transport, self.rejected.as_ref()).await?;
        }
        // A retry does not use the reservation, which is for the pages that follow.
        let is_reserved = self.requests == 0 && self.reserved.is_some_and(Reservation::take);
        if !is_reserved {
            call_budget.admit(self.endpoint).map_err(CallError::Budget)?;
        }
        Ok(bearer)
    }

    /// Follows the table of error codes. `None`: the call is to be repeated.
    async fn handle(
        &mut self,
        response: Response,
        bearer: Bearer,
        sent_at: Instant,
    ) -> Result<Option<Page>, CallError> {
        let endpoint = self.endpoint;
        let envelope = Envelope::read(&response.body, endpoint.list_key());
        let code = envelope.as_ref().ok().map(|envelope| envelope.head.code);
        let action = decide(Some(endpoint), response.http_status, code);
        self.client.transport.note(action, code);
        self.client.transport.emit(Event::Answered { endpoint, ok: action == Action::Accept });
        if action != Action::Wait {
            self.throttles_in_row = 0;
            self.limiter().reset_clamped();
        }
        match action {
            Action::Accept => match envelope.and_then(|envelope| envelope.list) {
                Ok(List { range, items, has_more, page_token }) => Ok(Some(Page {
                    endpoint,
                    http_status: response.http_status,
                    item_count: items.len(),
                    log_id: response.log_id,
                    server_date: response.server_date,
                    requested_at: response.requested_at,
                    elapsed: response.elapsed,
                    requests: self.requests,
                    body: response.body,
                    list: range,
                    has_more,
                    page_token,
                })),
                Err(source) => {
                    let fault = Fault::NotJson { http_status: response.http_status, source };
                    self.before_retry(failed(fault, response)).await
                }
            },
            Action::Retry => {
                let fault = response_fault(&response, envelope.map(|envelope| envelope.head.code));
                self.before_retry(failed(fault, response)).await
            }
            Action::RetryThenStop(cause) if self.client.transport.stops_after(self.faults + 1, cause) => {
                Err(self.stop(cause, &bearer, response))
            }
            Action::RetryThenStop(_) => {
                let fault = response_fault(&response, envelope.map(|envelope| envelope.head.code));
                self.before_retry(failed(fault, response)).await
            }
            Action::Wait => self.throttle(&response, sent_at).await,
            Action::RefreshToken if self.may_refuse_token_again() => {
                if self.token_refusals > 0 || !self.client.tokens.can_refresh() {
                    let (wait, reason) = (REFUSED_TOKEN_WAIT, WaitReason::Backoff);
                    let transport = &self.client.transport;
                    transport.emit(Event::Waiting { endpoint: Some(endpoint), wait, reason });
                    transport.unless_cancelled(transport.effects.sleep(wait)).await?;
                }
                self.token_refusals += 1;
                self.rejected = Some(bearer);
                Ok(None)
            }
            Action::RefreshToken => Err(self.stop(StopCause::Credentials, &bearer, response)),
            Action::Skip(class) => {
                let (response, _) = self.error_response(&bearer, response);
                Err(CallError::Refused { endpoint, class, response })
            }
            Action::Stop(cause) => Err(self.stop(cause, &bearer, response)),
        }
    }

    /// Once with a new token, and once more a little later. A given token cannot be renewed, only retried once.
    fn may_refuse_token_again(&self) -> bool {
        self.token_refusals < if self.client.tokens.can_refresh() { 2 } else { 1 }
    }

    /// Pauses the endpoint for all processes, for as long as Feishu requests or for a backoff. This call then queues
    /// again like any other, so it does not wait here.
    async fn throttle(&mut self, response: &Response, sent_at: Instant) -> Result<Option<Page>, CallError> {
        let (endpoint, Inner { transport, shared, max_clamped_waits, .. }) = (self.endpoint, self.client);
        self.throttles_in_row += 1;
        let requested_wait = response.rate_reset.unwrap_or_else(|| transport.backoff(self.throttles_in_row));
        let give_up = |waits_in_a_row| CallError::Throttled {
            endpoint,
            host: transport.http.host(),
            waits_in_a_row,
            requested_wait,
            log_id: response.log_id.clone(),
        };
        let wait = requested_wait.min(transport.max_throttle_wait);
        if requested_wait > wait
            && self
                .limiter()
                .count_clamped(sent_at, transport.effects.instant(), *max_clamped_waits)
                .map_err(give_up)?
        {
            transport.emit(Event::WaitClamped { endpoint: Some(endpoint), requested: requested_wait, wait });
        }
        if self.throttles_in_row > MAX_THROTTLES_PER_CALL {
            return Err(give_up(MAX_THROTTLES_PER_CALL));
        }
        self.limiter().hold_all(wait, transport, shared.as_ref()).await;
        transport.emit(Event::Throttled { endpoint, wait });
        transport.emit(Event::Waiting { endpoint: Some(endpoint), wait, reason: WaitReason::Throttle });
        Ok(None)
    }

    async fn before_retry(&mut self, failure: FailedRequest) -> Result<Option<Page>, CallError> {
        self.faults += 1;
        let (endpoint, transport) = (Some(self.endpoint), &self.client.transport);
        transport.before_retry(endpoint, self.faults, self.requests, failure, Duration::ZERO).await.map(|()| None)
    }

    fn stop(&self, cause: StopCause, bearer: &Bearer, response: Response) -> CallError {
        let (response, scopes) = self.error_response(bearer, response);
        CallError::Stop { endpoint: Some(self.endpoint), cause, scopes, response }
    }

    /// The response that ends the call, and the scopes it names.
    fn error_response(&self, bearer: &Bearer, response: Response) -> (Box<ErrorResponse>, Vec<String>) {
        let Inner { transport, tokens, .. } = self.client;
        let ids = self.query.iter().filter(|(name, _)| IDENTITY_PARAMETERS.contains(name));
        let hidden = ids.map(|(_, value)| value.as_str()).chain([tokens.secret(), bearer.secret()]);
        let (code, msg, detail) = match Head::read(&response.body) {
            Ok(head) => {
                let msg = redacted_msg(head.msg.as_deref().unwrap_or_default(), hidden);
                (Some(head.code), msg, head.error_detail())
            }
            Err(_) => Default::default(),
        };
        let mut error = transport.error_response(&response, code, msg, self.requests);
        error.log_id = error.log_id.or(detail.log_id);
        error.help_url = detail.help_url;
        error.body = response.body;
        (error, detail.scopes)
    }
}

fn failed(fault: Fault, response: Response) -> FailedRequest {
    FailedRequest { fault, requested_at: response.requested_at, log_id: response.log_id }
}
