//! Shared by the integration tests: test environments, stores, scripted servers, injected faults and damage.

pub(crate) mod baseline;
pub(crate) mod byte_layers;
pub(crate) mod byte_scan;
pub(crate) mod clock;
pub(crate) mod damage;
pub(crate) mod disk;
pub(crate) mod disk_states;
pub(crate) mod fault_injection;
pub(crate) mod ledger_content;
pub(crate) mod masked;
pub(crate) mod measured;
pub(crate) mod planted_store;
pub(crate) mod s3_proxy;
pub(crate) mod scripted_bot;
pub(crate) mod scripted_server;
pub(crate) mod source;
pub(crate) mod tampering;
pub(crate) mod test_env;
pub(crate) mod test_store;
