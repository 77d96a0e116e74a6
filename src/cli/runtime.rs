//! The edge to the operating system: clock, threads and signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::command::Context;
use crate::commands::SyncSetup;
use crate::error::exit_code::{SIGINT, SIGTERM};
use crate::error::{ExitCode, Failure};
use crate::event::Event;

/// How long the end of a command waits for threads that cannot be cancelled, such as a host name lookup.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Maximum time from the first signal to the end of the process. Supervisors kill after ten seconds.
const SIGNAL_TIMEOUT: Duration = Duration::from_millis(9_500);

/// The time now, microseconds UTC.
#[expect(clippy::disallowed_methods, reason = "edge: the commands read the clock for everything below them")]
pub(super) fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Runs a future to its end. Two threads wait for Feishu and for signals; publishing adds one.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| {
            Failure::new(ExitCode::Unexpected, "could not start the threads or timers of the runtime").cause(&error)
        })?;
    let done = runtime.block_on(future);
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    Ok(done)
}

/// SIGINT and SIGTERM. No signal is lost between two calls of [`Signals::next`].
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// `None` if the system provides no handlers; its default handlers stay in effect then.
    pub(super) fn listen() -> Option<Signals> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
        Some(Signals { interrupt, terminate })
    }

    /// Waits for the next signal and returns its number.
    pub(super) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => SIGINT,
            _ = self.terminate.recv() => SIGTERM,
        }
    }
}

/// The first signal ends the run after the pages in hand, the second one ends the process at once. Both are safe: raw
/// data is on disk, and files are published by renaming only.
pub(super) fn stop_on_signals(setup: &SyncSetup, context: &Context) {
    let (cancel, signal, listener) = (setup.cancel.clone(), Arc::clone(&setup.signal), Arc::clone(&setup.listener));
    let console = context.console.clone();
    tokio::spawn(async move {
        let Some(mut signals) = Signals::listen() else { return };
        let first = signals.next().await;
        signal.store(first, Ordering::Relaxed);
        cancel.cancel();
        listener.on_event(&Event::Stopping { why: ExitCode::of_signal(first).name().to_owned() });
        // A thread of its own ends the process even if the runtime is blocked.
        std::thread::spawn(move || {
            std::thread::sleep(SIGNAL_TIMEOUT);
            console.warn("stopping took too long; fetched data is kept, and the next run publishes it");
            exit_after_signal(first);
        });
        exit_after_signal(signals.next().await);
    });
}

/// Ends the process on the first signal, for commands that can be stopped anywhere.
pub(super) fn exit_on_signals() {
    tokio::spawn(async {
        if let Some(mut signals) = Signals::listen() {
            exit_after_signal(signals.next().await);
        }
    });
}

/// Calls `restore` and ends the process on the first signal, for commands without a runtime of their own.
pub(super) fn exit_on_signals_after(restore: impl Fn() + Send + 'static) {
    std::thread::spawn(move || {
        // Without it, the default handlers of the system stay in effect.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            if let Some(mut signals) = Signals::listen() {
                let signal = signals.next().await;
                restore();
                exit_after_signal(signal);
            }
        });
    });
}

/// How long an interrupted query may take to end.
const QUERY_TIMEOUT: Duration = Duration::from_secs(3);

/// Calls `interrupt` on the first signal, for commands without a runtime of their own; the second signal, or a few
/// seconds, end the process. Returns the signal that came, 0 for none.
pub(super) fn interrupt_on_signals(interrupt: impl Fn() + Send + 'static) -> Arc<AtomicI32> {
    let came = Arc::new(AtomicI32::new(0));
    let first_signal = Arc::clone(&came);
    std::thread::spawn(move || {
        // Without it, the default handlers of the system stay in effect.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Some(mut signals) = Signals::listen() else { return };
            let first = signals.next().await;
            first_signal.store(first, Ordering::Relaxed);
            interrupt();
            let _ = tokio::time::timeout(QUERY_TIMEOUT, signals.next()).await;
            exit_after_signal(first);
        });
    });
    came
}

/// Calls `act` with every signal, from now on. For commands without a runtime of their own, which end by themselves.
pub(super) fn on_signals(act: impl Fn(i32) + Send + 'static) {
    let (ready, is_ready) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Without it, the default handlers of the system stay in effect.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let signals = Signals::listen();
            drop(ready);
            let Some(mut signals) = signals else { return };
            loop {
                act(signals.next().await);
            }
        });
    });
    // Ends with an error as soon as the other side is dropped.
    let _: Result<(), _> = is_ready.recv();
}

fn exit_after_signal(signal: i32) {
    std::process::exit(ExitCode::of_signal(signal).number().into());
}
