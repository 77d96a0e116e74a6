//! What the search for incidents costs after a night and after a rebuild, in CPU seconds.

use std::path::Path;

use duckdb::{AccessMode, Config, Connection};
use serde_json::{Value, json};

use crate::cpu::Stopwatch;

/// The default of the setting memory_limit.
const MEMORY_LIMIT: &str = "1GiB";
/// Number of nights to measure: the last dates with samples, each as if it were new.
const NIGHTS: usize = 7;

/// A database for reading, with one thread, so that the CPU time is that of the calling thread.
pub(crate) fn open(database: &Path) -> Connection {
    let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
    let connection = Connection::open_with_flags(database, config).expect("the database opens");
    connection.execute_batch("set threads = 1").expect("a setting");
    connection
}

/// The search over all dates.
pub(crate) fn search_cpu_s(connection: &Connection) -> f64 {
    search(connection, &dates(connection)).0
}

/// CPU seconds, and the number of incidents.
fn search(connection: &Connection, dates: &[i32]) -> (f64, usize) {
    let watch = Stopwatch::start();
    let found = vcq_etl::count_incidents(connection, "cqd", dates).expect("the search ends");
    (watch.cpu_s(), found)
}

fn dates(connection: &Connection) -> Vec<i32> {
    let sql = "select distinct date_diff('day', date '1970-01-01', meeting_date)::integer from judged_participants order by 1";
    let mut select = connection.prepare(sql).expect("the table is there");
    select.query_map([], |row| row.get(0)).expect("it is read").collect::<Result<_, _>>().expect("dates")
}

/// The search of each of the last dates alone, and of all dates; and judging the participants of the date.
pub(crate) fn measure(database: &Path) -> Value {
    let connection = open(database);
    connection.execute_batch(&format!("set memory_limit = '{MEMORY_LIMIT}'")).expect("a setting");
    let samples: i64 =
        connection.query_row("select count(*) from quality_samples", [], |row| row.get(0)).expect("a number");
    let dates = dates(&connection);
    let nights: Vec<Value> = dates[dates.len().saturating_sub(NIGHTS)..]
        .iter()
        .map(|date| {
            let participants: i64 = connection
                .query_row(
                    "select count(*) from judged_participants where meeting_date = date '1970-01-01' + ?",
                    [date],
                    |row| row.get(0),
                )
                .expect("a number");
            let watch = Stopwatch::start();
            let sql = format!(
                "create or replace temp table judged as select * from judged_participant_minutes(\
                 since := date '1970-01-01' + {date}, until := date '1970-01-01' + {}, profile := 'cqd')",
                date + 1
            );
            connection.execute_batch(&sql).expect("the participants are judged");
            let judging_cpu_s = watch.cpu_s();
            let (search_cpu_s, incidents) = search(&connection, &[*date]);
            json!({
                "participants": participants, "judging_cpu_s": judging_cpu_s, "search_cpu_s": search_cpu_s,
                "incidents": incidents,
            })
        })
        .collect();
    let (search_cpu_s, incidents) = search(&connection, &dates);
    json!({
        "samples": samples, "dates": dates.len(), "nights": nights,
        "rebuild": { "search_cpu_s": search_cpu_s, "incidents": incidents },
    })
}
