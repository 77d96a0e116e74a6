//! What is expected of a session: the probability of being affected, learned from the 28 days before.
//!
//! Empirical Bayes: a person's own sessions on the same kind of network, shrunk towards everybody's on that kind of
//! network. So a home network that is always bad is not an incident.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::constants::{
    AFFECTED, ASSUMED_SESSIONS, ASSUMED_SHARE, HISTORY_DAYS, LEAST_HISTORY_DAYS, LEAST_HISTORY_SHARE,
    LEAST_JUDGED_MINUTES, LEAST_OWN_DATES, LEAST_PROBABILITY, NATURAL_SHARE_WITHOUT_HISTORY, PRIOR_SESSIONS,
    SHARE_WITHOUT_HISTORY, SPELL_MINUTES,
};
use super::data::{Day, Family, Session, WhoKind};
use super::explained::Explained;
use super::incident::ScopeKind;

pub(super) const STRATA: usize = 8;

/// Light, medium, heavy, and most of the time.
pub(super) const LEVELS: usize = AFFECTED.len();

/// Whether somebody with these poor and judged minutes counts as affected.
pub(super) fn is_affected(level: usize, poor: f64, judged: f64) -> bool {
    let (minutes, share) = AFFECTED[level];
    poor >= minutes && poor >= share * judged
}

/// The same for a whole session of the history. Part of it could have been as poor as this, so the share is lower.
fn was_affected(level: usize, poor: f64, judged: f64) -> bool {
    poor >= AFFECTED[level].0 && poor >= LEAST_HISTORY_SHARE[level] * judged
}

/// The dates before a date, oldest first.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) days: VecDeque<Day>,
}

impl Past {
    pub(super) fn forget_before(&mut self, date: i32) {
        while self.days.pop_front_if(|day| day.date < date).is_some() {}
    }

    /// The days within `days` days before `date`, newest first.
    pub(super) fn before(&self, date: i32, days: i32) -> impl Iterator<Item = &Day> {
        self.days.iter().rev().skip_while(move |day| day.date >= date).take_while(move |day| day.date >= date - days)
    }
}

/// Whether differences between people are natural on a kind of network: at home, or cellular.
pub(super) fn is_natural(stratum: usize) -> bool {
    stratum % 2 == 1 || stratum / 2 == 2
}

/// The kind of network of a session: wired, Wi-Fi, cellular or other, at a place of its own or a shared one.
#[derive(Debug)]
pub(super) struct Strata {
    /// By number of the public network: whether at least three people used it.
    shared: Vec<bool>,
    /// By number of the subnet: whether it is behind many public networks, so a default of home routers.
    scattered: Vec<bool>,
    /// By number of the network type.
    network_type: Vec<usize>,
}

impl Strata {
    pub(super) fn learn(past: &Past, today: &Day, network_types: Vec<usize>) -> Strata {
        let (mut users, mut providers) = (Distinct::default(), Distinct::default());
        let days = past.before(today.date, HISTORY_DAYS).chain(std::iter::once(today));
        for session in days.flat_map(|day| &day.sessions) {
            users.add(session.scope(ScopeKind::Egress), session.who);
            providers.add(session.scope(ScopeKind::Subnet), session.scope(ScopeKind::Egress));
        }
        Strata { shared: users.many(), scattered: providers.many(), network_type: network_types }
    }

    /// The scope of a session; the subnet of a home is none.
    pub(super) fn scope(&self, session: &Session, kind: ScopeKind) -> u32 {
        let scope = session.scope(kind);
        if kind == ScopeKind::Subnet && self.is_scattered(scope) { 0 } else { scope }
    }

    fn is_scattered(&self, subnet: u32) -> bool {
        self.scattered.get(subnet as usize).copied().unwrap_or(false)
    }

    pub(super) fn is_home(&self, session: &Session) -> bool {
        let egress = session.scope(ScopeKind::Egress) as usize;
        let office = session.scope(ScopeKind::Site) != 0;
        let subnet = session.scope(ScopeKind::Subnet);
        !office
            && (session.is_home_like
                || self.is_scattered(subnet)
                || egress == 0
                || !self.shared.get(egress).copied().unwrap_or(false))
    }

    pub(super) fn of(&self, session: &Session) -> usize {
        let network = self.network_type.get(session.scope(ScopeKind::NetworkType) as usize).copied().unwrap_or(3);
        network * 2 + usize::from(self.is_home(session))
    }
}

/// By number, up to three distinct values seen with it.
#[derive(Debug, Default)]
struct Distinct {
    seen: Vec<[u32; 3]>,
}

impl Distinct {
    fn add(&mut self, number: u32, value: u32) {
        let at = number as usize;
        if self.seen.len() <= at {
            self.seen.resize(at + 1, [u32::MAX; 3]);
        }
        let seen = &mut self.seen[at];
        if !seen.contains(&value)
            && let Some(free) = seen.iter_mut().find(|one| **one == u32::MAX)
        {
            *free = value;
        }
    }

    /// Whether each number has at least three.
    fn many(&self) -> Vec<bool> {
        self.seen.iter().map(|seen| seen[2] != u32::MAX).collect()
    }
}

/// The number of a network type among wired, wifi, cellular and the rest.
pub(super) fn network_number(name: &str) -> usize {
    ["wired", "wifi", "cellular"].iter().position(|known| *known == name).unwrap_or(3)
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    sessions: f64,
    dates: f64,
    last_date: i32,
    judged: f64,
    affected: [[f64; LEVELS]; 3],
    minutes: [f64; 3],
}

impl Counts {
    fn add_on(&mut self, judged: u32, minutes: &[u32; 5], date: i32) {
        if f64::from(judged) >= LEAST_JUDGED_MINUTES {
            self.dates += f64::from(u8::from(self.dates == 0.0 || self.last_date != date));
            self.last_date = date;
            self.add(judged, minutes, 1.0);
        }
    }

    fn add(&mut self, judged: u32, minutes: &[u32; 5], sign: f64) {
        let judged = f64::from(judged);
        if judged < LEAST_JUDGED_MINUTES {
            return;
        }
        self.sessions += sign;
        self.judged += sign * judged;
        for family in Family::ALL {
            let poor = f64::from(family.minutes(minutes));
            self.minutes[family as usize] += sign * poor;
            if poor > 0.0 {
                for level in 0..LEVELS {
                    self.affected[family as usize][level] +=
                        sign * f64::from(u8::from(was_affected(level, poor, judged)));
                }
            }
        }
    }
}

/// What is expected of a session in one family.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expected {
    /// Probability of being affected in the whole session, light and heavy.
    pub(super) session: [f64; LEVELS],
    /// The same per judged minute, as a hazard.
    pub(super) hazard: [f64; LEVELS],
    /// Share of the minutes.
    pub(super) minutes: f64,
    /// Whether nobody knows yet if this home is one of the bad ones.
    pub(super) is_unknown_home: bool,
    /// Earlier dates of the person, on any network.
    pub(super) own_dates: f64,
}

impl Expected {
    /// Probability of being affected within some of the minutes.
    pub(super) fn probability(&self, level: usize, minutes: f64) -> f64 {
        // A poor spell may begin before the minutes or end after them.
        (1.0 - (-self.hazard[level] * (minutes + SPELL_MINUTES)).exp()).max(LEAST_PROBABILITY[level])
    }
}

/// The counts of the days before a date, from which sessions get their expectation.
#[derive(Debug)]
pub(super) struct Rates {
    strata: [Counts; STRATA],
    /// What is expected of a session of a stranger, by stratum.
    pub(super) peers: [[Expected; 3]; STRATA],
    own: HashMap<(u32, u8), Counts>,
    /// People of chronic incidents.
    chronic: HashSet<u32>,
    /// By person: dates, and the last of them.
    dates: HashMap<u32, (u32, i32)>,
    /// Too few days to know what is usual.
    is_new: bool,
}

impl Rates {
    /// Of the days in `[date - 28, before)`.
    pub(super) fn learn(past: &Past, strata: &Strata, date: i32, before: i32) -> Rates {
        let mut rates = Rates {
            strata: [Counts::default(); STRATA],
            peers: [[Expected::default(); 3]; STRATA],
            own: HashMap::new(),
            chronic: HashSet::new(),
            dates: HashMap::new(),
            is_new: past.before(before, HISTORY_DAYS - (date - before)).count() < LEAST_HISTORY_DAYS,
        };
        for day in past.before(before, HISTORY_DAYS - (date - before)) {
            for session in day.sessions.iter().filter(|session| !session.is_in_incident) {
                let stratum = strata.of(session);
                rates.strata[stratum].add(session.judged_minutes, &session.minutes, 1.0);
                if session.who_kind != WhoKind::Guest {
                    let own = rates.own.entry((session.who, stratum as u8)).or_default();
                    own.add_on(session.judged_minutes, &session.minutes, day.date);
                    let dates = rates.dates.entry(session.who).or_insert((0, i32::MIN));
                    *dates = (dates.0 + u32::from(dates.1 != day.date), day.date);
                }
            }
        }
        rates.peers = std::array::from_fn(|stratum| rates.peers_of(stratum));
        rates
    }

    /// Takes out what chronic incidents explain: what is usual for their people is how they are without it.
    pub(super) fn leave_out(&mut self, explained: &Explained, past: &Past, strata: &Strata, date: i32, before: i32) {
        if explained.is_empty() {
            return;
        }
        self.own.retain(|(who, _), _| !explained.has(*who));
        for day in past.before(before, HISTORY_DAYS - (date - before)) {
            let concerned = |session: &&Session| explained.has(session.who) && !session.is_in_incident;
            for session in day.sessions.iter().filter(concerned) {
                let (judged, minutes) = explained.rest(session, day.date);
                let stratum = strata.of(session);
                self.strata[stratum].add(session.judged_minutes, &session.minutes, -1.0);
                self.strata[stratum].add(judged, &minutes, 1.0);
                let own = self.own.entry((session.who, stratum as u8)).or_default();
                own.add_on(judged, &minutes, day.date);
                self.chronic.insert(session.who);
            }
        }
        self.peers = std::array::from_fn(|stratum| self.peers_of(stratum));
    }

    pub(super) fn expected(&self, strata: &Strata, session: &Session) -> [Expected; 3] {
        let stratum = strata.of(session);
        let peers = &self.peers[stratum];
        let own = self.own.get(&(session.who, stratum as u8)).copied().unwrap_or_default();
        let mut expected = [Expected::default(); 3];
        for family in Family::ALL {
            let (at, peer) = (family as usize, &peers[family as usize]);
            let one = &mut expected[at];
            let length = self.mean_length(stratum);
            let own_length = (own.judged + PRIOR_SESSIONS * length) / (own.sessions + PRIOR_SESSIONS);
            for level in 0..LEVELS {
                let share =
                    (own.affected[at][level] + PRIOR_SESSIONS * peer.session[level]) / (own.sessions + PRIOR_SESSIONS);
                let is_natural = is_natural(stratum) && family == Family::Network;
                let assumed = if is_natural { NATURAL_SHARE_WITHOUT_HISTORY } else { SHARE_WITHOUT_HISTORY };
                let share = if self.is_new { share.max(assumed[level]) } else { share };
                one.session[level] = share.clamp(LEAST_PROBABILITY[level], 0.98);
                one.hazard[level] = -(1.0 - one.session[level]).ln() / own_length;
            }
            one.is_unknown_home = is_natural(stratum) && family == Family::Network && own.dates < LEAST_OWN_DATES;
            one.own_dates = self.dates.get(&session.who).map_or(0.0, |dates| f64::from(dates.0));
            let prior_minutes = PRIOR_SESSIONS * length;
            one.minutes = (own.minutes[at] + prior_minutes * peer.minutes) / (own.judged + prior_minutes);
        }
        expected
    }

    fn mean_length(&self, stratum: usize) -> f64 {
        let of = &self.strata[stratum];
        (of.judged + 10.0 * 30.0) / (of.sessions + 10.0)
    }

    fn peers_of(&self, stratum: usize) -> [Expected; 3] {
        let mut all = Counts::default();
        for one in &self.strata {
            all.sessions += one.sessions;
            all.judged += one.judged;
            for at in 0..3 {
                all.minutes[at] += one.minutes[at];
                for level in 0..LEVELS {
                    all.affected[at][level] += one.affected[at][level];
                }
            }
        }
        let own = &self.strata[stratum];
        let mut expected = [Expected::default(); 3];
        for (at, one) in expected.iter_mut().enumerate() {
            for (level, assumed_share) in ASSUMED_SHARE.iter().enumerate() {
                let tenant =
                    (all.affected[at][level] + ASSUMED_SESSIONS * assumed_share) / (all.sessions + ASSUMED_SESSIONS);
                one.session[level] =
                    (own.affected[at][level] + ASSUMED_SESSIONS * tenant) / (own.sessions + ASSUMED_SESSIONS);
            }
            let assumed = ASSUMED_SESSIONS * 30.0;
            let tenant = (all.minutes[at] + assumed * 0.01) / (all.judged + assumed);
            one.minutes = (own.minutes[at] + assumed * tenant) / (own.judged + assumed);
        }
        expected
    }
}

/// The people of a group on a day, summed up: those affected and those expected.
#[derive(Debug, Clone, Copy, Default)]
struct DayGroup {
    who: Option<u32>,
    /// Of the last person.
    hit: [bool; 3],
    chance: [f64; 3],
    observed: [f64; 3],
    expected: [f64; 3],
}

impl DayGroup {
    fn close_person(&mut self) {
        for at in 0..3 {
            self.observed[at] += f64::from(u8::from(self.hit[at]));
            self.expected[at] += self.chance[at];
        }
        (self.hit, self.chance) = ([false; 3], [0.0; 3]);
    }
}

/// How much the number of affected people varies from day to day beyond chance, as the spread of a log-normal
/// factor: of
/// the tenant, of a site, of a meeting. From the days before, without the worst fifth, which may be incidents.
pub(super) fn spreads(past: &Past, strata: &Strata, rates: &Rates, date: i32) -> [[f64; 3]; 3] {
    let mut spreads = [[0.0; 3]; 3];
    let mut ratios: [[Vec<(f64, f64)>; 3]; 3] = Default::default();
    for day in past.before(date, HISTORY_DAYS) {
        let mut groups: [BTreeMap<u32, DayGroup>; 3] = Default::default();
        let mut order: Vec<(u32, u32)> =
            day.sessions.iter().enumerate().map(|(at, one)| (one.who, at as u32)).collect();
        order.sort_unstable();
        for (who, at) in order {
            let session = &day.sessions[at as usize];
            let judged = f64::from(session.judged_minutes);
            if judged < LEAST_JUDGED_MINUTES || session.is_in_incident || rates.chronic.contains(&who) {
                continue;
            }
            let expected = rates.expected(strata, session);
            let scopes = [1, session.scope(ScopeKind::Site), session.scope(ScopeKind::Meeting)];
            for (group, scope) in groups.iter_mut().zip(scopes).filter(|(_, scope)| *scope != 0) {
                let group = group.entry(scope).or_default();
                if group.who != Some(who) {
                    group.close_person();
                    group.who = Some(who);
                }
                for family in Family::ALL {
                    let at = family as usize;
                    let poor = f64::from(session.family_minutes(family));
                    group.hit[at] |= was_affected(0, poor, judged);
                    group.chance[at] = 1.0 - (1.0 - group.chance[at]) * (1.0 - expected[at].session[0]);
                }
            }
        }
        for (ratio, group) in ratios.iter_mut().zip(&mut groups) {
            for group in group.values_mut() {
                group.close_person();
                for (at, pairs) in ratio.iter_mut().enumerate() {
                    if group.expected[at] >= 0.5 {
                        pairs.push((group.observed[at], group.expected[at]));
                    }
                }
            }
        }
    }
    for (row, groups) in spreads.iter_mut().zip(&mut ratios) {
        for (spread, ratio) in row.iter_mut().zip(groups) {
            ratio.sort_by(|left, right| {
                (left.0 / left.1).total_cmp(&(right.0 / right.1)).then(left.1.total_cmp(&right.1))
            });
            ratio.truncate(ratio.len() * 4 / 5);
            // Twenty pseudo-observations of a factor of 1.25; half again for what the worst would add.
            let excess: f64 = ratio.iter().map(|(observed, expected)| (observed - expected).powi(2) - observed).sum();
            let weight: f64 = ratio.iter().map(|(_, expected)| expected * expected).sum();
            let variance = 1.5 * (excess + 20.0 * 0.0625) / (weight + 20.0);
            *spread = (1.0 + variance.max(0.0)).ln().sqrt().clamp(0.25, 0.5);
        }
    }
    spreads
}

#[cfg(test)]
mod tests {
    use super::super::search_tests::tenant;
    use super::*;

    fn at_home(session: &mut Session) {
        session.scopes[ScopeKind::Site as usize] = 0;
        session.is_home_like = true;
    }

    #[test]
    fn without_history_more_is_expected_of_the_network_at_home() {
        let tenant = tenant(&|_, _, _, _| None);
        let day = &tenant.days[0];
        let strata = Strata::learn(&Past::default(), day, Vec::new());
        let rates = Rates::learn(&Past::default(), &strata, day.date, day.date);
        let expected = |is_home_like: bool| {
            let mut session = day.sessions[0].clone();
            at_home(&mut session);
            session.is_home_like = is_home_like;
            let expected = rates.expected(&strata, &session);
            [Family::Network, Family::Cpu].map(|family| expected[family as usize].session)
        };
        assert_eq!(expected(true), [NATURAL_SHARE_WITHOUT_HISTORY, SHARE_WITHOUT_HISTORY]);
        assert_eq!(expected(false), [SHARE_WITHOUT_HISTORY; 2]);
    }

    #[test]
    fn three_days_are_a_history_and_four_of_a_person_make_a_home_known() {
        let tenant = tenant(&|_, _, _, _| None);
        let expected = |days: usize| {
            let (mut past, today) = (Past::default(), &tenant.days[days]);
            past.days.extend(tenant.days[..days].iter().cloned());
            past.days.iter_mut().flat_map(|day| &mut day.sessions).for_each(at_home);
            let strata = Strata::learn(&past, today, Vec::new());
            let rates = Rates::learn(&past, &strata, today.date, today.date);
            let mut session = today.sessions[0].clone();
            at_home(&mut session);
            rates.expected(&strata, &session)[Family::Network as usize]
        };
        let is_assumed = |days: usize| expected(days).session == NATURAL_SHARE_WITHOUT_HISTORY;
        assert!(is_assumed(2) && !is_assumed(3));
        assert!(expected(3).is_unknown_home && !expected(4).is_unknown_home);
    }

    #[test]
    fn a_home_is_where_no_building_is_known_and_nobody_else_shares_the_network() {
        let tenant = tenant(&|_, _, _, _| None);
        let strata = Strata::learn(&Past::default(), &tenant.days[0], Vec::new());
        let with = |change: fn(&mut Session)| {
            let mut session = tenant.days[0].sessions[0].clone();
            session.scopes[ScopeKind::Site as usize] = 0;
            change(&mut session);
            strata.is_home(&session)
        };
        assert!(!with(|_| {}), "the network of an office without a building");
        assert!(with(|session| session.is_home_like = true));
        assert!(with(|session| session.scopes[ScopeKind::Egress as usize] = 0));
        assert!(with(|session| session.scopes[ScopeKind::Egress as usize] = 99));
        let of_building = |session: &mut Session| {
            session.scopes[ScopeKind::Site as usize] = 1;
            session.is_home_like = true;
        };
        assert!(!with(of_building));
    }
}
