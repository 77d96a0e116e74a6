//! The typed samples of one participant's walk.

use super::reject::Reject;
use super::sample_layout::SLOT_COUNT;
use crate::schema::{Moment, QUALITY_SAMPLES, Reason};

/// One row. A slot has the bits of a double, an integer or microseconds, depending on the kind of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sample {
    pub(super) time: Moment,
    /// A bit for each slot that is not NULL.
    pub(super) present: u64,
    pub(super) slots: [u64; SLOT_COUNT],
}

/// The samples and rejects of one walk; duplicate participants share it.
#[derive(Debug, Default)]
pub struct TypedWalk {
    /// Sorted by time; no time occurs twice.
    pub(super) samples: Vec<Sample>,
    pub(super) rejects: Vec<WalkReject>,
}

/// A reject without the participant's key.
#[derive(Debug)]
pub(super) struct WalkReject {
    /// The Unix seconds of the sample, or the index of an item without a time.
    pub(super) at: Result<i64, usize>,
    pub(super) column_name: &'static str,
    pub(super) raw_text: String,
    pub(super) reason: Reason,
}

impl TypedWalk {
    pub fn sample_count(&self) -> usize {
        self.samples.len()
    }

    /// The rejects for one participant.
    pub fn rejects<'a>(&'a self, participant_key: &'a str, first_seen_us: i64) -> impl Iterator<Item = Reject> + 'a {
        self.rejects.iter().map(move |reject| Reject {
            table_name: QUALITY_SAMPLES.name,
            row_key: match reject.at {
                Ok(unix_s) => format!("{participant_key}@{unix_s}"),
                Err(index) => format!("{participant_key}@item{index}"),
            },
            column_name: reject.column_name,
            raw_text: reject.raw_text.clone(),
            reason: reject.reason,
            first_seen_us,
        })
    }
}
