//! `incidents` and `incident_participants`, and `judged_participants`, from which they are computed.

use crate::schema::Kind::{Count, Id, Instant, LossPercent, Minutes, Number, Text, WallClock};
use crate::schema::column::MEETING_DATE;
use crate::schema::{Column as C, Storage, Table};

pub(crate) const INCIDENTS: Table = Table {
    name: "incidents",
    doc: "What went wrong: one row for each incident and meeting date. Computed from the other tables with the profile in `meta`; a problem that continues over several dates has a row on each, which the report incidents folds into one: to count problems, count the rows of `report_incidents()`.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["incident_id"],
    time_column: "start_time_utc",
    columns: &[
        C::key("incident_id", Id, "`<meeting_date>-<kind>-<scope_kind>-<8 hex digits>`; the same after a rebuild."),
        C::derived(
            "kind",
            Id,
            "acute: more people are affected over a stretch of time than the scope's own history and everybody else explain. chronic: worse than its peers on at least five of the last ten days on which it was used.",
        ),
        C::derived(
            "scope_kind",
            Id,
            "What the poor minutes have in common: service, site, egress, subnet, room, meeting, person, app_version, device, network_type or location.",
        ),
        C::derived(
            "scope",
            Id,
            "Which one: building, network, room_id, meeting_key, user_id, or the value in `participant_facts`; `service` for everybody.",
        ),
        C::derived("metric", Id, "loss, delay, jitter, frame_rate or cpu."),
        C::derived("direction", Id, "received, sent or both."),
        C::derived(
            "start_time_utc",
            Instant,
            "First poor minute; for a problem that continues over several dates, that of its first date.",
        ),
        C::derived("start_time_local", WallClock, "First poor minute, local time."),
        C::derived(
            "end_time_utc",
            Instant,
            "Last poor minute up to the end of the meeting date; for a chronic incident, this is not its end.",
        ),
        C::derived("end_time_local", WallClock, "Last poor minute, local time."),
        C::derived("participants", Count, "People and rooms affected, each counted once."),
        C::derived("meetings", Count, "Meetings affected."),
        C::derived(
            "poor_minutes",
            Minutes,
            "Participant-minutes of the incident, from its start, with a cause of its family: loss, delay and jitter; cpu (CPU-limited minutes, poor or not); or frame_rate. Of an acute incident, the sum in `incident_participants` over its rows so far; of a chronic one, including minutes that other incidents have there.",
        ),
        C::derived("judged_minutes", Minutes, "Judged participant-minutes of the scope from start to end."),
        C::derived(
            "poor_pct",
            LossPercent,
            "Percentage of the scope's judged minutes that are poor; for the metric cpu, that are CPU-limited.",
        ),
        C::derived("usual_poor_pct", LossPercent, "The same for the scope over the 28 days before; NULL without any."),
        C::derived(
            "elsewhere_poor_pct",
            LossPercent,
            "The same for everybody else at that time; NULL if there is nobody.",
        ),
        C::derived("q_value", Number, "Expected share of false discoveries among incidents at least this certain."),
        C::derived("severity", Id, "critical, major or minor."),
        C::derived("summary", Text, "The incident in one English sentence."),
        C {
            doc: "Local calendar day on which the meetings concerned began; of a chronic incident, the day on which it was found. The Hive partition column.",
            ..MEETING_DATE
        },
    ],
};

pub(crate) const INCIDENT_PARTICIPANTS: Table = Table {
    name: "incident_participants",
    doc: "The participants of each incident. A poor minute belongs to at most one incident.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["incident_id", "participant_key"],
    time_column: "",
    columns: &[
        C::key("incident_id", Id, "The incident."),
        C::key("participant_key", Id, "The participant; of a chronic incident, possibly of an earlier date."),
        C::derived(
            "poor_minutes",
            Minutes,
            "Minutes of the participant that belong to the incident, as in `incidents`.",
        ),
        C { doc: "Meeting date of the incident. The Hive partition column.", ..MEETING_DATE },
    ],
};

pub(crate) const JUDGED_PARTICIPANTS: Table = Table {
    name: "judged_participants",
    doc: "The macro `judged_participant_minutes` with the profile in `meta`: one row for each participant with a judged minute.",
    storage: Storage::DuckdbOnly,
    sort: &["meeting_date", "participant_key"],
    time_column: "",
    columns: &[
        C::key("participant_key", Id, "The participant."),
        C::derived("meeting_key", Id, "The meeting."),
        MEETING_DATE,
        C::derived("judged_minutes", Minutes, "Minutes with a verdict."),
        C::derived("poor_minutes", Minutes, "Minutes with the verdict poor."),
        C::derived("first_minute_utc", Instant, "First judged minute."),
        C::derived("last_minute_utc", Instant, "Last judged minute."),
        C::derived("loss_minutes", Minutes, "Minutes of `cause_minutes` with the metric loss."),
        C::derived("delay_minutes", Minutes, "Minutes of `cause_minutes` with the metric delay."),
        C::derived("jitter_minutes", Minutes, "Minutes of `cause_minutes` with the metric jitter."),
        C::derived("frame_rate_minutes", Minutes, "Minutes of `cause_minutes` with the metric frame_rate."),
        C::derived("cpu_minutes", Minutes, "Minutes of `cause_minutes` with the metric cpu, poor or not."),
    ],
};
