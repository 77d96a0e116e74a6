//! Everything on stderr: messages, warnings, log lines, failures and the progress of a run.
//!
//! Owns [`Console`], the only writer to stderr; the progress model that events are folded into and its two views (bars
//! on a terminal, lines elsewhere); and the closing summary as text. Promises: sending an event never blocks; output is
//! readable without colour and on a narrow terminal. Leaves out what a run does.

mod bars;
mod estimate;
mod lines;
mod model;
mod progress;
mod stderr;
mod summary;

#[cfg(test)]
pub(crate) use estimate::tests::price as sample_price;
pub(crate) use estimate::{about, estimate_text, time_text};
pub(crate) use progress::Progress;
pub(crate) use stderr::Console;
pub(crate) use summary::{Ending, calls_text, text as summary_text};
