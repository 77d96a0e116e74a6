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
#[expect(missing_docs, reason = "the fields are named for what they hold")]
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A request is sent.
    Sent { endpoint: Endpoint },
    /// A complete response arrived; `ok` if it is a page. Every `Sent` is followed by this, a [`Event::Retrying`], or
    /// the end of the call.
    Answered { endpoint: Endpoint, ok: bool },
    /// Feishu refused a request because of its rate limit. `wait`, after clamping, is how long the endpoint is paused.
    Throttled { endpoint: Endpoint, wait: Duration },
    /// Feishu requested a longer wait than the client accepts; `wait` is applied.
    WaitClamped { endpoint: Option<Endpoint>, requested: Duration, wait: Duration },
    /// The call budget file cannot be used, so the limit is not shared with other processes of this app. Reported once.
    SharedBudgetUnavailable { reason: String },
    /// A wait begins that is longer than the usual pacing.
    Waiting { endpoint: Option<Endpoint>, wait: Duration, reason: WaitReason },
    /// A request will be repeated after a failure, whose text is `fault`.
    Retrying { endpoint: Option<Endpoint>, wait: Duration, fault: String },
    /// A new access token was obtained.
    TokenRefreshed,
    /// The app ticket is missing or was refused, and Feishu was asked to push a new one to the app's event URL.
    AppTicketRequested,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// Feishu's rate limit.
    Throttle,
    /// The next attempt after a failure.
    Backoff,
}
