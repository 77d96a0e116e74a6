//! The thresholds of the reports, and what is derived from the rows for them.

use crate::schema::Column as C;
use crate::schema::Kind::{Id, Number, Text};
use crate::schema::column::MEETING_DATE;
use crate::schema::{Storage, Table};

pub(crate) const THRESHOLDS: Table = Table {
    name: "thresholds",
    doc: "The thresholds that the reports apply, each with its source. Compare values with `limits(profile := ...)`.",
    storage: Storage::DuckdbOnly,
    sort: &[],
    time_column: "",
    columns: &[
        C::key("profile", Id, "cqd, strict, huawei-red, or custom: cqd with the overrides of the configuration."),
        C::key("metric", Id, "The metric; its unit ends the name."),
        C::key("direction", Id, "received, sent or both."),
        C::derived("poor_when", Text, "above, at_or_above or below the value; `is` for rules and counts."),
        C::derived("value", Number, "The threshold."),
        C::derived("unit", Text, "Unit of the threshold."),
        C::derived("source", Text, "Where the threshold comes from; `own choice` if nobody published one."),
    ],
};

pub(crate) const MISALIGNED_PARTICIPANTS: Table = Table {
    name: "misaligned_participants",
    doc: "Participants with samples that are not plain minutes: a section has the time of another minute, or a time has \
          seconds. `aligned_minutes` aligns them section by section.",
    storage: Storage::DuckdbOnly,
    sort: &["meeting_date", "participant_key"],
    time_column: "",
    columns: &[C::key("participant_key", Id, "The participant."), MEETING_DATE],
};
