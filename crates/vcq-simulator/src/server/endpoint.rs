//! The API endpoints that are served.

use std::fmt;
use std::str::FromStr;

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

/// The three lists, in the order in which a sync needs them.
pub const LIST_ENDPOINTS: &[Endpoint] =
    &[Endpoint::MeetingList, Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

const PATHS: &[(Endpoint, &str, &str)] = &[
    (Endpoint::TenantAccessToken, "POST", "/open-apis/auth/v3/tenant_access_token/internal"),
    (Endpoint::MeetingList, "GET", "/open-apis/vc/v1/meeting_list"),
    (Endpoint::ParticipantList, "GET", "/open-apis/vc/v1/participant_list"),
    (Endpoint::ParticipantQualityList, "GET", "/open-apis/vc/v1/participant_quality_list"),
];

impl Endpoint {
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantAccessToken => "tenant_access_token",
            Self::MeetingList => "meeting_list",
            Self::ParticipantList => "participant_list",
            Self::ParticipantQualityList => "participant_quality_list",
        }
    }

    /// The key of the rows in `data`; empty for the token.
    pub(crate) const fn list_key(self) -> &'static str {
        match self {
            Self::TenantAccessToken => "",
            Self::MeetingList => "meeting_list",
            Self::ParticipantList => "participants",
            Self::ParticipantQualityList => "participant_quality_list",
        }
    }

    /// Finds the endpoint of a path, and whether the method matches.
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
            .ok_or_else(|| format!("unknown endpoint {text:?}"))
    }
}
