//! The three list endpoints as data, and a typed request for each.
//!
//! A request becomes a query in a fixed order, so that two equal requests are equal text in the raw log. Values are as
//! the vendor wants them: unix seconds as decimal text, `page_size` always at its maximum, because calls are scarce.

use std::fmt;

/// Items asked for in one page: the vendor's maximum (it accepts 20 to 100).
pub const PAGE_SIZE: u32 = 100;

/// One of the vendor's three lists. Each has its own limit of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// The ended meetings of a window.
    MeetingList,
    /// The participants of one meeting.
    ParticipantList,
    /// The per-minute quality of one participant.
    ParticipantQualityList,
}

/// What is known about an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointInfo {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The vendor's name of it, as in the run summary.
    pub name: &'static str,
    /// Path below the host.
    pub path: &'static str,
    /// Key of the list in `data`. All three differ.
    pub list_key: &'static str,
}

/// The endpoints in the order in which they are walked. Source: vendor pages `get`, `get-2`, `get-3` of meeting-room-data.
pub const ENDPOINTS: &[EndpointInfo] = &[
    EndpointInfo {
        endpoint: Endpoint::MeetingList,
        name: "meeting_list",
        path: "/open-apis/vc/v1/meeting_list",
        list_key: "meeting_list",
    },
    EndpointInfo {
        endpoint: Endpoint::ParticipantList,
        name: "participant_list",
        path: "/open-apis/vc/v1/participant_list",
        list_key: "participants",
    },
    EndpointInfo {
        endpoint: Endpoint::ParticipantQualityList,
        name: "participant_quality_list",
        path: "/open-apis/vc/v1/participant_quality_list",
        list_key: "participant_quality_list",
    },
];

impl Endpoint {
    /// All endpoints, in the order of [`ENDPOINTS`].
    pub const ALL: [Endpoint; 3] = [Endpoint::MeetingList, Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

    /// What is known about this endpoint.
    pub const fn facts(self) -> &'static EndpointInfo {
        &ENDPOINTS[self as usize]
    }

    /// The vendor's name, as in the run summary.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Path below the host.
    pub const fn path(self) -> &'static str {
        self.facts().path
    }

    /// Key of the list in `data`.
    pub const fn list_key(self) -> &'static str {
        self.facts().list_key
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of the vendor's three ids of a person is sent and returned. The same in all calls of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UserIdType {
    /// Differs from app to app; the vendor's default.
    #[default]
    OpenId,
    /// The same for all the apps of one developer.
    UnionId,
    /// The tenant's own id; needs the field scope `contact:user.employee_id:readonly`.
    UserId,
}

impl UserIdType {
    /// All kinds.
    pub const ALL: [UserIdType; 3] = [UserIdType::OpenId, UserIdType::UnionId, UserIdType::UserId];

    /// The vendor's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            UserIdType::OpenId => "open_id",
            UserIdType::UnionId => "union_id",
            UserIdType::UserId => "user_id",
        }
    }

    /// Reads the vendor's word; `None` for any other.
    pub fn parse(text: &str) -> Option<UserIdType> {
        UserIdType::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// State of the meetings asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeetingStatus {
    /// 1: under way.
    Ongoing,
    /// 2: ended; the vendor's default.
    Ended,
    /// 3: in the future; documented as a request value for participant_list only.
    Upcoming,
}

impl MeetingStatus {
    /// The vendor's number.
    pub const fn number(self) -> u8 {
        match self {
            MeetingStatus::Ongoing => 1,
            MeetingStatus::Ended => 2,
            MeetingStatus::Upcoming => 3,
        }
    }
}

/// Kind of meeting, as a filter of meeting_list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeetingType {
    /// 1: all kinds; the vendor's default.
    All,
    /// 2: video meetings.
    Video,
    /// 3: local screen casts.
    LocalCast,
}

impl MeetingType {
    /// The vendor's number.
    pub const fn number(self) -> u8 {
        match self {
            MeetingType::All => 1,
            MeetingType::Video => 2,
            MeetingType::LocalCast => 3,
        }
    }
}

/// The one filter that meeting_list takes. Two of them at once are refused (126008), so two cannot be expressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeetingFilter {
    /// The nine-digit number.
    MeetingNo(String),
    /// An organiser or participant.
    UserId(String),
    /// A meeting room.
    RoomId(String),
    /// A kind of meeting.
    MeetingType(MeetingType),
}

/// Who is meant: a person or a room. Both at once are refused (126007), so both cannot be expressed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// A person's id, of the request's [`UserIdType`].
    User(String),
    /// A room's id (`omm_...`).
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

/// Which of a webinar's people are listed; each needs a query of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebinarUserRole {
    /// 0: the panellists.
    Panellist,
    /// 3: the audience.
    Audience,
}

impl WebinarUserRole {
    /// The vendor's text.
    pub const fn as_str(self) -> &'static str {
        match self {
            WebinarUserRole::Panellist => "0",
            WebinarUserRole::Audience => "3",
        }
    }
}

/// Parameters by which persons, rooms and meetings can be told; they are masked in the text of errors.
pub(super) const IDENTITY_PARAMETERS: &[&str] = &["meeting_no", "user_id", "room_id", "page_token"];

type Query = Vec<(&'static str, String)>;

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

/// What to ask meeting_list for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingListRequest {
    /// Start of the window, unix seconds. The span is at most a year (126006).
    pub start_time: i64,
    /// End of the window, unix seconds.
    pub end_time: i64,
    /// State of the meetings; absent means ended.
    pub meeting_status: Option<MeetingStatus>,
    /// The one filter.
    pub filter: Option<MeetingFilter>,
    /// Also meetings that another tenant organised. The vendor's default is false, ours is true.
    pub include_external_meetings: bool,
    /// Also webinars. The vendor's default is false, ours is true.
    pub include_webinar: bool,
    /// Kind of person ids sent and returned.
    pub user_id_type: UserIdType,
}

impl MeetingListRequest {
    /// Every ended meeting between two instants, external ones and webinars included.
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

    /// The query of one page, in a fixed order.
    pub fn query(&self, page_token: Option<&str>) -> Vec<(&'static str, String)> {
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

/// What to ask participant_list for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantListRequest {
    /// Start of the meeting, unix seconds. The span is at most a day (126006).
    pub meeting_start_time: i64,
    /// End of the meeting, unix seconds; now, for one under way.
    pub meeting_end_time: i64,
    /// The nine-digit number.
    pub meeting_no: String,
    /// State of the meeting; absent means ended.
    pub meeting_status: Option<MeetingStatus>,
    /// Only this person or room.
    pub only: Option<Identity>,
    /// Which of a webinar's people; absent for other meetings.
    pub webinar_user_role: Option<WebinarUserRole>,
    /// Kind of person ids sent and returned.
    pub user_id_type: UserIdType,
}

impl ParticipantListRequest {
    /// Everybody in an ended meeting.
    pub fn new(start: i64, end: i64, meeting_no: impl Into<String>, kind: UserIdType) -> ParticipantListRequest {
        ParticipantListRequest {
            meeting_start_time: start,
            meeting_end_time: end,
            meeting_no: meeting_no.into(),
            meeting_status: None,
            only: None,
            webinar_user_role: None,
            user_id_type: kind,
        }
    }

    /// The query of one page, in a fixed order.
    pub fn query(&self, page_token: Option<&str>) -> Vec<(&'static str, String)> {
        let mut query = vec![
            ("meeting_start_time", self.meeting_start_time.to_string()),
            ("meeting_end_time", self.meeting_end_time.to_string()),
            ("meeting_no", self.meeting_no.clone()),
        ];
        push(&mut query, "meeting_status", self.meeting_status.map(MeetingStatus::number));
        query.extend(self.only.as_ref().map(Identity::parameter));
        push(&mut query, "webinar_user_role", self.webinar_user_role.map(WebinarUserRole::as_str));
        push_page(&mut query, page_token, self.user_id_type);
        query
    }
}

/// What to ask participant_quality_list for: one participant of one ended meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityListRequest {
    /// Start of the meeting, unix seconds. The span is at most a day (126006).
    pub meeting_start_time: i64,
    /// End of the meeting, unix seconds.
    pub meeting_end_time: i64,
    /// The nine-digit number.
    pub meeting_no: String,
    /// When this row of participant_list joined, unix seconds.
    pub join_time: i64,
    /// Who.
    pub participant: Identity,
    /// Kind of person ids sent and returned.
    pub user_id_type: UserIdType,
}

impl QualityListRequest {
    /// The query of one page, in a fixed order.
    pub fn query(&self, page_token: Option<&str>) -> Vec<(&'static str, String)> {
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
    fn each_endpoint_finds_its_own_facts() {
        assert_eq!(ENDPOINTS.len(), Endpoint::ALL.len());
        for (facts, endpoint) in ENDPOINTS.iter().zip(Endpoint::ALL) {
            assert_eq!(facts.endpoint, endpoint);
            assert_eq!(endpoint.facts(), facts);
            assert_eq!(facts.path, format!("/open-apis/vc/v1/{}", facts.name));
        }
        assert_eq!(Endpoint::ParticipantList.list_key(), "participants");
    }

    #[test]
    fn meeting_list_asks_for_everything_by_default() {
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
    fn quality_list_names_one_participant() {
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
    fn user_id_types_read_their_own_word() {
        for kind in UserIdType::ALL {
            assert_eq!(UserIdType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(UserIdType::parse("openid"), None);
    }
}
