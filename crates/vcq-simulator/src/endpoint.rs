//! The paths that the simulator serves.

use std::fmt;
use std::str::FromStr;

/// A path of the vendor's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `POST /open-apis/auth/v3/tenant_access_token/internal`.
    TenantAccessToken,
    /// `GET /open-apis/vc/v1/meeting_list`.
    MeetingList,
    /// `GET /open-apis/vc/v1/participant_list`.
    ParticipantList,
    /// `GET /open-apis/vc/v1/participant_quality_list`.
    ParticipantQualityList,
}

/// The three lists, in the order in which they are worked.
pub const LISTS: &[Endpoint] = &[Endpoint::MeetingList, Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

/// Every endpoint with its method and path.
const PATHS: &[(Endpoint, &str, &str)] = &[
    (Endpoint::TenantAccessToken, "POST", "/open-apis/auth/v3/tenant_access_token/internal"),
    (Endpoint::MeetingList, "GET", "/open-apis/vc/v1/meeting_list"),
    (Endpoint::ParticipantList, "GET", "/open-apis/vc/v1/participant_list"),
    (Endpoint::ParticipantQualityList, "GET", "/open-apis/vc/v1/participant_quality_list"),
];

impl Endpoint {
    /// The last part of the path, which names the endpoint (`tenant_access_token` for the token).
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantAccessToken => "tenant_access_token",
            Self::MeetingList => "meeting_list",
            Self::ParticipantList => "participant_list",
            Self::ParticipantQualityList => "participant_quality_list",
        }
    }

    /// The key of the rows in `data`; for the token there is none.
    pub(super) const fn list_key(self) -> &'static str {
        match self {
            Self::TenantAccessToken => "",
            Self::MeetingList => "meeting_list",
            Self::ParticipantList => "participants",
            Self::ParticipantQualityList => "participant_quality_list",
        }
    }

    /// Finds the endpoint of a path, and whether the method is its own.
    pub(super) fn find(method: &str, path: &str) -> Option<(Self, bool)> {
        PATHS.iter().find(|(_, _, known)| *known == path).map(|(endpoint, verb, _)| (*endpoint, *verb == method))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PATHS
            .iter()
            .map(|(endpoint, _, _)| *endpoint)
            .find(|endpoint| endpoint.name() == text)
            .ok_or_else(|| format!("no endpoint is called {text:?}"))
    }
}
