//! The minutes and audio streams that most reports read, judged once: the rows of macros with the profile of the store.

use crate::schema::Kind::{Count, Flag, Id, Instant, Minutes, Number, Text, WallClock};
use crate::schema::column::MEETING_DATE;
use crate::schema::{Column as C, Storage, Table};

pub(crate) const STORED_MARKED_MINUTES: Table = Table {
    name: "stored_marked_minutes",
    doc: "The macro `caused_minutes` with the thresholds in `stored_limits`, without `direction` and `cause`. One row for each participant's unremarkable minutes together, and one for each minute that is poor or in which the participant sent badly. Read it through the macro.",
    storage: Storage::DuckdbOnly,
    sort: &["meeting_date", "participant_key", "minute_utc"],
    time_column: "",
    columns: &[
        C::key("participant_key", Id, "The participant."),
        C::derived("meeting_key", Id, "The meeting."),
        MEETING_DATE,
        C::derived("minute_utc", Instant, "The minute; NULL for the unremarkable minutes."),
        C::derived("minute_local", WallClock, "The minute, local time."),
        C::derived("marks", Count, "The exceeded thresholds as bits, as in `quality_minutes`."),
        C::derived("minutes", Count, "Minutes of the row."),
        C::derived("judged_minutes", Minutes, "Minutes with a verdict."),
        C::derived("poor_minutes", Minutes, "Minutes with the verdict poor."),
        C::derived("first_judged_utc", Instant, "First minute with a verdict."),
        C::derived("last_judged_utc", Instant, "Last minute with a verdict."),
        C::derived("stretch_first_utc", Instant, "First of the consecutive poor minutes around this one."),
        C::derived("stretch_first_local", WallClock, "The same, local time."),
        C::derived("stretch_minutes", Minutes, "Number of the consecutive poor minutes around this one."),
        C::derived("is_cpu_high", Flag, "True if the CPU is over its threshold in this minute."),
        C::derived("metric", Text, "What makes the minute poor; NULL if it is not poor."),
    ],
};

pub(crate) const STORED_CPU_MINUTES: Table = Table {
    name: "stored_cpu_minutes",
    doc: "The macro `cpu_minutes` with the thresholds in `stored_limits`: CPU-limited minutes, poor or not. Read it through the macro.",
    storage: Storage::DuckdbOnly,
    sort: &["meeting_date", "participant_key", "minute_utc"],
    time_column: "",
    columns: &[
        C::key("participant_key", Id, "The participant."),
        C::derived("meeting_key", Id, "The meeting."),
        MEETING_DATE,
        C::derived("minute_utc", Instant, "The minute."),
        C::derived("minute_local", WallClock, "The minute, local time."),
        C::derived("direction", Text, "received, sent or both."),
        C::derived("is_poor", Flag, "True if the minute is poor."),
        C::derived("is_framerate_low", Flag, "True if the frame rate of video is low."),
        C::derived("is_height_low", Flag, "True if a resolution has fallen to half or less."),
    ],
};

pub(crate) const STORED_AUDIO_STREAMS: Table = Table {
    name: "stored_audio_streams",
    doc: "The macro `audio_streams` with the thresholds in `stored_limits`. Read it through the macro.",
    storage: Storage::DuckdbOnly,
    sort: &["meeting_date", "participant_key"],
    time_column: "",
    columns: &[
        C::key("participant_key", Id, "The participant."),
        C::derived("meeting_key", Id, "The meeting."),
        MEETING_DATE,
        C::derived("received_minutes", Minutes, "Minutes in which audio was received."),
        C::derived("received_verdict", Text, "Verdict on received audio: poor, good or unclassified."),
        C::derived("sent_minutes", Minutes, "Minutes in which audio was sent."),
        C::derived("sent_verdict", Text, "Verdict on sent audio: poor, good or unclassified."),
    ],
};

pub(crate) const STORED_LIMITS: Table = Table {
    name: "stored_limits",
    doc: "The thresholds by which the stored minutes and audio streams were judged. With others, the macros judge every minute again.",
    storage: Storage::DuckdbOnly,
    sort: &["metric"],
    time_column: "",
    columns: &[
        C::key("metric", Id, "The metric; its unit ends the name."),
        C::derived("poor_when", Text, "As in `thresholds`."),
        C::derived("value", Number, "The threshold."),
    ],
};
