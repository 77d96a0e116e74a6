//! What happens during a run, as values. Progress is a view of these; the stages do not know whether anyone listens.

use std::time::Duration;

use crate::schema::Status;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The run has begun. The window in microseconds UTC, its end exclusive.
    Started { since_us: i64, until_us: i64 },
    /// The run has begun, for the meetings of events only.
    EventsRead { meetings: u64 },
    /// A page of the meeting list has arrived; what is known so far, as in `MeetingsListed`. Meetings are fetched while
    /// the list is still being read.
    MeetingPage { meetings: u64, to_list: u64, quality_calls_estimate: u64 },
    /// The meeting list is complete. `to_list` is the number of meetings with something left to fetch: one
    /// `MeetingListed` is sent for each, for some of them before this event. Quality calls still to make are counted
    /// for listed participants and guessed from the device count for the others.
    MeetingsListed { meetings: u64, to_list: u64, quality_calls_estimate: u64 },
    /// The participants of one meeting are known, or listing them failed; the quality calls are for those to fetch now.
    MeetingListed { participants: u64, to_fetch: u64, quality_calls: u64 },
    /// The quality data of one participant was fetched or refused.
    ParticipantDone { status: Status, samples: u64 },
    /// A request was sent. Endpoints are given by name: `meeting_list`, `participant_list`, `participant_quality_list`
    /// or [`TOKEN_ENDPOINT`].
    CallSent { endpoint: &'static str },
    /// Feishu refused a request because of its rate.
    Throttled { endpoint: &'static str },
    /// The endpoint pauses because Feishu throttled.
    Waiting { endpoint: &'static str, wait: Duration },
    /// Feishu requested a longer pause than the settings allow. The pause of `wait` begins with this event.
    WaitClamped { endpoint: &'static str, requested: Duration, wait: Duration },
    /// A request will be repeated after a fault.
    Retrying { endpoint: &'static str },
    /// Something the user should know and the run can do without.
    Warning { text: String },
    /// Dates are being published.
    Publishing { dates: u64 },
    /// A generation is published, with this number of dates replaced.
    Published { generation: u64, dates: u64 },
    /// Files of the copy are sent to an object store: the first event has the totals, the last one all of them.
    Uploading { files: u64, of_files: u64, bytes: u64, of_bytes: u64 },
    /// The run is ending early on purpose, for example because it was interrupted.
    Stopping { why: String },
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
