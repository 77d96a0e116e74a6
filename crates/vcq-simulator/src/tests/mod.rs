//! The simulator as a whole: the tenant's numbers, the notation, and the server over real HTTP.

mod caller;
mod failures;
mod notation;
mod sdk;
mod serving;
mod tenants;
