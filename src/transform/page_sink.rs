//! What the two readers of a quality page have in common.

use super::sample_layout::Leaf;
use crate::schema::Raw;

pub(super) const LIST_KEY: &str = "participant_quality_list";

/// A page of the raw log that is not JSON. `extract` stores only pages that it could read, so the log is damaged.
#[derive(Debug, thiserror::Error)]
#[error("a stored page of participant_quality_list is unreadable")]
pub struct PageError(#[from] serde_json::Error);

/// Receives the values of a page in their order.
pub(super) trait Sink {
    /// A value of the current item.
    fn leaf(&mut self, leaf: &Leaf, raw: Raw<'_>);
    /// A field without a column.
    fn unknown(&mut self, section: Option<&'static str>, field: &str);
    /// The current item has ended.
    fn item_end(&mut self);
}
