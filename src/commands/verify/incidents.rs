//! `verify --deep`: judges the participants again, searches for incidents again, and compares.

use duckdb::Connection;

use super::setup::VerifySetup;
use crate::checks::{Check, Findings};
use crate::commands::incidents::insert;
use crate::commands::publish::definitions::Installed;
use crate::load::{
    IncidentSearch, LoadError, SearchError, StorePaths, installed_checksum, open_published_with, stored_profile,
};
use crate::schema::ddl::quoted;
use crate::schema::{INCIDENT_PARTICIPANTS, INCIDENTS, JUDGED_PARTICIPANTS, PARTITION_COLUMN, Table};

pub(super) const FROM_ROWS: Check = Check {
    name: "incidents-from-rows",
    of: "tables",
    means: "judged participants and incidents, computed again from the other rows, are those that are published",
    advice: "run vcq-etl rebuild, which computes them again",
};

pub(super) fn check(
    setup: &VerifySetup,
    paths: &StorePaths,
    installed: &Installed,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let connection = match open_published_with(paths, setup.database) {
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
    let failed = |source| LoadError::Incidents { path: paths.database(), source };
    for (table, missing, additional) in compare(&connection, installed, &profile).map_err(failed)? {
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
) -> Result<Vec<Difference>, SearchError> {
    let sql = format!(
        "select distinct cast({PARTITION_COLUMN} - date '1970-01-01' as integer) from quality_samples \
         where {PARTITION_COLUMN} is not null order by 1"
    );
    let dates: Vec<i32> =
        connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?;
    let found = search.search(connection, profile, &dates)?;
    for (table, rows) in [(&INCIDENTS, &found.incidents), (&INCIDENT_PARTICIPANTS, &found.participants)] {
        let sql = format!("create temp table {0} as select * from main.{0} limit 0", table.name);
        connection.execute_batch(&sql)?;
        insert(connection, table, rows)?;
    }
    create_judged(connection, profile, &dates)?;
    [&JUDGED_PARTICIPANTS, &INCIDENTS, &INCIDENT_PARTICIPANTS]
        .into_iter()
        .map(|table| difference(connection, table))
        .collect()
}

/// Month by month, which limits the memory.
fn create_judged(connection: &Connection, profile: &str, dates: &[i32]) -> duckdb::Result<()> {
    const SPAN_DAYS: usize = 31;
    let name = JUDGED_PARTICIPANTS.name;
    connection.execute_batch(&format!("create temp table {name} as select * from main.{name} limit 0"))?;
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return Ok(()) };
    for since in (*first..=*last).step_by(SPAN_DAYS) {
        let until = since + SPAN_DAYS as i32;
        connection.execute_batch(&format!(
            "insert into temp.main.{name} by name select * from judged_participant_minutes(\
             since := date '1970-01-01' + {since}, until := date '1970-01-01' + {until}, profile := {})",
            quoted(profile)
        ))?;
    }
    Ok(())
}

fn difference(connection: &Connection, table: &Table) -> Result<Difference, SearchError> {
    let count = |one: &str, other: &str| {
        let sql = format!("select count(*) from (from {one}.{0} except all from {other}.{0})", table.name);
        connection.query_row(&sql, [], |row| row.get::<_, u64>(0))
    };
    // A name with the schema main alone is that of the published database.
    let published = connection.query_row("select current_database() || '.main'", [], |row| row.get::<_, String>(0))?;
    Ok((table.name, count("temp.main", &published)?, count(&published, "temp.main")?))
}
