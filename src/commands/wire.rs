//! What stands between the vendor client and the run: the budget of calls, the counters, the events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event::{Event, Listener, TOKEN_ENDPOINT};
use feishu_vc::{CallBudget, Endpoint, EventListener, WaitReason};

use super::Calls;

/// Admits requests until a number of calls or a time is reached.
pub(crate) struct Budget {
    max_calls: Option<u64>,
    finish_by_us: Option<i64>,
    used: AtomicU64,
    now_us: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl Budget {
    /// A budget; `None` is no limit. `finish_by_us` in microseconds UTC.
    pub(crate) fn new(
        max_calls: Option<u64>,
        finish_by_us: Option<i64>,
        now_us: Arc<dyn Fn() -> i64 + Send + Sync>,
    ) -> Budget {
        Budget { max_calls, finish_by_us, used: AtomicU64::new(0), now_us }
    }
}

impl CallBudget for Budget {
    fn admit(&self, _endpoint: Endpoint) -> Result<(), String> {
        if let Some(finish_by_us) = self.finish_by_us
            && (self.now_us)() >= finish_by_us
        {
            return Err("the time to finish by is reached".to_owned());
        }
        let Some(max_calls) = self.max_calls else { return Ok(()) };
        let admitted =
            self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < max_calls).then_some(used + 1));
        admitted.map(drop).map_err(|_| {
            format!("the budget of {max_calls} {} is used up", if max_calls == 1 { "call" } else { "calls" })
        })
    }
}

/// Counts what goes over the wire, and tells whoever watches.
pub(crate) struct Counters {
    calls: [AtomicU64; Endpoint::ALL.len()],
    retries: AtomicU64,
    throttles: AtomicU64,
    waited_ms: AtomicU64,
    /// Until when each endpoint is held: waits that overlap are one wait.
    held_until: Mutex<[Option<Instant>; Endpoint::ALL.len()]>,
    listener: Arc<dyn Listener>,
}

impl Counters {
    pub(crate) fn new(listener: Arc<dyn Listener>) -> Counters {
        Counters {
            calls: Default::default(),
            retries: AtomicU64::new(0),
            throttles: AtomicU64::new(0),
            waited_ms: AtomicU64::new(0),
            held_until: Mutex::default(),
            listener,
        }
    }

    pub(crate) fn calls(&self) -> Calls {
        let count = |endpoint: Endpoint| self.calls[endpoint as usize].load(Ordering::Relaxed);
        Calls {
            meeting_list: count(Endpoint::MeetingList),
            participant_list: count(Endpoint::ParticipantList),
            participant_quality_list: count(Endpoint::ParticipantQualityList),
        }
    }

    /// Requests repeated after a fault.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Requests refused for their rate.
    pub(crate) fn throttles(&self) -> u64 {
        self.throttles.load(Ordering::Relaxed)
    }

    /// How long the vendor made us wait.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(self.waited_ms.load(Ordering::Relaxed))
    }

    /// Adds the part of a wait that no earlier wait of the endpoint covers.
    fn add_wait(&self, endpoint: Option<Endpoint>, wait: Duration, now: Instant) {
        let until = now + wait;
        let more = match endpoint {
            None => wait,
            Some(endpoint) => {
                let mut held = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
                let from = held[endpoint as usize].map_or(now, |held| held.max(now));
                held[endpoint as usize] = Some(until.max(from));
                until.saturating_duration_since(from)
            }
        };
        self.waited_ms.fetch_add(u64::try_from(more.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

fn name(endpoint: Option<Endpoint>) -> &'static str {
    endpoint.map_or(TOKEN_ENDPOINT, Endpoint::name)
}

impl EventListener for Counters {
    fn event(&self, event: &feishu_vc::Event) {
        let event = match event {
            feishu_vc::Event::Sent { endpoint } => {
                self.calls[*endpoint as usize].fetch_add(1, Ordering::Relaxed);
                Event::CallSent { endpoint: endpoint.name() }
            }
            feishu_vc::Event::Throttled { endpoint, .. } => {
                self.throttles.fetch_add(1, Ordering::Relaxed);
                Event::Throttled { endpoint: endpoint.name() }
            }
            feishu_vc::Event::WaitClamped { endpoint, requested, wait } => {
                Event::WaitClamped { endpoint: name(*endpoint), requested: *requested, wait: *wait }
            }
            feishu_vc::Event::SharedBudgetUnavailable { reason } => {
                Event::Warning { text: format!("the call budget is not shared with other runs of this app: {reason}") }
            }
            feishu_vc::Event::Waiting { endpoint, wait, reason: WaitReason::Throttle } => {
                self.add_wait(*endpoint, *wait, Instant::now());
                Event::Waiting { endpoint: name(*endpoint), wait: *wait }
            }
            feishu_vc::Event::Retrying { endpoint, .. } => {
                // Token requests are not among the calls, so neither are their retries.
                if endpoint.is_some() {
                    self.retries.fetch_add(1, Ordering::Relaxed);
                }
                Event::Retrying { endpoint: name(*endpoint) }
            }
            feishu_vc::Event::Answered { .. } | feishu_vc::Event::Waiting { .. } | feishu_vc::Event::TokenRefreshed => {
                return;
            }
        };
        self.listener.on_event(&event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_that_overlap_are_counted_once() {
        let counters = Counters::new(Arc::new(()));
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        for _ in 0..4 {
            counters.add_wait(Some(Endpoint::ParticipantQualityList), second, now);
        }
        counters.add_wait(Some(Endpoint::ParticipantQualityList), second, now + second / 2);
        assert_eq!(counters.waited(), second + second / 2);
        counters.add_wait(Some(Endpoint::MeetingList), second, now);
        assert_eq!(counters.waited(), 2 * second + second / 2, "each list has its own limit");
    }

    #[test]
    fn a_budget_admits_so_many_and_ends_at_its_time() {
        let at = |now: i64| -> Arc<dyn Fn() -> i64 + Send + Sync> { Arc::new(move || now) };
        let budget = Budget::new(Some(2), None, at(0));
        let admitted = (0..4).filter(|_| budget.admit(Endpoint::MeetingList).is_ok());
        assert_eq!(admitted.count(), 2);
        assert!(Budget::new(None, Some(10), at(9)).admit(Endpoint::MeetingList).is_ok());
        assert!(Budget::new(None, Some(10), at(10)).admit(Endpoint::MeetingList).is_err());
    }
}
