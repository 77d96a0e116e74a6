//! The checks of what is published, as data.
//!
//! To add a check, add a row here, then its violations: a query in `sql/checks/`, listed in `sql_checks.rs`, or, for
//! files and what is derived from the schema, code in this directory that `verify` calls.

use super::findings::Check;

const REBUILD: &str =
    "run vcq-etl rebuild: it builds Parquet, manifest and database again from raw/, without API calls";
const FROM_FEISHU: &str = "this is what Feishu returned, unless another check finds damage: allow for it in reports, \
                           and send the rows' keys and log IDs to Feishu support";
const ORPHANS_ADVICE: &str = "the next vcq-etl sync removes unlisted parts; they affect only programs that read whole \
                              directories. Any other file was put there by somebody: move it away";
const MODES_ADVICE: &str = "run vcq-etl sync or vcq-etl rebuild, which set the modes; if the group is to read the \
                            store, use the setting shared, here too";
const GENERATION_ADVICE: &str = "if the manifest is ahead, a run ended between the two, and the next vcq-etl sync \
                                 fixes it; otherwise run vcq-etl rebuild";
const RANGES_ADVICE: &str =
    "a sync never publishes values outside the range, so these were changed later: run vcq-etl rebuild";

macro_rules! checks {
    ($($id:ident: $name:literal, $of:literal, $advice:ident, $means:literal;)*) => {
        $(pub(super) const $id: Check = Check { name: $name, of: $of, means: $means, advice: $advice };)*

        /// In the order in which they are reported.
        pub(crate) const CHECKS: &[&Check] = &[$(&$id),*];
    };
}

// Name, unit, advice, requirement.
checks! {
    MANIFEST: "manifest", "entries", REBUILD,
        "the manifest exists, can be read, and each of its values has a valid form";
    MANIFEST_PATHS: "manifest-paths", "entries", REBUILD,
        "every path in the manifest is below parquet/, follows from table and date, and occurs once";
    FILES: "files", "files", REBUILD,
        "every published file exists with the published size and checksum";
    PARQUET_ROWS: "parquet-rows", "files", REBUILD,
        "every Parquet file has the number of rows, and the first and last time, that the manifest gives";
    PARQUET_SCHEMA: "parquet-schema", "files", REBUILD,
        "every Parquet file has the columns, types and units of its table, and the date only in its path";
    ORPHANS: "orphans", "files", ORPHANS_ADVICE,
        "parquet/ contains only files that the manifest lists";
    MODES: "modes", "entries", MODES_ADVICE,
        "directories have mode 0700, files 0600 and vcq.duckdb 0400, or 0750, 0640 and 0440 with the setting shared";
    DATABASE: "database", "files", REBUILD,
        "vcq.duckdb exists, is completely readable, and was written by vcq-etl";
    DATABASE_SCHEMA: "database-schema", "tables", REBUILD,
        "the database has the tables, columns, types, comments and migrations of this program, and no others";
    GENERATION: "generation", "databases", GENERATION_ADVICE,
        "manifest and database have the same generation, run and schema version, and the table meta is complete";
    PUBLISHED_FILES: "published-files", "entries", REBUILD,
        "the database was loaded from exactly the files that the manifest lists";
    ROWS: "rows", "rows", REBUILD,
        "Parquet and the database have the same rows, value by value";
    RUNS: "runs", "runs", REBUILD,
        "the history of runs is consistent (times in order, ends complete, counts not negative) and equals the \
         ledger's";
    KEYS: "keys", "rows", REBUILD,
        "every row has a key and a date, and every key is unique";
    REFERENCES: "references", "rows", REBUILD,
        "every participant belongs to a meeting of its date, every sample and every row of coverage to a participant, every \
         participant of an incident to both";
    TIMES: "times", "rows", REBUILD,
        "UTC time, local time and offset agree, and a meeting's date is the local day of its start";
    WORDS: "words", "rows", REBUILD,
        "statuses, reasons and names of tables and columns have documented values";
    FUTURE: "future", "rows", FROM_FEISHU,
        "no time that Feishu returned is later than the publication (clocks may differ by 15 minutes)";
    RANGES: "ranges", "rows", RANGES_ADVICE,
        "packet loss is between 0 and 100 percent; other metrics are finite and not negative where that is impossible";
    AVERAGES: "averages", "rows", FROM_FEISHU,
        "no average is greater than the maximum of the same minute";
    COVERAGE_ROWS: "coverage-rows", "rows", REBUILD,
        "every participant has one row of coverage; every meeting has participants, or a row that gives the reason";
    COVERAGE_COUNTS: "coverage-counts", "rows", REBUILD,
        "sample_count is the number of the participant's samples, and the counts add up to the table";
    COVERAGE_STATUS: "coverage-status", "rows", REBUILD,
        "status, sample_count, expected_minutes and API code agree with one another and with the participant";
    INCIDENTS: "incidents", "rows", REBUILD,
        "incidents end after they start, have the date and the minutes of their participants, and claim no minute twice";
    DEFINITIONS: "definitions", "objects", REBUILD,
        "views, macros, thresholds and buildings are those of this program and its settings, and derived tables follow \
         from the rows";
}

/// The checks of rows and of relations between rows that are SQL files.
pub(super) const RELATIONS: &[&Check] =
    &[&KEYS, &REFERENCES, &COVERAGE_ROWS, &COVERAGE_COUNTS, &COVERAGE_STATUS, &INCIDENTS];

/// The checks that need an open database: those after [`DATABASE`].
pub(super) fn database_checks() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().copied().skip_while(|check| **check != DATABASE).skip(1)
}
