//! Parsers from Feishu's notation to values, one for each kind.
//!
//! Every parser takes a [`Raw`](super::Raw) value and returns a value, `None` (missing: NULL without a reject) or a
//! [`Reason`] for `rejects`. The common forms are plain ASCII and need no allocation.

mod address;
#[cfg(test)]
mod address_tests;
mod common;
mod number;
#[cfg(test)]
mod table_tests;
mod time;

pub(crate) use address::{address, subnet, subnet_length, truncated};
pub(crate) use common::fold;
pub use common::{MISSING_WORDS, Reason, id, text};
pub use number::{count, flag, height_px, measure, seconds};
pub use time::{offset_min, time};
