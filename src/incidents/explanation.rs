//! Which of several explanations is reported: the narrower one, or that of the days before.

use super::acute::Search;
use super::candidate::{Candidate, is_narrower};
use super::constants::{
    CONTINUED_SCORE, CONTINUED_SHARE, NARROWER_COVER, NARROWER_RATIO, OUTSIDE_RATIO, RIVAL_SCORE, TIE_SCORE, is_better,
};
use super::data::{Family, is_single};
use super::incident::ScopeKind;
use super::statistics::log_likelihood_ratio;

/// Of scopes with the same people the one that says most is named, a small number first.
fn specific(kind: ScopeKind) -> usize {
    const ORDER: [ScopeKind; 8] = [
        ScopeKind::Site,
        ScopeKind::Room,
        ScopeKind::Egress,
        ScopeKind::Subnet,
        ScopeKind::Location,
        ScopeKind::AppVersion,
        ScopeKind::NetworkType,
        ScopeKind::Device,
    ];
    ORDER.iter().position(|one| *one == kind).unwrap_or(ORDER.len())
}

fn is_tie(own: f64, its: f64) -> bool {
    (own - its).abs() <= TIE_SCORE * own.max(its)
}

fn shared(one: &Candidate, other: &Candidate) -> f64 {
    one.people.intersection(&other.people).count() as f64
}

fn have_the_same_people(one: &Candidate, other: &Candidate) -> bool {
    shared(one, other) >= NARROWER_COVER * one.people.len().max(other.people.len()) as f64
}

/// Whether a scope is a part of a wider one outside of which hardly anybody is affected.
fn is_part(part: &Candidate, wide: &Candidate) -> bool {
    let count = |of: &Candidate| of.people.len() as f64 / of.share;
    let shared = shared(part, wide);
    let outside = (wide.people.len() as f64 - shared) / (count(wide) - count(part)).max(1.0);
    shared >= NARROWER_COVER * part.people.len() as f64
        && count(part) < NARROWER_COVER * count(wide)
        && outside <= OUTSIDE_RATIO * part.share
        && part.score >= NARROWER_COVER * wide.score
}

impl Search<'_, '_> {
    /// The best explanation and its rivals compared in the same windows and by the same measure of being affected.
    pub(super) fn rival<'c>(
        &self,
        significant: &'c [(Candidate, f64)],
        best: &'c (Candidate, f64),
    ) -> &'c (Candidate, f64) {
        let one = &best.0;
        let is_rival = |other: &Candidate| {
            other.family == one.family
                && !is_narrower(other.kind)
                && other.window.0 <= one.window.1
                && other.window.1 >= one.window.0
                && other.score >= RIVAL_SCORE * one.score
                && (other.kind, other.scope) != (one.kind, one.scope)
        };
        if is_narrower(one.kind) {
            return best;
        }
        // Those preferred to the best come first, in the order of kinds, then those that explain more.
        let (mut chosen, mut place) = (best, (usize::MAX, 0.0));
        for rival in significant.iter().filter(|(other, _)| is_rival(other)) {
            let other = &rival.0;
            let score = |of: &Candidate, by: &Candidate| {
                let trials = self.trials(of.kind, of.scope, of.family, by.window, by.level, &self.expected, 1.0);
                log_likelihood_ratio(&trials) - (of.ratio - of.score)
            };
            let (own, its) = (score(one, one) + score(one, other), score(other, one) + score(other, other));
            let is_preferred = is_part(other, one) || have_the_same_people(one, other) && is_tie(own, its);
            if is_preferred && specific(other.kind) >= specific(one.kind) {
                continue;
            }
            let new = (if is_preferred { specific(other.kind) } else { usize::MAX }, own - its);
            if new.0 < place.0 || new.0 == place.0 && is_better(place.1, new.1) {
                (chosen, place) = (rival, new);
            }
        }
        chosen
    }

    /// The explanation of the days before, if it explains nearly as much.
    pub(super) fn continued<'c>(
        &self,
        significant: &'c [(Candidate, f64)],
        best: &'c (Candidate, f64),
    ) -> &'c (Candidate, f64) {
        let explains = |one: &Candidate| {
            one.family == best.0.family
                && self.is_continued(one.kind, one.scope, one.family)
                && one.score >= CONTINUED_SCORE * best.0.score
                && shared(one, &best.0) >= CONTINUED_SHARE * best.0.people.len().min(one.people.len()) as f64
        };
        significant
            .iter()
            .filter(|(one, _)| explains(one))
            .reduce(|first, one| if is_better(one.0.score, first.0.score) { one } else { first })
            .unwrap_or(best)
    }

    pub(super) fn is_continued(&self, kind: ScopeKind, scope: u32, family: Family) -> bool {
        self.earlier.acute.contains(&(kind, scope, family))
    }

    /// The narrower scope that has nearly all of the trouble of the best one, and more of it for its size.
    pub(super) fn narrower<'c>(
        &self,
        significant: &'c [(Candidate, f64)],
        best: &'c (Candidate, f64),
    ) -> &'c (Candidate, f64) {
        let wide = &best.0;
        if is_narrower(wide.kind) {
            return best;
        }
        let minutes: Vec<usize> = self
            .today
            .members(wide.kind, wide.scope)
            .iter()
            .filter(|at| wide.people.contains(&self.today.session(**at).who))
            .flat_map(|at| self.today.minutes(*at))
            .filter(|(_, one)| Family::of(one.metric) == wide.family)
            .filter(|(_, one)| one.minute >= wide.window.0 && one.minute <= wide.window.1)
            .map(|(index, _)| index)
            .collect();
        significant
            .iter()
            .filter(|(one, _)| !is_narrower(one.kind) && one.family == wide.family)
            .filter(|(one, _)| one.window.0 <= wide.window.1 && one.window.1 >= wide.window.0)
            .filter(|(one, _)| one.share >= NARROWER_RATIO * wide.share)
            .filter(|(one, _)| self.share_inside(&minutes, one.kind, one.scope) >= NARROWER_COVER)
            .reduce(|first, one| if is_better(one.0.score, first.0.score) { one } else { first })
            .unwrap_or(best)
    }

    /// Whether most minutes of a person, room or meeting belong to what a wider scope has had before: a chronic
    /// incident of a scope that a person or room is in, or an acute one of the days before.
    pub(super) fn is_part(&self, kind: ScopeKind, scope: u32, family: Family) -> bool {
        let continued: Vec<(ScopeKind, u32)> = self
            .earlier
            .acute
            .iter()
            .filter(|(kind, _, of)| !is_narrower(*kind) && *of == family)
            .map(|(kind, scope, _)| (*kind, *scope))
            .collect();
        let (mut all, mut chronic, mut acute) = (0, 0, 0_usize);
        for at in self.today.members(kind, scope) {
            let session = self.today.session(*at);
            let is_continued = continued.iter().any(|(kind, scope)| session.scope(*kind) == *scope);
            for (_, one) in self.today.minutes(*at).filter(|(_, one)| Family::of(one.metric) == family) {
                all += 1;
                chronic += usize::from(self.explained.is_in_scope(session, self.today.day.date, one.metric));
                acute += usize::from(is_continued);
            }
        }
        is_single(kind) && 2 * chronic > all || acute as f64 >= NARROWER_COVER * all as f64
    }

    /// The share of minutes in a scope.
    pub(super) fn share_inside(&self, minutes: &[usize], kind: ScopeKind, scope: u32) -> f64 {
        let session = |at: &usize| &self.today.day.sessions[self.today.day.minutes[*at].session as usize];
        let inside = minutes.iter().filter(|at| session(at).scope(kind) == scope).count();
        inside as f64 / minutes.len().max(1) as f64
    }
}
