//! The documented parameters of the three lists: from a query string to a typed query, or to the documented error.

use std::ops::RangeInclusive;

use super::ApiError;
use crate::model::DAY_S;
use crate::model::ids::UserIdType;

/// The parameters of a call, decoded, in their original order.
pub type Params = Vec<(String, String)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageQuery {
    pub(super) size: usize,
    pub(super) token: Option<String>,
    pub(super) id_type: UserIdType,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MeetingQuery {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) ongoing: bool,
    pub(super) meeting_no: Option<u32>,
    pub(super) user_id: Option<String>,
    pub(super) room_id: Option<String>,
    pub(super) meeting_type: i64,
    pub(super) external: bool,
    pub(super) webinar: bool,
    pub(super) page: PageQuery,
}

/// The parameters that participant_list and participant_quality_list share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MeetingWindow {
    pub(super) number: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) user_id: Option<String>,
    pub(super) room_id: Option<String>,
    pub(super) page: PageQuery,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParticipantQuery {
    pub(super) window: MeetingWindow,
    pub(super) ongoing: bool,
    /// The audience of a webinar instead of everybody else.
    pub(super) audience: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QualityQuery {
    pub(super) window: MeetingWindow,
    pub(super) join_time: i64,
}

pub(super) struct Fields<'a>(pub(super) &'a Params);

impl<'a> Fields<'a> {
    pub(super) fn text(&self, field: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn string(&self, field: &str) -> Option<String> {
        self.text(field).map(str::to_owned)
    }

    pub(super) fn number(&self, field: &'static str) -> Result<Option<i64>, ApiError> {
        let parse = |text: &str| text.parse().map_err(|_| ApiError::invalid_field(field, text, "must be an integer"));
        self.text(field).map(parse).transpose()
    }

    pub(super) fn seconds(&self, field: &'static str) -> Result<i64, ApiError> {
        self.number(field)?.ok_or_else(|| missing(field))
    }

    pub(super) fn flag(&self, field: &'static str) -> Result<bool, ApiError> {
        match self.text(field) {
            None | Some("false" | "False" | "0") => Ok(false),
            Some("true" | "True" | "1") => Ok(true),
            Some(other) => Err(ApiError::invalid_field(field, other, "must be a boolean")),
        }
    }

    pub(super) fn one_of(&self, field: &'static str, known: &[i64], default: i64) -> Result<i64, ApiError> {
        let value = self.number(field)?.unwrap_or(default);
        let known = known.contains(&value).then_some(value);
        known.ok_or_else(|| ApiError::invalid_field(field, &value.to_string(), "unknown value"))
    }

    fn page(&self) -> Result<PageQuery, ApiError> {
        self.page_of(20, 20..=100)
    }

    pub(super) fn page_of(&self, default: i64, sizes: RangeInclusive<i64>) -> Result<PageQuery, ApiError> {
        let size = self.number("page_size")?.unwrap_or(default);
        if !sizes.contains(&size) {
            let (least, most) = sizes.into_inner();
            let description =
                if size < least { format!("the min value is {least}") } else { format!("the max value is {most}") };
            return Err(ApiError::invalid_field("page_size", &size.to_string(), &description));
        }
        let id_type = match self.text("user_id_type") {
            None | Some("open_id") => UserIdType::OpenId,
            Some("union_id") => UserIdType::UnionId,
            Some("user_id") => UserIdType::UserId,
            Some(other) => {
                return Err(ApiError::invalid_field("user_id_type", other, "must be open_id, union_id or user_id"));
            }
        };
        Ok(PageQuery { size: size as usize, token: self.string("page_token"), id_type })
    }

    fn window(&self, now: i64) -> Result<MeetingWindow, ApiError> {
        let (start, end) = (self.seconds("meeting_start_time")?, self.seconds("meeting_end_time")?);
        let text = self.text("meeting_no").ok_or_else(|| missing("meeting_no"))?;
        let page = self.page()?;
        let number = meeting_number(text)?;
        check_span(start, end, DAY_S, now)?;
        let (user_id, room_id) = (self.string("user_id"), self.string("room_id"));
        if user_id.is_some() && room_id.is_some() {
            return Err(ApiError::new(126_007));
        }
        Ok(MeetingWindow { number, start, end, user_id, room_id, page })
    }
}

pub(super) fn missing(field: &'static str) -> ApiError {
    ApiError::invalid_field(field, "", "the field is required")
}

fn meeting_number(text: &str) -> Result<u32, ApiError> {
    match text.parse::<i64>() {
        Ok(..0) => Err(ApiError::new(126_003)),
        Ok(number @ 0..=999_999_999) if text.len() == 9 && !text.starts_with('+') => Ok(number as u32),
        _ => Err(ApiError::new(126_004)),
    }
}

pub(super) fn check_span(start: i64, end: i64, max_s: i64, now: i64) -> Result<(), ApiError> {
    if start < 0 || start > now {
        return Err(ApiError::new(126_005));
    }
    if end < start || end - start > max_s {
        return Err(ApiError::new(126_006));
    }
    Ok(())
}

impl MeetingQuery {
    /// `now` is Unix seconds.
    pub(super) fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let fields = Fields(params);
        let (start, end) = (fields.seconds("start_time")?, fields.seconds("end_time")?);
        let page = fields.page()?;
        let ongoing = fields.one_of("meeting_status", &[1, 2], 2)? == 1;
        let meeting_type = fields.one_of("meeting_type", &[1, 2, 3], 1)?;
        let (external, webinar) = (fields.flag("include_external_meetings")?, fields.flag("include_webinar")?);
        check_span(start, end, 366 * DAY_S, now)?;
        let filters = ["meeting_no", "user_id", "room_id", "meeting_type"];
        if filters.iter().filter(|filter| fields.text(filter).is_some()).count() > 1 {
            return Err(ApiError::new(126_008));
        }
        let meeting_no = fields.text("meeting_no").map(meeting_number).transpose()?;
        let (user_id, room_id) = (fields.string("user_id"), fields.string("room_id"));
        Ok(Self { start, end, ongoing, meeting_no, user_id, room_id, meeting_type, external, webinar, page })
    }
}

impl ParticipantQuery {
    pub(super) fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let fields = Fields(params);
        let window = fields.window(now)?;
        let ongoing = fields.one_of("meeting_status", &[1, 2, 3], 2)? == 1;
        let audience = match fields.text("webinar_user_role") {
            None | Some("0") => false,
            Some("3") => true,
            Some(other) => return Err(ApiError::invalid_field("webinar_user_role", other, "must be 0 or 3")),
        };
        Ok(Self { window, ongoing, audience })
    }
}

impl QualityQuery {
    pub(super) fn read(params: &Params, now: i64) -> Result<Self, ApiError> {
        let fields = Fields(params);
        let join_time = fields.seconds("join_time")?;
        let window = fields.window(now)?;
        if window.user_id.is_none() && window.room_id.is_none() {
            return Err(ApiError::new(121_003));
        }
        Ok(Self { window, join_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn params(text: &str) -> Params {
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    fn meeting_code(text: &str) -> i64 {
        MeetingQuery::read(&params(text), NOW).map_or_else(|error| error.code, |_| 0)
    }

    fn participant_code(text: &str) -> i64 {
        ParticipantQuery::read(&params(text), NOW).map_or_else(|error| error.code, |_| 0)
    }

    fn quality_code(text: &str) -> i64 {
        QualityQuery::read(&params(text), NOW).map_or_else(|error| error.code, |_| 0)
    }

    #[test]
    fn meeting_list_returns_the_documented_errors() {
        let window = "start_time=1799900000&end_time=1799990000";
        for (more, code) in [
            ("", 0),
            ("&page_size=100", 0),
            ("&page_size=19", 99_992_402),
            ("&page_size=101", 99_992_402),
            ("&page_size=many", 99_992_402),
            ("&user_id_type=nickname", 99_992_402),
            ("&meeting_status=3", 99_992_402),
            ("&include_webinar=maybe", 99_992_402),
            ("&meeting_no=123456789", 0),
            ("&meeting_no=-12345678", 126_003),
            ("&meeting_no=1234", 126_004),
            ("&meeting_no=123456789&meeting_type=2", 126_008),
            ("&user_id=a&room_id=b", 126_008),
        ] {
            assert_eq!(meeting_code(&format!("{window}{more}")), code, "{more}");
        }
        assert_eq!(meeting_code("end_time=1799990000"), 99_992_402);
        assert_eq!(meeting_code("start_time=yesterday&end_time=1799990000"), 99_992_402);
        assert_eq!(meeting_code("start_time=1800000001&end_time=1800000002"), 126_005);
        assert_eq!(meeting_code("start_time=-5&end_time=1799990000"), 126_005);
        assert_eq!(meeting_code("start_time=1799900000&end_time=1799899999"), 126_006);
        assert_eq!(meeting_code("start_time=1700000000&end_time=1799990000"), 126_006);
    }

    #[test]
    fn participant_list_returns_the_documented_errors() {
        let whole = "meeting_start_time=1799900000&meeting_end_time=1799903600&meeting_no=123456789";
        for (more, code) in [
            ("", 0),
            ("&webinar_user_role=3", 0),
            ("&webinar_user_role=1", 99_992_402),
            ("&user_id=a&room_id=b", 126_007),
            ("&page_size=10", 99_992_402),
        ] {
            assert_eq!(participant_code(&format!("{whole}{more}")), code, "{more}");
        }
        assert_eq!(participant_code("meeting_start_time=1799900000&meeting_end_time=1799903600"), 99_992_402);
        let over_a_day = "meeting_start_time=1799900000&meeting_end_time=1799986401&meeting_no=123456789";
        assert_eq!(participant_code(over_a_day), 126_006);
        let a_day = "meeting_start_time=1799900000&meeting_end_time=1799986400&meeting_no=123456789";
        assert_eq!(participant_code(a_day), 0);
    }

    #[test]
    fn quality_list_requires_one_id_and_a_join_time() {
        let whole = "meeting_start_time=1799900000&meeting_end_time=1799903600&meeting_no=123456789";
        assert_eq!(quality_code(&format!("{whole}&user_id=a&join_time=1799900001")), 0);
        assert_eq!(quality_code(&format!("{whole}&room_id=a&join_time=1799900001")), 0);
        assert_eq!(quality_code(&format!("{whole}&user_id=a")), 99_992_402);
        assert_eq!(quality_code(&format!("{whole}&join_time=1799900001")), 121_003);
        assert_eq!(quality_code(&format!("{whole}&user_id=a&room_id=b&join_time=1")), 126_007);
    }

    #[test]
    fn the_default_page_size_is_twenty() {
        let query = MeetingQuery::read(&params("start_time=1&end_time=2"), NOW).expect("documented parameters");
        assert_eq!((query.page.size, query.page.id_type), (20, UserIdType::OpenId));
        assert!(!query.external && !query.webinar && !query.ongoing);
    }
}
