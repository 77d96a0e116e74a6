//! Text from outside made safe to show: control characters, line breaks, and JSON that a strict reader takes.
//!
//! Promises: pure functions, no panic on any input. Leaves out where the text goes.

mod error_chain;
mod hex;
mod readable;
mod sanitize;

pub(crate) use error_chain::error_chain;
pub(crate) use hex::hex;
pub(crate) use readable::readable;
pub use sanitize::is_terminal_control;
pub(crate) use sanitize::{in_json, on_lines, on_one_line};
