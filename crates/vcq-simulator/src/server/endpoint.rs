//! The API endpoints that are served.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    TenantAccessToken,
    MeetingList,
    ParticipantList,
    ParticipantQualityList,
}

/// The three lists, in the order in which a sync needs them.
pub const LIST_ENDPOINTS: &[Endpoint] =
    &[Endpoint::MeetingList, Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

/// Endpoint, name, method and path.
const ENDPOINTS: [(Endpoint, &str, &str, &str); 4] = [
    (Endpoint::TenantAccessToken, "tenant_access_token", "POST", "/open-apis/auth/v3/tenant_access_token/internal"),
    (Endpoint::MeetingList, "meeting_list", "GET", "/open-apis/vc/v1/meeting_list"),
    (Endpoint::ParticipantList, "participant_list", "GET", "/open-apis/vc/v1/participant_list"),
    (Endpoint::ParticipantQualityList, "participant_quality_list", "GET", "/open-apis/vc/v1/participant_quality_list"),
];

impl Endpoint {
    pub const fn name(self) -> &'static str {
        ENDPOINTS[self as usize].1
    }

    /// The key of the rows in `data`.
    pub(crate) fn list_key(self) -> &'static str {
        if self == Self::ParticipantList { "participants" } else { self.name() }
    }

    /// Finds the endpoint of a path, and whether the method matches.
    pub(super) fn find(method: &str, path: &str) -> Option<(Self, bool)> {
        let found = ENDPOINTS.iter().find(|(_, _, _, known)| *known == path);
        found.map(|(endpoint, _, known, _)| (*endpoint, *known == method))
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
        let found = ENDPOINTS.iter().find(|(_, name, ..)| *name == text);
        found.map(|(endpoint, ..)| *endpoint).ok_or_else(|| format!("unknown endpoint {text:?}"))
    }
}
