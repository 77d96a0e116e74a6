//! A limit on the number of requests, set by the program that uses the client.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

    /// Whether another request would be admitted now, without admitting one.
    ///
    /// # Errors
    /// The reason, if not.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// Reserves requests for a walk, all or none. They are not available to anything else.
    ///
    /// # Errors
    /// The reason, as a sentence for the user, if fewer are left. The walk is then not started.
    fn reserve(&self, requests: u64) -> Result<(), String> {
        let _ = requests;
        Ok(())
    }

    /// Releases reserved requests that were not used.
    fn release(&self, requests: u64) {
        let _ = requests;
    }
}

/// Requests reserved for one walk, so that a list is not cut in the middle. Dropping it releases the unused ones.
pub struct Reservation {
    budget: Arc<dyn CallBudget>,
    left: AtomicU64,
}

impl Reservation {
    /// Reserves `requests`.
    ///
    /// # Errors
    /// As [`CallBudget::reserve`].
    pub fn new(budget: Arc<dyn CallBudget>, requests: u64) -> Result<Reservation, String> {
        budget.reserve(requests)?;
        Ok(Reservation { budget, left: AtomicU64::new(requests) })
    }

    /// Uses one request; false if none is left. The client does that for each page.
    pub fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.release(*self.left.get_mut());
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("left", &self.left).finish_non_exhaustive()
    }
}

/// The budget that admits every request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl CallBudget for Unlimited {
    fn admit(&self, _: Endpoint) -> Result<(), String> {
        Ok(())
    }
}
