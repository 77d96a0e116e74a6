//! Why a run ended early.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::writer::WriteError;
use feishu_vc::error_codes::NO_PERMISSION;
use feishu_vc::{CallError, CancellationToken, Endpoint, PaginationError};

/// The reason that ended a run early. Everything answered before is kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// Feishu will serve no further request: credentials, scope, role, address, quota, host.
    #[error("Feishu refuses further requests")]
    Refused(#[source] CallError),
    /// Feishu cannot be reached, or the meeting list keeps failing.
    #[error("Feishu cannot be reached")]
    Unreachable(#[source] CallError),
    /// The pages of the meeting list never end or repeat.
    #[error("meeting_list could not be read to its end (log ID {})", log_id.as_deref().unwrap_or("unknown"))]
    MeetingList {
        /// Feishu's log ID of the faulty page.
        log_id: Option<String>,
        #[source]
        fault: PaginationError,
    },
    #[error("meeting_list was refused")]
    MeetingListRefused(#[source] CallError),
    #[error("{failures} requests in a row failed; the last one: {reason}")]
    Failing {
        failures: u32,
        /// The reason in the coverage row of the last one.
        reason: String,
    },
    #[error("Feishu's rate limit does not let the run continue")]
    Throttled(#[source] CallError),
    /// A limit of ours on calls or time is used up.
    #[error("{0}")]
    Budget(String),
    #[error("interrupted")]
    Cancelled,
    /// The first requests were all refused for lack of permission: the role is missing.
    #[error(
        "the first {refused} requests to {endpoint} were all refused (code {NO_PERMISSION}, log ID {})",
        log_id.as_deref().unwrap_or("unknown")
    )]
    Role { endpoint: Endpoint, refused: usize, log_id: Option<String> },
    /// The first requests were all refused with codes that do not concern a single unit.
    #[error(
        "the first {refused} requests to {endpoint} were all refused: {reason} (log ID {})",
        log_id.as_deref().unwrap_or("unknown")
    )]
    AllRefused {
        endpoint: Endpoint,
        refused: usize,
        /// The last refusal in words, with its code.
        reason: String,
        log_id: Option<String>,
    },
    #[error("none of {participants} participants of {meetings} meetings has a user id or a room id")]
    NoIds { participants: u64, meetings: u64 },
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Stop {
    /// Whether this is the reason of an earlier one. A failed write stops the writer, whose other users then see no
    /// cause, and cancels the rest; what a cancelled run received would be kept, but for the failure.
    fn explains(&self, earlier: &Stop) -> bool {
        match (self, earlier) {
            (Stop::Write(WriteError::Stopped), earlier) => matches!(earlier, Stop::Cancelled),
            (Stop::Write(_), earlier) => matches!(earlier, Stop::Cancelled | Stop::Write(WriteError::Stopped)),
            (Stop::Cancelled, _) => false,
            (_, earlier) => matches!(earlier, Stop::Write(WriteError::Stopped)),
        }
    }

    /// What a call's error means for the run; the error itself if it concerns only its unit.
    pub(super) fn from_call(error: CallError) -> Result<Stop, CallError> {
        Ok(match error {
            CallError::Stop { .. } | CallError::Secret { .. } => Stop::Refused(error),
            CallError::Throttled { .. } => Stop::Throttled(error),
            CallError::Budget(why) => Stop::Budget(why),
            CallError::Cancelled => Stop::Cancelled,
            CallError::Refused { .. } | CallError::Failed { .. } => return Err(error),
        })
    }
}

fn lock(reason: &Mutex<Option<Stop>>) -> MutexGuard<'_, Option<Stop>> {
    reason.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends a run, and keeps its cause: the first reason, except that those which only follow from another give way to it.
/// `cancel` is the client's: set by the user, or here.
///
/// A used-up budget cancels nothing: what was begun within it is finished. Any other reason counts more.
#[derive(Debug)]
pub(super) struct StopSignal {
    cancel: CancellationToken,
    first: Mutex<Option<Stop>>,
    budget: Mutex<Option<Stop>>,
}

impl StopSignal {
    pub(super) fn new(cancel: CancellationToken) -> StopSignal {
        StopSignal { cancel, first: Mutex::default(), budget: Mutex::default() }
    }

    pub(super) fn is_set(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Whether the run ends before everything is fetched.
    pub(super) fn ends_early(&self) -> bool {
        self.is_set() || lock(&self.budget).is_some()
    }

    /// Records that the budget is used up, if the error says so.
    pub(super) fn set_if_budget(&self, error: CallError) {
        if let Ok(stop) = Stop::from_call(error) {
            self.set(stop);
        }
    }

    pub(super) fn set(&self, stop: Stop) {
        if matches!(stop, Stop::Budget(_)) {
            if !self.is_set() {
                lock(&self.budget).get_or_insert(stop);
            }
            return;
        }
        // Stored before the cancellation, so that the "cancelled" of other workers comes second. When the writer stops,
        // one worker receives the cause, and not always the first.
        let mut first = lock(&self.first);
        if first.as_ref().is_none_or(|first| stop.explains(first)) {
            *first = Some(stop);
        }
        drop(first);
        self.cancel.cancel();
    }

    pub(super) fn take(&self) -> Option<Stop> {
        let cause = lock(&self.first).take().filter(|first| !matches!(first, Stop::Cancelled));
        let cause = cause.or_else(|| lock(&self.budget).take());
        cause.or_else(|| self.is_set().then_some(Stop::Cancelled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw_log::RawError;

    fn disk_full() -> Stop {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        Stop::Write(WriteError::Raw(RawError::io("cannot write", std::path::Path::new("raw"))(full)))
    }

    fn stopped() -> Stop {
        Stop::Write(WriteError::Stopped)
    }

    /// The cause after these reasons, as text.
    fn cause(reasons: impl IntoIterator<Item = Stop>) -> String {
        let signal = StopSignal::new(CancellationToken::new());
        reasons.into_iter().for_each(|reason| signal.set(reason));
        signal.take().expect("stopped").to_string()
    }

    #[test]
    fn a_full_disk_is_the_cause_in_whatever_order_its_consequences_arrive() {
        let wanted = disk_full().to_string();
        let kinds: [fn() -> Stop; 3] = [disk_full, stopped, || Stop::Cancelled];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(cause(order.map(|kind| kinds[kind]())), wanted, "{order:?}");
        }
    }

    #[test]
    fn otherwise_the_first_reason_is_the_cause() {
        let budget = || Stop::Budget("--max-calls 5 is reached".to_owned());
        let no_ids = || Stop::NoIds { participants: 10, meetings: 2 };
        assert_eq!(cause([no_ids(), Stop::Cancelled, disk_full()]), no_ids().to_string());
        assert_eq!(cause([stopped(), no_ids()]), no_ids().to_string());
        assert_eq!(cause([budget(), Stop::Cancelled]), budget().to_string());
        assert_eq!(cause([Stop::Cancelled, budget()]), "interrupted");
        assert_eq!(cause([budget(), disk_full()]), disk_full().to_string(), "the run goes on after the budget");
        let cancelled = StopSignal::new(CancellationToken::new());
        cancelled.cancel.cancel();
        assert_eq!(cancelled.take().expect("stopped").to_string(), "interrupted");
    }
}
