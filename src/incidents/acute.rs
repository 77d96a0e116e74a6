//! Acute incidents: a scope in which over a stretch of time more people were affected than their own history and
//! everybody else at that time explain.
//!
//! Counts people (of a person or room: meetings), never minutes.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::candidate::{Candidate, explains_alone, is_narrower};
use super::constants::{
    CONTINUED_TESTS, FALSE_DISCOVERY_RATE, LEAST_AFFECTED, LEAST_JUDGED_MINUTES, LEAST_OWN_DATES, LEAST_RATIO,
    LEAST_SESSION_COVER, LEAST_SHARE, LEAST_WINDOW_MINUTES, MERGE_MINUTES, SHARE_WITHOUT_HISTORY, hypotheses,
    is_better,
};
use super::data::{Family, is_single};
use super::earlier::Earlier;
use super::explained::Explained;
use super::incident::ScopeKind;
use super::null_model::{Expected, LEVELS, Past, Rates, Strata, is_affected, spreads};
use super::runs::bad_run;
use super::statistics::{dispersed_tail, log_likelihood_ratio, q_values};
use super::today::Today;
use super::window::Bins;

/// An acute incident of a date, still in numbers.
#[derive(Debug, Clone)]
pub(super) struct Acute {
    pub(super) kind: ScopeKind,
    pub(super) scope: u32,
    pub(super) family: Family,
    pub(super) window: (i32, i32),
    pub(super) q: f64,
    /// Indices of the minutes that it explains; those of another family do not count.
    pub(super) minutes: Vec<usize>,
    /// People affected.
    pub(super) people: BTreeSet<u32>,
}

/// The level whose history a part of a session is compared with: a short part may well be poor most of the time.
fn comparable(level: usize, cover: f64) -> usize {
    if cover < LEAST_SESSION_COVER { level.min(LEVELS - 2) } else { level }
}

/// What is known about the people of a scope in a window.
struct Unit {
    who: u32,
    p: [f64; LEVELS],
    affected: [bool; LEVELS],
    meetings: Vec<u32>,
}

pub(super) struct Search<'a, 'b> {
    pub(super) today: &'a mut Today<'b>,
    pub(super) past: &'a Past,
    pub(super) strata: &'a Strata,
    pub(super) rates: &'a Rates,
    pub(super) explained: &'a Explained,
    pub(super) earlier: &'a Earlier,
    pub(super) expected: Vec<[Expected; 3]>,
    spreads: OnceCell<[[f64; 3]; 3]>,
    /// Expectations from the days before a run of bad days, by its first date.
    before_runs: Vec<(i32, Vec<[Expected; 3]>)>,
}

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(
        today: &'a mut Today<'b>,
        past: &'a Past,
        strata: &'a Strata,
        rates: &'a Rates,
        explained: &'a Explained,
        earlier: &'a Earlier,
    ) -> Search<'a, 'b> {
        let expected = today.day.sessions.iter().map(|session| rates.expected(strata, session)).collect();
        Search {
            today,
            past,
            strata,
            rates,
            explained,
            earlier,
            expected,
            spreads: OnceCell::new(),
            before_runs: Vec::new(),
        }
    }

    /// All acute incidents of the date, each poor minute in at most one.
    pub(super) fn run(mut self) -> Vec<Acute> {
        let mut found: Vec<Acute> = Vec::new();
        // Each round explains at least one minute; the bound is for safety.
        for _ in 0..200 {
            let candidates = self.candidates();
            let q = q_values(&candidates.iter().map(|one| one.weighted_p).collect::<Vec<_>>());
            let significant: Vec<(Candidate, f64)> =
                candidates.into_iter().zip(q).filter(|(_, q)| *q <= FALSE_DISCOVERY_RATE).collect();
            let alone: Vec<(Candidate, f64)> =
                significant.iter().filter(|(one, _)| one.kind == ScopeKind::Meeting).cloned().collect();
            let best =
                significant.iter().reduce(|best, one| if is_better(one.0.score, best.0.score) { one } else { best });
            let Some(best) = best else { break };
            let best = self.rival(&significant, best);
            let best = self.continued(&significant, self.narrower(&significant, best));
            let (best, q) = best.clone();
            let (best, q) = alone.into_iter().find(|(one, _)| explains_alone(one, &best)).unwrap_or((best, q));
            let minutes = self.explain(&best);
            if minutes.is_empty() {
                break;
            }
            self.add(&mut found, best, q, minutes);
        }
        found
    }

    /// Takes the minutes of the candidate's people out of the search.
    fn explain(&mut self, one: &Candidate) -> Vec<usize> {
        let margin = 5;
        let window = (one.window.0 - margin, one.window.1 + margin);
        let members = self.today.members(one.kind, one.scope).to_vec();
        let mut minutes = Vec::new();
        for at in members {
            minutes.extend(self.today.explain(at, window));
        }
        minutes.sort_unstable();
        minutes
    }

    /// Adds an incident, or extends the one of the same scope shortly before or after, so that an outage with a lull is
    /// one incident.
    pub(super) fn add(&self, found: &mut Vec<Acute>, new: Candidate, q: f64, minutes: Vec<usize>) {
        let near = |one: &Acute| {
            let gap = (one.window.0 - new.window.1).max(new.window.0 - one.window.1);
            let same = one.kind == new.kind && one.scope == new.scope;
            let share = self.share_inside(&minutes, one.kind, one.scope);
            // The rest of an incident's people, of one of them on the same day, or a person of it at another hour.
            let rest = is_narrower(new.kind) && one.family == new.family && share >= 0.8;
            let people = new.people.iter().filter(|who| one.people.contains(who)).count() * 10 >= new.people.len() * 8;
            same && gap <= MERGE_MINUTES || people && gap <= MERGE_MINUTES / 4 || rest
        };
        match found.iter_mut().find(|one| near(one)) {
            Some(one) => {
                one.window = (one.window.0.min(new.window.0), one.window.1.max(new.window.1));
                one.q = one.q.min(q);
                one.people.extend(&new.people);
                one.minutes.extend(minutes);
                one.minutes.sort_unstable();
                // An incident counts the minutes of one family: of two, the one that has more of them.
                let of = |family: Family| {
                    let same = |at: &&usize| Family::of(self.today.day.minutes[**at].metric) == family;
                    one.minutes.iter().filter(same).count()
                };
                if of(new.family) > of(one.family) {
                    one.family = new.family;
                }
            }
            None => found.push(Acute {
                kind: new.kind,
                scope: new.scope,
                family: new.family,
                window: new.window,
                q,
                minutes,
                people: new.people,
            }),
        }
    }

    fn candidates(&mut self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for kind in ScopeKind::ALL.iter().copied() {
            let scopes: Vec<u32> = self.today.members[kind as usize].keys().copied().collect();
            let tests: Vec<u32> = scopes.into_iter().filter(|scope| self.is_testable(kind, *scope)).collect();
            for scope in &tests {
                for family in Family::ALL {
                    candidates.extend(self.candidate(kind, *scope, family, tests.len() as f64));
                }
            }
        }
        candidates
    }

    /// Whether the scope has enough people (meetings) to become an incident.
    fn is_testable(&self, kind: ScopeKind, scope: u32) -> bool {
        let members = self.today.members(kind, scope);
        if is_single(kind) {
            let known = |at: &&u32| self.expected[**at as usize][0].own_dates >= LEAST_OWN_DATES;
            return members.iter().filter(known).count() >= LEAST_AFFECTED;
        }
        let mut people = 0;
        let mut last = None;
        for at in members {
            let who = self.today.session(*at).who;
            people += usize::from(last != Some(who));
            last = Some(who);
            if people >= LEAST_AFFECTED {
                return true;
            }
        }
        false
    }

    fn candidate(&mut self, kind: ScopeKind, scope: u32, family: Family, tests: f64) -> Option<Candidate> {
        if self.poor_people(kind, scope, family) < LEAST_AFFECTED {
            return None;
        }
        let bins = self.bins(kind, scope, family);
        if is_narrower(kind) && self.is_part(kind, scope, family) {
            return None;
        }
        let mut best: Option<Candidate> = None;
        for (window, tried) in bins.best() {
            let Some(window) = self.trim(kind, scope, family, window) else { continue };
            // A meeting may itself be short.
            let length = f64::from(window.1 - window.0);
            let is_short_meeting = kind == ScopeKind::Meeting && 2.0 * length >= self.length(kind, scope);
            if length < f64::from(LEAST_WINDOW_MINUTES) && !is_short_meeting {
                continue;
            }
            for level in 0..LEVELS {
                let Some(mut one) = self.test(kind, scope, family, window, level) else { continue };
                // The levels are alike, so they count as two; and the windows that fit into the used time.
                let windows = if is_single(kind) { 2.0 } else { 2.0 * tried };
                // Whether a problem continues is one question, not one of many.
                let asked = if self.is_continued(kind, scope, family) { CONTINUED_TESTS } else { hypotheses(tests) };
                one.weighted_p = (one.weighted_p * 2.0 * windows * asked).min(1.0);
                one.score -= tests.ln();
                if best.as_ref().is_none_or(|known| (one.weighted_p, -one.score) < (known.weighted_p, -known.score)) {
                    best = Some(one);
                }
            }
        }
        best
    }

    /// People (of a person or room: sessions) with at least three minutes of the family.
    fn poor_people(&self, kind: ScopeKind, scope: u32, family: Family) -> usize {
        let mut people = 0;
        let mut last = None;
        for at in self.today.members(kind, scope) {
            let session = self.today.session(*at);
            if session.family_minutes(family) == 0 {
                continue;
            }
            let unit = if is_single(kind) { *at } else { session.who };
            if last != Some(unit) && self.today.poor(*at, family, (i32::MIN, i32::MAX)) >= 3.0 {
                people += 1;
                last = Some(unit);
            }
        }
        people
    }

    fn bins(&self, kind: ScopeKind, scope: u32, family: Family) -> Bins {
        let members = self.today.members(kind, scope);
        let from = members.iter().map(|at| self.today.session(*at).first).min().unwrap_or(0);
        let to = members.iter().map(|at| self.today.session(*at).last).max().unwrap_or(0);
        let mut bins = Bins::new(from, to);
        for at in members {
            let session = self.today.session(*at);
            let chance = (2.5 * self.expected[*at as usize][family as usize].minutes).min(0.9);
            for bin in bins.bin(session.first)..=bins.bin(session.last) {
                bins.expected[bin] += chance;
                bins.present[bin] += 1.0;
            }
            let mut last = None;
            for (_, one) in self.today.minutes(*at).filter(|(_, one)| Family::of(one.metric) == family) {
                let bin = bins.bin(one.minute);
                if last != Some(bin) {
                    bins.poor[bin] += 1.0;
                    last = Some(bin);
                }
            }
        }
        bins
    }

    /// Minutes from the first to the last of a scope.
    fn length(&self, kind: ScopeKind, scope: u32) -> f64 {
        let members = self.today.members(kind, scope);
        let first = members.iter().map(|at| self.today.session(*at).first).min().unwrap_or(0);
        let last = members.iter().map(|at| self.today.session(*at).last).max().unwrap_or(0);
        f64::from(last - first)
    }

    /// The window from the first to the last minute of the family in it.
    fn trim(&self, kind: ScopeKind, scope: u32, family: Family, window: (i32, i32)) -> Option<(i32, i32)> {
        let mut trimmed: Option<(i32, i32)> = None;
        for at in self.today.members(kind, scope) {
            for (_, one) in self.today.minutes(*at) {
                if Family::of(one.metric) == family && one.minute >= window.0 && one.minute <= window.1 {
                    trimmed = Some(match trimmed {
                        Some((from, to)) => (from.min(one.minute), to.max(one.minute)),
                        None => (one.minute, one.minute),
                    });
                }
            }
        }
        trimmed
    }

    fn test(
        &mut self,
        kind: ScopeKind,
        scope: u32,
        family: Family,
        window: (i32, i32),
        level: usize,
    ) -> Option<Candidate> {
        let units = self.units(kind, scope, family, window, &self.expected);
        let affected = units.iter().filter(|unit| unit.affected[level]).count();
        let share = affected as f64 / units.len().max(1) as f64;
        if affected < LEAST_AFFECTED || share < if is_single(kind) { 0.5 } else { LEAST_SHARE } {
            return None;
        }
        let meetings: BTreeSet<u32> =
            units.iter().filter(|unit| unit.affected[level]).flat_map(|unit| unit.meetings.iter().copied()).collect();
        let least_meetings = match kind {
            ScopeKind::Meeting => 1,
            kind if is_single(kind) => LEAST_AFFECTED,
            _ => 2,
        };
        if meetings.len() < least_meetings {
            return None;
        }
        // A problem that continues for days must not become its own expectation.
        let (mut units, mut before) = (units, None);
        if let Some(date) = bad_run(self.past, self.today.day.date, kind, scope, family, share) {
            let slot = self.before_run(date);
            units = self.units(kind, scope, family, window, &self.before_runs[slot].1);
            before = Some(slot);
        }
        let factor = self.elsewhere(kind, scope, family, window, level);
        let scale = |p: f64| 1.0 - (1.0 - p).powf(factor);
        let mut trials: Vec<(f64, bool)> =
            units.iter().map(|unit| (scale(unit.p[level]), unit.affected[level])).collect();
        let is_enough = |trials: &[(f64, bool)]| {
            let affected = trials.iter().filter(|(_, affected)| *affected).count();
            let expected: f64 = trials.iter().map(|(p, _)| p).sum();
            affected >= LEAST_AFFECTED && affected as f64 >= LEAST_RATIO * expected
        };
        if !is_enough(&trials) && !is_single(kind) {
            // Whoever is affected that often anyway says nothing.
            trials.retain(|(p, _)| LEAST_RATIO * p < 1.0);
        }
        if !is_enough(&trials) {
            return None;
        }
        let spread = self.spread(kind, family);
        let p: Vec<f64> = trials.iter().map(|(p, _)| *p).collect();
        let p_value = dispersed_tail(&p, trials.iter().filter(|(_, affected)| *affected).count(), spread);
        let expectations = before.map_or(&self.expected, |slot| &self.before_runs[slot].1);
        let trials = self.trials(kind, scope, family, window, level, expectations, factor);
        Some(Candidate {
            kind,
            scope,
            family,
            window,
            level,
            people: units.iter().filter(|unit| unit.affected[level]).map(|unit| unit.who).collect(),
            weighted_p: p_value,
            score: log_likelihood_ratio(&trials),
            ratio: log_likelihood_ratio(&trials),
            share,
        })
    }

    fn before_run(&mut self, date: i32) -> usize {
        if let Some(slot) = self.before_runs.iter().position(|(known, _)| *known == date) {
            return slot;
        }
        let mut rates = Rates::learn(self.past, self.strata, self.today.day.date, date);
        rates.leave_out(self.explained, self.past, self.strata, self.today.day.date, date);
        let expected = self.today.day.sessions.iter().map(|one| rates.expected(self.strata, one)).collect();
        self.before_runs.push((date, expected));
        self.before_runs.len() - 1
    }

    fn spread(&self, kind: ScopeKind, family: Family) -> f64 {
        let all = self.spreads.get_or_init(|| spreads(self.past, self.strata, self.rates, self.today.day.date));
        let row = match kind {
            ScopeKind::Service | ScopeKind::AppVersion | ScopeKind::Device | ScopeKind::NetworkType => 0,
            ScopeKind::Meeting => 2,
            _ => 1,
        };
        all[row][family as usize]
    }

    /// The people of a scope who were present in the window; of a person or room its sessions.
    fn units(
        &self,
        kind: ScopeKind,
        scope: u32,
        family: Family,
        window: (i32, i32),
        expected: &[[Expected; 3]],
    ) -> Vec<Unit> {
        let members = self.today.members(kind, scope);
        let day = self.today.day;
        let same = |left: &u32, right: &u32| match is_single(kind) {
            true => left == right,
            false => day.sessions[*left as usize].who == day.sessions[*right as usize].who,
        };
        let mut units = Vec::new();
        for sessions in members.chunk_by(same) {
            let (mut judged, mut poor, mut p, mut meetings) = (0.0, 0.0, [0.0_f64; LEVELS], Vec::new());
            let mut is_hidden = false;
            for at in sessions {
                let minutes = self.today.judged(*at, window);
                if minutes == 0.0 {
                    continue;
                }
                judged += minutes;
                is_hidden |= self.today.is_mostly_chronic(*at, window);
                let bad = self.today.poor(*at, family, window);
                poor += bad;
                let cover = minutes / f64::from(day.sessions[*at as usize].judged_minutes);
                for (level, p) in p.iter_mut().enumerate() {
                    let one = &expected[*at as usize][family as usize];
                    let least = if is_single(kind) && one.is_unknown_home { SHARE_WITHOUT_HISTORY[level] } else { 0.0 };
                    *p = p.max(one.probability(comparable(level, cover), minutes)).max(least);
                }
                if bad > 0.0 {
                    meetings.push(day.sessions[*at as usize].scope(ScopeKind::Meeting));
                }
            }
            // Nobody can tell whether somebody whose minutes a chronic incident explains is affected as well.
            let affected: [bool; LEVELS] = std::array::from_fn(|level| is_affected(level, poor, judged));
            if judged >= LEAST_JUDGED_MINUTES && (affected[0] || !is_hidden) {
                units.push(Unit { who: day.sessions[sessions[0] as usize].who, p, affected, meetings });
            }
        }
        units
    }

    /// The sessions of a scope in the window as trials, for the comparison of explanations.
    #[expect(clippy::too_many_arguments, reason = "one call")]
    pub(super) fn trials(
        &self,
        kind: ScopeKind,
        scope: u32,
        family: Family,
        window: (i32, i32),
        level: usize,
        expected: &[[Expected; 3]],
        factor: f64,
    ) -> Vec<(f64, bool)> {
        let mut trials = Vec::new();
        for at in self.today.members(kind, scope) {
            let judged = self.today.judged(*at, window);
            if judged < LEAST_JUDGED_MINUTES {
                continue;
            }
            let cover = judged / f64::from(self.today.session(*at).judged_minutes);
            let p = expected[*at as usize][family as usize].probability(comparable(level, cover), judged);
            let poor = self.today.poor(*at, family, window);
            trials.push((1.0 - (1.0 - p).powf(factor), is_affected(level, poor, judged)));
        }
        trials
    }

    /// How much worse than expected everybody else was in the window, at least 1, shrunk.
    fn elsewhere(&self, kind: ScopeKind, scope: u32, family: Family, window: (i32, i32), level: usize) -> f64 {
        let (mut observed, mut expected) = (3.0, 3.0);
        for (at, session) in self.today.day.sessions.iter().enumerate() {
            let judged = self.today.judged(at as u32, window);
            if session.scope(kind) == scope || judged < LEAST_JUDGED_MINUTES {
                continue;
            }
            let cover = judged / f64::from(session.judged_minutes);
            expected += self.expected[at][family as usize].probability(comparable(level, cover), judged);
            let poor = self.today.poor(at as u32, family, window);
            observed += f64::from(u8::from(is_affected(level, poor, judged)));
        }
        (observed / expected).max(1.0)
    }
}

#[cfg(test)]
#[path = "acute_tests.rs"]
mod tests;
