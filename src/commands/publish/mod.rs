//! From the raw log to a published generation: dates are staged side by side, counted, and handed to `load`.

pub(crate) mod date_error;
pub(super) mod definitions;
pub(super) mod due_dates;
mod missing_fields;
pub(super) mod publisher;
pub(super) mod round;
pub(super) mod setup;
pub(crate) mod stage_date;
pub(crate) mod stage_optional;
mod totals;
