//! Tests of the client against a real HTTP server on loopback.

mod cancellation;
mod client;
mod rate_limit;
mod renewal;
mod server;
mod shared_limit;
mod token;
