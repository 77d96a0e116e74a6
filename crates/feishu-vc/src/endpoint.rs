//! The endpoints: the three lists of meetings and their quality, and the optional ones.
//!
//! Source: the Feishu documents `get`, `get-2` and `get-3` of "meeting-room-data" (vc-v1) for the lists; `room/list`,
//! `room_level/list`, `alert/list`, `resource_reservation_list/get`, `report/get_daily` (vc-v1) and
//! `admin_user_stat/list` (admin-v1) for the optional ones.

use std::fmt;
use std::time::Duration;

use crate::credentials::TokenKind;
use crate::rate::Rate;
use crate::request::PAGE_SIZE;

/// An endpoint. Each has a rate limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// The ended meetings of a window.
    MeetingList,
    /// The participants of one meeting.
    ParticipantList,
    /// The per-minute quality of one participant.
    ParticipantQualityList,
    /// The meeting rooms of the tenant.
    Rooms,
    /// The levels (buildings, floors) below one room level.
    RoomLevels,
    /// The alerts of room devices in a window.
    Alerts,
    /// The reservations of rooms in a window of at most a day.
    ReservationList,
    /// Feishu's own count of meetings per day.
    DailyReport,
    /// Feishu's own count of meetings per user and day.
    UserStats,
}

impl Endpoint {
    /// All endpoints: [`Endpoint::LISTS`], then [`Endpoint::OPTIONAL`].
    pub const ALL: [Endpoint; 9] = [
        Endpoint::MeetingList,
        Endpoint::ParticipantList,
        Endpoint::ParticipantQualityList,
        Endpoint::Rooms,
        Endpoint::RoomLevels,
        Endpoint::Alerts,
        Endpoint::ReservationList,
        Endpoint::DailyReport,
        Endpoint::UserStats,
    ];

    /// The lists of meetings, participants and quality, in the order in which they are called.
    pub const LISTS: [Endpoint; 3] =
        [Endpoint::MeetingList, Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

    /// The other endpoints.
    pub const OPTIONAL: [Endpoint; 6] = [
        Endpoint::Rooms,
        Endpoint::RoomLevels,
        Endpoint::Alerts,
        Endpoint::ReservationList,
        Endpoint::DailyReport,
        Endpoint::UserStats,
    ];

    /// Feishu's name of the endpoint, and the last part of its path.
    pub const fn name(self) -> &'static str {
        match self {
            Endpoint::MeetingList => "meeting_list",
            Endpoint::ParticipantList => "participant_list",
            Endpoint::ParticipantQualityList => "participant_quality_list",
            Endpoint::Rooms => "rooms",
            Endpoint::RoomLevels => "room_levels",
            Endpoint::Alerts => "alerts",
            Endpoint::ReservationList => "resource_reservation_list",
            Endpoint::DailyReport => "get_daily",
            Endpoint::UserStats => "admin_user_stats",
        }
    }

    /// Path below the host.
    pub const fn path(self) -> &'static str {
        match self {
            Endpoint::MeetingList => "/open-apis/vc/v1/meeting_list",
            Endpoint::ParticipantList => "/open-apis/vc/v1/participant_list",
            Endpoint::ParticipantQualityList => "/open-apis/vc/v1/participant_quality_list",
            Endpoint::Rooms => "/open-apis/vc/v1/rooms",
            Endpoint::RoomLevels => "/open-apis/vc/v1/room_levels",
            Endpoint::Alerts => "/open-apis/vc/v1/alerts",
            Endpoint::ReservationList => "/open-apis/vc/v1/resource_reservation_list",
            Endpoint::DailyReport => "/open-apis/vc/v1/reports/get_daily",
            Endpoint::UserStats => "/open-apis/admin/v1/admin_user_stats",
        }
    }

    /// Key of the list under `data`; a dot separates the keys of nested objects.
    pub const fn list_key(self) -> &'static str {
        match self {
            Endpoint::MeetingList => "meeting_list",
            Endpoint::ParticipantList => "participants",
            Endpoint::ParticipantQualityList => "participant_quality_list",
            Endpoint::Rooms => "rooms",
            Endpoint::RoomLevels | Endpoint::Alerts | Endpoint::UserStats => "items",
            Endpoint::ReservationList => "room_reservation_list",
            Endpoint::DailyReport => "meeting_report.daily_report",
        }
    }

    /// Items per page: Feishu's maximum.
    pub const fn page_size(self) -> u32 {
        match self {
            Endpoint::Alerts => 200,
            Endpoint::UserStats => 60,
            _ => PAGE_SIZE,
        }
    }

    /// The scope that an app needs for it.
    pub const fn scope(self) -> &'static str {
        match self {
            Endpoint::MeetingList
            | Endpoint::ParticipantList
            | Endpoint::ParticipantQualityList
            | Endpoint::Rooms
            | Endpoint::RoomLevels
            | Endpoint::ReservationList => "vc:room:readonly",
            Endpoint::Alerts => "vc:alert:readonly",
            Endpoint::DailyReport => "vc:report:readonly",
            Endpoint::UserStats => "admin:admin_user_stat:readonly",
        }
    }

    /// Whether Feishu accepts a token of this kind. An unknown kind may be a tenant token.
    pub const fn accepts(self, kind: TokenKind) -> bool {
        let needs_tenant = matches!(
            self,
            Endpoint::Rooms | Endpoint::RoomLevels | Endpoint::Alerts | Endpoint::DailyReport | Endpoint::UserStats
        );
        !(needs_tenant && matches!(kind, TokenKind::User))
    }

    /// The rate limit of this endpoint, given that of the lists. `get_daily` has a "special" limit that Feishu does not
    /// state: a tenth is used. For the others Feishu allows as much as for the lists, or more, which is not needed.
    pub(crate) fn rate(self, lists: Rate) -> Rate {
        match self {
            Endpoint::DailyReport => Rate { window: lists.window.checked_mul(10).unwrap_or(Duration::MAX), ..lists },
            _ => lists,
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
            assert!(endpoint.path().ends_with(&format!("/{}", endpoint.name())), "{endpoint}");
        }
    }

    #[test]
    fn the_lists_come_first_and_every_endpoint_has_its_own_index() {
        let parts: Vec<Endpoint> = Endpoint::LISTS.into_iter().chain(Endpoint::OPTIONAL).collect();
        assert_eq!(parts, Endpoint::ALL);
        for (index, endpoint) in Endpoint::ALL.into_iter().enumerate() {
            assert_eq!(endpoint as usize, index);
        }
    }

    #[test]
    fn a_user_token_is_accepted_by_the_lists_and_the_reservations_only() {
        let accepting: Vec<Endpoint> =
            Endpoint::ALL.into_iter().filter(|endpoint| endpoint.accepts(TokenKind::User)).collect();
        assert_eq!(accepting, [&Endpoint::LISTS[..], &[Endpoint::ReservationList]].concat());
        assert!(Endpoint::ALL.into_iter().all(|endpoint| endpoint.accepts(TokenKind::Tenant)));
        assert!(Endpoint::ALL.into_iter().all(|endpoint| endpoint.accepts(TokenKind::Unknown)));
    }

    #[test]
    fn the_daily_report_has_a_tenth_of_the_rate() {
        let rate = Endpoint::DailyReport.rate(Rate::default());
        assert_eq!((rate.calls.get(), rate.window.as_secs()), (100, 600));
        assert_eq!(Endpoint::Rooms.rate(Rate::default()), Rate::default());
    }
}
