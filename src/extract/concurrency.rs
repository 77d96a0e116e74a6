//! How many units of an endpoint are in flight: as many as the rate limit can use, and no more.
//!
//! Requests made too early do harm: those of older meetings overtake newer ones, and what a kill interrupts is fetched
//! again. Too few leave the rate limit unused. Response times are unknown, so nothing is computed from a latency: a
//! unit starts when almost no request waits for the limiter. That yields rate x (latency + time to write) units.
//!
//! If no request waits at all, the limiter is not the bottleneck, or this is not known yet. Then few units run, one
//! more for each that succeeded and took its time, and one less for each fast one. So a failing service gets few
//! requests, and if writing is the bottleneck no memory is spent on responses that wait to be written.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::queue::NewestFirst;
use feishu_vc::{Effects, Rate};

/// Requests that wait for the limiter, so that none of its slots is lost while the next unit starts. Four slots of 10
/// ms are longer than a busy machine needs to wake a task; at Feishu's rate two would be more than enough.
const QUEUE_AHEAD: usize = 4;

/// This many may be in flight from the start, whatever the rate.
const DEFAULT_IN_FLIGHT: usize = 8;

/// With units faster than this, the default makes 80 calls a second, fifty times Feishu's rate: more would be useless.
const FAST_UNIT: Duration = Duration::from_millis(100);

/// The slowest responses at which the full rate limit is used. At Feishu's 100 calls a minute this makes eight in
/// flight; a slower service is overloaded anyway.
const MAX_RESPONSE_S: f64 = 4.8;

/// Decides when another unit of an endpoint starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConcurrencyController {
    max: usize,
    /// The maximum in flight while no request waits for the limiter.
    max_unlimited: usize,
}

impl ConcurrencyController {
    /// A run that `may_end_early` keeps to the default: while the newest meetings are still being listed, requests for
    /// older ones would use up its budget.
    pub(super) fn new(concurrency: usize, rate: Rate, may_end_early: bool) -> ConcurrencyController {
        let calls_per_s = f64::from(rate.calls.get()) / rate.window.as_secs_f64();
        // The cast saturates.
        let by_rate = if may_end_early { 0 } else { (calls_per_s * MAX_RESPONSE_S) as usize };
        let max = by_rate.max(DEFAULT_IN_FLIGHT).min(concurrency).max(1);
        ConcurrencyController { max, max_unlimited: DEFAULT_IN_FLIGHT.min(max) }
    }

    /// Whether another unit may start, given the units in flight and how many requests wait for the limiter.
    fn may_start(self, in_flight: usize, waiting: usize) -> bool {
        let max = if waiting > 0 { self.max } else { self.max_unlimited };
        in_flight < max && waiting < QUEUE_AHEAD
    }

    fn record(&mut self, Completion { succeeded, elapsed }: Completion) {
        let min = DEFAULT_IN_FLIGHT.min(self.max);
        self.max_unlimited = match (elapsed < FAST_UNIT, succeeded) {
            (true, _) => self.max_unlimited.saturating_sub(1).max(min),
            (false, true) => (self.max_unlimited + 1).min(self.max),
            (false, false) => self.max_unlimited,
        };
    }
}

#[derive(Debug, Clone, Copy)]
struct Completion {
    succeeded: bool,
    elapsed: Duration,
}

/// A level that must be below a limit before a unit may start.
pub(super) struct Backpressure {
    pub level: watch::Receiver<usize>,
    pub below: usize,
}

/// Processes everything in a queue until it is empty and its writers are done. `waiting` is the number of requests of
/// the endpoint that wait for the limiter. Items that are popped when the run `is_over` are dropped. `process` returns
/// whether the unit succeeded. `clock` measures how long it took.
pub(super) async fn process_queue<T, F: Future<Output = bool> + Send + 'static>(
    mut controller: ConcurrencyController,
    waiting: watch::Receiver<usize>,
    room: Option<Backpressure>,
    queue: &NewestFirst<T>,
    is_over: impl Fn() -> bool,
    clock: &Arc<dyn Effects>,
    process: impl Fn(T) -> F,
) {
    let mut pressures: Vec<Backpressure> = vec![Backpressure { level: waiting.clone(), below: QUEUE_AHEAD }];
    pressures.extend(room);
    let mut changed = waiting.clone();
    let mut in_flight = JoinSet::new();
    loop {
        while let Some(ended) = in_flight.try_join_next() {
            controller.record(completion(ended));
        }
        if let Some(pressure) = pressures.iter_mut().find(|pressure| *pressure.level.borrow() >= pressure.below) {
            let below = pressure.below;
            // An error means that the sender is gone: the level no longer changes and nothing is to be waited for.
            let _ = pressure.level.wait_for(|level| *level < below).await;
            continue;
        }
        if !controller.may_start(in_flight.len(), *waiting.borrow()) {
            // Too many are in flight. A completion makes room; a request that starts to wait shows that the limiter is
            // the bottleneck.
            tokio::select! {
                // In this order, so that a simulation can be repeated.
                biased;
                Some(ended) = in_flight.join_next() => controller.record(completion(ended)),
                _ = changed.changed() => {}
            }
            continue;
        }
        let Some(item) = queue.pop().await else { break };
        if is_over() {
            continue;
        }
        let (clock, started) = (Arc::clone(clock), clock.instant());
        let unit = process(item);
        let mut next =
            Box::pin(async move { Completion { succeeded: unit.await, elapsed: clock.instant() - started } });
        // Polled once here, up to where it waits for the limiter, so that it is counted there before the next decision.
        match poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await {
            Poll::Ready(ended) => controller.record(ended),
            Poll::Pending => drop(in_flight.spawn(next)),
        }
    }
    while let Some(ended) = in_flight.join_next().await {
        completion(ended);
    }
}

fn completion(ended: Result<Completion, JoinError>) -> Completion {
    ended.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Units are never aborted.
        Err(_) => Completion { succeeded: false, elapsed: Duration::ZERO },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::num::NonZeroU32;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn machine() -> Arc<dyn Effects> {
        Arc::new(feishu_vc::Machine)
    }

    fn rate(calls: u32, window_s: u64) -> Rate {
        Rate { calls: NonZeroU32::new(calls).expect("positive"), window: Duration::from_secs(window_s) }
    }

    const SLOW: Completion = Completion { succeeded: true, elapsed: FAST_UNIT };

    #[test]
    fn feishus_rate_and_a_budget_never_exceed_the_default_in_flight() {
        for concurrency in [1, 8, 48, 256] {
            assert_eq!(ConcurrencyController::new(concurrency, rate(100, 60), false).max, concurrency.min(8));
            assert_eq!(ConcurrencyController::new(concurrency, rate(600, 6), true).max, concurrency.min(8));
        }
        assert_eq!(ConcurrencyController::new(48, rate(600, 6), false).max, 48);
        assert_eq!(ConcurrencyController::new(0, rate(1, 60), false).max, 1, "at least one");
    }

    #[test]
    fn without_limiter_waits_concurrency_grows_only_with_successes() {
        let mut controller = ConcurrencyController::new(48, rate(100_000, 60), false);
        let max_in_flight = |controller: ConcurrencyController| {
            (0..100).take_while(|in_flight| controller.may_start(*in_flight, 0)).count()
        };
        let repeat = |controller: &mut ConcurrencyController, count: usize, ended: Completion| {
            (0..count).for_each(|_| controller.record(ended))
        };
        assert_eq!(max_in_flight(controller), 8);
        repeat(&mut controller, 30, Completion { succeeded: false, ..SLOW });
        repeat(&mut controller, 30, Completion { elapsed: FAST_UNIT / 2, ..SLOW });
        assert_eq!(max_in_flight(controller), 8);
        repeat(&mut controller, 5, SLOW);
        assert_eq!(max_in_flight(controller), 13);
        repeat(&mut controller, 500, SLOW);
        assert_eq!(max_in_flight(controller), 48);
        repeat(&mut controller, 500, Completion { elapsed: FAST_UNIT / 2, ..SLOW });
        assert_eq!(max_in_flight(controller), 8);
        assert!(
            ConcurrencyController::new(48, rate(600, 6), false).may_start(47, 1)
                && !controller.may_start(10, QUEUE_AHEAD)
        );
    }

    /// Simulates a limiter with one slot per tick and a latency in ticks: slots used, and the maximum in flight.
    fn simulate(mut controller: ConcurrencyController, latency: usize, ticks: usize) -> (usize, usize) {
        let mut in_flight: VecDeque<usize> = VecDeque::new();
        let (mut waiting, mut used, mut peak) = (0, 0, 0);
        for now in 0..ticks {
            while in_flight.front().is_some_and(|answered| *answered <= now) {
                in_flight.pop_front();
                controller.record(SLOW);
            }
            while controller.may_start(in_flight.len() + waiting, waiting) {
                waiting += 1;
            }
            peak = peak.max(in_flight.len() + waiting);
            if waiting > 0 {
                waiting -= 1;
                used += 1;
                in_flight.push_back(now + latency);
            }
        }
        (used, peak)
    }

    proptest! {
        #[test]
        fn no_slot_is_lost_and_no_more_are_in_flight_than_the_latency_needs(
            concurrency in 1..80usize,
            latency in 1..120usize,
        ) {
            let controller = ConcurrencyController::new(concurrency, rate(600, 6), false);
            let (used, peak) = simulate(controller, latency, 2_000);
            prop_assert!(peak <= controller.max && peak <= latency + QUEUE_AHEAD);
            if latency < controller.max {
                prop_assert_eq!(used, 2_000);
            } else {
                // The maximum is in flight all the time.
                prop_assert!(used >= (2_000 / latency - 1) * controller.max, "{used}");
            }
        }
    }

    #[tokio::test]
    async fn everything_is_processed_within_the_maximum() {
        let queue = NewestFirst::new(usize::MAX, 1);
        (0..100).for_each(|item| queue.insert(item, 0, item));
        queue.writer_done();
        let count = watch::Sender::new(0);
        let (at_once, peak, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let seen = Arc::new((at_once, peak, done));
        let unit = |_: i64| {
            let seen = Arc::clone(&seen);
            async move {
                let at_once = seen.0.fetch_add(1, Ordering::Relaxed) + 1;
                seen.1.fetch_max(at_once, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
                seen.0.fetch_sub(1, Ordering::Relaxed);
                seen.2.fetch_add(1, Ordering::Relaxed);
                true
            }
        };
        let controller = ConcurrencyController::new(5, rate(600, 6), false);
        process_queue(controller, count.subscribe(), None, &queue, || false, &machine(), unit).await;
        assert_eq!((seen.1.load(Ordering::Relaxed), seen.2.load(Ordering::Relaxed)), (5, 100));
    }

    #[tokio::test]
    async fn a_unit_that_waits_for_the_limiter_is_counted_before_the_next_starts() {
        let queue = NewestFirst::new(usize::MAX, 1);
        (0..20).for_each(|item| queue.insert(item, 0, item));
        queue.writer_done();
        let waiting = Arc::new(watch::Sender::new(0));
        let peak = Arc::new(AtomicUsize::new(0));
        let unit = |_: i64| {
            let (waiting, peak) = (Arc::clone(&waiting), Arc::clone(&peak));
            async move {
                waiting.send_modify(|count| *count += 1);
                peak.fetch_max(*waiting.borrow(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
                waiting.send_modify(|count| *count -= 1);
                true
            }
        };
        let controller = ConcurrencyController::new(48, rate(600, 6), false);
        process_queue(controller, waiting.subscribe(), None, &queue, || false, &machine(), unit).await;
        assert_eq!(peak.load(Ordering::Relaxed), QUEUE_AHEAD);
    }

    #[tokio::test]
    async fn backpressure_delays_units_and_the_end_of_the_run_empties_the_queue() {
        let queue = Arc::new(NewestFirst::new(usize::MAX, 1));
        (0..3).for_each(|item| queue.insert(item, 0, item));
        queue.writer_done();
        let (room, waiting) = (watch::Sender::new(7), watch::Sender::new(0));
        let started = Arc::new(AtomicUsize::new(0));
        let pressure = Backpressure { level: room.subscribe(), below: 7 };
        let work = {
            let (queue, started, waiting) = (Arc::clone(&queue), Arc::clone(&started), waiting.subscribe());
            let is_over = {
                let started = Arc::clone(&started);
                move || started.load(Ordering::Relaxed) >= 1
            };
            tokio::spawn(async move {
                let unit = |_: i64| {
                    started.fetch_add(1, Ordering::Relaxed);
                    std::future::ready(true)
                };
                process_queue(
                    ConcurrencyController::new(8, rate(600, 6), false),
                    waiting,
                    Some(pressure),
                    &queue,
                    is_over,
                    &machine(),
                    unit,
                )
                .await;
            })
        };
        tokio::task::yield_now().await;
        assert_eq!(started.load(Ordering::Relaxed), 0);
        room.send_replace(6);
        work.await.expect("ends");
        assert_eq!(started.load(Ordering::Relaxed), 1, "the others are dropped");
    }
}
