//! What a client needs of the machine: clocks, waits, randomness and the network.
//!
//! [`Machine`] is the real one. A simulation has clocks of its own, so that waiting takes no time, and answers requests
//! without a network.

use std::error::Error;
use std::pin::Pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// A boxed future.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clocks, the waits, the randomness and the network of a client. The defaults are those of the machine.
#[expect(clippy::disallowed_methods, reason = "edge: the only place of this crate that reads clocks and draws numbers")]
pub trait Effects: Send + Sync {
    /// The monotonic clock.
    fn instant(&self) -> Instant {
        Instant::now()
    }

    /// The wall clock.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Waits.
    fn sleep(&self, wait: Duration) -> Boxed<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }

    /// A random number in `[0, 1)`.
    fn random(&self) -> f64 {
        rand::random()
    }

    /// Answers a request without the network; `None` to send it. `timeout` is the longest time of the exchange.
    fn exchange(&self, request: &reqwest::Request, timeout: Duration) -> Option<Boxed<'static, Exchanged>> {
        let _ = (request, timeout);
        None
    }
}

/// A response, or what became of the request instead.
pub type Exchanged = Result<RawResponse, NoResponse>;

/// A response as it arrived.
#[derive(Debug, Clone, Default)]
pub struct RawResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum NoResponse {
    /// The host refused the connection.
    #[error("the connection was refused")]
    Refused,
    /// The time was over.
    #[error("the request timed out")]
    TimedOut,
    /// The connection ended before the response did.
    #[error("the connection was reset")]
    Reset,
}

/// The cause of a failure.
pub type Cause = Box<dyn Error + Send + Sync>;

/// The clocks, the randomness and the network of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Effects for Machine {}
