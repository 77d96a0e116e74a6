//! Rate limits and token life: the two things of the vendor that depend on the clock.
//!
//! Owns decisions only; the time is an argument everywhere.

use std::collections::VecDeque;
use std::time::Duration;

use super::dice::key;

/// How the vendor's window moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WindowKind {
    /// Any stretch of time as long as the window.
    #[default]
    Sliding,
    /// Windows that begin at multiples of their length after the server's start.
    Fixed,
}

/// The limit of one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls allowed in a window.
    pub calls: usize,
    /// Length of the window.
    pub window: Duration,
    /// How the window moves.
    pub kind: WindowKind,
    /// HTTP status of a refusal: 429, or 400 as older APIs have it.
    pub http_status: u16,
}

impl Default for Limit {
    fn default() -> Self {
        Self { calls: 100, window: Duration::from_secs(60), kind: WindowKind::Sliding, http_status: 429 }
    }
}

/// Watches the calls to one endpoint.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Arrivals within the last window, refused ones too: for the peak.
    arrived: VecDeque<Duration>,
    /// Calls let through within the current window: for the limit.
    admitted: VecDeque<Duration>,
    peak: usize,
}

impl Meter {
    /// Counts a call that arrives `now` (time since the server's start).
    ///
    /// # Errors
    /// The time until the next call would be let through.
    pub(super) fn admit(&mut self, limit: &Limit, now: Duration) -> Result<(), Duration> {
        forget(&mut self.arrived, now, limit.window);
        self.arrived.push_back(now);
        self.peak = self.peak.max(self.arrived.len());
        match limit.kind {
            WindowKind::Sliding => forget(&mut self.admitted, now, limit.window),
            WindowKind::Fixed => {
                let begins = window_start(now, limit.window);
                self.admitted.retain(|at| *at >= begins);
            }
        }
        if self.admitted.len() < limit.calls {
            self.admitted.push_back(now);
            return Ok(());
        }
        let free_at = match limit.kind {
            WindowKind::Sliding => self.admitted.front().copied().unwrap_or(now) + limit.window,
            WindowKind::Fixed => window_start(now, limit.window) + limit.window,
        };
        Err(free_at.saturating_sub(now))
    }

    /// Most calls that arrived within any one window, refused ones included.
    pub(super) const fn peak(&self) -> usize {
        self.peak
    }
}

fn forget(calls: &mut VecDeque<Duration>, now: Duration, window: Duration) {
    while calls.front().is_some_and(|at| now.saturating_sub(*at) >= window) {
        calls.pop_front();
    }
}

fn window_start(now: Duration, window: Duration) -> Duration {
    let length = window.as_nanos().max(1);
    now.saturating_sub(Duration::from_nanos((now.as_nanos() % length) as u64))
}

/// What a bearer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bearer {
    Good,
    Unknown,
}

/// The tenant tokens that the server has handed out.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    issued: Vec<(String, i64)>,
}

/// While at least this much of its life (seconds) remains, the same token is handed out again.
const RENEW_BELOW_S: i64 = 1800;

impl Tokens {
    /// Hands out a token at `now` (unix seconds) and says how many seconds remain of its life.
    pub(super) fn issue(&mut self, seed: u64, life_s: i64, now: i64) -> (String, i64) {
        self.issued.retain(|(_, ends)| *ends > now);
        if let Some((token, ends)) =
            self.issued.last().filter(|(_, ends)| ends - now >= RENEW_BELOW_S && ends - now <= life_s)
        {
            return (token.clone(), ends - now);
        }
        let fresh = key(key(seed, 0x746F_6B65), (now as u64) << 16 | self.issued.len() as u64);
        let token = format!("t-g1{:016x}{:016x}", key(fresh, 1), key(fresh, 2));
        self.issued.push((token.clone(), now + life_s));
        (token, life_s)
    }

    /// Judges a tenant token at `now` (unix seconds).
    pub(super) fn check(&self, token: &str, now: i64) -> Bearer {
        match self.issued.iter().any(|(known, ends)| known == token && *ends > now) {
            true => Bearer::Good,
            false => Bearer::Unknown,
        }
    }

    /// Forgets all tokens, as if they had been revoked.
    pub(super) fn revoke(&mut self) {
        self.issued.clear();
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
    fn a_sliding_window_frees_a_place_when_its_oldest_call_is_over() {
        let mut meter = Meter::default();
        for millis in [0, 4000, 5000] {
            assert_eq!(meter.admit(&limit(WindowKind::Sliding), at(millis)), Ok(()));
        }
        assert_eq!(meter.admit(&limit(WindowKind::Sliding), at(9000)), Err(at(1000)));
        assert_eq!(meter.admit(&limit(WindowKind::Sliding), at(10_000)), Ok(()));
        assert_eq!(meter.admit(&limit(WindowKind::Sliding), at(10_001)), Err(at(3999)));
        assert_eq!(meter.peak(), 5, "refused calls arrived too");
    }

    #[test]
    fn a_fixed_window_frees_all_places_at_its_end() {
        let mut meter = Meter::default();
        for millis in [8000, 8500, 9000] {
            assert_eq!(meter.admit(&limit(WindowKind::Fixed), at(millis)), Ok(()));
        }
        assert_eq!(meter.admit(&limit(WindowKind::Fixed), at(9500)), Err(at(500)));
        for millis in [10_000, 10_001, 10_002] {
            assert_eq!(meter.admit(&limit(WindowKind::Fixed), at(millis)), Ok(()));
        }
        assert_eq!(meter.peak(), 7, "the peak is measured over any ten seconds");
    }

    #[test]
    fn a_token_is_handed_out_again_until_half_an_hour_is_left() {
        let mut tokens = Tokens::default();
        let (first, life) = tokens.issue(1, 7200, 1000);
        assert_eq!(life, 7200);
        assert_eq!(tokens.issue(1, 7200, 6000), (first.clone(), 2200));
        let (second, life) = tokens.issue(1, 7200, 6500);
        assert_ne!(second, first);
        assert_eq!(life, 7200);
        assert_eq!(tokens.check(&first, 8199), Bearer::Good, "both work for a while");
        assert_eq!(tokens.check(&first, 8200), Bearer::Unknown);
        assert_eq!(tokens.check(&second, 8200), Bearer::Good);
        tokens.revoke();
        assert_eq!(tokens.check(&second, 8200), Bearer::Unknown);
    }

    #[test]
    fn a_short_lived_token_is_new_each_time() {
        let mut tokens = Tokens::default();
        let (first, _) = tokens.issue(1, 5, 1000);
        let (second, _) = tokens.issue(1, 5, 1000);
        assert_ne!(first, second);
        assert_eq!(tokens.check(&first, 1004), Bearer::Good);
        assert_eq!(tokens.check(&first, 1005), Bearer::Unknown);
    }
}
