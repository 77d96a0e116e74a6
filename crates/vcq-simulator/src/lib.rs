//! A made-up tenant and an HTTP server that speaks the vendor's language for it.
//!
//! `demo`, `simulate` and the integration tests sync from here, over real HTTP. The module has three layers:
//!
//! - the tenant (`tenant`, `calendar`, `attendance`, `people`, `places`): what exists, a pure function of [`TenantSpec`];
//! - its numbers (`network`, `minutes`): the quality of any minute, made when it is asked for, so that memory does not grow
//!   with the number of samples;
//! - the vendor's behaviour: notation (`wire`, `wire_quality`), parameters (`query`), paging (`pages`), answers (`lists`),
//!   limits and tokens (`limits`), failures on purpose (`faults`), and the server around them (`server`, `socket`).
//!
//! Only `server` and `socket` touch the clock and the network. Nothing here is used by the stages, and nothing of the stages
//! is used here: the simulator must not share a mistake with the client that is tested against it.
//!
//! ```no_run
//! use vcq_simulator::{Options, Tenant, TenantSpec, serve};
//!
//! # async fn run() -> Result<(), vcq_simulator::SimulatorError> {
//! let tenant = Tenant::generate(&TenantSpec { people: 20, days: 2, ..TenantSpec::default() });
//! let running = serve(tenant, Options::default()).await?;
//! let origin = running.base_url();
//! # let _ = origin;
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod attendance;
mod calendar;
mod dice;
mod endpoint;
mod faults;
mod limits;
mod lists;
mod minutes;
mod network;
mod options;
mod pages;
mod people;
mod places;
mod query;
mod refusal;
mod server;
mod socket;
mod stats;
mod tenant;
mod wire;
mod wire_quality;

#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, LISTS};
pub use faults::{FAULT_NAMES, Fault, FaultError, FaultKind, Trigger};
pub use limits::{Limit, WindowKind};
pub use options::{LongMeetings, MeetingFilter, Options};
pub use people::UserIdType;
pub use places::{BUILDINGS, Building};
pub use query::Params;
pub use server::{Running, SimulatorError, serve};
pub use stats::{Call, Outcome, Stats};
pub use tenant::{Calls, Planted, Tenant, TenantSpec, Totals};
pub use wire::{TimeForm, WireStyle};
pub use wire_quality::{ODD_VALUES, OddValue, count_odd_values};
