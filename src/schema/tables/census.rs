//! The tables of the optional endpoints: rooms with their alarms and reservations, and Feishu's own counts.

use crate::schema::Kind::{Count, Flag, Id, Instant, Minutes, OffsetMinutes, Seconds, Text, WallClock};
use crate::schema::column::MEETING_DATE;
use crate::schema::{Column as C, Personal, Storage, Table};

pub(crate) const ROOM_ALERTS: Table = Table {
    name: "room_alerts",
    doc: "One row for each alarm of a meeting room or one of its devices, on the local day on which it began. Empty unless synced with `--also room_alerts`.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["alert_id"],
    time_column: "alert_time_utc",
    columns: &[
        C::sourced_key("alert_id", "/alert_id", Id, "Feishu's ID of the alarm."),
        C::optional("room_id", "/monitor_target_room_id", Id, "The room."),
        C::optional("room_mac", "/monitor_target_room_mac", Id, "MAC address of the room's device."),
        C::optional("resource_scope", "/resource_scope", Text, "The resource that the alarm's rule covers, as text."),
        C::optional(
            "monitor_target",
            "/monitor_target",
            Count,
            "Kind of target that is monitored; Feishu's numeric code.",
        ),
        C::optional("alert_strategy", "/alert_strategy", Text, "Condition for raising the alarm, as text."),
        C::optional("alert_rule", "/alert_rule", Text, "The rule that raised the alarm, as text."),
        C::optional("alert_level", "/alert_level", Count, "Level of the alarm; Feishu's numeric code."),
        C::optional("alert_time_utc", "/alert_time", Instant, "When the alarm began."),
        C::optional("alert_time_local", "/alert_time", WallClock, "When the alarm began, in the tenant's time zone."),
        C::optional(
            "process_time_utc",
            "/process_time",
            Instant,
            "When somebody dealt with the alarm; NULL if nobody did.",
        ),
        C::optional(
            "process_time_local",
            "/process_time",
            WallClock,
            "When somebody dealt with the alarm, in the tenant's time zone.",
        ),
        C::optional("recover_time_utc", "/recover_time", Instant, "When the alarm ended; NULL while it lasts."),
        C::optional(
            "recover_time_local",
            "/recover_time",
            WallClock,
            "When the alarm ended, in the tenant's time zone.",
        ),
        C::derived("utc_offset_min", OffsetMinutes, "Offset of alert_time_local from UTC, in minutes east."),
        C::optional(
            "process_status",
            "/process_status",
            Count,
            "How far the alarm has been dealt with; Feishu's numeric code.",
        ),
        C::optional("contacts", "/contacts", Text, "Names of the people who were notified, separated by commas.")
            .personal(Personal::Name),
        C { doc: "Local calendar day on which the alarm began. The Hive partition column.", ..MEETING_DATE },
    ],
};

pub(crate) const RESERVATIONS: Table = Table {
    name: "reservations",
    doc: "One row for each reservation of a meeting room, on the local day on which its event starts. Empty unless synced with `--also reservations`.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["reservation_key"],
    time_column: "event_start_utc",
    columns: &[
        C::key(
            "reservation_key",
            Id,
            "`<room_id>-<event start, Unix seconds>`, with `#2`, `#3` where a room is reserved more than once for the same time; an opaque key.",
        ),
        C::optional("room_id", "/room_id", Id, "The room."),
        C::optional("room_name", "/room_name", Text, "Name of the room."),
        C::optional("event_title", "/event_title", Text, "Title of the event.").personal(Personal::Topic),
        C::optional("reserver", "/reserver", Text, "Name of the person who reserved the room.")
            .personal(Personal::Name),
        C::optional("reserver_user_id", "/reserver_user_id", Id, "User ID of that person, of the configured type.")
            .personal(Personal::Id),
        C::optional("department_of_reserver", "/department_of_reserver", Text, "Department of that person."),
        C::optional("guests", "/guests_number", Count, "Number of people invited."),
        C::optional("accepted", "/accepted_number", Count, "Number of people who accepted the invitation."),
        C::optional("event_start_utc", "/event_start_time", Instant, "Start of the event."),
        C::optional("event_start_local", "/event_start_time", WallClock, "Start of the event, as sent."),
        C::optional("event_end_utc", "/event_end_time", Instant, "End of the event."),
        C::optional("event_end_local", "/event_end_time", WallClock, "End of the event, as sent."),
        C::derived("utc_offset_min", OffsetMinutes, "Offset of event_start_local from UTC, in minutes east."),
        C::optional("event_duration_s", "/event_duration", Seconds, "Duration of the event."),
        C::optional("reservation_status", "/reservation_status", Text, "State of the reservation; localised text."),
        C::optional("check_in_device", "/check_in_device", Id, "Device used to check in; localised text."),
        C::optional(
            "room_check_in_status",
            "/room_check_in_status",
            Text,
            "Whether somebody checked in; localised text.",
        ),
        C::optional("check_in_time_utc", "/check_in_time", Instant, "When somebody checked in; NULL if nobody did."),
        C::optional("check_in_time_local", "/check_in_time", WallClock, "When somebody checked in, as sent."),
        C::optional("is_release_early", "/is_release_early", Flag, "True if the room was released before the end."),
        C::optional("releasing_person", "/releasing_person", Id, "Who released the room; NULL if Feishu did.")
            .personal(Personal::Id),
        C::optional("releasing_time_utc", "/releasing_time", Instant, "When the room was released."),
        C::optional("releasing_time_local", "/releasing_time", WallClock, "When the room was released, as sent."),
        C { doc: "Local calendar day on which the event starts. The Hive partition column.", ..MEETING_DATE },
    ],
};

pub(crate) const CENSUS_DAILY: Table = Table {
    name: "census_daily",
    doc: "One row for each day: Feishu's own count of meetings, from reports/get_daily. Empty unless synced with `--also census`.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["meeting_date"],
    time_column: "day_start_utc",
    columns: &[
        C::optional(
            "day_start_utc",
            "/date",
            Instant,
            "Start of the day that Feishu counted. The report's day may begin at midnight UTC or at the tenant's midnight.",
        ),
        C::optional("meetings", "/meeting_count", Count, "Number of meetings."),
        C::optional("duration_s", "/meeting_duration", Seconds, "Sum of the durations of these meetings."),
        C::optional("participants", "/participant_count", Count, "Sum of the participants of these meetings."),
        C {
            required: true,
            doc: "The day: that of day_start_utc if it is midnight UTC, otherwise the local day that starts nearest to it. The Hive partition column.",
            ..MEETING_DATE
        },
    ],
};

pub(crate) const CENSUS_USERS: Table = Table {
    name: "census_users",
    doc: "One row for each user and day: Feishu's own count of the user's meetings, from admin_user_stats. Empty unless synced with `--also census`.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["user_id"],
    time_column: "",
    columns: &[
        C::sourced_key("user_id", "/user_id", Id, "User ID of the configured type.").personal(Personal::Id),
        C::optional("user_name", "/user_name", Text, "Name.").personal(Personal::Name),
        C::optional("department_name", "/department_name", Text, "Department."),
        C::optional("meetings", "/vc_num", Count, "Number of the user's meetings on that day."),
        C::optional(
            "duration_minutes",
            "/vc_duration",
            Minutes,
            "Minutes that the user spent in meetings on that day.",
        ),
        C::optional("is_active", "/vc_active_flag", Flag, "True if the user was in a meeting on that day."),
        C { required: true, doc: "The day. The Hive partition column.", ..MEETING_DATE },
    ],
};

pub(crate) const ROOMS: Table = Table {
    name: "rooms",
    doc: "One row for each meeting room, as of the newest complete list. Empty unless synced with `--also rooms`.",
    storage: Storage::Reference,
    sort: &["room_id"],
    time_column: "",
    columns: &[
        C::sourced_key("room_id", "/room_id", Id, "The room, as in participants.room_id."),
        C::optional("room_name", "/name", Text, "Name."),
        C::optional("capacity", "/capacity", Count, "Number of seats."),
        C::optional("description", "/description", Text, "Description."),
        C::optional("display_id", "/display_id", Id, "ID shown on the room's devices."),
        C::optional("custom_room_id", "/custom_room_id", Id, "The tenant's own ID of the room, if set."),
        C::optional("room_level_id", "/room_level_id", Id, "The level to which the room belongs."),
        C::derived("level_path", Text, "Names of the room's levels from the root, such as `Leeds / Tower / F3`."),
        C::derived(
            "building",
            Text,
            "The last level that is not a floor; NULL if the names of the levels are unknown.",
        ),
        C::derived(
            "floor",
            Text,
            "The last level if its name reads like a floor (`F3`, `3F`, `3层`, `Floor 3`, `B1`, `3`); otherwise NULL.",
        ),
        C::optional("facilities", "/device", Text, "Devices in the room, separated by commas."),
        C::optional("is_enabled", "/room_status/status", Flag, "True if the room is in service."),
        C::optional("is_schedulable", "/room_status/schedule_status", Flag, "True if the room can be reserved."),
        C::optional("disable_reason", "/room_status/disable_reason", Text, "Why the room is out of service.")
            .personal(Personal::Topic),
    ],
};
