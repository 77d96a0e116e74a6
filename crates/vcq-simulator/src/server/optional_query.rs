//! The documented parameters of the endpoints for rooms and Feishu's own counts.

use jiff::civil::Date;

use super::query::{Fields, PageQuery, check_span, missing};
use super::{ApiError, Params};
use crate::model::DAY_S;

/// Days for which the report get_daily exists.
const REPORT_DAYS: i64 = 90;

/// Largest difference between the dates of a request for counts by person.
const USER_STAT_DAYS: i32 = 31;

/// The parameters of rooms and room levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoomQuery {
    /// `None`: the tenant.
    pub(super) level: Option<String>,
    pub(super) page: PageQuery,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlertQuery {
    pub(super) start: i64,
    pub(super) end: i64,
    /// 1 rooms; 2 connectors and 3 SIP systems, of which the tenant has none.
    pub(super) kind: i64,
    pub(super) room: Option<String>,
    pub(super) page: PageQuery,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReservationQuery {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) level: String,
    pub(super) rooms: Vec<String>,
    /// All rooms of the level except `rooms`, instead of `rooms`.
    pub(super) exclude: bool,
    pub(super) with_topic: bool,
    pub(super) page: PageQuery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReportQuery {
    pub(super) start: i64,
    pub(super) end: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserStatQuery {
    pub(super) first_day: Date,
    pub(super) last_day: Date,
    pub(super) user_id: Option<String>,
    pub(super) page: PageQuery,
}

impl RoomQuery {
    pub(super) fn read(params: &Params) -> Result<Self, ApiError> {
        let fields = Fields(params);
        Ok(Self { level: fields.string("room_level_id"), page: fields.page_of(10, 1..=100)? })
    }
}

impl AlertQuery {
    pub(super) fn read(params: &Params) -> Result<Self, ApiError> {
        let fields = Fields(params);
        let (start, end) = (fields.seconds("start_time")?, fields.seconds("end_time")?);
        let page = fields.page_of(100, 1..=200)?;
        let kind = fields.one_of("query_type", &[1, 2, 3], 1)?;
        if start < 0 || end < start {
            return Err(ApiError::new(121_003));
        }
        Ok(Self { start, end, kind, room: fields.string("query_value"), page })
    }
}

impl ReservationQuery {
    /// `now` is Unix seconds.
    pub(super) fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let fields = Fields(params);
        let level = fields.string("room_level_id").ok_or_else(|| missing("room_level_id"))?;
        let (start, end) = (fields.seconds("start_time")?, fields.seconds("end_time")?);
        let rooms: Vec<String> =
            params.iter().filter(|(name, _)| name == "room_ids").map(|(_, value)| value.clone()).collect();
        if rooms.iter().all(String::is_empty) {
            return Err(missing("room_ids"));
        }
        let (exclude, with_topic) = (fields.flag("is_exclude")?, fields.flag("need_topic")?);
        let page = fields.page_of(20, 20..=100)?;
        check_span(start, end, DAY_S, now)?;
        Ok(Self { start, end, level, rooms, exclude, with_topic, page })
    }
}

impl ReportQuery {
    /// `now` is Unix seconds.
    pub(super) fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let fields = Fields(params);
        let (start, end) = (fields.seconds("start_time")?, fields.seconds("end_time")?);
        fields.one_of("unit", &[0, 1, 2, 3], 0)?;
        // A day of grace, because the first day is not complete.
        if end < start || start > now || start < now - (REPORT_DAYS + 1) * DAY_S {
            return Err(ApiError::new(121_003));
        }
        Ok(Self { start, end })
    }
}

impl UserStatQuery {
    pub(super) fn read(params: &Params) -> Result<Self, ApiError> {
        let fields = Fields(params);
        let date = |field: &'static str| {
            let text = fields.text(field).ok_or_else(|| missing(field))?;
            let date = text.parse::<Date>().ok().filter(|_| text.len() == 10);
            date.ok_or_else(|| ApiError::new(1_051_001))
        };
        let (first_day, last_day) = (date("start_date")?, date("end_date")?);
        let page = fields.page_of(10, 1..=60)?;
        let days = first_day.until(last_day).map_or(-1, |span| span.get_days());
        if !(0..=USER_STAT_DAYS).contains(&days) {
            return Err(ApiError::new(1_051_001));
        }
        Ok(Self { first_day, last_day, user_id: fields.string("user_id"), page })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn params(text: &str) -> Params {
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    fn code<T>(read: Result<T, ApiError>) -> i64 {
        read.map_or_else(|error| error.code, |_| 0)
    }

    #[test]
    fn rooms_and_alerts_have_their_own_page_sizes() {
        for (text, expected) in
            [("", 0), ("page_size=100", 0), ("page_size=101", 99_992_402), ("page_size=0", 99_992_402)]
        {
            assert_eq!(code(RoomQuery::read(&params(text))), expected, "{text}");
        }
        for (text, expected) in [
            ("start_time=1&end_time=2", 0),
            ("start_time=1&end_time=2&page_size=200&query_type=1&query_value=omm_1", 0),
            ("start_time=1&end_time=2&page_size=201", 99_992_402),
            ("start_time=1&end_time=2&query_type=4", 99_992_402),
            ("start_time=1", 99_992_402),
            ("start_time=2&end_time=1", 121_003),
        ] {
            assert_eq!(code(AlertQuery::read(&params(text))), expected, "{text}");
        }
        assert_eq!(AlertQuery::read(&params("start_time=1&end_time=2")).map(|query| query.page.size), Ok(100));
    }

    #[test]
    fn reservations_need_a_level_and_rooms_and_span_a_day() {
        let whole = "room_level_id=omb_1&room_ids=omm_1&start_time=1799900000";
        for (text, expected) in [
            (format!("{whole}&end_time=1799986400"), 0),
            (format!("{whole}&end_time=1799986401"), 126_006),
            (format!("{whole}&end_time=1799899999"), 126_006),
            (format!("{whole}&end_time=1799986400&page_size=10"), 99_992_402),
            (format!("{whole}&end_time=1799986400&is_exclude=perhaps"), 99_992_402),
            ("room_level_id=omb_1&start_time=1799900000&end_time=1799986400".to_owned(), 99_992_402),
            ("room_ids=omm_1&start_time=1799900000&end_time=1799986400".to_owned(), 99_992_402),
            ("room_level_id=omb_1&room_ids=omm_1&start_time=1800000001&end_time=1800000002".to_owned(), 126_005),
        ] {
            assert_eq!(code(ReservationQuery::read(&params(&text), NOW)), expected, "{text}");
        }
        let two = params(&format!("{whole}&room_ids=omm_2&end_time=1799986400"));
        assert_eq!(ReservationQuery::read(&two, NOW).map(|query| query.rooms.len()), Ok(2));
    }

    #[test]
    fn the_report_goes_ninety_days_back() {
        let day = |days: i64| NOW - days * DAY_S;
        for (start, end, expected) in
            [(day(90), NOW, 0), (day(92), NOW, 121_003), (day(1), day(2), 121_003), (NOW + 1, NOW + 2, 121_003)]
        {
            let text = format!("start_time={start}&end_time={end}");
            assert_eq!(code(ReportQuery::read(&params(&text), NOW)), expected, "{text}");
        }
    }

    #[test]
    fn counts_by_person_span_a_month() {
        for (text, expected) in [
            ("start_date=2026-11-01&end_date=2026-11-01", 0),
            ("start_date=2026-11-01&end_date=2026-12-02&page_size=60", 0),
            ("start_date=2026-11-01&end_date=2026-12-03", 1_051_001),
            ("start_date=2026-11-02&end_date=2026-11-01", 1_051_001),
            ("start_date=20261101&end_date=2026-11-01", 1_051_001),
            ("start_date=2026-11-01", 99_992_402),
            ("start_date=2026-11-01&end_date=2026-11-01&page_size=61", 99_992_402),
        ] {
            assert_eq!(code(UserStatQuery::read(&params(text))), expected, "{text}");
        }
    }
}
