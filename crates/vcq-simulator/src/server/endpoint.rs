//! The API endpoints that are served: name, path, the key of their rows, scope and rate limit, as data.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    TenantAccessToken,
    MeetingList,
    ParticipantList,
    ParticipantQualityList,
    Rooms,
    RoomLevels,
    RoomAlerts,
    Reservations,
    CensusDaily,
    CensusUsers,
    AppAccessToken,
    StoreTenantAccessToken,
    AppTicketResend,
    UserAccessToken,
}

/// The requests for tokens: of a self-built app, of a store app (ISV), and of a user.
pub const TOKEN_ENDPOINTS: &[Endpoint] = &[
    Endpoint::TenantAccessToken,
    Endpoint::AppAccessToken,
    Endpoint::StoreTenantAccessToken,
    Endpoint::AppTicketResend,
    Endpoint::UserAccessToken,
];

/// The three lists, in the order in which a sync needs them.
pub const LIST_ENDPOINTS: &[Endpoint] =
    &[Endpoint::MeetingList, Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

/// The endpoints for rooms and Feishu's own counts.
pub const OPTIONAL_ENDPOINTS: &[Endpoint] = &[
    Endpoint::Rooms,
    Endpoint::RoomLevels,
    Endpoint::RoomAlerts,
    Endpoint::Reservations,
    Endpoint::CensusDaily,
    Endpoint::CensusUsers,
];

struct Properties {
    endpoint: Endpoint,
    name: &'static str,
    method: &'static str,
    path: &'static str,
    /// The key of the rows in `data`.
    list_key: &'static str,
    /// The scope that 99991672 names.
    scope: &'static str,
    /// The rate limit, in multiples of that of the three lists.
    limit_factor: usize,
    user_token: bool,
}

const ROOM_SCOPE: &str = "vc:room:readonly";

pub(super) const ENDPOINT_COUNT: usize = 14;

/// In the order of the variants.
const ENDPOINTS: [Properties; ENDPOINT_COUNT] = [
    token(
        Endpoint::TenantAccessToken,
        "tenant_access_token",
        "/open-apis/auth/v3/tenant_access_token/internal",
        "tenant_access_token",
    ),
    list(Endpoint::MeetingList, "meeting_list", "/open-apis/vc/v1/meeting_list", "meeting_list"),
    list(Endpoint::ParticipantList, "participant_list", "/open-apis/vc/v1/participant_list", "participants"),
    list(
        Endpoint::ParticipantQualityList,
        "participant_quality_list",
        "/open-apis/vc/v1/participant_quality_list",
        "participant_quality_list",
    ),
    Properties {
        limit_factor: 10,
        user_token: false,
        ..list(Endpoint::Rooms, "rooms", "/open-apis/vc/v1/rooms", "rooms")
    },
    Properties {
        limit_factor: 10,
        user_token: false,
        ..list(Endpoint::RoomLevels, "room_levels", "/open-apis/vc/v1/room_levels", "items")
    },
    Properties {
        scope: "vc:alert:readonly",
        user_token: false,
        ..list(Endpoint::RoomAlerts, "room_alerts", "/open-apis/vc/v1/alerts", "items")
    },
    list(Endpoint::Reservations, "reservations", "/open-apis/vc/v1/resource_reservation_list", "room_reservation_list"),
    Properties {
        scope: "vc:report:readonly",
        user_token: false,
        ..list(Endpoint::CensusDaily, "census_daily", "/open-apis/vc/v1/reports/get_daily", "daily_report")
    },
    Properties {
        scope: "admin:admin_user_stat:readonly",
        user_token: false,
        ..list(Endpoint::CensusUsers, "census_users", "/open-apis/admin/v1/admin_user_stats", "items")
    },
    token(Endpoint::AppAccessToken, "app_access_token", "/open-apis/auth/v3/app_access_token", "app_access_token"),
    token(
        Endpoint::StoreTenantAccessToken,
        "store_tenant_access_token",
        "/open-apis/auth/v3/tenant_access_token",
        "tenant_access_token",
    ),
    token(Endpoint::AppTicketResend, "app_ticket_resend", "/open-apis/auth/v3/app_ticket/resend", ""),
    token(Endpoint::UserAccessToken, "user_access_token", "/open-apis/authen/v2/oauth/token", "access_token"),
];

const fn token(endpoint: Endpoint, name: &'static str, path: &'static str, key: &'static str) -> Properties {
    Properties { method: "POST", ..list(endpoint, name, path, key) }
}

const fn list(endpoint: Endpoint, name: &'static str, path: &'static str, list_key: &'static str) -> Properties {
    Properties { endpoint, name, method: "GET", path, list_key, scope: ROOM_SCOPE, limit_factor: 1, user_token: true }
}

impl Endpoint {
    const fn properties(self) -> &'static Properties {
        &ENDPOINTS[self as usize]
    }

    pub const fn name(self) -> &'static str {
        self.properties().name
    }

    pub const fn path(self) -> &'static str {
        self.properties().path
    }

    pub(crate) const fn list_key(self) -> &'static str {
        self.properties().list_key
    }

    pub(super) const fn scope(self) -> &'static str {
        self.properties().scope
    }

    pub(super) const fn limit_factor(self) -> usize {
        self.properties().limit_factor
    }

    pub(super) const fn accepts_user_token(self) -> bool {
        self.properties().user_token
    }

    pub(super) fn is_token(self) -> bool {
        TOKEN_ENDPOINTS.contains(&self)
    }

    /// Finds the endpoint of a path, and whether the method matches.
    pub(super) fn find(method: &str, path: &str) -> Option<(Self, bool)> {
        let found = ENDPOINTS.iter().find(|known| known.path == path);
        found.map(|known| (known.endpoint, known.method == method))
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
        let found = ENDPOINTS.iter().find(|known| known.name == text);
        found.map(|known| known.endpoint).ok_or_else(|| format!("unknown endpoint {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_properties_are_in_the_order_of_the_variants() {
        for (at, known) in ENDPOINTS.iter().enumerate() {
            assert_eq!(known.endpoint as usize, at, "{}", known.name);
            assert_eq!(known.name.parse(), Ok(known.endpoint));
            assert_eq!(Endpoint::find(known.method, known.path), Some((known.endpoint, true)));
        }
        assert_eq!(LIST_ENDPOINTS.len() + OPTIONAL_ENDPOINTS.len() + TOKEN_ENDPOINTS.len(), ENDPOINT_COUNT);
    }
}
