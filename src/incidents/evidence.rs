//! How unlikely the days of a scope are, if it is like its peers and as it was before.

use std::collections::{BTreeMap, BTreeSet};

use super::constants::{
    BAD_DAY_RATIO, CHRONIC_BAD_DAYS, LEAST_AFFECTED, LEAST_CORRELATION, LEAST_DAYS_BEFORE, LEAST_NATURAL_EXCESS,
    LEAST_PEER_DAYS,
};
use super::data::Family;
use super::incident::ScopeKind;
use super::null_model::STRATA;
use super::person_day::{PersonDay, SumsByStratum, peer_shares};
use super::statistics::{beta_binomial_tail, dispersed_tail, posterior};

pub(super) struct Found {
    pub(super) p: f64,
    /// Whose trouble is explained.
    pub(super) people: BTreeSet<u32>,
    /// Those of them who were affected.
    pub(super) affected: BTreeSet<u32>,
    /// The person-days as trials.
    pub(super) trials: Vec<(f64, bool)>,
}

pub(super) struct Evidence<'a> {
    pub(super) family: Family,
    /// All person-days of the look-back, by person.
    pub(super) own: &'a BTreeMap<u32, Vec<PersonDay>>,
    /// By person: whether an incident explains the minutes.
    pub(super) explained: &'a [bool],
}

impl Evidence<'_> {
    /// Against the own days before, and, unless it is a home or cellular network, against the peers' days.
    pub(super) fn of_single(
        &self,
        recent: &[&PersonDay],
        bad: &[i32],
        by_date: &BTreeMap<i32, Vec<&PersonDay>>,
        is_bad: &dyn Fn(&i32) -> bool,
        peers: &SumsByStratum,
        first_bad: i32,
    ) -> Found {
        let family = self.family;
        let natural = recent.iter().filter(|day| day.is_natural()).count() * 2 > recent.len();
        let rate = recent.iter().map(|day| peer_shares(peers, day.stratum).0).sum::<f64>() / recent.len() as f64;
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
            let (mean, correlation) =
                posterior(rate.max(0.01), self.correlation(who, natural, false), before.len() as f64, bad_before);
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
                let affected = if is_heavy { one.heavily } else { one.affected };
                (affected.max(0.0) + 0.3) / (one.days.max(0.0) + 6.0)
            };
            let rate = (days.iter().map(peer).sum::<f64>() / days.len() as f64).max(0.005);
            let correlation = self.correlation(who, natural, is_heavy);
            p = p.min(2.0 * beta_binomial_tail(days.len(), hits, rate, correlation));
        }
        let trials = recent.iter().map(|day| (own.clamp(0.005, 0.9), day.is_affected(family))).collect();
        let people: BTreeSet<u32> = recent.iter().map(|day| day.who).collect();
        Found { p: p.min(1.0), affected: people.clone(), people, trials }
    }

    /// How much people differ from one another: the intra-class correlation of their affected days. At work, where no
    /// difference is natural, a small one is assumed. Without the worst twentieth, which may be in trouble themselves.
    fn correlation(&self, without: u32, is_natural: bool, is_heavy: bool) -> f64 {
        let family = self.family;
        if !is_natural || family != Family::Network {
            return LEAST_CORRELATION.0;
        }
        let mut shares: Vec<(f64, f64)> = Vec::new();
        for (who, own) in self.own {
            if *who == without || self.explained[*who as usize] {
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

    /// How many of the people are bad on half of their days, against their own days before (or their peers).
    pub(super) fn of_shared(
        &self,
        kind: ScopeKind,
        recent: &[&PersonDay],
        peers: &SumsByStratum,
        first_bad: i32,
        has_onset: bool,
        is_known: bool,
    ) -> Option<Found> {
        let family = self.family;
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
        let (mut chances, mut affected, mut trials) = (Vec::new(), BTreeSet::new(), Vec::new());
        for (who, days) in &by_who {
            let peer = days.iter().map(|day| peer_shares(peers, day.stratum).0).sum::<f64>() / days.len() as f64;
            let before: Vec<&PersonDay> = self.own.get(who).map_or(Vec::new(), |own| {
                own.iter().filter(|day| day.date < first_bad && day.stratum == days[0].stratum).collect()
            });
            let mut rate = peer;
            let is_natural = family == Family::Network && days.iter().any(|day| day.is_natural());
            let mut correlation = if is_natural { 0.3 } else { 0.05 };
            if before.len() >= 2 && (has_onset || matches!(kind, ScopeKind::AppVersion | ScopeKind::Device)) {
                let hits = before.iter().filter(|day| day.is_affected(family)).count() as f64;
                rate = (hits + 3.0 * peer) / (before.len() as f64 + 3.0);
                correlation = if is_natural { 0.1 } else { 0.05 };
            }
            let hits = days.iter().filter(|day| day.is_affected(family)).count();
            let need = days.len().div_ceil(2);
            chances.push(beta_binomial_tail(days.len(), need, rate.clamp(0.005, 0.95), correlation));
            if hits >= need {
                affected.insert(*who);
            }
            trials.extend(days.iter().map(|day| (rate.clamp(0.005, 0.95), day.is_affected(family))));
        }
        let expected: f64 = chances.iter().sum();
        let (count, hit) = (by_who.len() as f64, affected.len() as f64);
        let excess = (hit - expected) / count;
        let is_enough = match least_ratio {
            Some(ratio) => excess >= LEAST_NATURAL_EXCESS && hit >= ratio * expected,
            None => is_worse(excess, hit, expected, 0.15),
        };
        if affected.len() < LEAST_AFFECTED || !is_enough {
            return None;
        }
        // The peers' rate is an estimate itself, and the first bad day was chosen.
        let strata: BTreeSet<usize> = by_who.values().flatten().map(|day| day.stratum).collect();
        let seen: f64 = strata.iter().map(|stratum| peers[*stratum].affected.max(0.0)).sum();
        let spread = (0.1 + 1.0 / (1.0 + seen)).sqrt();
        let p = (10.0 * dispersed_tail(&chances, affected.len(), spread)).min(1.0);
        Some(Found { p, people: recent.iter().map(|day| day.who).collect(), affected, trials })
    }
}

/// Whether enough more people are affected than expected, by number and ratio, or very many more.
pub(super) fn is_worse(excess: f64, affected: f64, expected: f64, least: f64) -> bool {
    excess >= least && affected >= BAD_DAY_RATIO * expected || excess >= LEAST_NATURAL_EXCESS
}
