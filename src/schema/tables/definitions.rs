//! What the reports judge by, and what is derived from the rows for them. DuckDB only.

use super::MEETING_DATE;
use crate::schema::Column as C;
use crate::schema::Kind::{Id, Number, Text};
use crate::schema::{Storage, Table};

/// The numbers by which the reports judge.
pub(crate) const THRESHOLDS: Table = Table {
    name: "thresholds",
    doc: "The numbers by which the reports judge, each with where it comes from. Comparing is `limits(profile := ...)`.",
    storage: Storage::DuckdbOnly,
    sort: &[],
    time_column: "",
    columns: &[
        C::key(
            "profile",
            "",
            Id,
            "cqd, strict, huawei-red, or custom: cqd with what the configuration says otherwise.",
        ),
        C::key("metric", "", Id, "What is judged; its unit ends the name."),
        C::key("direction", "", Id, "received, sent or both."),
        C::optional("poor_when", "", Text, "above, at_or_above or below the value; `is` for rules and counts."),
        C::optional("value", "", Number, "The number."),
        C::optional("unit", "", Text, "Its unit."),
        C::optional("source", "", Text, "Where it comes from; `own choice` where nobody published one."),
    ],
};

/// Participants whose samples are no plain minutes.
pub(crate) const MISALIGNED_PARTICIPANTS: Table = Table {
    name: "misaligned_participants",
    doc: "Participants some of whose samples are no plain minutes: a section has the time of another minute, or a time has \
          seconds. `aligned_minutes` puts theirs together section by section.",
    storage: Storage::DuckdbOnly,
    sort: &["meeting_date", "participant_key"],
    time_column: "",
    columns: &[C::key("participant_key", "", Id, "The participant."), MEETING_DATE],
};
