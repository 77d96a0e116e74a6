//! Planted incidents: choosing them, their effect on the samples, and the truth about them.
//!
//! An incident changes nothing but the quality of the sessions in its scope: who meets when and where stays the same,
//! so that a tenant with an incident can be compared with the same tenant without it.

mod effects;
mod outcome;
mod planner;
mod poor_minute;
mod truth;

pub(crate) use effects::{Effects, Slow};
pub(crate) use planner::plan;
#[cfg(test)]
pub(crate) use poor_minute::poor_metric;
pub use truth::{IncidentKind, IncidentTruth};
