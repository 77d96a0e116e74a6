//! What the integration tests share: the simulator and the binary under test, scripted servers, and injected faults.

pub(crate) mod baseline;
pub(crate) mod fault_injection;
pub(crate) mod scripted_server;
pub(crate) mod source;
pub(crate) mod tampering;
pub(crate) mod test_env;
pub(crate) mod test_store;
