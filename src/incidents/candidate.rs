//! An acute incident that may explain what is left of a date.

use std::collections::BTreeSet;

use super::data::{Family, is_single};
use super::incident::ScopeKind;

#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) kind: ScopeKind,
    pub(super) scope: u32,
    pub(super) family: Family,
    pub(super) window: (i32, i32),
    pub(super) level: usize,
    pub(super) people: BTreeSet<u32>,
    /// Corrected for windows and levels, weighted by the number of scopes of its kind.
    pub(super) weighted_p: f64,
    /// Log-likelihood ratio less the logarithm of the number of scopes of its kind.
    pub(super) score: f64,
    pub(super) ratio: f64,
    /// The share of its people present who were affected.
    pub(super) share: f64,
}

/// Whether a scope is a small part of others: what is left of a larger incident.
pub(super) fn is_narrower(kind: ScopeKind) -> bool {
    is_single(kind) || kind == ScopeKind::Meeting
}

/// Whether a single meeting has nearly all people of a wider scope and explains them as well.
pub(super) fn explains_alone(meeting: &Candidate, wide: &Candidate) -> bool {
    let shared = wide.people.intersection(&meeting.people).count();
    let outside = wide.people.len() - shared;
    wide.kind != ScopeKind::Meeting && outside <= (wide.people.len() / 10).max(1) && meeting.ratio >= wide.ratio - 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(kind: ScopeKind, people: &[u32], ratio: f64) -> Candidate {
        let people = people.iter().copied().collect();
        let family = Family::Network;
        Candidate {
            kind,
            scope: 1,
            family,
            window: (0, 20),
            level: 0,
            people,
            weighted_p: 0.0,
            score: ratio,
            ratio,
            share: 0.5,
        }
    }

    #[test]
    fn a_meeting_with_all_people_but_one_explains_alone() {
        let service = candidate(ScopeKind::Service, &[1, 2, 3, 4, 9], 20.0);
        assert!(explains_alone(&candidate(ScopeKind::Meeting, &[1, 2, 3, 4], 19.0), &service));
        assert!(!explains_alone(&candidate(ScopeKind::Meeting, &[1, 2, 3], 19.0), &service), "two are elsewhere");
        assert!(!explains_alone(&candidate(ScopeKind::Meeting, &[1, 2, 3, 4], 12.0), &service), "explains too little");
    }
}
