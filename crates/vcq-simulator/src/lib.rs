//! A synthetic Feishu tenant and an HTTP server that responds as Feishu does.
//!
//! `demo`, `simulate` and the integration tests sync from here over real HTTP. It is built in three layers:
//!
//! - `model`: what a tenant consists of (people, places, meetings, attendance, quality samples);
//! - `generators`: generate all of it from a seed; a sample is generated when it is requested, so memory does not
//!   grow with the number of samples;
//! - `server`: Feishu's behaviour: parameters, pages, JSON, error codes, rate limits, tokens and injected faults.
//!
//! It uses nothing of the other crates: the simulator must not share a mistake with the client that is tested against
//! it.
//!
//! ```
//! use vcq_simulator::{Options, Tenant, TenantSpec, serve};
//!
//! # async fn run() -> Result<(), vcq_simulator::SimulatorError> {
//! let tenant = Tenant::generate(&TenantSpec { people: 20, days: 2, ..TenantSpec::default() });
//! let server = serve(tenant, Options::default()).await?;
//! println!("{} serves {:?}", server.base_url(), server.tenant().totals());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
//! # runtime.block_on(run()).expect("a free port");
//! ```

mod generators;
mod model;
mod random;
mod server;

#[cfg(test)]
mod tests;

pub use generators::incidents::{IncidentKind, IncidentTruth};
pub use generators::losses::{Loss, LossError, LossKind, LossShares};
pub use model::identifiers::{Identifier, IdentifierKind};
pub use model::incident::{
    Direction, IncidentLength, Metric, Obstacle, Plant, Planting, PlantingError, ScopeKind, Unplanted,
};
pub use model::places::MOST_BUILDINGS;
pub use model::{Background, CallCounts, ExtraMeetings, Tenant, TenantSpec, Totals};
pub use server::{
    Answer, Call, Endpoint, FAULT_NAMES, Fault, FaultError, FaultKind, InProcess, Incoming, JsonStyle, LIST_ENDPOINTS,
    Limit, LongMeetings, MALFORMATIONS, Malformation, MeetingFilter, OPTIONAL_ENDPOINTS, Options, Outcome, Params,
    ReportDays, RunningServer, Served, SimulatorError, Stats, StoreApp, TENANT_KEY, TOKEN_ENDPOINTS, TimeFormat,
    Trigger, WindowKind, count_malformed, serve, serve_tenants,
};
