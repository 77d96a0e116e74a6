//! The list endpoints.
//!
//! Source: the Feishu documents `get`, `get-2` and `get-3` of "meeting-room-data" (vc-v1).

use std::fmt;

/// A list endpoint. Each has a rate limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// The ended meetings of a window.
    MeetingList,
    /// The participants of one meeting.
    ParticipantList,
    /// The per-minute quality of one participant.
    ParticipantQualityList,
}

impl Endpoint {
    /// All endpoints, in the order in which they are called.
    pub const ALL: [Endpoint; 3] = [Endpoint::MeetingList, Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

    /// Feishu's name of the endpoint, and the last part of its path.
    pub const fn name(self) -> &'static str {
        match self {
            Endpoint::MeetingList => "meeting_list",
            Endpoint::ParticipantList => "participant_list",
            Endpoint::ParticipantQualityList => "participant_quality_list",
        }
    }

    /// Path below the host.
    pub const fn path(self) -> &'static str {
        match self {
            Endpoint::MeetingList => "/open-apis/vc/v1/meeting_list",
            Endpoint::ParticipantList => "/open-apis/vc/v1/participant_list",
            Endpoint::ParticipantQualityList => "/open-apis/vc/v1/participant_quality_list",
        }
    }

    /// Key of the list under `data`.
    pub const fn list_key(self) -> &'static str {
        match self {
            Endpoint::ParticipantList => "participants",
            other => other.name(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_with_the_name() {
        for endpoint in Endpoint::ALL {
            assert_eq!(endpoint.path(), format!("/open-apis/vc/v1/{}", endpoint.name()));
        }
        assert_eq!(Endpoint::ParticipantList.list_key(), "participants");
    }
}
