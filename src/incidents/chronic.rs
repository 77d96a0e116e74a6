//! Chronic incidents: a scope that was worse than its peers on at least five of the last ten days it was used.
//!
//! From the sessions alone. A home network, a remote building or a cellular network that has always been bad is not
//! an incident: only a change against its own history counts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::constants::{
    BAD_DAY_EXCESS, BAD_DAY_SHARE_MEETINGS, CHRONIC_BAD_DAYS, CHRONIC_DATES, CHRONIC_LOOK_BACK_DAYS, CHRONIC_USED_DAYS,
    CONTINUED_SCORE, CONTINUED_TESTS, FALSE_DISCOVERY_RATE, HISTORY_DAYS, KEPT_PEOPLE, KEPT_SCORE, LEAST_PEER_DAYS,
    RUN_SHARE, hypotheses, is_better,
};
use super::data::{Day, Family, KINDS, Session, is_single};
use super::earlier::Earlier;
use super::evidence::{Evidence, Found, is_worse};
use super::incident::ScopeKind;
use super::null_model::{Past, Strata, is_natural};
use super::person_day::{PersonDay, Sums, SumsByStratum, add, peer_shares, person_day, push};
use super::statistics::{log_likelihood_ratio, q_values};
use super::suspects::{least_bad_days, suspects};
use super::tally::{Part, Tally};

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

/// Whether a scope has a chronic problem of a family.
struct Question {
    kind: ScopeKind,
    scope: u32,
    family: Family,
    /// Whether its days without homes and cellular networks, if it has such, are worth a question too.
    is_enough_at_work: bool,
    /// The unexplained person-days of a shared scope; `None` for a single person or room.
    tally: Option<Tally>,
    /// The last answer.
    answer: Option<Candidate>,
    /// Whether what was explained since then may change the answer.
    is_open: bool,
}

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
    /// By family and person: whose minutes an incident explains.
    explained: [Vec<bool>; 3],
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
                    if suspects.contains(&scope) {
                        push(of_scopes[at].entry(scope).or_default(), day);
                    }
                }
            }
            for day in all {
                for family in Family::ALL {
                    add(&mut total[family as usize], &day, family, 1.0);
                }
                own.entry(day.who).or_default().push(day);
            }
        }
        let days = of_scopes;
        let mut known = HashMap::new();
        for (which, since) in &earlier.chronic {
            let first = known.entry(*which).or_insert(*since);
            *first = *since.min(first);
        }
        let people = own.keys().next_back().map_or(0, |who| *who as usize + 1);
        let explained = std::array::from_fn(|_| vec![false; people]);
        ChronicSearch { date, own, total, days, tests, explained, known }
    }

    /// All chronic incidents of the date, whether or not they were there before.
    pub(super) fn run(mut self) -> Vec<Chronic> {
        let mut found = Vec::new();
        let mut questions = self.questions();
        for _ in 0..200 {
            for question in questions.iter_mut().filter(|one| one.is_open) {
                question.answer = self.answer(question);
                question.is_open = false;
            }
            let answered: Vec<(usize, &Candidate)> =
                questions.iter().enumerate().filter_map(|(at, one)| Some((at, one.answer.as_ref()?))).collect();
            let q = q_values(&answered.iter().map(|(_, one)| one.weighted_p).collect::<Vec<_>>());
            let significant: Vec<(usize, &Candidate, f64)> = answered
                .into_iter()
                .zip(q)
                .filter(|(_, q)| *q <= FALSE_DISCOVERY_RATE)
                .map(|((at, one), q)| (at, one, q))
                .collect();
            let score = |at: usize| significant[at].1.score;
            let better = |best: usize, one: usize| if is_better(score(one), score(best)) { one } else { best };
            let Some(best) = (0..significant.len()).reduce(better) else { break };
            let people = &significant[best].1.found.affected;
            // That of the weeks before is kept while it explains nearly as much, or concerns the same people.
            let is_kept = |at: &usize| {
                let one = significant[*at].1;
                let shared = people.intersection(&one.found.affected).count();
                let least =
                    if shared as f64 >= KEPT_PEOPLE * people.len() as f64 { KEPT_SCORE } else { CONTINUED_SCORE };
                one.is_known && one.score >= least * score(best)
            };
            let kept = (0..significant.len()).filter(is_kept).reduce(better);
            let (at, _, q) = significant[kept.unwrap_or(best)];
            let Some(Candidate { found: mut one, .. }) = questions.remove(at).answer else { break };
            one.q = q;
            let changed = self.explain(&one);
            for question in &mut questions {
                if let Some(people) = &changed[question.family as usize] {
                    self.leave_out(question, people);
                    question.is_open = true;
                }
            }
            found.push(one);
        }
        found
    }

    /// Leaves the people of an incident out. Returns, of the families whose answers may change, the people left out.
    fn explain(&mut self, one: &Chronic) -> [Option<Vec<u32>>; 3] {
        let mut changed = [None, None, None];
        let mut explained = |family: Family, people: &BTreeSet<u32>| -> Vec<u32> {
            let is_explained = &mut self.explained[family as usize];
            people.iter().copied().filter(|who| !std::mem::replace(&mut is_explained[*who as usize], true)).collect()
        };
        // A picture problem is named CPU or frame rate according to the load of the computer.
        if let Some(other) = one.family.other_of_picture() {
            changed[other as usize] = Some(explained(other, &one.affected));
        }
        let people = explained(one.family, &one.people);
        for who in &people {
            // They are no longer peers.
            for day in self.own.get(who).into_iter().flatten().filter(|day| day.date >= one.first_bad) {
                add(&mut self.total[one.family as usize], day, one.family, -1.0);
            }
        }
        changed[one.family as usize] = Some(people);
        changed
    }

    /// Takes the days of people out of the tally of a question.
    fn leave_out(&self, question: &mut Question, people: &[u32]) {
        let Some(tally) = &mut question.tally else { return };
        let Some(days) = self.days[question.kind as usize].get(&question.scope) else { return };
        for who in people {
            // The days are sorted by person.
            let first = days.partition_point(|day| day.who < *who);
            days[first..].iter().take_while(|day| day.who == *who).for_each(|day| tally.add(day, -1.0));
        }
    }

    /// The scopes and families with enough affected days, in the order in which equal ones are preferred.
    fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        for kind in ScopeKind::ALL.iter().copied() {
            for (scope, days) in &self.days[kind as usize] {
                for family in Family::ALL {
                    let is_enough = |filter: fn(&PersonDay) -> bool| {
                        let affected = |day: &&PersonDay| filter(day) && day.is_affected(family);
                        let recent = |day: &PersonDay| day.date > self.date - CHRONIC_LOOK_BACK_DAYS;
                        let days = days.iter().filter(affected).filter(|day| recent(day));
                        let dates = days.fold(0_u32, |dates, day| dates | 1 << (self.date - day.date));
                        dates.count_ones() as usize >= least_bad_days(kind)
                    };
                    if is_enough(|_| true) {
                        let is_enough_at_work = !is_single(kind)
                            && family == Family::Network
                            && days.iter().any(PersonDay::is_natural)
                            && is_enough(|day| !day.is_natural());
                        let scope = *scope;
                        let tally = (!is_single(kind)).then(|| {
                            let mut tally = Tally::new(self.date, family);
                            days.iter().for_each(|day| tally.add(day, 1.0));
                            tally
                        });
                        questions.push(Question {
                            kind,
                            scope,
                            family,
                            is_enough_at_work,
                            tally,
                            answer: None,
                            is_open: true,
                        });
                    }
                }
            }
        }
        questions
    }

    /// The scope with all of its people; or, if homes and cellular networks hide it, at work alone.
    fn answer(&self, question: &Question) -> Option<Candidate> {
        let Question { kind, scope, family, is_enough_at_work, .. } = *question;
        let explained = &self.explained[family as usize];
        let days = self.days[kind as usize].get(&scope)?;
        let open = || days.iter().filter(|day| !explained[day.who as usize]);
        let may_be =
            |part| question.tally.as_ref().is_none_or(|tally| self.may_have_enough_bad_days(question, tally, part));
        let whole =
            if may_be(Part::Whole) { self.candidate(kind, scope, family, &open().collect::<Vec<_>>()) } else { None };
        let is_found = whole.as_ref().is_some_and(|one| one.weighted_p <= FALSE_DISCOVERY_RATE);
        if is_found || !is_enough_at_work || !may_be(Part::AtWork) {
            return whole;
        }
        let at_work: Vec<&PersonDay> = open().filter(|day| !day.is_natural()).collect();
        let at_work = self.candidate(kind, scope, family, &at_work);
        match (whole, at_work) {
            (Some(whole), Some(at_work)) if whole.weighted_p <= at_work.weighted_p => Some(whole),
            (whole, at_work) => at_work.or(whole),
        }
    }

    /// Whether a shared scope may have enough bad days; if not, [`Self::candidate`] returns `None`.
    fn may_have_enough_bad_days(&self, question: &Question, tally: &Tally, part: Part) -> bool {
        let Question { kind, scope, family, .. } = *question;
        let look_back = self.date - CHRONIC_LOOK_BACK_DAYS;
        let used = (look_back + 1..=self.date).rev().filter(|date| tally.people(*date, part) >= 2.0);
        let last: Vec<i32> = used.take(CHRONIC_USED_DAYS).collect();
        let Some(first) = last.last() else { return false };
        let known_since = self.known.get(&(kind, scope, family)).copied().unwrap_or(i32::MAX);
        let (all, late) = tally.others(self.total[family as usize], part, known_since.min(*first));
        let peers = peers(&all, &late);
        let is_bad = |date: &&i32| {
            let (people, affected) = (tally.people(**date, part), tally.affected(**date, part));
            // Sums in another order differ in the last digits. Slack, because a rejected scope is not looked at again.
            let expected = tally.expected(**date, part, &peers) - 1e-6;
            affected >= 2.0 && is_worse((affected - expected) / people, affected, expected, BAD_DAY_EXCESS)
        };
        last.iter().filter(is_bad).count() >= least_bad_days(kind)
    }

    fn candidate(&self, kind: ScopeKind, scope: u32, family: Family, days: &[&PersonDay]) -> Option<Candidate> {
        let mut by_date: BTreeMap<i32, Vec<&PersonDay>> = BTreeMap::new();
        for day in days.iter().copied() {
            by_date.entry(day.date).or_default().push(day);
        }
        let single = is_single(kind);
        by_date.retain(|_, people| single || people.len() >= 2);
        let look_back = self.date - CHRONIC_LOOK_BACK_DAYS;
        let used: Vec<i32> = by_date.keys().rev().copied().filter(|date| *date > look_back).collect();
        let last: Vec<i32> = used.iter().take(CHRONIC_USED_DAYS).copied().collect();
        if single && last.first() != Some(&self.date) {
            return None;
        }
        // The share of minutes, or of people, that is poor.
        let severity = |date: &i32| {
            let people = &by_date[date];
            if single {
                let poor: f64 = people.iter().map(|day| day.poor[family as usize]).sum();
                return poor / people.iter().map(|day| day.judged).sum::<f64>();
            }
            people.iter().filter(|day| day.is_affected(family)).count() as f64 / people.len() as f64
        };
        // Whatever is usual elsewhere, so that few are compared. Shared scopes are rejected by their sums before.
        let may_be_bad = |date: &&i32| severity(date) >= BAD_DAY_SHARE_MEETINGS;
        if single && last.iter().filter(may_be_bad).count() < least_bad_days(kind) {
            return None;
        }
        let known_since = self.known.get(&(kind, scope, family)).copied();
        let is_known = known_since.is_some();
        // What is known to be a problem is not usual.
        let known_since = known_since.unwrap_or(i32::MAX);
        let outside = |since: i32| self.outside(family, days, &by_date, since.min(known_since));
        let peers = outside(*last.last()?);
        let is_bad = |date: &i32| {
            let people = &by_date[date];
            if single {
                let shares = people.iter().map(|day| peer_shares(&peers, day.stratum).1 * day.judged);
                let mut whole = *people[0];
                people[1..].iter().for_each(|day| whole.merge(day));
                return whole.is_bad(family, shares.sum::<f64>() / whole.judged);
            }
            let expected: f64 = people.iter().map(|day| peer_shares(&peers, day.stratum).0).sum();
            let affected = people.iter().filter(|day| day.is_affected(family)).count() as f64;
            let count = people.len() as f64;
            affected >= 2.0 && is_worse((affected - expected) / count, affected, expected, BAD_DAY_EXCESS)
        };
        let bad: Vec<i32> = last.iter().copied().filter(is_bad).collect();
        if bad.len() < least_bad_days(kind) || single && bad[0] != self.date {
            return None;
        }
        // At least half as bad as the recent ones.
        let mut severities: Vec<f64> = bad.iter().map(severity).collect();
        severities.sort_by(f64::total_cmp);
        let least = RUN_SHARE * severities[severities.len() / 2];
        let first_bad = onset(by_date.keys().rev().map(|date| (*date, is_bad(date) && severity(date) >= least)))?;
        let peers = outside(first_bad);
        let since = first_bad.min(known_since);
        let earlier: Vec<i32> = by_date.keys().copied().filter(|date| *date < since).collect();
        let recent: Vec<&PersonDay> = days.iter().copied().filter(|day| last.contains(&day.date)).collect();
        let evidence = Evidence { family, own: &self.own, explained: &self.explained[family as usize] };
        let Found { p, people, affected, trials } = if single {
            evidence.of_single(&recent, &bad, &by_date, &is_bad, &peers, since)
        } else {
            let has_onset = earlier.len() >= 3;
            evidence.of_shared(kind, &recent, &peers, since, has_onset, is_known)?
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
        days: &[&PersonDay],
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
            add(&mut all, day, family, -1.0);
            if day.date >= since || incidents.contains(&day.date) {
                add(&mut late, day, family, -1.0);
            }
        }
        peers(&all, &late)
    }
}

/// A kind of network that nobody else uses is compared with its own days before, or with all others.
fn peers(all: &SumsByStratum, late: &SumsByStratum) -> SumsByStratum {
    let mut others = Sums::default();
    for one in all {
        others.days += one.days;
        others.judged += one.judged;
        others.affected += one.affected;
        others.heavily += one.heavily;
        others.minutes += one.minutes;
    }
    std::array::from_fn(|stratum| {
        let known = [all[stratum], late[stratum]].into_iter().find(|one| one.days >= LEAST_PEER_DAYS);
        known.unwrap_or(if is_natural(stratum) { late[stratum] } else { others })
    })
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

#[cfg(test)]
#[path = "chronic_tests.rs"]
mod tests;
