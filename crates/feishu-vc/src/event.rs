//! What the client reports while it works.

use std::time::Duration;

use crate::endpoint::Endpoint;

/// Receives the client's events. Called from many tasks at once, so it must return quickly.
///
/// Implemented for closures: `Arc::new(|event: &Event| ...)`.
pub trait EventListener: Send + Sync {
    /// Handles an event.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> EventListener for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}

/// Something that happened during a call. An endpoint of `None` is the token request.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A request is sent.
    Sent {
        /// The list endpoint.
        endpoint: Endpoint,
    },
    /// A whole response arrived. Every `Sent` is followed by this, a [`Event::Retrying`], or the end of the call.
    Answered {
        /// The list endpoint.
        endpoint: Endpoint,
        /// Whether it is a page.
        ok: bool,
    },
    /// Feishu refused a request because of its rate limit.
    Throttled {
        /// The list endpoint.
        endpoint: Endpoint,
        /// How long the endpoint is paused, after clamping.
        wait: Duration,
    },
    /// Feishu requested a longer wait than the client accepts.
    WaitClamped {
        /// The endpoint.
        endpoint: Option<Endpoint>,
        /// The wait that Feishu requested.
        requested: Duration,
        /// The wait that is applied.
        wait: Duration,
    },
    /// The call budget file cannot be used, so the limit is not shared with other processes of this app. Reported once.
    SharedBudgetUnavailable {
        /// The reason.
        reason: String,
    },
    /// A wait begins that is longer than the usual pacing.
    Waiting {
        /// The endpoint.
        endpoint: Option<Endpoint>,
        /// How long.
        wait: Duration,
        /// What for.
        reason: WaitReason,
    },
    /// A request will be repeated after a failure.
    Retrying {
        /// The endpoint.
        endpoint: Option<Endpoint>,
        /// Time until the next attempt.
        wait: Duration,
        /// The failure, as text.
        fault: String,
    },
    /// A new tenant token was obtained.
    TokenRefreshed,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// Feishu's rate limit.
    Throttle,
    /// The next attempt after a failure.
    Backoff,
}
