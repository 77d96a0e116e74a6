//! What a sync fetches in addition to meetings: the words of the setting `also`, their raw kinds and endpoints.

use crate::raw_log::RawKind;
use feishu_vc::Endpoint;

/// A word of the setting `also`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Also {
    Rooms,
    RoomAlerts,
    Reservations,
    Census,
}

impl Also {
    pub(crate) const ALL: &'static [Also] = &[Also::Rooms, Also::RoomAlerts, Also::Reservations, Also::Census];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Also::Rooms => "rooms",
            Also::RoomAlerts => "room_alerts",
            Also::Reservations => "reservations",
            Also::Census => "census",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Also> {
        Also::ALL.iter().copied().find(|also| also.name() == word)
    }

    /// The kinds of raw files that it fetches, each from one endpoint.
    pub(crate) fn kinds(self) -> &'static [RawKind] {
        match self {
            Also::Rooms => &[RawKind::Rooms, RawKind::RoomLevels],
            Also::RoomAlerts => &[RawKind::RoomAlerts],
            Also::Reservations => &[RawKind::Reservations],
            Also::Census => &[RawKind::CensusDaily, RawKind::CensusUsers],
        }
    }
}

/// The endpoint whose pages a kind of raw file holds; its [`Endpoint::list_key`] finds the items.
pub(crate) fn endpoint_of(kind: RawKind) -> Endpoint {
    match kind {
        // Events have the meetings of the list, and no pages.
        RawKind::Meetings | RawKind::Events => Endpoint::MeetingList,
        RawKind::Participants => Endpoint::ParticipantList,
        RawKind::Quality => Endpoint::ParticipantQualityList,
        RawKind::Rooms => Endpoint::Rooms,
        RawKind::RoomLevels => Endpoint::RoomLevels,
        RawKind::RoomAlerts => Endpoint::Alerts,
        RawKind::Reservations => Endpoint::ReservationList,
        RawKind::CensusDaily => Endpoint::DailyReport,
        RawKind::CensusUsers => Endpoint::UserStats,
    }
}
