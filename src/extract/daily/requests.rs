//! The requests whose responses together answer a day.

use std::time::Duration;

use super::also::endpoint_of;
use super::due::Days;
use crate::raw_log::RawKind;
use crate::schema::{TenantZone, civil_date_text};
use feishu_vc::{
    AlertsRequest, DailyReportRequest, Endpoint, Query, ReservationListRequest, RoomLevelsRequest, RoomsRequest,
    UserIdType, UserStatsRequest,
};

const DAY_S: i64 = 86_400;

/// The query of a page, by its token.
pub(super) type PageQuery = Box<dyn Fn(Option<&str>) -> Query + Send + Sync>;

/// The queries for the days from `first` to `last`; only Feishu's daily report takes more than one day. The first query
/// for the levels of rooms; the others follow from its answer.
pub(super) fn queries(
    kind: RawKind,
    (first, last): (i32, i32),
    days: Days<'_>,
    user_id_type: UserIdType,
) -> Vec<PageQuery> {
    let second = |us: i64| us.div_euclid(1_000_000);
    let (now_s, start_s) = (second(days.now_us), second(days.zone.start_of_day(first)));
    // The end of a window may be inclusive.
    let end_s = (second(days.end_us(last)) - 1).min(now_s).max(start_s);
    match kind {
        RawKind::Rooms => vec![Box::new(move |token| RoomsRequest { user_id_type }.query(token))],
        RawKind::RoomAlerts => {
            vec![Box::new(move |token| AlertsRequest { start_time: start_s, end_time: end_s }.query(token))]
        }
        RawKind::Reservations => {
            // At most a day each: a day on which the clocks are set back has 25 hours.
            let starts = (start_s..=end_s).step_by(DAY_S as usize);
            let windows = starts.map(|start| (start, end_s.min(start + DAY_S - 1)));
            let query = |(start_time, end_time)| -> PageQuery {
                Box::new(move |token| ReservationListRequest { start_time, end_time }.query(token))
            };
            windows.map(query).collect()
        }
        RawKind::CensusDaily => {
            // Where Feishu's day begins is not documented. A day more on each side, so that no day is counted in part.
            let start_time = second(days.zone.start_of_day(first.saturating_sub(1))).max(now_s - 90 * DAY_S);
            let end_time = (second(days.end_us(last.saturating_add(1))) - 1).min(now_s).max(start_time);
            vec![Box::new(move |token| DailyReportRequest { start_time, end_time }.query(token))]
        }
        RawKind::CensusUsers => {
            let (start_date, end_date) = (civil_date_text(first), civil_date_text(last));
            let request = UserStatsRequest { start_date, end_date, user_id_type };
            vec![Box::new(move |token| request.query(token))]
        }
        _ => vec![levels_below(None)],
    }
}

/// A query of an optional endpoint for the day before yesterday, to see whether it is allowed.
pub(crate) fn day_query(endpoint: Endpoint, zone: &TenantZone, user_id_type: UserIdType, now_us: i64) -> Query {
    let day = zone.day_of(now_us).saturating_sub(2);
    let days = Days { zone, settle: Duration::ZERO.into(), now_us };
    let kind = RawKind::DAILY.iter().find(|kind| endpoint_of(**kind) == endpoint);
    let queries = kind.map(|kind| queries(*kind, (day, day), days, user_id_type)).unwrap_or_default();
    queries.first().map(|query| query(None)).unwrap_or_default()
}

/// The query for the levels below a level of rooms; `None` for the tenant.
pub(super) fn levels_below(room_level_id: Option<String>) -> PageQuery {
    let request = RoomLevelsRequest { room_level_id };
    Box::new(move |token| request.query(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The windows of the queries for a day, relative to its start in hours (the end is inclusive).
    fn windows(kind: RawKind, zone: &str, day: &str, now_h: i64) -> Vec<(f64, f64)> {
        let zone = TenantZone::parse(zone).expect("a zone");
        let day = crate::schema::civil_date(day).expect("a date");
        let start_us = zone.start_of_day(day);
        let days = Days { zone: &zone, settle: Duration::ZERO.into(), now_us: start_us + now_h * 3_600_000_000 };
        let hours = |text: &str| (text.parse::<i64>().expect("seconds") - start_us / 1_000_000) as f64 / 3_600.0;
        let queries = queries(kind, (day, day), days, UserIdType::OpenId);
        let time = |query: &Query, name| hours(&query.iter().find(|(key, _)| *key == name).expect(name).1);
        queries
            .iter()
            .map(|query| query(None))
            .map(|query| (time(&query, "start_time"), (time(&query, "end_time") * 100.0).round() / 100.0))
            .collect()
    }

    #[test]
    fn a_window_is_a_day_of_the_tenant_and_not_past_now() {
        for kind in [RawKind::RoomAlerts, RawKind::Reservations] {
            assert_eq!(windows(kind, "+08:00", "2026-11-01", 48), [(0.0, 24.0)]);
            assert_eq!(windows(kind, "+08:00", "2026-11-01", 5), [(0.0, 5.0)]);
        }
        assert_eq!(windows(RawKind::CensusDaily, "+08:00", "2026-11-01", 480), [(-24.0, 48.0)]);
        assert_eq!(windows(RawKind::CensusDaily, "+08:00", "2026-11-01", 5), [(-24.0, 5.0)]);
    }

    #[test]
    fn no_window_of_reservations_is_longer_than_a_day() {
        let long = windows(RawKind::Reservations, "Europe/Berlin", "2026-10-25", 480);
        assert_eq!(long, [(0.0, 24.0), (24.0, 25.0)]);
        assert_eq!(windows(RawKind::Reservations, "Europe/Berlin", "2026-03-29", 480), [(0.0, 23.0)]);
    }
}
