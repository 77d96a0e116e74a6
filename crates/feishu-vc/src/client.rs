//! One call, from waiting for a slot to a page or a reason.
//!
//! A call gets its token, waits for its endpoint's pacer, asks the gate, sends, and then does what the decide table says.
//! It knows nothing of meetings. Calls may be made from any number of tasks; the waiting for a slot is first come, first
//! served, one queue for each endpoint.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::call_budget::{CallBudget, Unlimited};
use super::endpoint::{Endpoint, IDENTITY_PARAMETERS};
use super::envelope::{Envelope, Head, List, Particulars};
use super::error::{CallError, ClientError, ErrorResponse, Fault};
use super::error_codes::{Action, StopCause, decide};
use super::event::{Event, EventListener, WaitReason};
use super::host::BaseUrl;
use super::lane::Lane;
use super::line::{Line, fault_of_answer, masked};
use super::redaction::Redactor;
use super::retry::Backoff;
use super::sharing::Sharing;
use super::token::{Bearer, Credentials, TokenInfo, Tokens};
use super::wire::{Body, Missed, ProbeResponse, Received};
use tokio_util::sync::CancellationToken;

/// A call that is throttled this often in a row gives up even where each single wait is short, so that no vendor can keep
/// a run going forever.
const MOST_THROTTLES_OF_A_CALL: u32 = 30;

/// The limit of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub calls: NonZeroU32,
    /// In any window of this length.
    pub window: Duration,
}

impl Rate {
    /// So many calls a minute.
    pub const fn per_minute(calls: NonZeroU32) -> Rate {
        Rate { calls, window: Duration::from_secs(60) }
    }
}

impl Default for Rate {
    /// The vendor's limit of each of the three lists: 100 a minute.
    fn default() -> Rate {
        Rate::per_minute(NonZeroU32::new(100).unwrap_or(NonZeroU32::MIN))
    }
}

/// Everything a [`Client`] is made of. [`ClientConfig::new`] has the defaults.
#[derive(Clone)]
pub struct ClientConfig {
    /// Which host.
    pub base_url: BaseUrl,
    /// Who we are.
    pub credentials: Credentials,
    /// Limit of each endpoint, on its own.
    pub rate: Rate,
    /// Tries of a call that meets faults, the first included.
    pub max_attempts: u32,
    /// Waits between those tries.
    pub backoff: Backoff,
    /// One wait for a throttle is never longer.
    pub max_throttle_wait: Duration,
    /// After so many capped waits of an endpoint in a row, the next one ends in [`CallError::Throttled`]. With 0 the first
    /// throttle that would be capped does.
    pub max_clamped_waits: u32,
    /// Time for a connection.
    pub connect_timeout: Duration,
    /// Time for a whole request, its answer included.
    pub call_timeout: Duration,
    /// The largest answer that is read.
    pub max_body_bytes: usize,
    /// Asked before every request.
    pub call_budget: Arc<dyn CallBudget>,
    /// Ends the waiting.
    pub cancel: CancellationToken,
    /// A request in flight is given up when the run was cancelled this long ago.
    pub cancel_grace: Duration,
    /// Folder of the budget that all processes of this app share; `None` for a budget of one's own.
    pub shared_budget_dir: Option<PathBuf>,
    /// What the shared budget says of a longer hold than this is not believed.
    pub max_shared_hold: Duration,
    /// Learns the credentials and every token, and takes them out of what the vendor answers.
    pub redactor: Redactor,
}

impl ClientConfig {
    /// The defaults: 100 calls a minute, five tries from 0.5 s to 30 s, waits of at most 120 s, 10 s to connect, 60 s for a
    /// request, 3 s for one in flight after the end, answers of at most 64 MiB, an open gate, a budget of one's own.
    pub fn new(base_url: BaseUrl, credentials: Credentials) -> ClientConfig {
        ClientConfig {
            base_url,
            credentials,
            rate: Rate::default(),
            max_attempts: 5,
            backoff: Backoff::default(),
            max_throttle_wait: Duration::from_secs(120),
            max_clamped_waits: 3,
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(60),
            max_body_bytes: 64 << 20,
            call_budget: Arc::new(Unlimited),
            cancel: CancellationToken::new(),
            cancel_grace: Duration::from_secs(3),
            shared_budget_dir: None,
            max_shared_hold: Duration::from_secs(120),
            redactor: Redactor::default(),
        }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("base_url", &self.base_url)
            .field("credentials", &self.credentials)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// A good answer, whole and unread but for its paging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What was asked.
    pub endpoint: Endpoint,
    /// HTTP status.
    pub http_status: u16,
    /// The vendor's id of the request.
    pub log_id: Option<String>,
    /// The vendor's clock, by its `Date` header.
    pub server_date: Option<Timestamp>,
    /// When the answered request went out.
    pub requested_at: Timestamp,
    /// From sending that request to the last byte.
    pub elapsed: Duration,
    /// Requests sent for this call, faulty and throttled ones included.
    pub requests: u32,
    /// The whole answer as it came.
    pub body: Body,
    /// Byte range in `body` of the list `data.<list_key>`, brackets included; see [`List::range`](crate::List::range).
    pub list: Range<usize>,
    /// Items in the list.
    pub item_count: usize,
    /// Whether there are more pages.
    pub has_more: bool,
    /// Token of the next page; never an empty text.
    pub page_token: Option<String>,
}

impl Page {
    /// The JSON text of the list.
    pub fn list_json(&self) -> &[u8] {
        &self.body[self.list.clone()]
    }
}

/// Talks to the vendor. A clone is another handle on the same client.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    line: Line,
    tokens: Tokens,
    call_budget: Arc<dyn CallBudget>,
    lanes: [Lane; Endpoint::ALL.len()],
    sharing: Option<Sharing>,
}

/// What a call has met so far.
#[derive(Default)]
struct Tally {
    requests: u32,
    faults: u32,
    throttles_in_row: u32,
    rejected: Option<Bearer>,
}

enum Outcome {
    Page(Page),
    Again,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("host", &self.0.line.wire.host()).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; nothing is asked yet.
    pub fn new(config: ClientConfig, observer: Arc<dyn EventListener>) -> Result<Client, ClientError> {
        let line = Line::new(&config, observer)?;
        let lanes = Endpoint::ALL.map(|endpoint| Lane::new(endpoint, config.rate));
        let sharing = Sharing::of(&config);
        let tokens = Tokens::new(config.credentials)?;
        Ok(Client(Arc::new(Inner { line, tokens, call_budget: config.call_budget, lanes, sharing })))
    }

    /// Gets a token if there is none, and says what is known of it. Of a given bearer nothing is asked.
    pub async fn check_token(&self) -> Result<TokenInfo, CallError> {
        let bearer = self.0.tokens.bearer(&self.0.line, None).await?;
        Ok(self.0.tokens.info(&bearer))
    }

    /// Whether the host can be reached, and what its clock says. FetchScope nothing of the API: no token, no call.
    pub async fn probe(&self) -> Result<ProbeResponse, Fault> {
        self.0.line.wire.probe().await.map_err(|missed| missed.fault)
    }

    /// Lets no request of this process to an endpoint out for this long, on top of the pacing.
    pub fn hold(&self, endpoint: Endpoint, wait: Duration) {
        self.0.lanes[endpoint as usize].hold(wait);
    }

    /// How many requests to an endpoint wait to go out: for whoever decides whether to begin another.
    pub fn waiting(&self, endpoint: Endpoint) -> tokio::sync::watch::Receiver<usize> {
        self.0.lanes[endpoint as usize].waiting()
    }

    #[cfg(test)]
    pub(super) async fn make_token_due(&self) {
        self.0.tokens.make_due().await;
    }

    /// FetchScope for one page, with all the patience that the rules allow.
    pub async fn call(&self, endpoint: Endpoint, query: &[(&str, String)]) -> Result<Page, CallError> {
        let inner = &*self.0;
        let mut tally = Tally::default();
        loop {
            let bearer = inner.admitted(endpoint, tally.rejected.as_ref()).await?;
            inner.line.tell(Event::Sent { endpoint });
            tally.requests += 1;
            let sent_at = Instant::now();
            let request = inner.line.wire.get(endpoint.path(), query, bearer.header.clone());
            match inner.line.send(request).await? {
                Ok(received) => {
                    let received = inner.line.redacted(received);
                    match inner.obey(endpoint, query, received, bearer, sent_at, &mut tally).await? {
                        Outcome::Page(page) => return Ok(page),
                        Outcome::Again => {}
                    }
                }
                Err(missed) => inner.after_fault(endpoint, missed, &mut tally).await?,
            }
        }
    }
}

impl Inner {
    /// Waits until a request may go out, and gives its token. Got before the waiting, so that a refresh does not bunch the
    /// requests that the pacer has spread.
    async fn admitted(&self, endpoint: Endpoint, rejected: Option<&Bearer>) -> Result<Bearer, CallError> {
        let mut bearer = self.tokens.bearer(&self.line, rejected).await?;
        self.lanes[endpoint as usize].pace(&self.line, self.sharing.as_ref()).await?;
        if bearer.is_expired(Instant::now()) {
            bearer = self.tokens.bearer(&self.line, rejected).await?;
        }
        self.call_budget.admit(endpoint).map_err(CallError::Budget)?;
        Ok(bearer)
    }

    /// Does what the decide on an answer says.
    async fn obey(
        &self,
        endpoint: Endpoint,
        query: &[(&str, String)],
        received: Received,
        bearer: Bearer,
        sent_at: Instant,
        tally: &mut Tally,
    ) -> Result<Outcome, CallError> {
        let envelope = Envelope::read(&received.body, endpoint.list_key());
        let code = envelope.as_ref().ok().map(|envelope| envelope.head.code);
        let judged = decide(Some(endpoint), received.http_status, code);
        self.line.tell(Event::Answered { endpoint, ok: judged == Action::Accept });
        if judged != Action::Wait {
            tally.throttles_in_row = 0;
            self.lanes[endpoint as usize].forget_capped();
        }
        // Whatever is wanted of the envelope is taken out of it here, because it borrows the body.
        match judged {
            Action::Accept => match envelope.and_then(|envelope| envelope.list) {
                Ok(List { range, items, has_more, page_token }) => {
                    let item_count = items.len();
                    Ok(Outcome::Page(Page {
                        endpoint,
                        http_status: received.http_status,
                        log_id: received.log_id,
                        server_date: received.server_date,
                        requested_at: received.requested_at,
                        elapsed: received.elapsed,
                        requests: tally.requests,
                        body: received.body,
                        list: range,
                        item_count,
                        has_more,
                        page_token,
                    }))
                }
                Err(source) => {
                    let fault = Fault::NotJson { http_status: received.http_status, source };
                    self.after_fault(endpoint, missed(fault, received), tally).await?;
                    Ok(Outcome::Again)
                }
            },
            Action::Retry => {
                let fault = fault_of_answer(&received, envelope.map(|envelope| envelope.head.code));
                self.after_fault(endpoint, missed(fault, received), tally).await?;
                Ok(Outcome::Again)
            }
            Action::Wait => {
                self.after_throttle(endpoint, &received, sent_at, tally).await?;
                Ok(Outcome::Again)
            }
            Action::RefreshToken if self.tokens.can_refresh() && tally.rejected.is_none() => {
                tally.rejected = Some(bearer);
                Ok(Outcome::Again)
            }
            Action::RefreshToken => {
                let (answer, scopes) = self.particulars(query, &bearer, received, tally.requests);
                Err(CallError::Stop { endpoint: Some(endpoint), cause: StopCause::Credentials, scopes, answer })
            }
            Action::Skip(class) => {
                let (answer, _) = self.particulars(query, &bearer, received, tally.requests);
                Err(CallError::Refused { endpoint, class, answer })
            }
            Action::Stop(cause) => {
                let (answer, scopes) = self.particulars(query, &bearer, received, tally.requests);
                Err(CallError::Stop { endpoint: Some(endpoint), cause, scopes, answer })
            }
        }
    }

    /// Holds the endpoint for everybody as long as the vendor says, or as the back-off does where it says nothing. This call
    /// then queues again like any other, so there is nothing to sleep for here.
    async fn after_throttle(
        &self,
        endpoint: Endpoint,
        received: &Received,
        sent_at: Instant,
        tally: &mut Tally,
    ) -> Result<(), CallError> {
        let lane = &self.lanes[endpoint as usize];
        tally.throttles_in_row += 1;
        let requested_wait = received.rate_reset.unwrap_or_else(|| self.line.chance_wait(tally.throttles_in_row));
        let give_up = |throttles| CallError::Throttled {
            endpoint,
            host: self.line.wire.host(),
            throttles,
            requested_wait,
            log_id: received.log_id.clone(),
        };
        let wait = requested_wait.min(self.line.max_throttle_wait);
        if requested_wait > wait && lane.count_capped(sent_at, self.line.max_clamped_waits).map_err(give_up)? {
            self.line.tell(Event::WaitClamped { endpoint: Some(endpoint), requested: requested_wait, wait });
        }
        if tally.throttles_in_row > MOST_THROTTLES_OF_A_CALL {
            return Err(give_up(MOST_THROTTLES_OF_A_CALL));
        }
        lane.hold_all(wait, &self.line, self.sharing.as_ref()).await;
        self.line.tell(Event::Throttled { endpoint, wait });
        self.line.tell(Event::Waiting { endpoint: Some(endpoint), wait, reason: WaitReason::Throttle });
        Ok(())
    }

    async fn after_fault(&self, endpoint: Endpoint, missed: Missed, tally: &mut Tally) -> Result<(), CallError> {
        tally.faults += 1;
        self.line.after_fault(Some(endpoint), tally.faults, tally.requests, missed, Duration::ZERO).await
    }

    /// Keeps an answer that ends the call, and the scopes that it names.
    fn particulars(
        &self,
        query: &[(&str, String)],
        bearer: &Bearer,
        received: Received,
        requests: u32,
    ) -> (Box<ErrorResponse>, Vec<String>) {
        let identities = query.iter().filter(|(name, _)| IDENTITY_PARAMETERS.contains(name));
        let hidden = identities.map(|(_, value)| value.as_str()).chain([self.tokens.secret(), bearer.secret()]);
        let (mut answer, particulars) = match Head::read(&received.body) {
            Ok(envelope) => {
                let msg = masked(envelope.msg.as_deref().unwrap_or_default(), hidden);
                let particulars = envelope.particulars();
                (self.line.answer(&received, Some(envelope.code), msg, requests), particulars)
            }
            Err(_) => (self.line.answer(&received, None, String::new(), requests), Particulars::default()),
        };
        answer.log_id = answer.log_id.or(particulars.log_id);
        answer.help_url = particulars.help_url;
        answer.body = received.body;
        (answer, particulars.scopes)
    }
}

fn missed(fault: Fault, received: Received) -> Missed {
    Missed { fault, requested_at: received.requested_at, log_id: received.log_id }
}

/// Locks for a moment. What the locks guard is whole between any two statements, so a panic elsewhere spoils nothing.
pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
