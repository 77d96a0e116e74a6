//! Why a run ended early.

use std::sync::{Mutex, PoisonError};

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
    /// What a call's error means for the run; the error itself if it concerns only its unit.
    pub(super) fn from_call(error: CallError) -> Result<Stop, CallError> {
        Ok(match error {
            CallError::Stop { .. } => Stop::Refused(error),
            CallError::Throttled { .. } => Stop::Throttled(error),
            CallError::Budget(why) => Stop::Budget(why),
            CallError::Cancelled => Stop::Cancelled,
            CallError::Refused { .. } | CallError::Failed { .. } => return Err(error),
        })
    }
}

/// Ends a run, and keeps the first reason for it. `cancel` is the client's: set by the user, or here.
#[derive(Debug)]
pub(super) struct StopSignal {
    cancel: CancellationToken,
    first: Mutex<Option<Stop>>,
}

impl StopSignal {
    pub(super) fn new(cancel: CancellationToken) -> StopSignal {
        StopSignal { cancel, first: Mutex::new(None) }
    }

    pub(super) fn is_set(&self) -> bool {
        self.cancel.is_cancelled()
    }

    pub(super) fn set(&self, stop: Stop) {
        // Stored before the cancellation, so that the "cancelled" of other workers comes second. When the writer stops,
        // one worker receives the cause, and not always the first.
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        match &*first {
            None | Some(Stop::Write(WriteError::Stopped)) => *first = Some(stop),
            Some(_) => {}
        }
        drop(first);
        self.cancel.cancel();
    }

    pub(super) fn take(&self) -> Option<Stop> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.or_else(|| self.is_set().then_some(Stop::Cancelled))
    }
}
