//! Chronic incidents: a scope that was worse than its peers on at least five of the last ten days it was used.
//!
//! From the sessions alone. A home network, a remote building or a cellular network that has always been bad is not
//! an incident: only a change against its own history counts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::constants::{
    BAD_DAY_EXCESS, BAD_DAY_RATIO, CHRONIC_BAD_DAYS, CHRONIC_DATES, CHRONIC_LOOK_BACK_DAYS, CHRONIC_USED_DAYS,
    CONTINUED_SCORE, CONTINUED_TESTS, FALSE_DISCOVERY_RATE, HISTORY_DAYS, KEPT_PEOPLE, KEPT_SCORE, LEAST_AFFECTED,
    LEAST_CORRELATION, LEAST_DAYS_BEFORE, LEAST_NATURAL_EXCESS, LEAST_PEER_DAYS, RUN_SHARE, hypotheses, is_better,
};
use super::data::{Day, Family, KINDS, Session, is_single};
use super::earlier::Earlier;
use super::incident::ScopeKind;
use super::null_model::{Past, STRATA, Strata, is_natural};
use super::person_day::{PersonDay, Sums, SumsByStratum, add, peer_shares, person_day, push};
use super::statistics::{beta_binomial_tail, dispersed_tail, log_likelihood_ratio, posterior, q_values};
use super::suspects::{least_bad_days, suspects};

/// A chronic incident on the date that is judged, still in numbers.
#[derive(Debug, Clone)]
pub(super) struct Chronic {
    pub(super) kind: ScopeKind,
    pub(super) scope: u32,
    pub(super) family: Family,
    pub(super) first_bad: i32,
    pub(super) bad_days: usize,
    pub(super) used_days: usize,
    pub(super) q: f64,
    /// Whether the date that is judged is one of enough bad days: else it only explains the troubles of others.
    pub(super) is_reported: bool,
    /// Whose trouble is explained.
    pub(super) people: BTreeSet<u32>,
    /// Those of them who were affected on half of their days.
    pub(super) affected: BTreeSet<u32>,
}

/// The p-value, whose trouble is explained, who of them was affected, and the person-days as trials.
type Evidence = (f64, BTreeSet<u32>, BTreeSet<u32>, Vec<(f64, bool)>);

struct Candidate {
    found: Chronic,
    weighted_p: f64,
    score: f64,
    is_known: bool,
}

pub(super) struct ChronicSearch {
    date: i32,
    /// All person-days of the look-back, by person.
    own: BTreeMap<u32, Vec<PersonDay>>,
    /// By family, without the people whose trouble is explained.
    total: [SumsByStratum; 3],
    /// By kind and scope: the person-days of scopes that may have had enough bad days.
    days: [BTreeMap<u32, Vec<PersonDay>>; KINDS],
    tests: [f64; KINDS],
    /// Whose minutes of a family an incident explains.
    explained: HashSet<(u32, u8)>,
    explained_scopes: HashSet<(usize, u32, u8)>,
    /// Reported before, with the first day.
    known: HashMap<(ScopeKind, u32, Family), i32>,
}

impl ChronicSearch {
    pub(super) fn new(past: &Past, today: &Day, strata: &Strata, earlier: &Earlier) -> ChronicSearch {
        let date = today.date;
        let days = || past.before(date, HISTORY_DAYS - 1).chain(std::iter::once(today));
        let suspects = suspects(days().filter(|day| day.date > date - CHRONIC_LOOK_BACK_DAYS), date);
        let mut tests = [0.0; KINDS];
        for kind in ScopeKind::ALL.iter().copied() {
            let used: BTreeSet<u32> =
                today.sessions.iter().map(|one| one.scope(kind)).filter(|one| *one != 0).collect();
            tests[kind as usize] = (used.len() as f64).max(1.0);
        }
        let mut own: BTreeMap<u32, Vec<PersonDay>> = BTreeMap::new();
        let mut total = [SumsByStratum::default(); 3];
        let mut of_scopes: [BTreeMap<u32, Vec<PersonDay>>; KINDS] = Default::default();
        if suspects.iter().any(|kind| !kind.is_empty()) {
            // In the order of people and dates, so that person-days come together.
            let mut every: Vec<(u32, i32, usize, PersonDay, &Session)> = Vec::new();
            for day in days() {
                let rows =
                    day.sessions.iter().filter(|session| !session.is_in_general_incident).filter_map(|session| {
                        let one = person_day(day.date, session, strata)?;
                        Some((one.who, one.date, one.stratum, one, session))
                    });
                every.extend(rows);
            }
            let mut order: Vec<(u32, i32, usize, usize)> =
                every.iter().enumerate().map(|(at, (who, date, stratum, ..))| (*who, *date, *stratum, at)).collect();
            order.sort_unstable();
            let mut all = Vec::with_capacity(order.len());
            for (.., at) in order {
                let (.., day, session) = &every[at];
                push(&mut all, day);
                for (at, suspects) in suspects.iter().enumerate().filter(|(_, suspects)| !suspects.is_empty()) {
                    let scope = strata.scope(session, ScopeKind::ALL[at]);
                    if scope != 0 && suspects.contains(&scope) {
                        push(of_scopes[at].entry(scope).or_default(), day);
                    }
                }
            }
            for day in all {
                total.iter_mut().for_each(|total| add(total, &day, 1.0));
                own.entry(day.who).or_default().push(day);
            }
        }
        let days = of_scopes;
        let mut known = HashMap::new();
        for (which, since) in &earlier.chronic {
            let first = known.entry(*which).or_insert(*since);
            *first = *since.min(first);
        }
        let (explained, explained_scopes) = Default::default();
        ChronicSearch { date, own, total, days, tests, explained, explained_scopes, known }
    }

    /// All chronic incidents of the date, whether or not they were there before.
    pub(super) fn run(mut self) -> Vec<Chronic> {
        let mut found = Vec::new();
        for _ in 0..200 {
            let candidates = self.candidates();
            let q = q_values(&candidates.iter().map(|one| one.weighted_p).collect::<Vec<_>>());
            let mut significant: Vec<(Candidate, f64)> =
                candidates.into_iter().zip(q).filter(|(_, q)| *q <= FALSE_DISCOVERY_RATE).collect();
            let score = |one: &(Candidate, f64)| one.0.score;
            let better = |best: usize, one: usize| {
                if is_better(score(&significant[one]), score(&significant[best])) { one } else { best }
            };
            let Some(best) = (0..significant.len()).reduce(better) else { break };
            let people = &significant[best].0.found.affected;
            // That of the weeks before is kept while it explains nearly as much, or concerns the same people.
            let is_kept = |one: &(Candidate, f64)| {
                let shared = people.intersection(&one.0.found.affected).count();
                let least =
                    if shared as f64 >= KEPT_PEOPLE * people.len() as f64 { KEPT_SCORE } else { CONTINUED_SCORE };
                one.0.is_known && score(one) >= least * score(&significant[best])
            };
            let kept = (0..significant.len()).filter(|at| is_kept(&significant[*at])).reduce(better);
            let (mut best, q) = significant.swap_remove(kept.unwrap_or(best));
            best.found.q = q;
            let one = &best.found;
            self.explained_scopes.insert((one.kind as usize, one.scope, one.family as u8));
            // A picture problem is named CPU or frame rate according to the load of the computer.
            if let Some(other) = one.family.other_of_picture() {
                self.explained.extend(one.affected.iter().map(|who| (*who, other as u8)));
            }
            for who in &one.people {
                // They are no longer peers.
                if self.explained.insert((*who, one.family as u8)) {
                    for day in self.own.get(who).into_iter().flatten().filter(|day| day.date >= one.first_bad) {
                        add(&mut self.total[one.family as usize], day, -1.0);
                    }
                }
            }
            found.push(best.found);
        }
        found
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for kind in ScopeKind::ALL.iter().copied() {
            if matches!(kind, ScopeKind::Service | ScopeKind::Meeting) {
                continue;
            }
            for (scope, days) in &self.days[kind as usize] {
                for family in Family::ALL {
                    if !self.explained_scopes.contains(&(kind as usize, *scope, family as u8)) {
                        candidates.extend(self.candidate(kind, *scope, family, days));
                    }
                }
            }
        }
        candidates
    }

    /// The scope with all of its people; or, if homes and cellular networks hide it, at work alone.
    fn candidate(&self, kind: ScopeKind, scope: u32, family: Family, days: &[PersonDay]) -> Option<Candidate> {
        let whole = self.candidate_of(kind, scope, family, days);
        let is_found = whole.as_ref().is_some_and(|one| one.weighted_p <= FALSE_DISCOVERY_RATE);
        if is_found || is_single(kind) || family != Family::Network {
            return whole;
        }
        let at_work: Vec<PersonDay> = days.iter().filter(|day| !day.is_natural()).copied().collect();
        if at_work.len() == days.len() {
            return whole;
        }
        let at_work = self.candidate_of(kind, scope, family, &at_work);
        match (whole, at_work) {
            (Some(whole), Some(at_work)) if whole.weighted_p <= at_work.weighted_p => Some(whole),
            (whole, at_work) => at_work.or(whole),
        }
    }

    fn candidate_of(&self, kind: ScopeKind, scope: u32, family: Family, days: &[PersonDay]) -> Option<Candidate> {
        let affected = |day: &&PersonDay| day.is_affected(family) && day.date > self.date - CHRONIC_LOOK_BACK_DAYS;
        let mut bad_dates: Vec<i32> = days.iter().filter(affected).map(|day| day.date).collect();
        bad_dates.sort_unstable();
        bad_dates.dedup();
        if bad_dates.len() < least_bad_days(kind) {
            return None;
        }
        let unexplained = |day: &&PersonDay| !self.explained.contains(&(day.who, family as u8));
        let days: Vec<PersonDay> = days.iter().filter(unexplained).copied().collect();
        let mut by_date: BTreeMap<i32, Vec<&PersonDay>> = BTreeMap::new();
        for day in &days {
            by_date.entry(day.date).or_default().push(day);
        }
        let single = is_single(kind);
        by_date.retain(|_, people| single || people.len() >= 2);
        let look_back = self.date - CHRONIC_LOOK_BACK_DAYS;
        let used: Vec<i32> = by_date.keys().rev().copied().filter(|date| *date > look_back).collect();
        let last: Vec<i32> = used.iter().take(CHRONIC_USED_DAYS).copied().collect();
        if last.len() < least_bad_days(kind) || single && last.first() != Some(&self.date) {
            return None;
        }
        let known_since = self.known.get(&(kind, scope, family)).copied();
        let is_known = known_since.is_some();
        // What is known to be a problem is not usual.
        let known_since = known_since.unwrap_or(i32::MAX);
        let outside = |since: i32| self.outside(family, &days, &by_date, since.min(known_since));
        let peers = outside(*last.last()?);
        let is_bad = |date: &i32| {
            let people = &by_date[date];
            if single {
                let shares = people.iter().map(|day| peer_shares(&peers, day.stratum, family).1 * day.judged);
                let mut whole = *people[0];
                people[1..].iter().for_each(|day| whole.merge(day));
                return whole.is_bad(family, shares.sum::<f64>() / whole.judged);
            }
            let expected: f64 = people.iter().map(|day| peer_shares(&peers, day.stratum, family).0).sum();
            let affected = people.iter().filter(|day| day.is_affected(family)).count() as f64;
            let count = people.len() as f64;
            affected >= 2.0 && is_worse((affected - expected) / count, affected, expected, BAD_DAY_EXCESS)
        };
        let bad: Vec<i32> = last.iter().copied().filter(is_bad).collect();
        if bad.len() < least_bad_days(kind) || single && bad[0] != self.date {
            return None;
        }
        // At least half as bad as the recent ones.
        let severity = |date: &i32| {
            let people = &by_date[date];
            if single {
                let poor: f64 = people.iter().map(|day| day.poor[family as usize]).sum();
                return poor / people.iter().map(|day| day.judged).sum::<f64>();
            }
            people.iter().filter(|day| day.is_affected(family)).count() as f64 / people.len() as f64
        };
        let mut severities: Vec<f64> = bad.iter().map(severity).collect();
        severities.sort_by(f64::total_cmp);
        let least = RUN_SHARE * severities[severities.len() / 2];
        let first_bad = onset(by_date.keys().rev().map(|date| (*date, is_bad(date) && severity(date) >= least)))?;
        let peers = outside(first_bad);
        let since = first_bad.min(known_since);
        let earlier: Vec<i32> = by_date.keys().copied().filter(|date| *date < since).collect();
        let recent: Vec<&PersonDay> = days.iter().filter(|day| last.contains(&day.date)).collect();
        let (p, people, affected, trials) = if single {
            self.test_single(family, &recent, &bad, &by_date, &is_bad, &peers, since)
        } else {
            let has_onset = earlier.len() >= 3;
            self.test_shared(kind, family, &recent, &peers, since, has_onset, is_known)?
        };
        let tests = self.tests[kind as usize];
        let found = Chronic {
            kind,
            scope,
            family,
            first_bad,
            bad_days: bad.len(),
            used_days: last.len(),
            q: 1.0,
            is_reported: bad.first() == Some(&self.date) && bad.len() >= CHRONIC_BAD_DAYS,
            people,
            affected,
        };
        let asked = if is_known { CONTINUED_TESTS } else { hypotheses(tests) / CHRONIC_DATES };
        let weighted_p = (2.0 * p * asked).min(1.0);
        Some(Candidate { found, weighted_p, score: log_likelihood_ratio(&trials) - tests.ln(), is_known })
    }

    /// Everybody else; on kinds of networks that nobody else uses, the scope itself before a date.
    fn outside(
        &self,
        family: Family,
        days: &[PersonDay],
        by_date: &BTreeMap<i32, Vec<&PersonDay>>,
        since: i32,
    ) -> SumsByStratum {
        // Days of its own acute incidents are not usual either.
        let is_incident = |date: &i32| {
            let affected = || by_date[date].iter().filter(|day| day.is_affected(family));
            let explained = affected().filter(|day| day.is_in_incident).count();
            explained >= 2 && 2 * explained > affected().count()
        };
        let incidents: HashSet<i32> = by_date.keys().copied().filter(is_incident).collect();
        let total = self.total[family as usize];
        let (mut all, mut late) = (total, total);
        for day in days {
            add(&mut all, day, -1.0);
            if day.date >= since || incidents.contains(&day.date) {
                add(&mut late, day, -1.0);
            }
        }
        // A kind of network that nobody else uses is compared with its own days before, or with all others.
        let mut others = Sums::default();
        for one in &all {
            others.days += one.days;
            others.judged += one.judged;
            for at in 0..3 {
                others.affected[at] += one.affected[at];
                others.heavily[at] += one.heavily[at];
                others.minutes[at] += one.minutes[at];
            }
        }
        std::array::from_fn(|stratum| {
            let known = [all[stratum], late[stratum]].into_iter().find(|one| one.days >= LEAST_PEER_DAYS);
            known.unwrap_or(if is_natural(stratum) { late[stratum] } else { others })
        })
    }

    /// Against the own days before, and, unless it is a home or cellular network, against the peers' days.
    #[expect(clippy::too_many_arguments, reason = "one call")]
    fn test_single(
        &self,
        family: Family,
        recent: &[&PersonDay],
        bad: &[i32],
        by_date: &BTreeMap<i32, Vec<&PersonDay>>,
        is_bad: &dyn Fn(&i32) -> bool,
        peers: &SumsByStratum,
        first_bad: i32,
    ) -> Evidence {
        let natural = recent.iter().filter(|day| day.is_natural()).count() * 2 > recent.len();
        let rate =
            recent.iter().map(|day| peer_shares(peers, day.stratum, family).0).sum::<f64>() / recent.len() as f64;
        // Like with like: only days on the same kind of network.
        let mut strata = [0; STRATA];
        recent.iter().filter(|day| bad.contains(&day.date)).for_each(|day| strata[day.stratum] += 1);
        let usual = (0..STRATA).rev().max_by_key(|stratum| strata[*stratum]).unwrap_or(0);
        let same = |date: &&i32| by_date[*date].iter().any(|day| day.stratum == usual);
        let (before, since): (Vec<i32>, Vec<i32>) = by_date.keys().filter(same).partition(|date| **date < first_bad);
        let bad_since = since.iter().filter(|date| is_bad(date)).count();
        let bad_before = before.iter().filter(|date| is_bad(date)).count() as f64;
        let who = recent[0].who;
        let mut p: f64 = 1.0;
        let mut own = rate;
        if before.len() >= LEAST_DAYS_BEFORE {
            let (mean, correlation) = posterior(
                rate.max(0.01),
                self.correlation(who, family, natural, false),
                before.len() as f64,
                bad_before,
            );
            own = mean;
            // The first bad day was chosen among ten.
            p = 10.0 * beta_binomial_tail(since.len(), bad_since, mean, correlation);
        }
        // Some homes and cellular networks are always worse; only one that is bad most of the time stands out.
        for is_heavy in [false, true] {
            if natural && family == Family::Network && !is_heavy {
                continue;
            }
            let days = recent;
            let hits = days.iter().filter(|day| day.is_hit(family, is_heavy)).count();
            if hits < CHRONIC_BAD_DAYS {
                continue;
            }
            let peer = |day: &&PersonDay| {
                let one = &peers[day.stratum];
                let affected = if is_heavy { &one.heavily } else { &one.affected };
                (affected[family as usize].max(0.0) + 0.3) / (one.days.max(0.0) + 6.0)
            };
            let rate = (days.iter().map(peer).sum::<f64>() / days.len() as f64).max(0.005);
            let correlation = self.correlation(who, family, natural, is_heavy);
            p = p.min(2.0 * beta_binomial_tail(days.len(), hits, rate, correlation));
        }
        let trials = recent.iter().map(|day| (own.clamp(0.005, 0.9), day.is_affected(family))).collect();
        let people: BTreeSet<u32> = recent.iter().map(|day| day.who).collect();
        (p.min(1.0), people.clone(), people, trials)
    }

    /// How much people differ from one another: the intra-class correlation of their affected days. At work, where no
    /// difference is natural, a small one is assumed. Without the worst twentieth, which may be in trouble themselves.
    fn correlation(&self, without: u32, family: Family, is_natural: bool, is_heavy: bool) -> f64 {
        if !is_natural || family != Family::Network {
            return LEAST_CORRELATION.0;
        }
        let mut shares: Vec<(f64, f64)> = Vec::new();
        for (who, own) in &self.own {
            if *who == without || self.explained.contains(&(*who, family as u8)) {
                continue;
            }
            let (mut days, mut hits) = (0.0_f64, 0.0);
            for day in own.iter().filter(|day| day.is_natural()) {
                days += 1.0;
                hits += f64::from(u8::from(day.is_hit(family, is_heavy)));
            }
            if days >= 5.0 {
                shares.push((hits / days, days));
            }
        }
        shares.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
        shares.truncate(shares.len() - shares.len().div_ceil(20));
        if shares.len() < 5 {
            return LEAST_CORRELATION.1;
        }
        let people = shares.len() as f64;
        let mean: f64 = shares.iter().map(|(share, _)| share).sum::<f64>() / people;
        let squares: f64 = shares.iter().map(|(share, _)| share * share).sum::<f64>() / people;
        let days: f64 = shares.iter().map(|(_, days)| days).sum::<f64>() / people;
        let within = (mean * (1.0 - mean)).max(1e-9);
        ((squares - mean * mean - within / days) / within).clamp(LEAST_CORRELATION.1, 0.9)
    }

    #[expect(clippy::too_many_arguments, reason = "one call")]
    /// How many of the people are bad on half of their days, against their own days before (or their peers).
    fn test_shared(
        &self,
        kind: ScopeKind,
        family: Family,
        recent: &[&PersonDay],
        peers: &SumsByStratum,
        first_bad: i32,
        has_onset: bool,
        is_known: bool,
    ) -> Option<Evidence> {
        // A network that has always been so is natural.
        let least_ratio = match kind {
            ScopeKind::NetworkType | ScopeKind::Location if !has_onset && !is_known => Some(5.0),
            _ => None,
        };
        let mut by_who: BTreeMap<u32, Vec<&PersonDay>> = BTreeMap::new();
        let known = |day: &&&PersonDay| day.date >= first_bad && peers[day.stratum].days >= LEAST_PEER_DAYS;
        for day in recent.iter().filter(known) {
            by_who.entry(day.who).or_default().push(day);
        }
        let (mut chances, mut people, mut trials) = (Vec::new(), BTreeSet::new(), Vec::new());
        for (who, days) in &by_who {
            let peer =
                days.iter().map(|day| peer_shares(peers, day.stratum, family).0).sum::<f64>() / days.len() as f64;
            let before: Vec<&PersonDay> = self.own.get(who).map_or(Vec::new(), |own| {
                own.iter().filter(|day| day.date < first_bad && day.stratum == days[0].stratum).collect()
            });
            let mut rate = peer;
            let is_natural = family == Family::Network && days.iter().any(|day| day.is_natural());
            let mut correlation = if is_natural { 0.3 } else { 0.05 };
            if before.len() >= 2 && (has_onset || matches!(kind, ScopeKind::AppVersion | ScopeKind::Device)) {
                let affected = before.iter().filter(|day| day.is_affected(family)).count() as f64;
                rate = (affected + 3.0 * peer) / (before.len() as f64 + 3.0);
                correlation = if is_natural { 0.1 } else { 0.05 };
            }
            let affected = days.iter().filter(|day| day.is_affected(family)).count();
            let need = days.len().div_ceil(2);
            chances.push(beta_binomial_tail(days.len(), need, rate.clamp(0.005, 0.95), correlation));
            if affected >= need {
                people.insert(*who);
            }
            trials.extend(days.iter().map(|day| (rate.clamp(0.005, 0.95), day.is_affected(family))));
        }
        let expected: f64 = chances.iter().sum();
        let (count, hit) = (by_who.len() as f64, people.len() as f64);
        let excess = (hit - expected) / count;
        let is_enough = match least_ratio {
            Some(ratio) => excess >= LEAST_NATURAL_EXCESS && hit >= ratio * expected,
            None => is_worse(excess, hit, expected, 0.15),
        };
        if people.len() < LEAST_AFFECTED || !is_enough {
            return None;
        }
        // The peers' rate is an estimate itself, and the first bad day was chosen.
        let strata: BTreeSet<usize> = by_who.values().flatten().map(|day| day.stratum).collect();
        let seen: f64 = strata.iter().map(|stratum| peers[*stratum].affected[family as usize].max(0.0)).sum();
        let spread = (0.1 + 1.0 / (1.0 + seen)).sqrt();
        let p = (10.0 * dispersed_tail(&chances, people.len(), spread)).min(1.0);
        Some((p, recent.iter().map(|day| day.who).collect(), people, trials))
    }
}

/// Whether enough more people are affected than expected, by number and ratio, or very many more.
fn is_worse(excess: f64, affected: f64, expected: f64, least: f64) -> bool {
    excess >= least && affected >= BAD_DAY_RATIO * expected || excess >= LEAST_NATURAL_EXCESS
}

/// The first of the bad days, newest first, since when there were more bad days than good ones.
fn onset(days: impl Iterator<Item = (i32, bool)>) -> Option<i32> {
    let (mut sum, mut most, mut first) = (0, 0, None);
    for (date, is_bad) in days {
        sum += if is_bad { 1 } else { -1 };
        if is_bad && sum >= most {
            (most, first) = (sum, Some(date));
        }
    }
    first
}
