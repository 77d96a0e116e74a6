//! What happens during a run, as values. Progress is a view of these; the stages do not know whether anyone listens.

use std::time::Duration;

use crate::schema::Status;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The run has begun. The window in microseconds UTC, its end exclusive.
    Started {
        since_us: i64,
        until_us: i64,
    },
    /// A page of the meeting list has arrived; what is known so far.
    MeetingPage {
        /// Meetings in the window.
        meetings: u64,
        /// Meetings with something left to fetch; they are fetched while the list is still being read.
        to_list: u64,
        /// Quality calls still to make.
        quality_calls_estimate: u64,
    },
    /// The meeting list is complete.
    MeetingsListed {
        /// Meetings in the window.
        meetings: u64,
        /// Meetings with something left to fetch. One `MeetingListed` is sent for each, for some of them before this
        /// event.
        to_list: u64,
        /// Quality calls still to make: counted for listed participants, guessed from the device count for the others.
        quality_calls_estimate: u64,
    },
    /// The participants of one meeting are known, or listing them failed.
    MeetingListed {
        participants: u64,
        /// Participants whose quality data is to be fetched now.
        to_fetch: u64,
        /// Quality calls for these.
        quality_calls: u64,
    },
    ParticipantDone {
        status: Status,
        samples: u64,
    },
    /// A request was sent. Endpoints are given by name: `meeting_list`, `participant_list`, `participant_quality_list`
    /// or [`TOKEN_ENDPOINT`].
    CallSent {
        endpoint: &'static str,
    },
    /// Feishu refused a request because of its rate.
    Throttled {
        endpoint: &'static str,
    },
    /// The endpoint pauses because Feishu said so.
    Waiting {
        endpoint: &'static str,
        wait: Duration,
    },
    /// Feishu requested a longer pause than the settings allow. The pause of `wait` begins with this event.
    WaitClamped {
        endpoint: &'static str,
        requested: Duration,
        wait: Duration,
    },
    /// A request will be repeated after a fault.
    Retrying {
        endpoint: &'static str,
    },
    /// Something the user should know and the run can do without.
    Warning {
        text: String,
    },
    /// Dates are being published.
    Publishing {
        dates: u64,
    },
    /// A generation is published, with this number of dates replaced.
    Published {
        generation: u64,
        dates: u64,
    },
    /// The run is ending early on purpose, for example because it was interrupted.
    Stopping {
        why: String,
    },
}

/// The token request, which is not among the counted calls.
pub(crate) const TOKEN_ENDPOINT: &str = "tenant_access_token";

/// Called from many threads; must not block.
pub(crate) trait Listener: Send + Sync {
    fn on_event(&self, event: &Event);
}

/// Ignores every event.
impl Listener for () {
    fn on_event(&self, _event: &Event) {}
}
