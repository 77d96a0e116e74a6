//! How the outside takes part in a call: it may refuse a request, watch, and end the waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::endpoint::Endpoint;
use super::error::CallError;

/// Is asked before every single request to the three lists, retries and throttled ones included; token requests are free.
///
/// A budget of calls or a time to be done by lives here.
pub trait Gate: Send + Sync {
    /// Admits the request, or says in plain words why not. Every `Ok` is a request that goes out.
    fn admit(&self, endpoint: Endpoint) -> Result<(), String>;
}

/// The gate that is always open.
pub(super) struct OpenGate;

impl Gate for OpenGate {
    fn admit(&self, _: Endpoint) -> Result<(), String> {
        Ok(())
    }
}

/// Watches what happens on the wire. Called from many tasks, so it must be quick.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn event(&self, event: &Event);
}

/// What an [`Observer`] hears. An endpoint of `None` is the token request.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A request goes out.
    Sent {
        /// To which list.
        endpoint: Endpoint,
    },
    /// An answer came, whole; every `Sent` has one of these, a transport fault, or the end of the run.
    Answered {
        /// Of which list.
        endpoint: Endpoint,
        /// Whether it is a page.
        ok: bool,
    },
    /// The vendor throttled a request.
    Throttled {
        /// Of which list.
        endpoint: Endpoint,
        /// How long we wait, the cap applied.
        wait: Duration,
    },
    /// The vendor asked for a longer wait than we are ready for.
    Capped {
        /// Of which list; `None` for the token.
        endpoint: Option<Endpoint>,
        /// What it asked for.
        asked: Duration,
        /// How long we wait.
        wait: Duration,
    },
    /// The call budget can't be shared with other processes of the app; the run goes on with its own. Told once.
    NotShared {
        /// Why, in plain words.
        why: String,
    },
    /// A wait begins that is not the usual pacing.
    Waiting {
        /// Of which list.
        endpoint: Option<Endpoint>,
        /// How long.
        wait: Duration,
        /// Why.
        why: WaitReason,
    },
    /// A request will be repeated after a fault.
    Retrying {
        /// Of which list.
        endpoint: Option<Endpoint>,
        /// After how long.
        wait: Duration,
        /// The fault in plain words.
        fault: String,
    },
    /// A new tenant token was got.
    TokenRefreshed,
}

/// Why a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// For the vendor's limit.
    Throttle,
    /// Between two tries.
    Backoff,
}

/// Ends all waiting at once: for a slot, for a throttle, between tries. A request that was sent still has a short grace.
///
/// Cloning gives another handle on the same switch.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<Option<Instant>>>);

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl Cancel {
    /// A switch that is not thrown.
    pub fn new() -> Cancel {
        Cancel(Arc::new(watch::Sender::new(None)))
    }

    /// Throws the switch, for good.
    pub fn cancel(&self) {
        self.0.send_if_modified(|thrown| thrown.replace(thrown.unwrap_or_else(Instant::now)).is_none());
    }

    /// Whether it was thrown.
    pub fn is_cancelled(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Returns when it is thrown.
    pub async fn cancelled(&self) {
        self.thrown().await;
    }

    async fn thrown(&self) -> Instant {
        let mut receiver = self.0.subscribe();
        // An error would mean that the sender is gone, and `self` holds it.
        let thrown = receiver.wait_for(Option::is_some).await.ok().and_then(|thrown| *thrown);
        thrown.unwrap_or_else(Instant::now)
    }

    /// Waits for `work`, but no longer than until the switch is thrown. Work that is dropped must be a mere wait.
    pub(super) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, CallError> {
        tokio::select! {
            biased;
            () = self.cancelled() => Err(CallError::Cancelled),
            done = work => Ok(done),
        }
    }

    /// Waits for `work`, but no longer than until the switch was thrown for as long as `grace`. Then the work is dropped,
    /// wherever it stands: looking up a name, connecting, or in the middle of an answer.
    pub(super) async fn within_grace<T>(&self, grace: Duration, work: impl Future<Output = T>) -> Result<T, CallError> {
        let over = async {
            let thrown = self.thrown().await;
            tokio::time::sleep(grace.saturating_sub(thrown.elapsed())).await;
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = over => Err(CallError::Cancelled),
        }
    }
}
