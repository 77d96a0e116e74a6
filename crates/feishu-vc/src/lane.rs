//! The queue of an endpoint: who is next to go out, and when.
//!
//! A lane has a pacer of its own, and the budget that other processes share where there is one. Its own pacer is asked
//! first and told of every call: it goes by a clock that is never set, and it is what holds where the sharing fails.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::client::{Rate, held};
use super::endpoint::Endpoint;
use super::error::CallError;
use super::event::{Event, WaitReason};
use super::line::Line;
use super::pace::Pacer;
use super::shared_state::Asked;
use super::sharing::{Shared, Sharing};

/// Whoever holds `turn` is the next to go out.
pub(super) struct Lane {
    endpoint: Endpoint,
    turn: tokio::sync::Mutex<()>,
    /// How many wait to go out, whoever holds the turn included.
    waiting: watch::Sender<usize>,
    pacer: Mutex<Pacer>,
    capped: Mutex<CappedRow>,
}

/// Capped waits in a row. A throttle of a request that was sent before the last of them tells nothing new.
#[derive(Default)]
struct CappedRow {
    waits: u32,
    last: Option<Instant>,
}

impl Lane {
    pub(crate) fn new(endpoint: Endpoint, rate: Rate) -> Lane {
        Lane {
            endpoint,
            turn: tokio::sync::Mutex::new(()),
            waiting: watch::Sender::new(0),
            pacer: Mutex::new(Pacer::new(rate.calls, rate.window)),
            capped: Mutex::default(),
        }
    }

    /// How many requests wait to go out.
    pub(crate) fn waiting(&self) -> watch::Receiver<usize> {
        self.waiting.subscribe()
    }

    /// Returns when a request may go out, which is then counted.
    pub(crate) async fn pace(&self, line: &Line, sharing: Option<&Sharing>) -> Result<(), CallError> {
        let _waits = Waits::new(&self.waiting);
        let _turn = line.unless_cancelled(self.turn.lock()).await?;
        let mut hold_was_told = false;
        loop {
            let own = held(&self.pacer).wait(Instant::now());
            let wait = match (own, sharing) {
                (Some(wait), _) => wait,
                (None, None) => match held(&self.pacer).take(Instant::now()) {
                    Ok(()) => return Ok(()),
                    Err(wait) => wait,
                },
                (None, Some(sharing)) => {
                    let asked = line.unless_cancelled(sharing.take(self.endpoint)).await?;
                    match told(line, asked) {
                        Some(Asked::Wait { wait, held }) => {
                            if held && !std::mem::replace(&mut hold_was_told, true) {
                                let endpoint = Some(self.endpoint);
                                line.tell(Event::Waiting { endpoint, wait, reason: WaitReason::Throttle });
                            }
                            wait
                        }
                        // A hold that came meanwhile refuses here: the shared slot is lost, which harms nobody.
                        Some(Asked::Taken) | None => match held(&self.pacer).take(Instant::now()) {
                            Ok(()) => return Ok(()),
                            Err(wait) => wait,
                        },
                    }
                }
            };
            line.unless_cancelled(tokio::time::sleep(wait)).await?;
        }
    }

    /// Lets no request of this process out before `wait` is over.
    pub(crate) fn hold(&self, wait: Duration) {
        held(&self.pacer).hold_until(Instant::now() + wait);
    }

    /// Lets no request of any process out before `wait` is over.
    pub(crate) async fn hold_all(&self, wait: Duration, line: &Line, sharing: Option<&Sharing>) {
        self.hold(wait);
        if let Some(sharing) = sharing {
            told(line, sharing.hold(self.endpoint, wait).await);
        }
    }

    /// Counts a capped wait for a request that was sent then. `Ok` says whether it tells something new; `Err` is the number
    /// of waits in a row where `most` were made already.
    pub(crate) fn count_capped(&self, sent_at: Instant, most: u32) -> Result<bool, u32> {
        let mut capped = held(&self.capped);
        if capped.last.is_some_and(|last| sent_at < last) {
            return Ok(false);
        }
        if capped.waits >= most {
            return Err(capped.waits);
        }
        *capped = CappedRow { waits: capped.waits + 1, last: Some(Instant::now()) };
        Ok(true)
    }

    /// An answer came that is no throttle: the row of capped waits is over.
    pub(crate) fn forget_capped(&self) {
        *held(&self.capped) = CappedRow::default();
    }
}

/// One who waits, however the waiting ends.
struct Waits<'a>(&'a watch::Sender<usize>);

impl<'a> Waits<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Waits<'a> {
        count.send_modify(|count| *count += 1);
        Waits(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// What the processes say; `None` where this one goes on alone, which is told the first time.
fn told(line: &Line, shared: Shared) -> Option<Asked> {
    match shared {
        Shared::Asked(asked) => Some(asked),
        Shared::Failed(error) => {
            line.tell(Event::SharedBudgetUnavailable { reason: error.to_string() });
            None
        }
        Shared::Alone => None,
    }
}
