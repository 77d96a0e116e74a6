//! Finds incidents: what went wrong, for whom, since when, and what the poor minutes have in common.
//!
//! Owns the statistics and the sentences. Promises that the incidents of a date depend only on the data of that date
//! and the 28 days before, as stored, never on the order of rows or on chance. Leaves out where they are stored
//! (`load`) and how they are shown (`report`).

mod find;
mod incident;

pub(crate) use find::{History, IncidentError, find};
pub(crate) use incident::{Direction, Incident, Kind, Metric, ScopeKind, Severity};
