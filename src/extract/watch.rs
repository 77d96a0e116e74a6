//! What the asking tells of itself while it goes on.

use crate::schema::Status;

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchEvent {
    /// A page of the meeting list was answered; what is known so far.
    MeetingPage {
        /// Meetings of the window.
        meetings: u64,
        /// Meetings with something left to ask; a `MeetingListed` follows for each.
        to_list: u64,
        /// Quality calls pending, as far as known.
        quality_calls_estimate: u64,
    },
    /// The meeting list is complete.
    MeetingsListed {
        /// Meetings of the window.
        meetings: u64,
        /// Meetings with something left to ask; a `MeetingListed` is told for each, of some before this.
        to_list: u64,
        /// Quality calls pending, as far as known.
        quality_calls_estimate: u64,
    },
    /// A meeting's participants are known, or could not be listed.
    MeetingListed {
        participants: u64,
        /// Participants to ask for.
        to_ask: u64,
        /// Quality calls that they will take.
        quality_calls: u64,
    },
    /// A participant is done.
    ParticipantDone { status: Status, samples: u64 },
}

/// Who watches. Called from many threads; must not block.
pub(crate) trait Watch: Send + Sync {
    fn event(&self, event: FetchEvent);
}
