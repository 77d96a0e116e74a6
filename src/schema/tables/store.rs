//! `coverage`, `rejects`, `runs`, the tables by which the store describes itself, the thresholds of the reports, and
//! what is derived from the rows for them.

use crate::schema::Kind::{Count, Day, FractionalSeconds, Id, Instant, Minutes, Number, Text};
use crate::schema::column::MEETING_DATE;
use crate::schema::{Column as C, Storage, Table};

pub(crate) const COVERAGE: Table = Table {
    name: "coverage",
    doc: "Exactly one row for each row of participants: whether its quality data is here, and if not, why. If the participants of a meeting could not be listed, one row `<meeting_key>/*` stands for them.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["participant_key"],
    time_column: "last_attempt_utc",
    columns: &[
        C::key("participant_key", Id, "The participant, or `<meeting_key>/*`."),
        C::derived("meeting_key", Id, "The meeting."),
        C::derived(
            "status",
            Text,
            "complete, empty, unreadable, not_found, unaddressable, too_long, forbidden, unsupported, list_short, failed or pending.",
        ),
        C::derived("reason", Text, "The status in words."),
        C::derived("api_code", Count, "Feishu's code in the last response; NULL without a request or a response."),
        C::derived(
            "expected_minutes",
            Minutes,
            "Minutes in the meeting, rounded up; an upper bound for a participant who rejoined.",
        ),
        C::derived("sample_count", Count, "Rows of the participant in quality_samples."),
        C::derived("attempts", Count, "Number of times that its quality pages were requested, from the first page."),
        C::derived("first_attempt_utc", Instant, "Start of the first attempt."),
        C::derived("last_attempt_utc", Instant, "Start of the last attempt."),
        C::derived("log_id", Id, "Feishu's log ID of the last response, for a support ticket."),
        MEETING_DATE,
    ],
};

pub(crate) const REJECTS: Table = Table {
    name: "rejects",
    doc: "One row for each value or row that could not be converted, with its text. The value is NULL in its own table.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["table_name", "row_key", "column_name"],
    time_column: "first_seen_utc",
    columns: &[
        C::key("table_name", Id, "The table of the value."),
        C::key(
            "row_key",
            Id,
            "Key of the row; for quality_samples `<participant_key>@<sample time, Unix seconds>` or `<participant_key>@item<index>`.",
        ),
        C::key("column_name", Id, "The column, or `*` for a whole row."),
        C::derived("raw_text", Text, "The text as sent; for `*` the JSON of the item."),
        C::derived("reason", Text, "unparsable, unknown_unit, out_of_range, no_time or duplicate_sample."),
        MEETING_DATE,
        C::derived("first_seen_utc", Instant, "Time of the request whose response contains it."),
    ],
};

pub(crate) const RUNS: Table = Table {
    name: "runs",
    doc: "One row for each run that was finished or in progress when this file was published.",
    storage: Storage::Reference,
    sort: &["started_utc"],
    time_column: "",
    columns: &[
        C::key("run_id", Id, "The run."),
        C::derived("command", Text, "sync, plan or rebuild."),
        C::derived("since_utc", Instant, "Start of the window, inclusive."),
        C::derived("until_utc", Instant, "End of the window, exclusive."),
        C::derived("started_utc", Instant, "Start of the run."),
        C::derived("finished_utc", Instant, "End of the run; NULL while in progress."),
        C::derived(
            "outcome",
            Text,
            "Name of the exit code: complete, incomplete, stopped, interrupted, terminated, credentials and so on; NULL while in progress.",
        ),
        C::derived("exit_code", Count, "The exit code; NULL while in progress."),
        C::derived("meetings", Count, "Meetings in the window."),
        C::derived("participants", Count, "Participant rows in the window."),
        C::derived("samples", Count, "Samples in the window."),
        C::derived("rejects", Count, "Rejects in the window."),
        C::derived("calls_meeting_list", Count, "Requests sent to meeting_list."),
        C::derived("calls_participant_list", Count, "Requests sent to participant_list."),
        C::derived("calls_quality_list", Count, "Requests sent to participant_quality_list."),
        C::derived("throttles", Count, "Requests that Feishu refused because of its rate limit."),
        C::derived("waited_s", FractionalSeconds, "Seconds spent waiting because of Feishu's rate limit."),
        C::derived(
            "meeting_nos",
            Text,
            "The meeting numbers to which the run was limited, separated by commas; NULL if it was not.",
        ),
    ],
};

pub(crate) const META: Table = Table {
    name: "meta",
    doc: "One row that describes this file.",
    storage: Storage::Reference,
    sort: &[],
    time_column: "",
    columns: &[
        C::derived("generation", Count, "The generation, as in parquet/_manifest.json."),
        C::derived("schema_version", Count, "Version of the tables."),
        C::derived("run_id", Id, "The run that published this file."),
        C::derived("created_utc", Instant, "Time of publication."),
        C::derived("vcq_etl_version", Text, "Version of the program that published this file."),
        C::derived("timezone", Text, "Time zone of the tenant."),
        C::derived("user_id_type", Text, "Type of the user ids in this store."),
        C::derived("compact_bytes", Count, "Size of the file when it was last compacted."),
        C::derived("compact_rows", Count, "Rows in the file when it was last compacted."),
        C::derived("definitions_sha256", Id, "Checksum of the views, macros, thresholds and buildings in this file."),
        C::derived(
            "profile",
            Id,
            "The profile by which `incidents`, `judged_participants`, the stored minutes and the stored audio streams are judged.",
        ),
    ],
};

pub(crate) const PUBLISHED_FILES: Table = Table {
    name: "published_files",
    doc: "The manifest as a table: one row for each published Parquet file, also of dates that this database does not hold.",
    storage: Storage::DuckdbOnly,
    sort: &["table_name", "meeting_date"],
    time_column: "",
    columns: &[
        C::key("table_name", Id, "The table."),
        C::key("path", Id, "Path relative to parquet/."),
        C::derived("meeting_date", Day, "Meeting date of the partition."),
        C::derived("rows", Count, "Rows in the file."),
        C::derived("bytes", Count, "Size of the file."),
        C::derived("sha256", Id, "Checksum of the file."),
    ],
};

pub(crate) const SCHEMA_MIGRATIONS: Table = Table {
    name: "schema_migrations",
    doc: "One row for each file of migrations/ that was applied to this database.",
    storage: Storage::DuckdbOnly,
    sort: &["version"],
    time_column: "",
    columns: &[
        C::key("version", Count, "Number of the migration."),
        C::derived("name", Text, "Name of the migration."),
        C::derived("sha256", Id, "Checksum of its text."),
        C::derived("applied_utc", Instant, "When it was applied."),
        C::derived("vcq_etl_version", Text, "Version of the program that applied it."),
    ],
};

pub(crate) const THRESHOLDS: Table = Table {
    name: "thresholds",
    doc: "The thresholds that the reports apply, each with its source. Compare values with `limits(profile := ...)`.",
    storage: Storage::Reference,
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
    storage: Storage::Reference,
    sort: &["meeting_date", "participant_key"],
    time_column: "",
    columns: &[C::key("participant_key", Id, "The participant."), MEETING_DATE],
};
