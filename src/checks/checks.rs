//! The checks of everything right of `raw/`, as data.

use super::Check;

/// What puts nearly everything right.
const REBUILD: &str = "run vcq-etl rebuild: it makes Parquet, manifest and database again from raw/, without a call";
/// What to do about the vendor's own oddities.
const VENDOR: &str = "this is what the vendor answered, unless another check finds damage: mind it in reports, and send \
                      the rows' keys and log ids to the vendor's support";

const fn check(name: &'static str, of: &'static str, means: &'static str, advice: &'static str) -> Check {
    Check { name, of, means, advice }
}

pub(crate) const MANIFEST: Check = check(
    "manifest",
    "entries",
    "the manifest is there, can be read, and each of its values is of the form that it should have",
    REBUILD,
);
pub(crate) const PATHS: Check = check(
    "manifest-paths",
    "entries",
    "every path in the manifest is below parquet/, as table and date want it, and none is there twice",
    REBUILD,
);
pub(crate) const FILES: Check =
    check("files", "files", "every published file is there, with the size and checksum that were published", REBUILD);
pub(crate) const FOOTERS: Check = check(
    "parquet-rows",
    "files",
    "every Parquet file holds the rows, and the first and last time, that the manifest says",
    REBUILD,
);
pub(crate) const FILE_SCHEMA: Check = check(
    "parquet-schema",
    "files",
    "every Parquet file has the columns, types and units of its table, and the date in its path only",
    REBUILD,
);
pub(crate) const STRAYS: Check = check(
    "orphans",
    "files",
    "nothing lies below parquet/ that the manifest does not name",
    "the next vcq-etl sync removes parts that nobody names; they do no harm but to readers of whole folders. Anything \
     else was put there by somebody: move it away",
);
pub(crate) const DATABASE: Check =
    check("database", "files", "vcq.duckdb is there, can be read to its end, and is ours", REBUILD);
pub(crate) const DATABASE_SCHEMA: Check = check(
    "database-schema",
    "tables",
    "the database has the tables, columns, types, comments and migrations of this program, and no others",
    REBUILD,
);
pub(crate) const GENERATION: Check = check(
    "generation",
    "databases",
    "manifest and database are of one generation, one run and one schema version, and meta says the rest of itself",
    "where the manifest is ahead, a run ended between the two, and the next vcq-etl sync puts it right; otherwise run \
     vcq-etl rebuild",
);
pub(crate) const PUBLISHED_FILES: Check =
    check("published-files", "entries", "the database was loaded from the very files that the manifest names", REBUILD);
pub(crate) const ROWS: Check =
    check("rows", "rows", "Parquet and the database hold the same rows, value by value", REBUILD);
pub(crate) const RUNS: Check = check(
    "runs",
    "runs",
    "the history of runs makes sense (times in order, ends complete, counts not negative), and is the ledger's",
    REBUILD,
);
pub(crate) const KEYS: Check =
    check("keys", "rows", "every row has a key and a date, and no key is there twice", REBUILD);
pub(crate) const REFERENCES: Check = check(
    "references",
    "rows",
    "every participant belongs to a meeting of its date, every sample and every row of coverage to a participant",
    REBUILD,
);
pub(crate) const TIMES: Check = check(
    "times",
    "rows",
    "UTC, local time and offset agree, and a meeting's date is the local day of its start",
    REBUILD,
);
pub(crate) const WORDS: Check =
    check("words", "rows", "statuses, reasons and names of tables and columns are words of the contract", REBUILD);
pub(crate) const FUTURE: Check = check(
    "future",
    "rows",
    "no time is later than the publication (15 minutes are left for clocks that differ)",
    VENDOR,
);
pub(crate) const RANGES: Check = check(
    "ranges",
    "rows",
    "packet loss is within 0 and 100 percent; nothing is negative or infinite that cannot be",
    "values outside are never published as such, so these were changed later: run vcq-etl rebuild",
);
pub(crate) const AVERAGES: Check = check("averages", "rows", "no average is above the maximum of its minute", VENDOR);
pub(crate) const COVERAGE_ROWS: Check = check(
    "coverage-rows",
    "rows",
    "every participant has one row of coverage; every meeting has participants, or a row that says why not",
    REBUILD,
);
pub(crate) const COVERAGE_COUNTS: Check = check(
    "coverage-counts",
    "rows",
    "sample_count is the number of the participant's samples, and all of them add up to the table",
    REBUILD,
);
pub(crate) const COVERAGE_STATUS: Check = check(
    "coverage-status",
    "rows",
    "status, sample_count, expected_minutes and the vendor's code agree with one another and with the participant",
    REBUILD,
);

pub(crate) const DEFINITIONS: Check = check(
    "definitions",
    "objects",
    "views, macros, limits and buildings are those of this program and its settings, and derived tables follow from the \
     rows",
    REBUILD,
);

/// The checks of what is published, in the order in which they are told.
pub(crate) const CHECKS: &[&Check] = &[
    &MANIFEST,
    &PATHS,
    &FILES,
    &FOOTERS,
    &FILE_SCHEMA,
    &STRAYS,
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

/// Those that need a database.
pub(crate) const OF_DATABASE: &[&Check] = &[
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
