//! A typed request for each optional endpoint.
//!
//! Like the requests to the lists: fixed order of the parameters, times as Unix seconds in decimal text, the largest
//! page that Feishu accepts.

use crate::endpoint::Endpoint;
use crate::request::{Query, UserIdType};

/// `room_ids` is required also where it excludes rooms. This ID has the form of a room ID and belongs to no room.
const NO_ROOM: &str = "omm_00000000000000000000000000000000";
/// Feishu takes any ID without the prefix `omb_` for the level of the tenant.
const TENANT_LEVEL: &str = "0";

fn push_page(query: &mut Query, endpoint: Endpoint, page_token: Option<&str>) {
    query.push(("page_size", endpoint.page_size().to_string()));
    query.extend(page_token.map(|token| ("page_token", token.to_owned())));
}

/// A request to rooms: all rooms of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoomsRequest {
    /// Type of the user IDs in the response.
    pub user_id_type: UserIdType,
}

impl RoomsRequest {
    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = Query::new();
        push_page(&mut query, Endpoint::Rooms, page_token);
        query.push(("user_id_type", self.user_id_type.as_str().to_owned()));
        query
    }
}

/// A request to room_levels: the levels directly below one level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomLevelsRequest {
    /// `None`: the tenant, which is the top level.
    pub room_level_id: Option<String>,
}

impl RoomLevelsRequest {
    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = Query::new();
        query.extend(self.room_level_id.as_ref().map(|id| ("room_level_id", id.clone())));
        push_page(&mut query, Endpoint::RoomLevels, page_token);
        query
    }
}

/// A request to alerts: all alerts of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertsRequest {
    /// Start of the window, Unix seconds.
    pub start_time: i64,
    /// End of the window, Unix seconds.
    pub end_time: i64,
}

impl AlertsRequest {
    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = window(self.start_time, self.end_time);
        push_page(&mut query, Endpoint::Alerts, page_token);
        query
    }
}

/// A request to resource_reservation_list: the reservations of all rooms of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReservationListRequest {
    /// Start of the window, Unix seconds. The window is at most a day long.
    pub start_time: i64,
    /// End of the window, Unix seconds.
    pub end_time: i64,
}

impl ReservationListRequest {
    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = vec![("room_level_id", TENANT_LEVEL.to_owned()), ("need_topic", true.to_string())];
        query.extend(window(self.start_time, self.end_time));
        query.push(("room_ids", NO_ROOM.to_owned()));
        query.push(("is_exclude", true.to_string()));
        push_page(&mut query, Endpoint::ReservationList, page_token);
        query
    }
}

/// A request to get_daily. The response is not paged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyReportRequest {
    /// Start of the window, Unix seconds, at most 90 days ago.
    pub start_time: i64,
    /// End of the window, Unix seconds.
    pub end_time: i64,
}

impl DailyReportRequest {
    /// The query. There is only one page.
    pub fn query(&self, _page_token: Option<&str>) -> Query {
        window(self.start_time, self.end_time)
    }
}

/// A request to admin_user_stats: all users of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserStatsRequest {
    /// First day, `YYYY-MM-DD`.
    pub start_date: String,
    /// Last day, `YYYY-MM-DD`, at most a month later.
    pub end_date: String,
    /// Type of the user IDs in the response.
    pub user_id_type: UserIdType,
}

impl UserStatsRequest {
    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = vec![
            ("user_id_type", self.user_id_type.as_str().to_owned()),
            ("start_date", self.start_date.clone()),
            ("end_date", self.end_date.clone()),
        ];
        push_page(&mut query, Endpoint::UserStats, page_token);
        query
    }
}

fn window(start_time: i64, end_time: i64) -> Query {
    vec![("start_time", start_time.to_string()), ("end_time", end_time.to_string())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(query: &[(&str, String)]) -> String {
        query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    #[test]
    fn every_request_has_its_documented_parameters() {
        let window = (1_700_000_000, 1_700_086_400);
        let times = "start_time=1700000000&end_time=1700086400";
        let (start_time, end_time) = window;
        assert_eq!(text(&RoomsRequest::default().query(Some("t"))), "page_size=100&page_token=t&user_id_type=open_id");
        assert_eq!(text(&RoomLevelsRequest::default().query(None)), "page_size=100");
        let below = RoomLevelsRequest { room_level_id: Some("omb_1".to_owned()) };
        assert_eq!(text(&below.query(Some("t"))), "room_level_id=omb_1&page_size=100&page_token=t");
        let alerts = AlertsRequest { start_time, end_time };
        assert_eq!(text(&alerts.query(Some("t"))), format!("{times}&page_size=200&page_token=t"));
        assert_eq!(
            text(&ReservationListRequest { start_time, end_time }.query(None)),
            format!(
                "room_level_id=0&need_topic=true&{times}&room_ids=omm_00000000000000000000000000000000\
                 &is_exclude=true&page_size=100"
            )
        );
        assert_eq!(text(&DailyReportRequest { start_time, end_time }.query(None)), times);
        let (start_date, end_date) = ("2026-11-01".to_owned(), "2026-11-01".to_owned());
        let users = UserStatsRequest { start_date, end_date, user_id_type: UserIdType::UserId };
        assert_eq!(
            text(&users.query(Some("t"))),
            "user_id_type=user_id&start_date=2026-11-01&end_date=2026-11-01&page_size=60&page_token=t"
        );
    }
}
