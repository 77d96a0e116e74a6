//! `meetings` and `participants`: the items of the two lists.

use crate::schema::Kind::{Count, Flag, Id, Instant, OffsetMinutes, Seconds, Text, WallClock};
use crate::schema::column::MEETING_DATE;
use crate::schema::{Column as C, Personal, Storage, Table};

pub(crate) const MEETINGS: Table = Table {
    name: "meetings",
    doc: "One row for each meeting that has ended, from meeting_list.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["meeting_key"],
    time_column: "start_time_utc",
    columns: &[
        C::key(
            "meeting_key",
            Id,
            "`<meeting_no>-<start, Unix seconds>` as first listed; an opaque key. Meeting numbers are reused.",
        ),
        C::optional("meeting_no", "/meeting_id", Id, "Nine-digit meeting number (meeting_id in the API). Not unique."),
        C::optional("meeting_instance_id", "/meeting_instance_id", Id, "Feishu's id of this single meeting, if sent."),
        C::optional("meeting_topic", "/meeting_topic", Text, "Topic.").personal(Personal::Topic),
        C::optional("meeting_type", "/meeting_type", Count, "1 all, 2 video meeting, 3 local screen cast."),
        C::optional(
            "meeting_subtype",
            "/meeting_subtype",
            Count,
            "Feishu's sub-type: 1 screen cast, 4 chat room, 6 and 7 phone, 8 webinar, 9 offline, 10 Feishu Minutes.",
        ),
        C::optional(
            "organizer",
            "/organizer",
            Text,
            "Name of the organiser, or of the person who started the meeting.",
        )
        .personal(Personal::Name),
        C::optional("organizer_department", "/department", Text, "Department of the organiser."),
        C::optional("organizer_user_id", "/user_id", Id, "User id of the organiser, of the configured type.")
            .personal(Personal::Id),
        C::optional("organizer_employee_id", "/employee_id", Id, "Employee number of the organiser.")
            .personal(Personal::Id),
        C::optional("organizer_email", "/email", Text, "E-mail address of the organiser; may be masked.")
            .personal(Personal::Email),
        C::optional("organizer_mobile", "/mobile", Text, "Mobile number of the organiser; may be masked.")
            .personal(Personal::Phone),
        C::optional("start_time_utc", "/meeting_start_time", Instant, "Start of the meeting."),
        C::optional("start_time_local", "/meeting_start_time", WallClock, "Start of the meeting, as sent."),
        C::optional("end_time_utc", "/meeting_end_time", Instant, "End of the meeting."),
        C::optional("end_time_local", "/meeting_end_time", WallClock, "End of the meeting, as sent."),
        C::derived("utc_offset_min", OffsetMinutes, "Offset of start_time_local from UTC, in minutes east."),
        C::optional("meeting_duration_s", "/meeting_duration", Seconds, "Duration of the meeting."),
        C::optional("number_of_participants", "/number_of_participants", Count, "Number of participants, from Feishu."),
        C::optional("number_of_devices", "/number_of_devices", Count, "Number of devices that joined, cumulative."),
        C::optional("number_of_webinar_viewers", "/number_of_webinar_viewers", Count, "Audience of a webinar."),
        C::optional("audio", "/audio", Flag, "True if audio was used."),
        C::optional("video", "/video", Flag, "True if video was used."),
        C::optional("sharing", "/sharing", Flag, "True if a screen was shared."),
        C::optional("recording", "/recording", Flag, "True if the meeting was recorded."),
        C::optional("telephone", "/telephone", Flag, "True if somebody joined by telephone."),
        C::optional("has_related_document", "/has_related_document", Flag, "True if the meeting has a document."),
        C::optional("ai_note", "/ai_note", Flag, "True if AI notes were taken."),
        C::optional("is_external", "/is_external", Flag, "True if the meeting belongs to another tenant."),
        MEETING_DATE,
    ],
};

pub(crate) const PARTICIPANTS: Table = Table {
    name: "participants",
    doc: "One row for each row of participant_list: a person or a room on one device in one meeting.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["participant_key"],
    time_column: "join_time_utc",
    columns: &[
        C::key(
            "participant_key",
            Id,
            "`<meeting_key>/<user id, else room id, else ?>/<join, Unix seconds>`, with `#2`, `#3` for duplicates within one list; an opaque key.",
        ),
        C::derived("meeting_key", Id, "The meeting."),
        C::derived("meeting_no", Id, "Nine-digit meeting number."),
        C::optional("user_id", "/user_id", Id, "User id of the configured type; NULL for rooms and guests.")
            .personal(Personal::Id),
        C::optional("room_id", "/meeting_room_id", Id, "Id of the room; NULL for people."),
        C::optional("participant_name", "/participant_name", Text, "Name.").personal(Personal::Name),
        C::optional("department", "/department", Text, "Department."),
        C::optional("employee_id", "/employee_id", Id, "Employee number.").personal(Personal::Id),
        C::optional("phone", "/phone", Text, "Phone number; may be masked.").personal(Personal::Phone),
        C::optional("email", "/email", Text, "E-mail address; may be masked.").personal(Personal::Email),
        C::optional("device", "/device", Text, "Type of device, as sent; its case varies."),
        C::optional("app_version", "/app_version", Text, "Version of the app."),
        C::optional("public_ip", "/public_ip", Text, "Public IP address; may be masked.").personal(Personal::Address),
        C::optional("internal_ip", "/internal_ip", Text, "IP address inside the network; may be masked.")
            .personal(Personal::Address),
        C::optional("use_rtc_proxy", "/use_rtc_proxy", Flag, "True if media passed through a proxy."),
        C::optional("location", "/location", Text, "Location as estimated by Feishu; localised text."),
        C::optional("network_type", "/network_type", Text, "Type of network, such as wifi or LAN."),
        C::optional("protocol", "/protocol", Text, "Transport protocol of the media, such as udp or tcp."),
        C::optional("microphone", "/microphone", Text, "Microphone; free, localised text.").personal(Personal::Device),
        C::optional("speaker", "/speaker", Text, "Loudspeaker; free, localised text.").personal(Personal::Device),
        C::optional("camera", "/camera", Text, "Camera; free, localised text.").personal(Personal::Device),
        C::optional("audio", "/audio", Flag, "True if audio was used."),
        C::optional("video", "/video", Flag, "True if video was used."),
        C::optional("sharing", "/sharing", Flag, "True if this participant shared a screen."),
        C::optional("join_time_utc", "/join_time", Instant, "First join."),
        C::optional("join_time_local", "/join_time", WallClock, "First join, as sent."),
        C::optional(
            "leave_time_utc",
            "/leave_time",
            Instant,
            "Last leave. There may be gaps since the first join: a participant who rejoins has one row.",
        ),
        C::optional("leave_time_local", "/leave_time", WallClock, "Last leave, as sent."),
        C::derived("utc_offset_min", OffsetMinutes, "Offset of join_time_local from UTC, in minutes east."),
        C::optional("time_in_meeting_s", "/time_in_meeting", Seconds, "Time in the meeting, cumulative over rejoins."),
        C::optional(
            "leave_reason",
            "/leave_reason",
            Text,
            "Why the participant left; a localised sentence, not a code.",
        ),
        C::optional(
            "accept_status",
            "/accept_status",
            Count,
            "Response to the invitation: 1 accepted, 2 declined, 3 tentative, 4 none.",
        ),
        C::optional("is_external", "/is_external", Flag, "True if the participant belongs to another tenant."),
        C::optional("webinar_user_role", "/webinar_user_role", Text, "Role in a webinar: 0 panellist, 3 audience."),
        MEETING_DATE,
    ],
};
