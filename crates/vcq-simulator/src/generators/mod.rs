//! Generates a tenant from its seed.

mod attendance;
mod calendar;
pub(crate) mod census;
pub(crate) mod identifiers;
pub(crate) mod incidents;
pub(crate) mod losses;
pub(crate) mod network;
pub(crate) mod people;
pub(crate) mod quality;
pub(crate) mod rooms;
mod tenant;
mod varied;
