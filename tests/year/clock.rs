//! Simulated time: it stands still while anything runs and jumps to the next timer when everything waits.
//!
//! The program's wall clock can differ from the true time, which is that of the simulated Feishu.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct SimulatedClock {
    origin: Instant,
    start_us: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    elapsed: Duration,
    /// How far the program's wall clock is ahead; negative: behind.
    ahead_us: i64,
    timers: BTreeMap<(Duration, u64), Waker>,
    timers_made: u64,
}

impl SimulatedClock {
    /// A clock that begins at a true time, microseconds UTC.
    pub(super) fn new(start_us: i64) -> SimulatedClock {
        SimulatedClock { origin: Instant::now(), start_us, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.state().elapsed
    }

    pub(super) fn instant(&self) -> Instant {
        self.origin + self.elapsed()
    }

    pub(super) fn true_us(&self) -> i64 {
        self.start_us + i64::try_from(self.elapsed().as_micros()).expect("some years")
    }

    /// What the program reads.
    pub(super) fn wall_us(&self) -> i64 {
        self.true_us() + self.state().ahead_us
    }

    pub(super) fn set_ahead_us(&self, ahead_us: i64) {
        self.state().ahead_us = ahead_us;
    }

    /// Jumps forward to a true time; stays if it is over.
    pub(super) fn jump_to(&self, true_us: i64) {
        let to = Duration::from_micros(u64::try_from(true_us - self.start_us).unwrap_or(0));
        let mut state = self.state();
        state.elapsed = state.elapsed.max(to);
    }

    pub(super) fn sleep(self: &Arc<Self>, wait: Duration) -> Sleep {
        Sleep { until: self.elapsed().saturating_add(wait), clock: Arc::clone(self), timer: None }
    }

    /// Called when nothing is ready to run: the time of the next timer comes.
    pub(super) fn advance(&self) {
        let due: Vec<Waker> = {
            let mut state = self.state();
            let Some((at, _)) = state.timers.first_key_value().map(|(key, _)| *key) else { return };
            state.elapsed = state.elapsed.max(at);
            let later = state.timers.split_off(&(at, u64::MAX));
            std::mem::replace(&mut state.timers, later).into_values().collect()
        };
        due.into_iter().for_each(Waker::wake);
    }
}

#[derive(Debug)]
pub(super) struct Sleep {
    clock: Arc<SimulatedClock>,
    until: Duration,
    timer: Option<(Duration, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = Arc::clone(&self.clock);
        let mut state = clock.state();
        if let Some(timer) = self.timer.take() {
            state.timers.remove(&timer);
        }
        if state.elapsed >= self.until {
            return Poll::Ready(());
        }
        state.timers_made += 1;
        let timer = (self.until, state.timers_made);
        state.timers.insert(timer, context.waker().clone());
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.clock.state().timers.remove(&timer);
        }
    }
}

#[test]
fn time_passes_only_while_everything_waits() {
    let clock = Arc::new(SimulatedClock::new(1_000_000));
    let (parked, began) = (Arc::clone(&clock), Instant::now());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || parked.advance())
        .build()
        .expect("a runtime");
    let sleeper = Arc::clone(&clock);
    let order = runtime.block_on(async move {
        let after = |hours: u64| {
            let clock = Arc::clone(&sleeper);
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(hours * 3_600)).await;
                (hours, clock.true_us())
            })
        };
        let (long, short) = (after(5), after(2));
        [short.await.expect("no panic"), long.await.expect("no panic")]
    });
    assert_eq!(order, [(2, 7_201_000_000), (5, 18_001_000_000)]);
    assert!(began.elapsed() < Duration::from_secs(60));
    clock.set_ahead_us(-500);
    assert_eq!(clock.wall_us(), clock.true_us() - 500);
    clock.jump_to(0);
    assert_eq!(clock.true_us(), 18_001_000_000, "never back");
}
