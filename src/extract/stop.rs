//! Why the asking ended before its end.

use feishu_vc::{CallError, Endpoint, PaginationError};

/// The reason that ends a run early. What was answered before is kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// The vendor will answer nothing more: credentials, scope, role, address, quota, host.
    #[error("the vendor ended the run")]
    Vendor(#[source] CallError),
    /// The vendor cannot be reached, or the meeting list keeps failing.
    #[error("the vendor cannot be asked")]
    Unreachable(#[source] CallError),
    /// The meeting list has no end or goes round in circles.
    #[error("meeting_list could not be read to its end (log id {})", log_id.as_deref().unwrap_or("unknown"))]
    MeetingList {
        /// The vendor's log id of the page that broke the walk.
        log_id: Option<String>,
        /// What is wrong with the walk.
        #[source]
        fault: PaginationError,
    },
    /// The vendor refused the meeting list itself.
    #[error("meeting_list was refused")]
    MeetingListRefused(#[source] CallError),
    /// Unit after unit fails.
    #[error("{failures} units in a row failed; the last one: {reason}")]
    Failing {
        failures: u32,
        /// What the last one's coverage row says.
        reason: String,
    },
    #[error("the vendor's limit does not let us go on")]
    Throttled(#[source] CallError),
    /// A budget of ours is used up.
    #[error("{0}")]
    Budget(String),
    #[error("interrupted")]
    Cancelled,
    /// The first ones asked were all refused: the role is missing, not one right.
    #[error("the first {refused} asked of {endpoint} were all refused (code {}, log id {})", feishu_vc::error_codes::NO_PERMISSION, log_id.as_deref().unwrap_or("unknown"))]
    Role {
        endpoint: Endpoint,
        refused: usize,
        /// The vendor's log id of the last refusal.
        log_id: Option<String>,
    },
    /// The first ones asked were all refused with codes that mean no single unit.
    #[error(
        "the first {refused} asked of {endpoint} were all refused: {reason} (log id {})",
        log_id.as_deref().unwrap_or("unknown")
    )]
    AllRefused {
        endpoint: Endpoint,
        refused: usize,
        /// The last refusal in words, with its code.
        reason: String,
        /// The vendor's log id of the last refusal.
        log_id: Option<String>,
    },
    /// Nobody has an id.
    #[error("none of {participants} participants of {meetings} meetings has a user id or a room id")]
    NoIds {
        participants: u64,
        /// Of so many meetings.
        meetings: u64,
    },
    /// The store cannot be written.
    #[error(transparent)]
    Record(#[from] super::RecordError),
}

impl Stop {
    /// What a call's error means for the run; `None` where it concerns only its unit.
    pub(super) fn of(error: CallError) -> Result<Stop, CallError> {
        Ok(match error {
            CallError::Stop { .. } => Stop::Vendor(error),
            CallError::Throttled { .. } => Stop::Throttled(error),
            CallError::Budget(why) => Stop::Budget(why),
            CallError::Cancelled => Stop::Cancelled,
            CallError::Refused { .. } | CallError::Failed { .. } => return Err(error),
        })
    }
}
