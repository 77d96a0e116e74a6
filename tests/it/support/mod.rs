//! What the integration tests share: the simulator and the binary under test, scripted servers, and injected faults.

pub(crate) mod scene;
pub(crate) mod shim;
pub(crate) mod source;
pub(crate) mod tampering;
pub(crate) mod trial;
pub(crate) mod vendor;
pub(crate) mod world;
