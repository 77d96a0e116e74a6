//! Counts the requests and waits of a run, and passes the client's events on to the listener.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use feishu_vc::{Effects, Endpoint, EventListener, WaitReason};

use crate::commands::summary::{Calls, OptionalCalls};
use crate::event::{Event, Listener, TOKEN_ENDPOINT};

pub(crate) struct Counters {
    calls: [AtomicU64; Endpoint::ALL.len()],
    retries: AtomicU64,
    throttles: AtomicU64,
    waited_ms: AtomicU64,
    /// Until when each endpoint waits: overlapping waits count once.
    waits_until: Mutex<[Option<Instant>; Endpoint::ALL.len()]>,
    listener: Arc<dyn Listener>,
    clock: Arc<dyn Effects>,
}

impl Counters {
    pub(crate) fn new(listener: Arc<dyn Listener>, clock: Arc<dyn Effects>) -> Counters {
        Counters {
            calls: Default::default(),
            retries: AtomicU64::new(0),
            throttles: AtomicU64::new(0),
            waited_ms: AtomicU64::new(0),
            waits_until: Mutex::default(),
            listener,
            clock,
        }
    }

    pub(crate) fn calls(&self) -> Calls {
        let count = |endpoint: Endpoint| self.calls[endpoint as usize].load(Ordering::Relaxed);
        Calls {
            meeting_list: count(Endpoint::MeetingList),
            participant_list: count(Endpoint::ParticipantList),
            participant_quality_list: count(Endpoint::ParticipantQualityList),
            optional: OptionalCalls(Endpoint::OPTIONAL.map(count)),
        }
    }

    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(crate) fn throttles(&self) -> u64 {
        self.throttles.load(Ordering::Relaxed)
    }

    pub(crate) fn waited_s(&self) -> f64 {
        Duration::from_millis(self.waited_ms.load(Ordering::Relaxed)).as_secs_f64()
    }

    /// Adds the part of a wait that no earlier wait of the endpoint covers.
    fn add_wait(&self, endpoint: Option<Endpoint>, wait: Duration, now: Instant) {
        let until = now + wait;
        let added = match endpoint {
            None => wait,
            Some(endpoint) => {
                let mut waits_until = self.waits_until.lock().unwrap_or_else(PoisonError::into_inner);
                let from = waits_until[endpoint as usize].map_or(now, |until| until.max(now));
                waits_until[endpoint as usize] = Some(until.max(from));
                until.saturating_duration_since(from)
            }
        };
        self.waited_ms.fetch_add(u64::try_from(added.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
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
                Event::Warning { text: format!("the rate limit is not shared with other runs of this app: {reason}") }
            }
            feishu_vc::Event::Waiting { endpoint, wait, reason: WaitReason::Throttle } => {
                self.add_wait(*endpoint, *wait, self.clock.instant());
                Event::Waiting { endpoint: name(*endpoint), wait: *wait }
            }
            feishu_vc::Event::Retrying { endpoint, .. } => {
                // Token requests are not among the calls, so neither are their retries.
                if endpoint.is_some() {
                    self.retries.fetch_add(1, Ordering::Relaxed);
                }
                Event::Retrying { endpoint: name(*endpoint) }
            }
            feishu_vc::Event::AppTicketRequested => {
                let text = "the app ticket is missing or was refused; Feishu was asked to push a new one";
                Event::Warning { text: text.to_owned() }
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
    fn overlapping_waits_are_counted_once() {
        let counters = Counters::new(Arc::new(()), Arc::new(feishu_vc::Machine));
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        for _ in 0..4 {
            counters.add_wait(Some(Endpoint::ParticipantQualityList), second, now);
        }
        counters.add_wait(Some(Endpoint::ParticipantQualityList), second, now + second / 2);
        assert_eq!(counters.waited_s(), 1.5);
        counters.add_wait(Some(Endpoint::MeetingList), second, now);
        assert_eq!(counters.waited_s(), 2.5, "each endpoint has its own limit");
    }
}
