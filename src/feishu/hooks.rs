//! How the outside takes part in a call: it may refuse a request, watch, and end the waiting.

use std::sync::Arc;
use std::time::Duration;

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
    /// An answer came, whole; every `Sent` has one of these or a transport fault.
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

/// Ends all waiting at once: for a slot, for a throttle, between tries. A request that was sent is still finished.
///
/// Cloning gives another handle on the same switch.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<watch::Sender<bool>>);

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl Cancel {
    /// A switch that is not thrown.
    pub fn new() -> Cancel {
        Cancel(Arc::new(watch::Sender::new(false)))
    }

    /// Throws the switch, for good.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was thrown.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is thrown.
    pub async fn cancelled(&self) {
        // An error would mean that the sender is gone, and `self` holds it.
        let _ = self.0.subscribe().wait_for(|thrown| *thrown).await;
    }

    /// Waits for `work`, but no longer than until the switch is thrown. Work that is dropped must be a mere wait.
    pub(super) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, CallError> {
        tokio::select! {
            biased;
            () = self.cancelled() => Err(CallError::Cancelled),
            done = work => Ok(done),
        }
    }
}
