//! `coverage`, `rejects`, `runs` and the tables by which the store describes itself.

use super::MEETING_DATE;
use crate::schema::Column as C;
use crate::schema::Kind::{Count, FractionalSeconds, Id, Instant, Minutes, Text};
use crate::schema::{Kind, Storage, Table};

/// One row a participant row: whether its minutes are here, and if not, why.
pub(crate) const COVERAGE: Table = Table {
    name: "coverage",
    doc: "One row for each participant row, always: is its quality here, and if not, why. Where a meeting's participants could not be listed, one row `<meeting_key>/*` stands for them.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["participant_key"],
    time_column: "last_attempt_utc",
    columns: &[
        C::key("participant_key", "", Id, "The participant, or `<meeting_key>/*`."),
        C::optional("meeting_key", "", Id, "The meeting."),
        C::optional(
            "status",
            "",
            Text,
            "complete, empty, not_found, unaddressable, too_long, forbidden, unsupported, failed or pending.",
        ),
        C::optional("reason", "", Text, "The status in words."),
        C::optional(
            "api_code",
            "",
            Count,
            "The vendor's code in the last answer; NULL where nothing was asked or nothing answered.",
        ),
        C::optional(
            "expected_minutes",
            "",
            Minutes,
            "Minutes in the meeting, rounded up; an upper bound where somebody rejoined.",
        ),
        C::optional("sample_count", "", Count, "Rows of the participant in quality_samples."),
        C::optional("attempts", "", Count, "Times its quality pages were asked for, from the first page on."),
        C::optional("first_attempt_utc", "", Instant, "When it was first asked for."),
        C::optional("last_attempt_utc", "", Instant, "When it was last asked for."),
        C::optional("log_id", "", Id, "The vendor's log id of the last answer, for a support ticket."),
        MEETING_DATE,
    ],
};

/// A value or a row that could not be typed.
pub(crate) const REJECTS: Table = Table {
    name: "rejects",
    doc: "One row for each value or row that could not be typed, with its text. The column is NULL in its table.",
    storage: Storage::ParquetAndDuckdb,
    sort: &["table_name", "row_key", "column_name"],
    time_column: "first_seen_utc",
    columns: &[
        C::key("table_name", "", Id, "The table that the value was meant for."),
        C::key(
            "row_key",
            "",
            Id,
            "The row's key; for quality_samples `<participant_key>@<sample time, unix seconds>` or `<participant_key>@item<index>`.",
        ),
        C::key("column_name", "", Id, "The column, or `*` for a whole row."),
        C::optional("raw_text", "", Text, "The text as sent; for `*` the item's JSON."),
        C::optional("reason", "", Text, "unparsable, unknown_unit, out_of_range, no_time or duplicate_sample."),
        MEETING_DATE,
        C::optional("first_seen_utc", "", Instant, "When the answer that holds it was asked for."),
    ],
};

/// One row a run.
pub(crate) const RUNS: Table = Table {
    name: "runs",
    doc: "One row for each run that had finished or was under way when this file was published.",
    storage: Storage::DuckdbOnly,
    sort: &["started_utc"],
    time_column: "",
    columns: &[
        C::key("run_id", "", Id, "The run."),
        C::optional("command", "", Text, "sync or rebuild."),
        C::optional("since_utc", "", Instant, "Start of the window, inclusive."),
        C::optional("until_utc", "", Instant, "End of the window, exclusive."),
        C::optional("started_utc", "", Instant, "Start of the run."),
        C::optional("finished_utc", "", Instant, "End of the run; NULL while it was under way."),
        C::optional(
            "outcome",
            "",
            Text,
            "The exit code's word: complete, incomplete, stopped, interrupted, terminated, credentials, vendor and so on; NULL while under way.",
        ),
        C::optional("exit_code", "", Count, "The exit code; NULL while under way."),
        C::optional("meetings", "", Count, "Meetings in the window."),
        C::optional("participants", "", Count, "Participant rows in the window."),
        C::optional("samples", "", Count, "Samples in the window."),
        C::optional("rejects", "", Count, "Rejects in the window."),
        C::optional("calls_meeting_list", "", Count, "Requests sent to meeting_list."),
        C::optional("calls_participant_list", "", Count, "Requests sent to participant_list."),
        C::optional("calls_quality_list", "", Count, "Requests sent to participant_quality_list."),
        C::optional("throttles", "", Count, "Requests that the vendor refused for their rate."),
        C::optional("waited_s", "", FractionalSeconds, "Seconds spent waiting because the vendor said so."),
    ],
};

/// What this file is.
pub(crate) const META: Table = Table {
    name: "meta",
    doc: "One row that says what this file is.",
    storage: Storage::DuckdbOnly,
    sort: &[],
    time_column: "",
    columns: &[
        C::optional("generation", "", Count, "The generation; the same as in parquet/_manifest.json."),
        C::optional("schema_version", "", Count, "Version of the tables."),
        C::optional("run_id", "", Id, "The run that published this file."),
        C::optional("created_utc", "", Instant, "When it was published."),
        C::optional("vcq_etl_version", "", Text, "Version of the program that published it."),
        C::optional("timezone", "", Text, "The tenant's zone."),
        C::optional("user_id_type", "", Text, "The kind of user id in this store."),
        C::optional("compact_bytes", "", Count, "Size of the file when it was last written compactly."),
        C::optional("compact_rows", "", Count, "Rows in the file when it was last written compactly."),
        C::optional("definitions_sha256", "", Id, "Checksum of the views, macros, limits and buildings in this file."),
    ],
};

/// The manifest as a table.
pub(crate) const PUBLISHED_FILES: Table = Table {
    name: "published_files",
    doc: "The manifest as a table: one row for each Parquet file that this database was loaded from.",
    storage: Storage::DuckdbOnly,
    sort: &["table_name", "meeting_date"],
    time_column: "",
    columns: &[
        C::key("table_name", "", Id, "The table."),
        C::key("path", "", Id, "The path below parquet/."),
        C::optional("meeting_date", "", Kind::Day, "The meeting date of the partition."),
        C::optional("rows", "", Count, "Rows in the file."),
        C::optional("bytes", "", Count, "Size of the file."),
        C::optional("sha256", "", Id, "Checksum of the file."),
    ],
};

/// Which migrations made this file.
pub(crate) const SCHEMA_MIGRATIONS: Table = Table {
    name: "schema_migrations",
    doc: "One row for each file of migrations/ that has been applied to this database.",
    storage: Storage::DuckdbOnly,
    sort: &["version"],
    time_column: "",
    columns: &[
        C::key("version", "", Count, "Number of the migration."),
        C::optional("name", "", Text, "Name of the migration."),
        C::optional("sha256", "", Id, "Checksum of its text."),
        C::optional("applied_utc", "", Instant, "When it was applied."),
        C::optional("vcq_etl_version", "", Text, "Version of the program that applied it."),
    ],
};
