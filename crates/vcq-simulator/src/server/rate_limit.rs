//! Rate limits.

use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WindowKind {
    /// Any period of the window's length.
    #[default]
    Sliding,
    /// Periods that start at multiples of the window's length after the server's start.
    Fixed,
}

/// The limit of one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub calls: usize,
    pub window: Duration,
    pub kind: WindowKind,
    /// HTTP status of a throttled call: 429, or 400 as in older APIs.
    pub http_status: u16,
}

impl Default for Limit {
    fn default() -> Self {
        Self { calls: 100, window: Duration::from_secs(60), kind: WindowKind::Sliding, http_status: 429 }
    }
}

#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    /// Arrivals in the last window, including throttled ones: for the peak.
    arrived: VecDeque<Duration>,
    /// Calls admitted in the current window: for the limit.
    admitted: VecDeque<Duration>,
    /// Maximum number of calls that arrived within one window.
    pub(super) peak: usize,
}

impl RateLimiter {
    /// Counts a call at `now` (time since the server's start). An error is the time until the next one is admitted.
    pub(super) fn admit(&mut self, limit: &Limit, now: Duration) -> Result<(), Duration> {
        let slides_out_at = |at: &Duration| *at + limit.window;
        self.arrived.drain(..self.arrived.partition_point(|at| slides_out_at(at) <= now));
        self.arrived.push_back(now);
        self.peak = self.peak.max(self.arrived.len());
        let free_at = |at: &Duration| match limit.kind {
            WindowKind::Sliding => slides_out_at(at),
            WindowKind::Fixed => {
                let into_window = at.as_nanos() % limit.window.as_nanos().max(1);
                slides_out_at(at).saturating_sub(Duration::from_nanos(into_window as u64))
            }
        };
        self.admitted.drain(..self.admitted.partition_point(|at| free_at(at) <= now));
        if self.admitted.len() < limit.calls {
            self.admitted.push_back(now);
            return Ok(());
        }
        Err(free_at(self.admitted.front().unwrap_or(&now)).saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(kind: WindowKind) -> Limit {
        Limit { calls: 3, window: Duration::from_secs(10), kind, http_status: 429 }
    }

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_sliding_window_admits_a_call_when_its_oldest_one_expires() {
        let mut limiter = RateLimiter::default();
        for millis in [0, 4000, 5000] {
            assert_eq!(limiter.admit(&limit(WindowKind::Sliding), at(millis)), Ok(()));
        }
        assert_eq!(limiter.admit(&limit(WindowKind::Sliding), at(9000)), Err(at(1000)));
        assert_eq!(limiter.admit(&limit(WindowKind::Sliding), at(10_000)), Ok(()));
        assert_eq!(limiter.admit(&limit(WindowKind::Sliding), at(10_001)), Err(at(3999)));
        assert_eq!(limiter.peak, 5, "throttled calls count");
    }

    #[test]
    fn a_fixed_window_admits_all_calls_again_at_its_end() {
        let mut limiter = RateLimiter::default();
        for millis in [8000, 8500, 9000] {
            assert_eq!(limiter.admit(&limit(WindowKind::Fixed), at(millis)), Ok(()));
        }
        assert_eq!(limiter.admit(&limit(WindowKind::Fixed), at(9500)), Err(at(500)));
        for millis in [10_000, 10_001, 10_002] {
            assert_eq!(limiter.admit(&limit(WindowKind::Fixed), at(millis)), Ok(()));
        }
        assert_eq!(limiter.peak, 7, "the peak is measured over any ten seconds");
    }
}
