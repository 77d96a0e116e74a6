//! What chronic incidents explain: the minutes of their metrics, of the people affected, since their first bad day.
//!
//! These minutes count neither as poor nor as judged, today and in the history, so that another problem of the same
//! people can be seen.

use std::collections::{BTreeSet, HashMap};

use super::data::Session;
use super::incident::{Metric, ScopeKind};

/// A chronic incident.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    pub(super) kind: ScopeKind,
    pub(super) scope: u32,
    /// First bad day.
    pub(super) since: i32,
    /// By [`Metric`].
    pub(super) metrics: [bool; 5],
}

impl Cause {
    fn concerns(&self, session: &Session, date: i32, metric: Metric) -> bool {
        self.metrics[metric as usize] && date >= self.since && session.scope(self.kind) == self.scope
    }
}

#[derive(Debug, Default)]
pub(super) struct Explained {
    by_who: HashMap<u32, Vec<Cause>>,
    /// Whoever is in the scope: for the question whether a person or a room alone is the problem.
    by_scope: Vec<Cause>,
}

impl Explained {
    /// What an incident explains of the people affected; `is_shared` if others may be in the scope as well.
    pub(super) fn add(&mut self, cause: Cause, is_shared: bool, affected: &BTreeSet<u32>) {
        if is_shared {
            self.by_scope.push(cause);
        }
        for who in affected {
            self.by_who.entry(*who).or_default().push(cause);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_who.is_empty()
    }

    pub(super) fn has(&self, who: u32) -> bool {
        self.by_who.contains_key(&who)
    }

    /// Whether a chronic incident of a shared scope has minutes of this metric in the session, whoever is affected.
    pub(super) fn is_in_scope(&self, session: &Session, date: i32, metric: Metric) -> bool {
        self.by_scope.iter().any(|one| one.concerns(session, date, metric))
    }

    /// Whether the minutes of a metric are explained in a session.
    pub(super) fn explains(&self, session: &Session, date: i32, metric: Metric) -> bool {
        self.by_who.get(&session.who).is_some_and(|causes| causes.iter().any(|one| one.concerns(session, date, metric)))
    }

    /// The judged minutes and those with a cause, by metric, that are not explained.
    pub(super) fn rest(&self, session: &Session, date: i32) -> (u32, [u32; 5]) {
        let mut minutes = session.minutes;
        let mut judged = session.judged_minutes;
        for metric in Metric::ALL.iter().copied().filter(|metric| self.explains(session, date, *metric)) {
            judged = judged.saturating_sub(minutes[metric as usize]);
            minutes[metric as usize] = 0;
        }
        (judged, minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::{KINDS, WhoKind};
    use super::*;

    #[test]
    fn only_the_metric_of_an_incident_is_explained_since_its_first_day_and_in_its_scope() {
        let mut scopes = [0; KINDS];
        scopes[ScopeKind::Site as usize] = 3;
        let session = Session {
            key: String::new(),
            who: 7,
            who_kind: WhoKind::Person,
            scopes,
            is_home_like: false,
            judged_minutes: 40,
            minutes: [5, 0, 20, 0, 0],
            first: 0,
            last: 39,
            offset_minutes: 0,
            is_in_incident: false,
            is_in_general_incident: false,
        };
        let mut metrics = [false; 5];
        metrics[Metric::Jitter as usize] = true;
        let cause = |scope| Cause { kind: ScopeKind::Site, scope, since: 10, metrics };
        let of = |scope, who| {
            let mut explained = Explained::default();
            explained.add(cause(scope), true, &BTreeSet::from([who]));
            explained
        };
        assert_eq!(of(3, 7).rest(&session, 10), (20, [5, 0, 0, 0, 0]));
        assert_eq!(of(3, 7).rest(&session, 9), (40, session.minutes), "before its first day");
        assert_eq!(of(4, 7).rest(&session, 10), (40, session.minutes), "another site");
        assert_eq!(of(3, 8).rest(&session, 10), (40, session.minutes), "a person who is not affected");
        assert!(of(3, 8).is_in_scope(&session, 10, Metric::Jitter));
        assert!(!of(3, 8).is_in_scope(&session, 10, Metric::Loss));
    }
}
