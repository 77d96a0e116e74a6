//! The limits of a run: `--max-calls` and `--finish-by`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use feishu_vc::{CallBudget, Endpoint};

use crate::commands::setup::Now;

/// Admits requests until a number of calls or a time is reached. A walk that was begun before is finished within the
/// calls that were set aside for it, also after the time.
pub(super) struct Budget {
    max_calls: Option<u64>,
    finish_by_us: Option<i64>,
    used: Mutex<u64>,
    now_us: Now,
}

impl Budget {
    pub(super) fn new(max_calls: Option<u64>, finish_by_us: Option<i64>, now_us: Now) -> Budget {
        Budget { max_calls, finish_by_us, used: Mutex::new(0), now_us }
    }
}

impl CallBudget for Budget {
    fn admit(&self, endpoint: Endpoint) -> Result<(), String> {
        // Requests to the optional endpoints are few and have limits of their own.
        if Endpoint::LISTS.contains(&endpoint) { self.reserve(1) } else { self.check_time() }
    }

    fn check(&self) -> Result<(), String> {
        self.within(1, |_| {})
    }

    fn reserve(&self, requests: u64) -> Result<(), String> {
        self.within(requests, |used| *used += requests)
    }

    fn release(&self, requests: u64) {
        *self.used() -= requests;
    }
}

impl Budget {
    fn used(&self) -> MutexGuard<'_, u64> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_time(&self) -> Result<(), String> {
        match self.finish_by_us {
            Some(finish_by_us) if (self.now_us)() >= finish_by_us => {
                Err("the time given by --finish-by is reached".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn within(&self, requests: u64, take: impl FnOnce(&mut u64)) -> Result<(), String> {
        self.check_time()?;
        let mut used = self.used();
        if let Some(max_calls) = self.max_calls {
            let left = max_calls.saturating_sub(*used);
            if left == 0 {
                return Err(format!("--max-calls {max_calls} is reached"));
            }
            if left < requests {
                return Err(format!(
                    "--max-calls {max_calls} is reached: a list needs {requests} calls, {left} are left"
                ));
            }
        }
        take(&mut used);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use feishu_vc::Reservation;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_budget_admits_its_number_of_calls_and_ends_at_its_time() {
        let at = |now: i64| -> Now { Arc::new(move || now) };
        let budget = Budget::new(Some(2), None, at(0));
        let admitted = (0..4).filter(|_| budget.admit(Endpoint::MeetingList).is_ok());
        assert_eq!(admitted.count(), 2);
        assert!(budget.check().is_err());
        assert!(budget.admit(Endpoint::Rooms).is_ok(), "an optional endpoint is not counted");
        assert!(Budget::new(None, Some(10), at(10)).admit(Endpoint::Rooms).is_err());
        assert!(Budget::new(None, Some(10), at(9)).admit(Endpoint::MeetingList).is_ok());
        assert!(Budget::new(None, Some(10), at(10)).admit(Endpoint::MeetingList).is_err());
    }

    proptest! {
        /// Walks of `expected` pages that have `actual`, each answered after the others have begun.
        #[test]
        fn no_more_calls_than_allowed_and_no_foreseen_page_is_refused(
            max_calls in 0u64..40,
            walks in proptest::collection::vec((1u64..4, 1u64..5), 0..30),
            in_flight in 1usize..6,
        ) {
            let budget = Arc::new(Budget::new(Some(max_calls), None, Arc::new(|| 0)));
            let (mut sent, mut skipped) = (0, 0);
            for together in walks.chunks(in_flight) {
                let begun: Vec<_> = together
                    .iter()
                    .filter_map(|(expected, actual)| {
                        let walk = Reservation::new(budget.clone(), *expected).ok();
                        skipped += u64::from(walk.is_none());
                        walk.map(|walk| (walk, *expected, *actual))
                    })
                    .collect();
                for (walk, expected, actual) in begun {
                    for page in 0..actual {
                        // As the client does: what is set aside first, then one by one.
                        let is_sent = walk.take() || budget.admit(Endpoint::ParticipantQualityList).is_ok();
                        prop_assert!(is_sent || page >= expected, "a foreseen page is refused");
                        if !is_sent {
                            break;
                        }
                        sent += 1;
                    }
                }
                prop_assert!(sent <= max_calls);
            }
            prop_assert_eq!(*budget.used(), sent, "everything else is released");
            prop_assert!(skipped == 0 || sent + 3 * in_flight as u64 >= max_calls, "nothing is refused early");
        }
    }
}
