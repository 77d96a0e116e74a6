//! From the raw log to a published generation: dates are staged side by side, counted, and handed to `load`.

pub(crate) mod dates;
pub(super) mod definitions;
pub(super) mod publisher;
mod round;
pub(super) mod setup;
mod totals;
