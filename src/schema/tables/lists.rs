//! `meetings` and `participants`: what the two lists say.

use super::MEETING_DATE;
use crate::schema::Column;
use crate::schema::Kind::{Count, Flag, Id, Instant, OffsetMinutes, Seconds, Text, WallClock};
use crate::schema::{Storage, Table};

const fn key(name: &'static str, doc: &'static str) -> Column {
    Column::key(name, "", Id, doc)
}

use Column as C;

/// One row a meeting.
pub(crate) const MEETINGS: Table = Table {
    name: "meetings",
    doc: "One row for each ended meeting, from meeting_list.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["meeting_key"],
    time_column: "start_time_utc",
    columns: &[
        key(
            "meeting_key",
            "`<meeting_no>-<start, unix seconds>`; an opaque key. A number recurs, so it alone is none.",
        ),
        C::optional(
            "meeting_no",
            "/meeting_id",
            Id,
            "Nine-digit meeting number (the API calls it meeting_id). It recurs.",
        ),
        C::optional(
            "meeting_instance_id",
            "/meeting_instance_id",
            Id,
            "The vendor's id of this one meeting, where sent.",
        ),
        C::optional("meeting_topic", "/meeting_topic", Text, "Topic."),
        C::optional("meeting_type", "/meeting_type", Count, "1 all, 2 video meeting, 3 local screen cast."),
        C::optional(
            "meeting_subtype",
            "/meeting_subtype",
            Count,
            "Vendor's sub-type: 1 cast, 4 chat room, 6 and 7 phone, 8 webinar, 9 offline, 10 minutes.",
        ),
        C::optional("organizer", "/organizer", Text, "Name of the organiser, or of who started it."),
        C::optional("organizer_department", "/department", Text, "Department of the organiser."),
        C::optional("organizer_user_id", "/user_id", Id, "Id of the organiser, of the configured kind."),
        C::optional("organizer_employee_id", "/employee_id", Id, "Employee number of the organiser."),
        C::optional("organizer_email", "/email", Text, "E-mail address of the organiser; may be masked."),
        C::optional("organizer_mobile", "/mobile", Text, "Mobile number of the organiser; may be masked."),
        C::optional("start_time_utc", "/meeting_start_time", Instant, "Start of the meeting."),
        C::optional("start_time_local", "/meeting_start_time", WallClock, "Start of the meeting as printed."),
        C::optional("end_time_utc", "/meeting_end_time", Instant, "End of the meeting."),
        C::optional("end_time_local", "/meeting_end_time", WallClock, "End of the meeting as printed."),
        C::optional("utc_offset_min", "", OffsetMinutes, "Offset from UTC of the printed start, minutes east."),
        C::optional("meeting_duration_s", "/meeting_duration", Seconds, "Length of the meeting."),
        C::optional(
            "number_of_participants",
            "/number_of_participants",
            Count,
            "Participants, as the vendor counts them.",
        ),
        C::optional("number_of_devices", "/number_of_devices", Count, "Devices that joined, cumulative."),
        C::optional("number_of_webinar_viewers", "/number_of_webinar_viewers", Count, "Audience of a webinar."),
        C::optional("audio", "/audio", Flag, "True where audio was used."),
        C::optional("video", "/video", Flag, "True where video was used."),
        C::optional("sharing", "/sharing", Flag, "True where a screen was shared."),
        C::optional("recording", "/recording", Flag, "True where the meeting was recorded."),
        C::optional("telephone", "/telephone", Flag, "True where somebody was connected by telephone."),
        C::optional(
            "has_related_document",
            "/has_related_document",
            Flag,
            "True where a document belongs to the meeting.",
        ),
        C::optional("ai_note", "/ai_note", Flag, "True where AI notes were taken."),
        C::optional("is_external", "/is_external", Flag, "True where the meeting belongs to another tenant."),
        MEETING_DATE,
    ],
};

/// One row a participant row of the vendor.
pub(crate) const PARTICIPANTS: Table = Table {
    name: "participants",
    doc: "One row for each row of participant_list: a person or a room on one device in one meeting.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["participant_key"],
    time_column: "join_time_utc",
    columns: &[
        key(
            "participant_key",
            "`<meeting_key>/<user id, else room id, else ?>/<join, unix seconds>`, with `#2`, `#3` where one answer repeats it; an opaque key.",
        ),
        C::optional("meeting_key", "", Id, "The meeting."),
        C::optional("meeting_no", "", Id, "Nine-digit meeting number."),
        C::optional("user_id", "/user_id", Id, "Id of the person, of the configured kind; NULL for rooms and guests."),
        C::optional("room_id", "/meeting_room_id", Id, "Id of the room; NULL for people."),
        C::optional("participant_name", "/participant_name", Text, "Name."),
        C::optional("department", "/department", Text, "Department."),
        C::optional("employee_id", "/employee_id", Id, "Employee number."),
        C::optional("phone", "/phone", Text, "Phone number; may be masked."),
        C::optional("email", "/email", Text, "E-mail address; may be masked."),
        C::optional("device", "/device", Text, "Kind of device as sent; its case varies."),
        C::optional("app_version", "/app_version", Text, "Version of the app."),
        C::optional("public_ip", "/public_ip", Text, "Public IP address; may be masked."),
        C::optional("internal_ip", "/internal_ip", Text, "Address inside the network; may be masked."),
        C::optional("use_rtc_proxy", "/use_rtc_proxy", Flag, "True where media went through a proxy."),
        C::optional("location", "/location", Text, "Place as the vendor guesses it; localised text."),
        C::optional("network_type", "/network_type", Text, "Kind of network, such as wifi or LAN."),
        C::optional("protocol", "/protocol", Text, "Transport of the media, such as udp or tcp."),
        C::optional("microphone", "/microphone", Text, "Microphone; free, localised text."),
        C::optional("speaker", "/speaker", Text, "Loudspeaker; free, localised text."),
        C::optional("camera", "/camera", Text, "Camera; free, localised text."),
        C::optional("audio", "/audio", Flag, "True where audio was used."),
        C::optional("video", "/video", Flag, "True where video was used."),
        C::optional("sharing", "/sharing", Flag, "True where this participant shared a screen."),
        C::optional("join_time_utc", "/join_time", Instant, "First join."),
        C::optional("join_time_local", "/join_time", WallClock, "First join as printed."),
        C::optional(
            "leave_time_utc",
            "/leave_time",
            Instant,
            "Last leave. Between join and leave there may be holes: who rejoins has one row.",
        ),
        C::optional("leave_time_local", "/leave_time", WallClock, "Last leave as printed."),
        C::optional("utc_offset_min", "", OffsetMinutes, "Offset from UTC of the printed join, minutes east."),
        C::optional("time_in_meeting_s", "/time_in_meeting", Seconds, "Time in the meeting, cumulative over rejoins."),
        C::optional("leave_reason", "/leave_reason", Text, "Why the participant left; a localised sentence, no code."),
        C::optional(
            "accept_status",
            "/accept_status",
            Count,
            "Answer to the invitation: 1 accepted, 2 declined, 3 tentative, 4 none.",
        ),
        C::optional("is_external", "/is_external", Flag, "True where the participant belongs to another tenant."),
        C::optional("webinar_user_role", "/webinar_user_role", Text, "Role in a webinar: 0 panellist, 3 audience."),
        MEETING_DATE,
    ],
};
