//! The queue of one endpoint: requests leave in the order they came, no faster than the limits allow.
//!
//! The local limit is consulted first and counts every call: its clock is never set back, and it holds if the shared
//! file fails.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::local::LocalLimiter;
use super::shared_file::{SharedFile, SharedFileError, lock};
use super::shared_state::Admission;
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::event::{Event, WaitReason};
use crate::rate::Rate;
use crate::transport::Transport;

pub(crate) struct EndpointLimiter {
    endpoint: Endpoint,
    /// Held by the next request to leave.
    turn: tokio::sync::Mutex<()>,
    /// Requests that wait to be sent, the next one included.
    waiting: watch::Sender<usize>,
    local: Mutex<LocalLimiter>,
    clamped: Mutex<ClampedWaits>,
}

/// Clamped waits in a row. A throttled request that was sent before the last of them is not another one.
#[derive(Default)]
struct ClampedWaits {
    count: u32,
    last: Option<Instant>,
}

impl EndpointLimiter {
    pub(crate) fn new(endpoint: Endpoint, rate: Rate) -> EndpointLimiter {
        EndpointLimiter {
            endpoint,
            turn: tokio::sync::Mutex::new(()),
            waiting: watch::Sender::new(0),
            local: Mutex::new(LocalLimiter::new(rate)),
            clamped: Mutex::default(),
        }
    }

    pub(crate) fn waiting(&self) -> watch::Receiver<usize> {
        self.waiting.subscribe()
    }

    /// Waits until a request may be sent, and counts it.
    pub(crate) async fn admit(&self, transport: &Transport, shared: Option<&SharedFile>) -> Result<(), CallError> {
        self.waiting.send_modify(|count| *count += 1);
        let _waiting = WaitingGuard(&self.waiting);
        let _turn = transport.unless_cancelled(self.turn.lock()).await?;
        let mut was_reported = false;
        loop {
            let wait = match self.try_admit(transport, shared).await? {
                Admission::Admitted => return Ok(()),
                Admission::Wait { wait, held } => {
                    if held && !std::mem::replace(&mut was_reported, true) {
                        let (endpoint, reason) = (Some(self.endpoint), WaitReason::Throttle);
                        transport.emit(Event::Waiting { endpoint, wait, reason });
                    }
                    wait
                }
            };
            transport.unless_cancelled(transport.effects.sleep(wait)).await?;
        }
    }

    async fn try_admit(&self, transport: &Transport, shared: Option<&SharedFile>) -> Result<Admission, CallError> {
        let local_wait = lock(&self.local).wait(transport.effects.instant());
        if let (None, Some(shared)) = (local_wait, shared) {
            let admission = reported(transport, transport.unless_cancelled(shared.take(self.endpoint)).await?);
            if let Some(wait @ Admission::Wait { .. }) = admission {
                return Ok(wait);
            }
        }
        // A pause that began meanwhile is refused here: the shared slot is lost, which does no harm.
        Ok(match lock(&self.local).take(transport.effects.instant()) {
            Ok(()) => Admission::Admitted,
            Err(wait) => Admission::Wait { wait, held: false },
        })
    }

    /// Admits no request of this process before `wait` is over.
    pub(crate) fn hold(&self, wait: Duration, transport: &Transport) {
        lock(&self.local).hold_until(transport.effects.instant() + wait);
    }

    /// Admits no request of any process before `wait` is over.
    pub(crate) async fn hold_all(&self, wait: Duration, transport: &Transport, shared: Option<&SharedFile>) {
        self.hold(wait, transport);
        if let Some(shared) = shared {
            reported(transport, shared.hold(self.endpoint, wait).await);
        }
    }

    /// Counts a clamped wait caused by a request sent at `sent_at`. `Ok` is false if it was counted already; `Err` is
    /// the number of waits in a row if that is `max` already.
    pub(crate) fn count_clamped(&self, sent_at: Instant, now: Instant, max: u32) -> Result<bool, u32> {
        let mut clamped = lock(&self.clamped);
        if clamped.last.is_some_and(|last| sent_at < last) {
            return Ok(false);
        }
        if clamped.count >= max {
            return Err(clamped.count);
        }
        *clamped = ClampedWaits { count: clamped.count + 1, last: Some(now) };
        Ok(true)
    }

    /// Ends a row of clamped waits, because a response was not a throttle.
    pub(crate) fn reset_clamped(&self) {
        *lock(&self.clamped) = ClampedWaits::default();
    }
}

/// Stops counting a waiting request, however the wait ends.
struct WaitingGuard<'a>(&'a watch::Sender<usize>);

impl Drop for WaitingGuard<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Reports the first failure of the shared file.
fn reported<T>(transport: &Transport, result: Result<Option<T>, SharedFileError>) -> Option<T> {
    result.unwrap_or_else(|error| {
        transport.emit(Event::SharedBudgetUnavailable { reason: error.to_string() });
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_were_sent_before_a_clamped_wait_count_as_one_with_it() {
        let limiter = EndpointLimiter::new(Endpoint::MeetingList, Rate::default());
        let begin = Instant::now();
        let count = |sent_s: u64, now_s: u64| {
            limiter.count_clamped(begin + Duration::from_secs(sent_s), begin + Duration::from_secs(now_s), 2)
        };
        assert_eq!(count(0, 10), Ok(true));
        assert_eq!(count(9, 11), Ok(false), "sent before the wait");
        assert_eq!(count(10, 20), Ok(true), "sent after it");
        assert_eq!(count(20, 30), Err(2));
        assert_eq!(count(19, 30), Ok(false));
        limiter.reset_clamped();
        assert_eq!((count(20, 30), count(30, 40), count(40, 50)), (Ok(true), Ok(true), Err(2)));
    }
}
