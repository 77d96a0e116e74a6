//! What a tenant consists of: plain types and constant data. Nothing here is random but the ids, which follow from the
//! seed.

pub(crate) mod ids;
pub(crate) mod meeting;
pub(crate) mod people;
pub(crate) mod places;
pub(crate) mod quality;
pub(crate) mod spec;
pub(crate) mod tenant;

pub use spec::TenantSpec;
pub use tenant::{CallCounts, Tenant, Totals};
