//! How many units of an endpoint are under way at once: as many as the pace asks for, and no more.
//!
//! Calls that nobody needs yet harm: the older meetings' overtake the newer ones', and what a kill cuts off is asked
//! again. Too few leave slots of the quota empty. Nobody knows beforehand how long an answer takes, so nothing is
//! reckoned from a latency: a unit is begun when next to none waits for the pace. That comes to rate x (latency + writing
//! it down) units, whatever these are.
//!
//! Where none waits at all, it is not the pace that holds us up, or nobody knows yet: then a few are begun, one more with each
//! that went well and took its time, and one less with each that was quick. So a vendor which fails is not asked more than it
//! takes to see that, and where we are the slow ones, no memory goes into answers that wait for us.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::queue::NewestFirst;
use feishu_vc::Rate;

/// Requests that wait for the pace, so that none of its slots is lost while the next unit is being begun. Four slots of
/// 10 ms are longer than a busy machine takes to wake us; at the vendor's pace two would be more than enough.
pub(super) const AHEAD: usize = 4;

/// So many may be under way from the beginning, whatever the pace.
const FEW: usize = 8;

/// With units that take less, a few make 80 calls a second, which is fifty times the vendor's pace: more would not be of use.
const QUICK: Duration = Duration::from_millis(100);

/// The slowest answers that the quota is used up with: a pace that brings more than [`FEW`] calls in this time may have as
/// many under way. At the vendor's 100 a minute that is eight: a vendor which takes longer has trouble enough.
const SLOW_ANSWER_S: f64 = 4.8;

/// The decision when to begin another unit of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crew {
    most: usize,
    /// Units that may be under way where none of them waits for the pace.
    unpaced: usize,
}

impl Crew {
    /// Of at most `concurrency`. A run that `may_end_early`, because of a budget, keeps to a few: while the newest meetings
    /// are being listed, what is begun of older ones is lost to them.
    pub(super) fn new(concurrency: usize, rate: Rate, may_end_early: bool) -> Crew {
        let calls_per_s = f64::from(rate.calls.get()) / rate.window.as_secs_f64();
        // As a cast, whatever is too large or no number ends at the bounds.
        let by_pace = if may_end_early { 0 } else { (calls_per_s * SLOW_ANSWER_S) as usize };
        let most = by_pace.max(FEW).min(concurrency).max(1);
        Crew { most, unpaced: FEW.min(most) }
    }

    /// Whether another unit is to be begun, with so many under way, of which so many requests wait for the pace.
    pub(super) fn needs_one(self, under_way: usize, waiting: usize) -> bool {
        let most = if waiting > 0 { self.most } else { self.unpaced };
        under_way < most && waiting < AHEAD
    }

    /// A unit ended, well or not, after so long.
    pub(super) fn ended(&mut self, Ended { well, took }: Ended) {
        let few = FEW.min(self.most);
        self.unpaced = match (took < QUICK, well) {
            (true, _) => self.unpaced.saturating_sub(1).max(few),
            (false, true) => (self.unpaced + 1).min(self.most),
            (false, false) => self.unpaced,
        };
    }
}

/// How a unit ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub well: bool,
    pub took: Duration,
}

/// Something that must be below a limit for a unit to be begun.
pub(super) struct Gate {
    pub level: watch::Receiver<usize>,
    pub below: usize,
}

impl Gate {
    fn is_open(&self) -> bool {
        *self.level.borrow() < self.below
    }

    async fn opened(&mut self) {
        let below = self.below;
        // A sender that is gone changes nothing any more: as good as open.
        let _ = self.level.wait_for(|level| *level < below).await;
    }
}

/// Works on everything that comes out of a queue, until it is empty and nobody fills it any more. `waiting` is how many
/// requests of this endpoint wait for the pace. What is popped when the run `is_over` is dropped. A unit says whether it went
/// well.
pub(super) async fn work_on<T, F: Future<Output = bool> + Send + 'static>(
    mut crew: Crew,
    waiting: watch::Receiver<usize>,
    room: Option<Gate>,
    queue: &NewestFirst<T>,
    is_over: impl Fn() -> bool,
    unit: impl Fn(T) -> F,
) {
    let mut gates: Vec<Gate> = vec![Gate { level: waiting.clone(), below: AHEAD }];
    gates.extend(room);
    let mut changed = waiting.clone();
    let mut under_way = JoinSet::new();
    loop {
        while let Some(ended) = under_way.try_join_next() {
            crew.ended(how(ended));
        }
        if let Some(gate) = gates.iter_mut().find(|gate| !gate.is_open()) {
            gate.opened().await;
            continue;
        }
        if !crew.needs_one(under_way.len(), *waiting.borrow()) {
            // The gates are open, so it is for how many are under way; one that ends makes a place, one that comes to wait for
            // the pace shows that it is the pace.
            tokio::select! {
                Some(ended) = under_way.join_next() => crew.ended(how(ended)),
                _ = changed.changed() => {}
            }
            continue;
        }
        let Some(item) = queue.pop().await else { break };
        if is_over() {
            continue;
        }
        let begun = Instant::now();
        let unit = unit(item);
        let mut next = Box::pin(async move { Ended { well: unit.await, took: begun.elapsed() } });
        // Up to where it waits for the pace it goes here, so that it is counted there before the next decision.
        match poll_fn(|context| Poll::Ready(next.as_mut().poll(context))).await {
            Poll::Ready(ended) => crew.ended(ended),
            Poll::Pending => drop(under_way.spawn(next)),
        }
    }
    while let Some(ended) = under_way.join_next().await {
        how(ended);
    }
}

/// How a unit ended; its panic goes on here.
fn how(ended: Result<Ended, JoinError>) -> Ended {
    ended.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // Nobody aborts one.
        Err(_) => Ended { well: false, took: Duration::ZERO },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn rate(calls: u32, window_s: u64) -> Rate {
        Rate { calls: NonZeroU32::new(calls).expect("positive"), window: Duration::from_secs(window_s) }
    }

    const SLOW: Ended = Ended { well: true, took: QUICK };

    #[test]
    fn the_vendors_pace_and_a_budget_never_have_more_than_a_few_under_way() {
        for concurrency in [1, 8, 48, 256] {
            assert_eq!(Crew::new(concurrency, rate(100, 60), false).most, concurrency.min(8));
            assert_eq!(Crew::new(concurrency, rate(600, 6), true).most, concurrency.min(8));
        }
        assert_eq!(Crew::new(48, rate(600, 6), false).most, 48);
        assert_eq!(Crew::new(0, rate(1, 60), false).most, 1, "somebody must work");
    }

    #[test]
    fn where_none_waits_for_the_pace_there_are_few_until_they_go_well() {
        let mut crew = Crew::new(48, rate(100_000, 60), false);
        let most = |crew: Crew| (0..100).take_while(|under_way| crew.needs_one(*under_way, 0)).count();
        let many = |crew: &mut Crew, count: usize, ended: Ended| (0..count).for_each(|_| crew.ended(ended));
        assert_eq!(most(crew), 8);
        many(&mut crew, 30, Ended { well: false, ..SLOW });
        many(&mut crew, 30, Ended { took: QUICK / 2, ..SLOW });
        assert_eq!(most(crew), 8);
        many(&mut crew, 5, SLOW);
        assert_eq!(most(crew), 13);
        many(&mut crew, 500, SLOW);
        assert_eq!(most(crew), 48);
        many(&mut crew, 500, Ended { took: QUICK / 2, ..SLOW });
        assert_eq!(most(crew), 8);
        assert!(Crew::new(48, rate(600, 6), false).needs_one(47, 1) && !crew.needs_one(10, AHEAD));
    }

    /// Slots of a pace, one a tick, with answers that take so many ticks: slots used, and the most under way.
    fn simulated(mut crew: Crew, latency: usize, ticks: usize) -> (usize, usize) {
        let mut in_flight: VecDeque<usize> = VecDeque::new();
        let (mut waiting, mut used, mut peak) = (0, 0, 0);
        for now in 0..ticks {
            while in_flight.front().is_some_and(|answered| *answered <= now) {
                in_flight.pop_front();
                crew.ended(SLOW);
            }
            while crew.needs_one(in_flight.len() + waiting, waiting) {
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
        fn no_slot_is_lost_and_no_more_are_under_way_than_the_latency_needs(
            concurrency in 1..80usize,
            latency in 1..120usize,
        ) {
            let crew = Crew::new(concurrency, rate(600, 6), false);
            let (used, peak) = simulated(crew, latency, 2_000);
            prop_assert!(peak <= crew.most && peak <= latency + AHEAD);
            if latency < crew.most {
                prop_assert_eq!(used, 2_000);
            } else {
                // As many as may be are under way all the time.
                prop_assert!(used >= (2_000 / latency - 1) * crew.most, "{used}");
            }
        }
    }

    #[tokio::test]
    async fn everything_is_worked_on_and_no_more_than_may_be_at_once() {
        let queue = NewestFirst::new(usize::MAX, 1);
        (0..100).for_each(|item| queue.put(item, 0, item));
        queue.done();
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
        let crew = Crew::new(5, rate(600, 6), false);
        work_on(crew, count.subscribe(), None, &queue, || false, unit).await;
        assert_eq!((seen.1.load(Ordering::Relaxed), seen.2.load(Ordering::Relaxed)), (5, 100));
    }

    #[tokio::test]
    async fn a_unit_that_waits_for_the_pace_is_seen_before_the_next_is_begun() {
        let queue = NewestFirst::new(usize::MAX, 1);
        (0..20).for_each(|item| queue.put(item, 0, item));
        queue.done();
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
        let crew = Crew::new(48, rate(600, 6), false);
        work_on(crew, waiting.subscribe(), None, &queue, || false, unit).await;
        assert_eq!(peak.load(Ordering::Relaxed), AHEAD);
    }

    #[tokio::test]
    async fn a_closed_gate_holds_back_and_the_end_of_the_run_empties_the_queue() {
        let queue = Arc::new(NewestFirst::new(usize::MAX, 1));
        (0..3).for_each(|item| queue.put(item, 0, item));
        queue.done();
        let (room, waiting) = (watch::Sender::new(7), watch::Sender::new(0));
        let begun = Arc::new(AtomicUsize::new(0));
        let gate = Gate { level: room.subscribe(), below: 7 };
        let work = {
            let (queue, begun, waiting) = (Arc::clone(&queue), Arc::clone(&begun), waiting.subscribe());
            let is_over = {
                let begun = Arc::clone(&begun);
                move || begun.load(Ordering::Relaxed) >= 1
            };
            tokio::spawn(async move {
                let unit = |_: i64| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    std::future::ready(true)
                };
                work_on(Crew::new(8, rate(600, 6), false), waiting, Some(gate), &queue, is_over, unit).await;
            })
        };
        tokio::task::yield_now().await;
        assert_eq!(begun.load(Ordering::Relaxed), 0);
        room.send_replace(6);
        work.await.expect("ends");
        assert_eq!(begun.load(Ordering::Relaxed), 1, "the others are dropped");
    }
}
