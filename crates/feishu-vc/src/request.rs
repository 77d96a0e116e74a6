//! A typed request for each list endpoint.
//!
//! Query parameters have a fixed order, so equal requests produce the same text. Times are Unix seconds as decimal
//! text; `page_size` is always the maximum, because calls are limited.

/// Items requested per page: Feishu's maximum (it accepts 20 to 100).
pub const PAGE_SIZE: u32 = 100;

/// Type of the user IDs in requests and responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserIdType {
    /// `open_id`: differs between apps. Feishu's default.
    #[default]
    OpenId,
    /// `union_id`: the same for all apps of one developer.
    UnionId,
    /// `user_id`: the tenant's own ID. Needs the field scope `contact:user.employee_id:readonly`.
    UserId,
}

impl UserIdType {
    /// In the order of Feishu's documentation.
    pub const ALL: [UserIdType; 3] = [UserIdType::OpenId, UserIdType::UnionId, UserIdType::UserId];

    /// The value of the parameter `user_id_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            UserIdType::OpenId => "open_id",
            UserIdType::UnionId => "union_id",
            UserIdType::UserId => "user_id",
        }
    }

    /// Parses a value of `user_id_type`.
    pub fn parse(text: &str) -> Option<UserIdType> {
        UserIdType::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// State of the requested meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeetingStatus {
    /// 1: in progress.
    Ongoing = 1,
    /// 2: ended. Feishu's default.
    Ended = 2,
    /// 3: upcoming. Documented for participant_list only.
    Upcoming = 3,
}

impl MeetingStatus {
    /// The number that is sent.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Type of meeting, as a filter of meeting_list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeetingType {
    /// 1: all types. Feishu's default.
    All = 1,
    /// 2: video meetings.
    Video = 2,
    /// 3: local screen sharing.
    LocalCast = 3,
}

impl MeetingType {
    /// The number that is sent.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// A filter of meeting_list. Feishu accepts only one; an enum enforces that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingFilter {
    /// The nine-digit meeting number.
    MeetingNo(String),
    /// An organiser or participant.
    UserId(String),
    /// A meeting room (`omm_...`).
    RoomId(String),
    /// Only meetings of this type.
    MeetingType(MeetingType),
}

/// A user or a room. Feishu accepts only one; an enum enforces that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// A user ID, of the request's [`UserIdType`].
    User(String),
    /// A room ID (`omm_...`).
    Room(String),
}

impl Identity {
    fn parameter(&self) -> (&'static str, String) {
        match self {
            Identity::User(id) => ("user_id", id.clone()),
            Identity::Room(id) => ("room_id", id.clone()),
        }
    }
}

/// Which webinar participants to list. Each role needs its own request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebinarUserRole {
    /// 0: panellists.
    Panellist = 0,
    /// 3: audience.
    Audience = 3,
}

impl WebinarUserRole {
    /// The value of the parameter `webinar_user_role`.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Parameters that identify persons, rooms and meetings. Their values are redacted in error texts.
pub(crate) const IDENTITY_PARAMETERS: &[&str] = &["meeting_no", "user_id", "room_id", "page_token"];

/// The parameters of a request, in the order in which they are sent.
pub type Query = Vec<(&'static str, String)>;

fn push<T: ToString>(query: &mut Query, name: &'static str, value: Option<T>) {
    if let Some(value) = value {
        query.push((name, value.to_string()));
    }
}

fn push_page(query: &mut Query, page_token: Option<&str>, user_id_type: UserIdType) {
    query.push(("page_size", PAGE_SIZE.to_string()));
    push(query, "page_token", page_token);
    query.push(("user_id_type", user_id_type.as_str().to_owned()));
}

/// A request to meeting_list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingListRequest {
    /// Start of the window, Unix seconds. The window is at most a year long.
    pub start_time: i64,
    /// End of the window, Unix seconds.
    pub end_time: i64,
    /// `None`: ended.
    pub meeting_status: Option<MeetingStatus>,
    /// `None`: all meetings.
    pub filter: Option<MeetingFilter>,
    /// Whether to include meetings organised by another tenant. Feishu's default is false; [`MeetingListRequest::new`]
    /// sets true.
    pub include_external_meetings: bool,
    /// Whether to include webinars. Feishu's default is false; [`MeetingListRequest::new`] sets true.
    pub include_webinar: bool,
    /// Type of the user IDs in the request and the response.
    pub user_id_type: UserIdType,
}

impl MeetingListRequest {
    /// All ended meetings between two instants (Unix seconds), including external meetings and webinars.
    pub fn new(start_time: i64, end_time: i64, user_id_type: UserIdType) -> MeetingListRequest {
        MeetingListRequest {
            start_time,
            end_time,
            meeting_status: None,
            filter: None,
            include_external_meetings: true,
            include_webinar: true,
            user_id_type,
        }
    }

    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = vec![("start_time", self.start_time.to_string()), ("end_time", self.end_time.to_string())];
        push(&mut query, "meeting_status", self.meeting_status.map(MeetingStatus::number));
        match &self.filter {
            Some(MeetingFilter::MeetingNo(no)) => query.push(("meeting_no", no.clone())),
            Some(MeetingFilter::UserId(id)) => query.push(("user_id", id.clone())),
            Some(MeetingFilter::RoomId(id)) => query.push(("room_id", id.clone())),
            Some(MeetingFilter::MeetingType(kind)) => query.push(("meeting_type", kind.number().to_string())),
            None => {}
        }
        query.push(("include_external_meetings", self.include_external_meetings.to_string()));
        query.push(("include_webinar", self.include_webinar.to_string()));
        push_page(&mut query, page_token, self.user_id_type);
        query
    }
}

/// A request to participant_list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantListRequest {
    /// Start of the meeting, Unix seconds. The window is at most a day long.
    pub meeting_start_time: i64,
    /// End of the meeting, Unix seconds; the current time for one in progress.
    pub meeting_end_time: i64,
    /// The nine-digit meeting number.
    pub meeting_no: String,
    /// State of the meeting. `None`: ended.
    pub meeting_status: Option<MeetingStatus>,
    /// Only this user or room. `None`: everybody.
    pub only: Option<Identity>,
    /// Role in a webinar. `None` for other meetings.
    pub webinar_user_role: Option<WebinarUserRole>,
    /// Type of the user IDs in the request and the response.
    pub user_id_type: UserIdType,
}

impl ParticipantListRequest {
    /// All participants of an ended meeting (`start` and `end` in Unix seconds).
    pub fn new(
        start: i64,
        end: i64,
        meeting_no: impl Into<String>,
        user_id_type: UserIdType,
    ) -> ParticipantListRequest {
        ParticipantListRequest {
            meeting_start_time: start,
            meeting_end_time: end,
            meeting_no: meeting_no.into(),
            meeting_status: None,
            only: None,
            webinar_user_role: None,
            user_id_type,
        }
    }

    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = vec![
            ("meeting_start_time", self.meeting_start_time.to_string()),
            ("meeting_end_time", self.meeting_end_time.to_string()),
            ("meeting_no", self.meeting_no.clone()),
        ];
        push(&mut query, "meeting_status", self.meeting_status.map(MeetingStatus::number));
        query.extend(self.only.as_ref().map(Identity::parameter));
        push(&mut query, "webinar_user_role", self.webinar_user_role.map(WebinarUserRole::number));
        push_page(&mut query, page_token, self.user_id_type);
        query
    }
}

/// A request to participant_quality_list: one participant of one ended meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityListRequest {
    /// Start of the meeting, Unix seconds. The window is at most a day long.
    pub meeting_start_time: i64,
    /// End of the meeting, Unix seconds.
    pub meeting_end_time: i64,
    /// The nine-digit meeting number.
    pub meeting_no: String,
    /// Join time as given in the participant's row of participant_list, Unix seconds.
    pub join_time: i64,
    /// Must match the row of participant_list.
    pub participant: Identity,
    /// Type of the user IDs in the request and the response.
    pub user_id_type: UserIdType,
}

impl QualityListRequest {
    /// The query of one page. `None` requests the first page.
    pub fn query(&self, page_token: Option<&str>) -> Query {
        let mut query = vec![
            ("meeting_start_time", self.meeting_start_time.to_string()),
            ("meeting_end_time", self.meeting_end_time.to_string()),
            ("meeting_no", self.meeting_no.clone()),
            ("join_time", self.join_time.to_string()),
            self.participant.parameter(),
        ];
        push_page(&mut query, page_token, self.user_id_type);
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(query: &[(&str, String)]) -> String {
        query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    #[test]
    fn meeting_list_requests_everything_by_default() {
        let request = MeetingListRequest::new(1_700_000_000, 1_700_086_400, UserIdType::OpenId);
        assert_eq!(
            text(&request.query(None)),
            "start_time=1700000000&end_time=1700086400&include_external_meetings=true&include_webinar=true\
             &page_size=100&user_id_type=open_id"
        );
    }

    #[test]
    fn meeting_list_takes_one_filter_and_a_page_token() {
        let filters = [
            (MeetingFilter::MeetingNo("705605196".into()), "meeting_no=705605196"),
            (MeetingFilter::UserId("ou_1".into()), "user_id=ou_1"),
            (MeetingFilter::RoomId("omm_1".into()), "room_id=omm_1"),
            (MeetingFilter::MeetingType(MeetingType::Video), "meeting_type=2"),
        ];
        for (filter, expected) in filters {
            let mut request = MeetingListRequest::new(1, 2, UserIdType::UserId);
            request.filter = Some(filter);
            request.meeting_status = Some(MeetingStatus::Ongoing);
            assert_eq!(
                text(&request.query(Some("20"))),
                format!(
                    "start_time=1&end_time=2&meeting_status=1&{expected}&include_external_meetings=true\
                     &include_webinar=true&page_size=100&page_token=20&user_id_type=user_id"
                )
            );
        }
    }

    #[test]
    fn participant_list_of_a_webinar_audience() {
        let mut request = ParticipantListRequest::new(1, 2, "705605196", UserIdType::UnionId);
        request.webinar_user_role = Some(WebinarUserRole::Audience);
        request.only = Some(Identity::Room("omm_1".into()));
        assert_eq!(
            text(&request.query(None)),
            "meeting_start_time=1&meeting_end_time=2&meeting_no=705605196&room_id=omm_1&webinar_user_role=3\
             &page_size=100&user_id_type=union_id"
        );
    }

    #[test]
    fn quality_list_identifies_one_participant() {
        let request = QualityListRequest {
            meeting_start_time: 1,
            meeting_end_time: 2,
            meeting_no: "705605196".into(),
            join_time: 3,
            participant: Identity::User("ou_1".into()),
            user_id_type: UserIdType::OpenId,
        };
        assert_eq!(
            text(&request.query(Some("t"))),
            "meeting_start_time=1&meeting_end_time=2&meeting_no=705605196&join_time=3&user_id=ou_1\
             &page_size=100&page_token=t&user_id_type=open_id"
        );
    }

    #[test]
    fn user_id_types_parse_their_own_name() {
        for kind in UserIdType::ALL {
            assert_eq!(UserIdType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(UserIdType::parse("openid"), None);
    }
}
