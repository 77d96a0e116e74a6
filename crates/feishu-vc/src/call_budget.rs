//! A limit on the number of requests, set by the program that uses the client.

use crate::endpoint::Endpoint;

/// Decides whether a request may be sent, for example within a number of calls or until a time of day.
///
/// Consulted before every request to an endpoint, retries and throttled requests included. Token requests are free.
pub trait CallBudget: Send + Sync {
    /// Admits one request: every `Ok` is a request that is sent.
    ///
    /// # Errors
    /// The reason, as a sentence for the user, if the budget is used up. The call then ends with
    /// [`CallError::Budget`](crate::CallError::Budget).
    fn admit(&self, endpoint: Endpoint) -> Result<(), String>;
}

/// The budget that admits every request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl CallBudget for Unlimited {
    fn admit(&self, _: Endpoint) -> Result<(), String> {
        Ok(())
    }
}
