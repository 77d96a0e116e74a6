//! The commands: `sync`, `plan`, `rebuild`, `publish`, `status`, `verify`, `doctor`, `alert`, `buildings`. Each is one
//! file or directory.
//!
//! Owns how the stages are put together, and nothing a stage knows: `extract` writes responses to the raw log,
//! `publish` turns a date's responses into parts and hands them to `load`. How a result is shown is left to `cli`.

pub(crate) mod alert;
mod blocking;
pub(crate) mod buildings;
pub(crate) mod copies;
pub(crate) mod doctor;
mod error;
pub(crate) mod estimate;
mod fetch;
mod history;
mod identity;
mod incidents;
#[cfg(test)]
mod not_covered_tests;
mod notes;
mod open_store;
pub(crate) mod plan;
pub(crate) mod publish;
pub(crate) mod rebuild;
pub(crate) mod replace;
pub(crate) mod republish;
mod run_record;
mod setup;
pub(crate) mod status;
mod store_settings;
mod store_setup;
mod store_state;
mod summary;
mod sync;
mod tokens;
pub(crate) mod verify;

pub(crate) use error::{IdentityError, SyncError};
pub(crate) use estimate::{CallEstimate, CostEstimate};
pub(crate) use history::{LastStart, last_start};
pub(crate) use identity::{PersonalSettings, throwaway_pseudonyms};
pub(crate) use incidents::{find_report_incidents, find_session_incidents};
pub(crate) use plan::{Plan, PlannedReach, plan};
pub(crate) use publish::definitions::{DefinitionSettings, defines_the_same};
pub(crate) use setup::SyncSetup;
pub(crate) use status::{Part, StatusSetup, StatusView, status};
pub(crate) use store_setup::StoreSetup;
pub(crate) use summary::{Calls, FailureText, Summary, TimeSpan};
pub(crate) use sync::{Synced, sync};
pub(crate) use tokens::Tokens;
