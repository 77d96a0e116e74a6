//! sync as a story: extract, transform, load, checkpoint.
//!
//! Owns the wiring of the stages, and nothing a stage knows. To be written.

pub mod event;
pub mod summary;

pub use event::{Event, Events};
pub use summary::{Calls, Summary};
