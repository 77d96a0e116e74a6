//! The library behind `vcq-etl`: the stages, the tables as data, and what wires them.

pub mod buildings;
pub mod cli;
pub mod config;
pub mod error;
pub mod extract;
pub mod feishu;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod load;
pub mod pipeline;
pub mod progress;
pub mod report;
pub mod schema;
pub mod simulator;
pub mod transform;
