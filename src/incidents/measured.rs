//! The search over a whole store, for the bench.

use std::error::Error;

use duckdb::Connection;

use super::find::find;
use super::history::History;

/// Searches all dates of a published database as a publication of all of them does. Returns the number of incidents.
pub fn count_incidents(connection: &Connection, profile: &str) -> Result<usize, Box<dyn Error>> {
    let sql = "select distinct date_diff('day', date '1970-01-01', meeting_date)::integer from judged_participants order by 1";
    let dates = connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<i32>, _>>()?;
    Ok(find(connection, profile, History::Stored, &dates)?.len())
}
