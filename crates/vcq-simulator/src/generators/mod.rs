//! Generates a tenant from its seed.

mod attendance;
mod calendar;
pub(crate) mod network;
pub(crate) mod people;
pub(crate) mod quality;
mod tenant;
