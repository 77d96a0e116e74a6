//! Incidents outside of a publication: counted for summaries, and those of another profile than the store's for one
//! session, in temporary tables that take the place of the stored ones for the reports.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::types::{TimeUnit, Value};
use duckdb::{Connection, params_from_iter};

use super::tokens::Tokens;
use crate::incidents::{History, Incident, Severity, TokenOf, find};
use crate::load::{LoadError, SearchError, StorePaths, stored_profile};
use crate::report::{Arguments, Report};
use crate::schema::cell::{Cell, Row};
use crate::schema::ddl::quoted;
use crate::schema::{INCIDENT_PARTICIPANTS, INCIDENTS, JUDGED_PARTICIPANTS, META, Table};

/// Searches for the incidents that can overlap the window (`YYYY-MM-DD`, end exclusive), unless the profile is the
/// store's. Later dates may have rows that began in the window.
pub(crate) fn find_session_incidents(
    connection: &Connection,
    paths: &StorePaths,
    profile: &str,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<(), LoadError> {
    let failed = |source: SearchError| LoadError::Incidents { path: paths.database(), source };
    // A database of an older version has no incidents, which running the report says.
    if stored_profile(connection).is_none_or(|stored| stored == profile) {
        return Ok(());
    }
    replace(connection, &Tokens::read(paths), profile, since, until).map_err(failed)
}

/// The same for a report with its arguments, if it reads incidents.
pub(crate) fn find_report_incidents(
    connection: &Connection,
    paths: &StorePaths,
    report: &Report,
    arguments: &Arguments,
) -> Result<(), LoadError> {
    match arguments.get("profile") {
        Some(profile) if report.sql.contains("incidents") => {
            // An ID of an incident begins with its date.
            let of_id = arguments.get("incident_id").map(|id| id.chars().take("2026-11-01".len()).collect::<String>());
            let since = of_id.as_deref().or(arguments.get("since"));
            let until = of_id.as_deref().or(arguments.get("until"));
            find_session_incidents(connection, paths, profile, since, until)
        }
        _ => Ok(()),
    }
}

/// Ends the session with the incidents of another profile: reports read the stored ones again.
pub(crate) fn forget_session_incidents(connection: &Connection) -> duckdb::Result<()> {
    let tables = [&JUDGED_PARTICIPANTS, &INCIDENTS, &INCIDENT_PARTICIPANTS, &META];
    let drops = tables.map(|table| format!("drop table if exists temp.main.{};", table.name));
    connection.execute_batch(&drops.concat())
}

fn replace(
    connection: &Connection,
    tokens: &Tokens,
    profile: &str,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<(), SearchError> {
    let bound = |text: Option<&str>| text.map_or_else(|| "null".to_owned(), quoted);
    let sql = format!(
        "select distinct cast(m.meeting_date - date '1970-01-01' as integer) from meetings as m \
         where m.meeting_date >= coalesce(try_cast({} as date) - 1, date '1900-01-01') \
         and m.meeting_date <= coalesce(try_cast({} as date) + 28, date '9999-12-31') order by 1",
        bound(since),
        bound(until)
    );
    let dates: Vec<i32> =
        connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, duckdb::Error>>()?;
    let (first, last) = (dates.first().copied().unwrap_or_default(), dates.last().copied().unwrap_or_default());
    connection.execute_batch(&format!(
        "create temp table {judged} as select * from judged_participant_minutes(since := date '1970-01-01' + {}, \
         until := date '1970-01-01' + {}, profile := {profile});\n\
         create temp table {incidents} as select * from main.{incidents} limit 0;\n\
         create temp table {participants} as select * from main.{participants} limit 0;\n\
         create temp table {meta} as select * replace ({profile} as profile) from main.{meta};",
        first - 28,
        last + 1,
        judged = JUDGED_PARTICIPANTS.name,
        incidents = INCIDENTS.name,
        participants = INCIDENT_PARTICIPANTS.name,
        meta = META.name,
        profile = quoted(profile),
    ))?;
    let token_of = tokens.of_id();
    let token_of = token_of.as_ref().map(|token_of| token_of as TokenOf<'_>);
    let found = find(connection, profile, History::Computed, token_of, &dates)?;
    let rows: Vec<Row> = found.iter().map(Incident::row).collect();
    insert(connection, &INCIDENTS, &rows)?;
    let rows: Vec<Row> = found.iter().flat_map(Incident::session_rows).collect();
    insert(connection, &INCIDENT_PARTICIPANTS, &rows)?;
    Ok(())
}

/// Every severity with the count 0.
pub(crate) fn no_incidents() -> BTreeMap<&'static str, u64> {
    Severity::ALL.iter().map(|severity| (severity.name(), 0)).collect()
}

/// The rows of `incidents` on some dates (`YYYY-MM-DD`), by severity.
pub(crate) fn count_on_dates(
    connection: &Connection,
    dates: &BTreeSet<String>,
) -> duckdb::Result<BTreeMap<&'static str, u64>> {
    let dates: Vec<String> = dates.iter().map(|date| format!("date {}", quoted(date))).collect();
    count_by_severity(connection, &format!("incidents where meeting_date in ({})", dates.join(", ")))
}

/// Problems of all dates by severity: a problem that continues over several dates counts once, as in the report
/// incidents.
pub(crate) fn count_problems(connection: &Connection) -> duckdb::Result<BTreeMap<&'static str, u64>> {
    count_by_severity(connection, "report_incidents()")
}

fn count_by_severity(connection: &Connection, rows: &str) -> duckdb::Result<BTreeMap<&'static str, u64>> {
    let sql = format!("select severity, count(*) from {rows} group by severity");
    let found: Vec<(Option<String>, u64)> =
        connection.prepare(&sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut counts = no_incidents();
    for (severity, count) in &mut counts {
        let of_severity = found.iter().filter(|(name, _)| name.as_deref() == Some(*severity));
        *count = of_severity.map(|(_, count)| count).sum();
    }
    Ok(counts)
}

/// An appender looks for the table in the published database only.
pub(super) fn insert(connection: &Connection, table: &Table, rows: &[Row]) -> duckdb::Result<()> {
    let columns = vec!["?"; table.columns.len()].join(", ");
    let mut statement = connection.prepare(&format!("insert into temp.main.{} values ({columns})", table.name))?;
    for row in rows {
        statement.execute(params_from_iter(row.iter().map(value)))?;
    }
    Ok(())
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Whole(number) => Value::BigInt(*number),
        Cell::Real(number) => Value::Double(*number),
        Cell::Flag(flag) => Value::Boolean(*flag),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Micros(us) => Value::Timestamp(TimeUnit::Microsecond, *us),
        Cell::Day(day) => Value::Date32(*day),
    }
}
