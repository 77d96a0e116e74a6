//! What a tenant consists of: plain types and constant data. Nothing here is random except the IDs, which are derived
//! from the seed.

pub(crate) mod identifiers;
pub(crate) mod ids;
pub(crate) mod incident;
mod meeting;
pub(crate) mod places;
pub(crate) mod quality;
mod spec;
mod tenant;

pub(crate) use incident::Planting;
pub(crate) use meeting::{
    FIRST_INSTANCE, HomeNetwork, INSTANCE_STEP, Identity, Meeting, NetworkAccess, QualityAvailability, ScreenShare,
    Session,
};
pub use spec::{Background, ExtraMeetings, TenantSpec};
pub(crate) use spec::{DAY_S, KnownProblems};
pub(crate) use tenant::Person;
pub use tenant::{CallCounts, Tenant, Totals};
