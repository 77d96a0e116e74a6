//! The library behind `vcq-etl`. Its only users are the binary, the integration tests, the benches and the fuzz
//! targets: what they need is re-exported here, and everything else is private to the crate.

mod alerts;
mod buildings;
mod checks;
mod cli;
mod commands;
mod config;
mod error;
mod event;
mod extract;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod incidents;
mod ledger;
mod load;
mod personal_data;
mod raw_log;
mod remote;
mod report;
mod schema;
mod text;
mod transform;

pub use cli::panic_hook::install_panic_hook;
pub use cli::{Process, run};
pub use error::ExitCode;

// For the integration tests and the benches.
pub use commands::publish::stage_date::{DateContext, stage_date};
pub use incidents::count_incidents;
pub use load::{
    DatabaseOptions, DatePublication, Definitions, Lock, PartWriter, Publication, PublishMode, Step, StorePaths,
    publish,
};
pub use raw_log::{RawKind, list_dates, list_files};
pub use report::{Catalogue, Report, reference};
pub use schema::{Kind, QUALITY_SAMPLES, Raw, Status, Storage, TABLES, TenantZone, parse};
pub use text::{Language, is_terminal_control};
pub use transform::{SampleBatches, TypedWalk, WalkParser};
