//! `verify --deep`: judges the minutes and the participants again, searches for incidents again, and compares.

use duckdb::Connection;

use super::setup::VerifySetup;
use crate::checks::{Check, Findings};
use crate::commands::incidents::insert;
use crate::commands::publish::definitions::Installed;
use crate::load::{
    DatabaseOptions, Held, IncidentRows, IncidentSearch, LoadError, Manifest, REACH_DAYS, STORED, SearchError,
    StorePaths, insert_span, installed_checksum, is_searched, open_published_with, stored_profile,
};
use crate::schema::ddl::quoted;
use crate::schema::{
    INCIDENT_PARTICIPANTS, INCIDENTS, JUDGED_PARTICIPANTS, PARTITION_COLUMN, STORED_LIMITS, Table, civil_date,
    civil_date_text,
};

pub(super) const FROM_ROWS: Check = Check {
    name: "incidents-from-rows",
    of: "tables",
    means: "stored minutes and audio streams, judged participants and incidents, computed again from the other rows, are those that are published",
    advice: "run vcq-etl rebuild, which computes them again",
};

pub(super) fn check(
    setup: &VerifySetup,
    paths: &StorePaths,
    installed: &Installed,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    // As in a publication: with more threads, the sum of an average may be in another order.
    let options = DatabaseOptions { threads: 1, ..setup.database };
    let connection = match open_published_with(paths, options) {
        Ok(connection) => connection,
        // Another check has found why.
        Err(_) => {
            findings.skip(&FROM_ROWS, "vcq.duckdb cannot be read");
            return Ok(());
        }
    };
    let is_own = installed.definitions().are_own_of(installed_checksum(&connection).as_deref());
    let Some(profile) = stored_profile(&connection).filter(|_| is_own) else {
        findings.skip(
            &FROM_ROWS,
            "other settings or another version of the program computed them; the next vcq-etl sync or rebuild computes \
             them again",
        );
        return Ok(());
    };
    // Incidents of the first dates that are held depend on dates that are not.
    let first = match Manifest::read(paths) {
        Ok(Some(Manifest { database: Held::Since(since), .. })) => civil_date(&since).map(|since| since + REACH_DAYS),
        _ => None,
    };
    let failed = |source| LoadError::Incidents { path: paths.database(), source };
    for (table, missing, additional) in compare(&connection, installed, &profile, first).map_err(failed)? {
        findings.examined(&FROM_ROWS, 1);
        for (count, what) in [(missing, "missing"), (additional, "additional")] {
            if count > 0 {
                let found = format!("{count} {what} rows");
                findings.found(&FROM_ROWS, format!("vcq.duckdb, {table}"), "the rows that are computed again", found);
            }
        }
    }
    Ok(())
}

type Difference = (&'static str, u64, u64);

/// The number of missing and of additional rows by table.
fn compare(
    connection: &Connection,
    search: &dyn IncidentSearch,
    profile: &str,
    first: Option<i32>,
) -> Result<Vec<Difference>, SearchError> {
    let sql = format!(
        "select distinct cast({PARTITION_COLUMN} - date '1970-01-01' as integer) from quality_samples \
         where {PARTITION_COLUMN} is not null order by 1"
    );
    let dates: Vec<i32> =
        connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?;
    create_empty(connection, &STORED_LIMITS)?;
    for (table, source) in STORED {
        compute(connection, table, source, profile, &dates)?;
    }
    let searched: Vec<i32> = dates.iter().copied().filter(|date| first.is_none_or(|first| *date >= first)).collect();
    let found = match searched.is_empty() {
        true => IncidentRows::default(),
        false => search.search(connection, profile, &searched)?,
    };
    for (table, rows) in [(&INCIDENTS, &found.incidents), (&INCIDENT_PARTICIPANTS, &found.participants)] {
        create_empty(connection, table)?;
        insert(connection, table, rows)?;
    }
    compute(connection, &JUDGED_PARTICIPANTS, "judged_participant_minutes", profile, &dates)?;
    connection.execute_batch(&format!(
        "insert into temp.main.{} select metric, poor_when, value from thresholds where profile = {}",
        STORED_LIMITS.name,
        quoted(profile)
    ))?;
    let others = [&STORED_LIMITS, &JUDGED_PARTICIPANTS, &INCIDENTS, &INCIDENT_PARTICIPANTS];
    let tables = STORED.into_iter().map(|(table, _)| table).chain(others);
    tables.map(|table| difference(connection, table, first.filter(|_| is_searched(table.name)))).collect()
}

/// Without stored limits, the macros compute every row.
fn create_empty(connection: &Connection, table: &Table) -> duckdb::Result<()> {
    let name = table.name;
    connection.execute_batch(&format!("create temp table {name} as select * from main.{name} limit 0"))
}

/// Fills a table of the session with the rows of a macro, month by month, which limits the memory.
fn compute(connection: &Connection, table: &Table, source: &str, profile: &str, dates: &[i32]) -> duckdb::Result<()> {
    const SPAN_DAYS: i32 = 31;
    create_empty(connection, table)?;
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return Ok(()) };
    let into = format!("temp.main.{}", table.name);
    for since in (*first..=*last).step_by(SPAN_DAYS as usize) {
        let span = (since, since + SPAN_DAYS - 1);
        connection.execute_batch(&insert_span(&into, table, source, profile, span))?;
    }
    Ok(())
}

/// Of the rows from the date `first` on.
fn difference(connection: &Connection, table: &Table, first: Option<i32>) -> Result<Difference, SearchError> {
    let dates = first.map_or_else(String::new, |first| {
        format!(" where {PARTITION_COLUMN} >= date {}", quoted(&civil_date_text(first)))
    });
    let count = |one: &str, other: &str| {
        let sql =
            format!("select count(*) from (from {one}.{0}{dates} except all from {other}.{0}{dates})", table.name);
        connection.query_row(&sql, [], |row| row.get::<_, u64>(0))
    };
    // A name with the schema main alone is that of the published database.
    let published = connection.query_row("select current_database() || '.main'", [], |row| row.get::<_, String>(0))?;
    Ok((table.name, count("temp.main", &published)?, count(&published, "temp.main")?))
}
