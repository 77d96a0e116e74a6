//! The checks of what is published, as data.

use super::findings::Check;

const REBUILD: &str =
    "run vcq-etl rebuild: it builds Parquet, manifest and database again from raw/, without API calls";
const FROM_FEISHU: &str = "this is what Feishu returned, unless another check finds damage: allow for it in reports, and send \
                           the rows' keys and log ids to Feishu support";

const fn check(name: &'static str, of: &'static str, means: &'static str, advice: &'static str) -> Check {
    Check { name, of, means, advice }
}

pub(super) const MANIFEST: Check =
    check("manifest", "entries", "the manifest exists, can be read, and each of its values has a valid form", REBUILD);
pub(super) const MANIFEST_PATHS: Check = check(
    "manifest-paths",
    "entries",
    "every path in the manifest is below parquet/, follows from table and date, and occurs once",
    REBUILD,
);
pub(super) const FILES: Check =
    check("files", "files", "every published file exists with the published size and checksum", REBUILD);
pub(super) const PARQUET_ROWS: Check = check(
    "parquet-rows",
    "files",
    "every Parquet file has the number of rows, and the first and last time, that the manifest gives",
    REBUILD,
);
pub(super) const PARQUET_SCHEMA: Check = check(
    "parquet-schema",
    "files",
    "every Parquet file has the columns, types and units of its table, and the date only in its path",
    REBUILD,
);
pub(super) const ORPHANS: Check = check(
    "orphans",
    "files",
    "parquet/ contains only files that the manifest lists",
    "the next vcq-etl sync removes unlisted parts; they affect only programs that read whole folders. Any other file was \
     put there by somebody: move it away",
);
pub(super) const DATABASE: Check =
    check("database", "files", "vcq.duckdb exists, is readable as a whole, and was written by vcq-etl", REBUILD);
pub(super) const DATABASE_SCHEMA: Check = check(
    "database-schema",
    "tables",
    "the database has the tables, columns, types, comments and migrations of this program, and no others",
    REBUILD,
);
pub(super) const GENERATION: Check = check(
    "generation",
    "databases",
    "manifest and database have the same generation, run and schema version, and the table meta is complete",
    "if the manifest is ahead, a run ended between the two, and the next vcq-etl sync fixes it; otherwise run \
     vcq-etl rebuild",
);
pub(super) const PUBLISHED_FILES: Check = check(
    "published-files",
    "entries",
    "the database was loaded from exactly the files that the manifest lists",
    REBUILD,
);
pub(super) const ROWS: Check =
    check("rows", "rows", "Parquet and the database have the same rows, value by value", REBUILD);
pub(super) const RUNS: Check = check(
    "runs",
    "runs",
    "the history of runs is consistent (times in order, ends complete, counts not negative) and equals the ledger's",
    REBUILD,
);
pub(super) const KEYS: Check =
    check("keys", "rows", "every row has a key and a date, and every key is unique", REBUILD);
pub(super) const REFERENCES: Check = check(
    "references",
    "rows",
    "every participant belongs to a meeting of its date, every sample and every row of coverage to a participant",
    REBUILD,
);
pub(super) const TIMES: Check = check(
    "times",
    "rows",
    "UTC time, local time and offset agree, and a meeting's date is the local day of its start",
    REBUILD,
);
pub(super) const WORDS: Check =
    check("words", "rows", "statuses, reasons and names of tables and columns have documented values", REBUILD);
pub(super) const FUTURE: Check =
    check("future", "rows", "no time is later than the publication (clocks may differ by 15 minutes)", FROM_FEISHU);
pub(super) const RANGES: Check = check(
    "ranges",
    "rows",
    "packet loss is between 0 and 100 percent; other metrics are finite and not negative where that is impossible",
    "a sync never publishes values outside the range, so these were changed later: run vcq-etl rebuild",
);
pub(super) const AVERAGES: Check =
    check("averages", "rows", "no average is greater than the maximum of the same minute", FROM_FEISHU);
pub(super) const COVERAGE_ROWS: Check = check(
    "coverage-rows",
    "rows",
    "every participant has one row of coverage; every meeting has participants, or a row that gives the reason",
    REBUILD,
);
pub(super) const COVERAGE_COUNTS: Check = check(
    "coverage-counts",
    "rows",
    "sample_count is the number of the participant's samples, and the counts add up to the table",
    REBUILD,
);
pub(super) const COVERAGE_STATUS: Check = check(
    "coverage-status",
    "rows",
    "status, sample_count, expected_minutes and API code agree with one another and with the participant",
    REBUILD,
);
pub(super) const DEFINITIONS: Check = check(
    "definitions",
    "objects",
    "views, macros, limits and buildings are those of this program and its settings, and derived tables follow from the \
     rows",
    REBUILD,
);

/// In the order in which they are reported.
pub(crate) const CHECKS: &[&Check] = &[
    &MANIFEST,
    &MANIFEST_PATHS,
    &FILES,
    &PARQUET_ROWS,
    &PARQUET_SCHEMA,
    &ORPHANS,
    &DATABASE,
    &DATABASE_SCHEMA,
    &GENERATION,
    &PUBLISHED_FILES,
    &ROWS,
    &RUNS,
    &KEYS,
    &REFERENCES,
    &TIMES,
    &WORDS,
    &FUTURE,
    &RANGES,
    &AVERAGES,
    &COVERAGE_ROWS,
    &COVERAGE_COUNTS,
    &COVERAGE_STATUS,
    &DEFINITIONS,
];

/// The checks of rows and of relations between rows that are SQL files.
pub(super) const RELATIONS: &[&Check] = &[&KEYS, &REFERENCES, &COVERAGE_ROWS, &COVERAGE_COUNTS, &COVERAGE_STATUS];

/// The checks that need an open database: those after [`DATABASE`].
pub(super) fn database_checks() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().copied().skip_while(|check| **check != DATABASE).skip(1)
}
