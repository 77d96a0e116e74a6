//! What happens during a run, as values. Progress is a view on these; the pipeline does not know whether anyone watches.

use std::time::Duration;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The run has begun; instants in microseconds UTC.
    Started {
        /// Start of the window.
        since_us: i64,
        /// End of the window.
        until_us: i64,
    },
    /// A page of the meeting list was answered; what is known so far.
    MeetingPage {
        /// Meetings of the window.
        meetings: u64,
        /// How many of them have something left to ask; they are asked for while the list is still being read.
        to_list: u64,
        /// Quality calls still pending.
        quality_calls_estimate: u64,
    },
    /// The meeting list is complete.
    MeetingsListed {
        /// Meetings of the window.
        meetings: u64,
        /// How many of them have something left to ask; a `MeetingListed` is told for each, of some before this.
        to_list: u64,
        /// Quality calls still pending, as far as known: counted for listed participants, guessed from devices for others.
        quality_calls_estimate: u64,
    },
    /// The participants of one meeting are known (listed, or listing failed).
    MeetingListed {
        participants: u64,
        /// How many of them must be asked for quality now.
        to_ask: u64,
        /// Quality calls that these will take.
        quality_calls: u64,
    },
    /// One participant is done.
    ParticipantDone {
        /// The status of the ledger: complete, empty, failed and so on.
        status: &'static str,
        samples: u64,
    },
    /// A request was sent.
    Call {
        /// The endpoint's name: meeting_list, participant_list or participant_quality_list.
        endpoint: &'static str,
    },
    /// The vendor refused a request for its rate.
    Throttled { endpoint: &'static str },
    /// The vendor asked for a longer wait than the settings allow. The wait itself begins with it.
    Capped {
        endpoint: &'static str,
        /// What it asked for.
        asked: Duration,
        /// How long we wait.
        wait: Duration,
    },
    /// Something that the user should know, and that the run can do without.
    Warning { text: String },
    /// We wait because the vendor said so, or before a retry.
    Waiting {
        endpoint: &'static str,
        wait: Duration,
        /// For what, in words that follow "waiting 41 s ": "for the vendor's limit", "to retry after: ...".
        why: String,
    },
    /// Dates are being published.
    Publishing { dates: u64 },
    /// A generation is published.
    Published {
        generation: u64,
        /// How many dates were replaced.
        dates: u64,
    },
    /// The run is ending early on purpose, and why: "interrupted", "the budget of 100 calls is used up".
    Stopping { why: String },
}

/// Who watches. Called from many threads; must not block.
pub(crate) trait Events: Send + Sync {
    /// Takes note of one event.
    fn event(&self, event: &Event);
}

impl Events for () {
    fn event(&self, _event: &Event) {}
}
