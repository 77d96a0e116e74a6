//! Fetches what is kept by day: rooms, alerts, reservations and Feishu's own counts.
//!
//! One walk answers one day; the last complete one counts. A day is requested again until its answer is final. A
//! refused or failing endpoint is a gap of the run and never stops the fetching of meetings.

mod also;
mod due;
mod estimate;
mod fetch;
mod outcome;
mod requests;

pub(crate) use also::{Also, endpoint_of};
pub(crate) use estimate::{DailyEstimate, estimate_days};
pub(super) use fetch::fetch_days;
pub(crate) use outcome::DailyOutcome;
pub(crate) use requests::day_query;
