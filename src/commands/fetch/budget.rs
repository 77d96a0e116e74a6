//! The limits of a run: `--max-calls` and `--finish-by`.

use std::sync::atomic::{AtomicU64, Ordering};

use feishu_vc::{CallBudget, Endpoint};

use crate::commands::setup::Now;

/// Admits requests until a number of calls or a time is reached.
pub(super) struct Budget {
    max_calls: Option<u64>,
    finish_by_us: Option<i64>,
    used: AtomicU64,
    now_us: Now,
}

impl Budget {
    pub(super) fn new(max_calls: Option<u64>, finish_by_us: Option<i64>, now_us: Now) -> Budget {
        Budget { max_calls, finish_by_us, used: AtomicU64::new(0), now_us }
    }
}

impl CallBudget for Budget {
    fn admit(&self, endpoint: Endpoint) -> Result<(), String> {
        if self.finish_by_us.is_some_and(|finish_by_us| (self.now_us)() >= finish_by_us) {
            return Err("the time given by --finish-by is reached".to_owned());
        }
        // Requests to the optional endpoints are few and have limits of their own.
        let Some(max_calls) = self.max_calls.filter(|_| Endpoint::LISTS.contains(&endpoint)) else { return Ok(()) };
        let admitted =
            self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < max_calls).then_some(used + 1));
        admitted.map(drop).map_err(|_| format!("--max-calls {max_calls} is reached"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_budget_admits_its_number_of_calls_and_ends_at_its_time() {
        let at = |now: i64| -> Now { Arc::new(move || now) };
        let budget = Budget::new(Some(2), None, at(0));
        let admitted = (0..4).filter(|_| budget.admit(Endpoint::MeetingList).is_ok());
        assert_eq!(admitted.count(), 2);
        assert!(budget.admit(Endpoint::Rooms).is_ok(), "an optional endpoint is not counted");
        assert!(Budget::new(None, Some(10), at(10)).admit(Endpoint::Rooms).is_err());
        assert!(Budget::new(None, Some(10), at(9)).admit(Endpoint::MeetingList).is_ok());
        assert!(Budget::new(None, Some(10), at(10)).admit(Endpoint::MeetingList).is_err());
    }
}
