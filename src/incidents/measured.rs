//! The search over a whole store or some of its dates, for the benchmark.

use std::error::Error;

use duckdb::Connection;

use super::find::find;
use super::history::History;

/// Searches dates of a published database (days since 1970-01-01, ascending) as a publication does. Returns the number
/// of incidents.
pub fn count_incidents(connection: &Connection, profile: &str, dates: &[i32]) -> Result<usize, Box<dyn Error>> {
    Ok(find(connection, profile, History::Stored, None, dates)?.len())
}
