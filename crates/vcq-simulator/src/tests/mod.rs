//! The simulator as a whole: the tenant's numbers, the JSON, and the server over real HTTP.

mod client;
mod faults;
mod grants;
mod incidents;
mod json;
mod losses;
mod optional;
mod sdk;
mod server;
mod tenant;
