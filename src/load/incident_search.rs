//! The search for incidents as a publication sees it.

use std::error::Error;

use duckdb::Connection;

use crate::schema::cell::Row;

/// Searches the rows of a database for incidents.
pub trait IncidentSearch: Sync {
    /// The incidents of the dates (days since 1970-01-01, ascending, without a gap in the published dates). The tables
    /// hold the incidents of earlier dates, and none of these.
    fn search(&self, connection: &Connection, profile: &str, dates: &[i32]) -> Result<IncidentRows, SearchError>;
}

pub(crate) type SearchError = Box<dyn Error + Send + Sync>;

/// The rows of `incidents` and of `incident_participants`.
#[derive(Debug, Default, PartialEq)]
pub struct IncidentRows {
    pub incidents: Vec<Row>,
    pub participants: Vec<Row>,
}
