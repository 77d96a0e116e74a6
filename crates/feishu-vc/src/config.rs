//! The settings of a client.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::call_budget::{CallBudget, Unlimited};
use crate::credentials::Credentials;
use crate::effects::{Effects, Machine};
use crate::exchange_filter::ExchangeFilter;
use crate::host::BaseUrl;
use crate::rate::Rate;
use crate::redaction::Redactor;
use crate::retry::Backoff;

/// The settings of a client. [`ClientConfig::new`] gives the defaults.
#[derive(Clone)]
pub struct ClientConfig {
    /// Origin of the API.
    pub base_url: BaseUrl,
    /// App or access token.
    pub credentials: Credentials,
    /// Limit of each endpoint separately; get_daily gets a tenth of it. Default: 100 calls per minute.
    pub rate: Rate,
    /// Attempts of a call that fails, the first included. Default: 5.
    pub max_attempts: u32,
    /// Waits between the attempts. Default: 0.5 s, doubling up to 30 s, with jitter.
    pub backoff: Backoff,
    /// A longer wait that Feishu requests when it throttles is clamped to this. Default: 120 s.
    pub max_throttle_wait: Duration,
    /// After this many clamped waits of an endpoint in a row, the next one ends the call with
    /// [`CallError::Throttled`](crate::CallError::Throttled); 0: the first one does. Default: 3.
    pub max_clamped_waits: u32,
    /// Time to connect. Default: 10 s.
    pub connect_timeout: Duration,
    /// Time for a whole request and its response. Default: 60 s.
    pub call_timeout: Duration,
    /// Larger responses are refused. Default: 64 MiB.
    pub max_body_bytes: usize,
    /// Admits or refuses each request. Default: [`Unlimited`].
    pub call_budget: Arc<dyn CallBudget>,
    /// Cancels all waiting at once. Requests in flight are given `cancel_grace`.
    pub cancel: CancellationToken,
    /// A request in flight is dropped this long after the cancellation. Default: 3 s.
    pub cancel_grace: Duration,
    /// Folder of the file through which all processes of this app share the rate limit. Default: `None`, not shared.
    pub shared_budget_dir: Option<PathBuf>,
    /// A longer pause found in the shared file is clamped to this. Default: 120 s.
    pub max_shared_hold: Duration,
    /// Learns the credentials and every token, and removes them from responses. Clones share what they know.
    pub redactor: Redactor,
    /// Changes what is received and sent. Default: `None`.
    pub filter: Option<Arc<dyn ExchangeFilter>>,
    /// Clocks, waits, randomness and network. Default: those of the machine.
    pub effects: Arc<dyn Effects>,
}

impl ClientConfig {
    /// The defaults for a host and credentials.
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
            filter: None,
            effects: Arc::new(Machine),
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
