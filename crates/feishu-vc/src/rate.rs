//! The rate limit of an endpoint.

use std::num::NonZeroU32;
use std::time::Duration;

/// At most this many calls in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Number of calls.
    pub calls: NonZeroU32,
    /// Length of the window.
    pub window: Duration,
}

impl Rate {
    /// A number of calls per minute.
    pub const fn per_minute(calls: NonZeroU32) -> Rate {
        Rate { calls, window: Duration::from_secs(60) }
    }
}

impl Default for Rate {
    /// Feishu's documented limit of each list endpoint: 100 calls per minute.
    fn default() -> Rate {
        const LIMIT: NonZeroU32 = NonZeroU32::new(100).unwrap();
        Rate::per_minute(LIMIT)
    }
}
